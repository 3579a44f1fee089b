//! Time cut into buckets of the calendar of a timezone. All of the calendar is here; stores compare milliseconds.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use quartile_protocol::clock::Wall;

/// How long a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// From one whole local hour to the next, or to a change of the offset from UTC: an hour that a clock goes through
    /// twice is two buckets.
    Hour,
    /// A local day, of 23 to 25 hours.
    Day,
    /// From a local Monday to the next.
    Week,
    /// A local month.
    Month,
}

impl Grain {
    /// Every grain, the shortest first.
    pub const ALL: &'static [Self] = &[Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name of the dimension.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "time:hour",
            Self::Day => "time:day",
            Self::Week => "time:week",
            Self::Month => "time:month",
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Hour => "The hour in which a slice opened, in the asked timezone, with its offset from UTC.",
            Self::Day => "The day in which a slice opened, in the asked timezone.",
            Self::Week => "The Monday of the week in which a slice opened, in the asked timezone.",
            Self::Month => "The first day of the month in which a slice opened, in the asked timezone.",
        }
    }
}

/// The most buckets that a query may ask for.
pub const MAX_BUCKETS: usize = 10_000;

/// Why there are no buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// More than [`MAX_BUCKETS`].
    #[error("more than {MAX_BUCKETS} buckets of time: ask for a longer grain or a shorter range")]
    TooMany,
    /// Beyond what a calendar can tell.
    #[error("must lie between the years 1970 and 9000")]
    Calendar,
}

impl From<jiff::Error> for BucketError {
    fn from(_: jiff::Error) -> Self {
        Self::Calendar
    }
}

/// Consecutive buckets that cover a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    grain: Grain,
    starts: Vec<Wall>,
    labels: Vec<String>,
}

impl Buckets {
    /// Cuts a range, which must not be empty. The first bucket begins at or before it, where the calendar says.
    ///
    /// # Errors
    /// [`BucketError`].
    pub fn new(grain: Grain, range: &Range<Wall>, tz: &TimeZone) -> Result<Self, BucketError> {
        let mut buckets = Self { grain, starts: Vec::new(), labels: Vec::new() };
        let mut start = floor(grain, &zoned(range.start, tz)?)?;
        while wall(&start) < range.end {
            if buckets.starts.len() == MAX_BUCKETS {
                return Err(BucketError::TooMany);
            }
            buckets.starts.push(wall(&start));
            buckets.labels.push(label(grain, &start));
            start = next(grain, &start)?;
        }
        Ok(buckets)
    }

    /// How long they are.
    #[must_use]
    pub const fn grain(&self) -> Grain {
        self.grain
    }

    /// When each begins, in order.
    #[must_use]
    pub fn starts(&self) -> &[Wall] {
        &self.starts
    }

    /// The name of each, in the same order.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }
}

/// The date in a timezone.
///
/// # Errors
/// [`BucketError::Calendar`].
pub fn zoned(at: Wall, tz: &TimeZone) -> Result<Zoned, BucketError> {
    Ok(Timestamp::from_millisecond(at.as_ms())?.to_zoned(tz.clone()))
}

/// The milliseconds of a date.
#[must_use]
pub fn wall(at: &Zoned) -> Wall {
    Wall::from_ms(at.timestamp().as_millisecond())
}

/// The first moment of a local day; of a day that a timezone left out, the first moment after it.
///
/// # Errors
/// [`BucketError::Calendar`].
pub fn day_start(date: Date, tz: &TimeZone) -> Result<Zoned, BucketError> {
    Ok(date.to_zoned(tz.clone())?)
}

fn label(grain: Grain, start: &Zoned) -> String {
    match grain {
        Grain::Hour => start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Grain::Day | Grain::Week | Grain::Month => start.date().to_string(),
    }
}

/// The beginning of the bucket that `at` is in.
fn floor(grain: Grain, at: &Zoned) -> Result<Zoned, BucketError> {
    let (date, tz) = (at.date(), at.time_zone());
    match grain {
        Grain::Hour => {
            let hour = at.checked_sub(into_hour(at).milliseconds())?;
            let changed =
                tz.preceding(at.timestamp().checked_add(1.nanosecond())?).find_map(|t| change(t.timestamp(), tz));
            Ok(changed.map_or(hour.clone(), |changed| changed.max(hour)))
        }
        Grain::Day => day_start(date, tz),
        Grain::Week => {
            let monday = i64::from(date.weekday().to_monday_zero_offset());
            day_start(date.checked_sub(monday.days())?, tz)
        }
        Grain::Month => day_start(date.first_of_month(), tz),
    }
}

/// The beginning of the bucket after the one that begins at `start`.
fn next(grain: Grain, start: &Zoned) -> Result<Zoned, BucketError> {
    let (mut date, tz) = (start.date(), start.time_zone());
    let span = match grain {
        Grain::Hour => {
            let hour = start.checked_add((3_600_000 - into_hour(start)).milliseconds())?;
            let changed = tz.following(start.timestamp()).find_map(|t| change(t.timestamp(), tz));
            return Ok(changed.map_or(hour.clone(), |changed| changed.min(hour)));
        }
        Grain::Day => 1.day(),
        Grain::Week => 7.days(),
        Grain::Month => 1.month(),
    };
    loop {
        date = date.checked_add(span)?;
        let next = day_start(date, tz)?;
        // A timezone that crossed the date line has days that never began.
        if next > *start {
            return Ok(next);
        }
    }
}

/// Milliseconds since the last whole hour of the local clock.
fn into_hour(at: &Zoned) -> i64 {
    i64::from(at.minute()) * 60_000 + i64::from(at.second()) * 1_000 + i64::from(at.millisecond())
}

/// The moment, if the offset from UTC changes at it: some transitions change a name only.
fn change(moment: Timestamp, tz: &TimeZone) -> Option<Zoned> {
    let before = moment.checked_sub(1.nanosecond()).ok()?;
    (tz.to_offset(before) != tz.to_offset(moment)).then(|| moment.to_zoned(tz.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const ZONES: &[&str] = &[
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Casablanca",
    ];

    /// The label of the bucket that a moment is in, by walking back in minutes until the local clock says otherwise.
    fn walked(grain: Grain, at: Wall, tz: &TimeZone) -> String {
        let mut start = zoned(at, tz).unwrap();
        let monday =
            |at: &Zoned| at.date().checked_sub(i64::from(at.weekday().to_monday_zero_offset()).days()).unwrap();
        match grain {
            Grain::Hour => loop {
                let before = zoned(wall(&start).shifted(-60_000), tz).unwrap();
                if (before.date(), before.hour(), before.offset()) != (start.date(), start.hour(), start.offset()) {
                    return start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
                }
                start = before;
            },
            Grain::Day => start.date().to_string(),
            Grain::Week => monday(&start).to_string(),
            Grain::Month => start.strftime("%Y-%m-01").to_string(),
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_in_the_bucket_that_the_local_clock_says(
            minute in 21_000_000..31_500_000_i64, days in 1..60_i64, part in 0.0..1.0_f64,
            zone in select(ZONES), grain in select(Grain::ALL),
        ) {
            let tz = TimeZone::get(zone).unwrap();
            let range = Wall::from_ms(minute * 60_000)..Wall::from_ms((minute + days * 1_440) * 60_000);
            let at = range.start.shifted((days as f64 * 1_440.0 * part) as i64 * 60_000);
            let buckets = Buckets::new(grain, &range, &tz).unwrap();
            let index = buckets.starts().partition_point(|start| *start <= at) - 1;
            prop_assert_eq!(&buckets.labels()[index], &walked(grain, at, &tz));
        }
    }

    fn check(grain: Grain, zone: &str, from: &str, to: &str, expect: &[&str]) {
        let at = |text: &str| Wall::from_ms(text.parse::<Timestamp>().unwrap().as_millisecond());
        let tz = TimeZone::get(zone).unwrap();
        let buckets = Buckets::new(grain, &(at(from)..at(to)), &tz).unwrap();
        assert_eq!(buckets.labels(), expect);
        assert!(buckets.starts().is_sorted_by(|a, b| a < b));
        assert!(buckets.starts()[0] <= at(from));
    }

    #[test]
    fn an_hour_that_comes_twice_is_two_buckets() {
        check(
            Grain::Hour,
            "Europe/Paris",
            "2026-10-24T23:30:00Z",
            "2026-10-25T02:00:00Z",
            &["2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"],
        );
    }

    #[test]
    fn an_hour_that_a_clock_leaves_out_has_no_bucket() {
        check(
            Grain::Hour,
            "America/New_York",
            "2026-03-08T06:00:00Z",
            "2026-03-08T08:00:00Z",
            &["2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"],
        );
    }

    #[test]
    fn half_hours_of_offset_and_of_daylight_saving() {
        check(
            Grain::Hour,
            "Asia/Kolkata",
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00Z",
            &["2026-01-01T05:00:00+05:30", "2026-01-01T06:00:00+05:30"],
        );
        check(
            Grain::Hour,
            "Australia/Lord_Howe",
            "2026-04-04T14:00:00Z",
            "2026-04-04T16:00:00Z",
            &["2026-04-05T01:00:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"],
        );
    }

    #[test]
    fn days_follow_the_calendar() {
        check(
            Grain::Day,
            "Europe/Paris",
            "2026-10-24T22:00:00Z",
            "2026-10-26T23:00:00Z",
            &["2026-10-25", "2026-10-26"],
        );
        check(
            Grain::Day,
            "Pacific/Apia",
            "2011-12-29T12:00:00Z",
            "2011-12-31T12:00:00Z",
            &["2011-12-29", "2011-12-31", "2012-01-01"],
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        check(Grain::Week, "UTC", "2026-11-22T23:00:00Z", "2026-11-23T01:00:00Z", &["2026-11-16", "2026-11-23"]);
        check(Grain::Month, "UTC", "2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z", &["2026-01-01", "2026-02-01"]);
    }

    #[test]
    fn buckets_are_bounded() {
        let range = |days: i64| Wall::from_ms(0)..Wall::from_ms(days * 86_400_000);
        assert!(Buckets::new(Grain::Day, &range(10_000), &TimeZone::UTC).is_ok());
        assert_eq!(Buckets::new(Grain::Day, &range(10_001), &TimeZone::UTC), Err(BucketError::TooMany));
        assert_eq!(
            Buckets::new(Grain::Day, &(Wall::from_ms(i64::MIN)..Wall::from_ms(0)), &TimeZone::UTC),
            Err(BucketError::Calendar)
        );
    }
}
