//! Time cut into buckets of the calendar of a timezone. All of the calendar is here; stores compare milliseconds.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use quartile_protocol::clock::Wall;

/// How long a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// A minute of every clock.
    Minute,
    /// From one whole local hour to the next, or to a change of the offset from UTC: an hour that a clock goes through
    /// twice is two buckets.
    Hour,
    /// A local day, of 23 to 25 hours.
    Day,
    /// From a local Monday to the next.
    Week,
    /// A local month.
    Month,
    /// All hours that a local clock calls the same, 0 to 23.
    HourOfDay,
    /// All local days of the same name.
    DayOfWeek,
}

impl Grain {
    /// Every grain, the shortest first.
    pub const ALL: &'static [Self] =
        &[Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::HourOfDay, Self::DayOfWeek];

    /// The name of the dimension.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "time:minute",
            Self::Hour => "time:hour",
            Self::Day => "time:day",
            Self::Week => "time:week",
            Self::Month => "time:month",
            Self::HourOfDay => "time:hour_of_day",
            Self::DayOfWeek => "time:day_of_week",
        }
    }

    /// The labels of a grain whose buckets come again and again.
    const fn cycle(self) -> Option<&'static [&'static str]> {
        match self {
            Self::HourOfDay => Some(&HOURS),
            Self::DayOfWeek => Some(&DAYS),
            _ => None,
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Minute => {
                "The minute, with its offset from UTC: of the opening of a slice, and for played time every minute in \
                 which it played, a part in each."
            }
            Self::Hour => "The hour in which a slice opened, in the asked timezone, with its offset from UTC.",
            Self::Day => "The day in which a slice opened, in the asked timezone.",
            Self::Week => "The Monday of the week in which a slice opened, in the asked timezone.",
            Self::Month => "The first day of the month in which a slice opened, in the asked timezone.",
            Self::HourOfDay => "The hour of the day in which a slice opened, `00` to `23`, in the asked timezone.",
            Self::DayOfWeek => "The day of the week on which a slice opened, from `Monday`, in the asked timezone.",
        }
    }
}

const HOURS: [&str; 24] = [
    "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23",
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The most buckets that a query may ask for: eight days of minutes, more than a year of hours.
pub const MAX_BUCKETS: usize = 11_520;

/// The most pieces into which a range may be cut for buckets that come again: eleven years of hours.
const MAX_PIECES: usize = 100_000;

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

/// Consecutive pieces of time that cover a range, each in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    grain: Grain,
    starts: Vec<Wall>,
    /// The bucket of each piece, where they come again.
    cycle: Option<Vec<usize>>,
    labels: Vec<String>,
}

impl Buckets {
    /// Cuts a range, which must not be empty. The first piece begins at or before it, where the calendar says.
    ///
    /// # Errors
    /// [`BucketError`].
    pub fn new(grain: Grain, range: &Range<Wall>, tz: &TimeZone) -> Result<Self, BucketError> {
        let (mut starts, mut labels, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let max = if grain.cycle().is_some() { MAX_PIECES } else { MAX_BUCKETS };
        let mut start = floor(grain, &zoned(range.start, tz)?)?;
        while wall(&start) < range.end {
            if starts.len() == max {
                return Err(BucketError::TooMany);
            }
            starts.push(wall(&start));
            match grain.cycle() {
                Some(_) => places.push(place(grain, &start)),
                None => labels.push(label(grain, &start)),
            }
            start = next(grain, &start)?;
        }
        Ok(match grain.cycle() {
            Some(cycle) => {
                Self { grain, starts, cycle: Some(places), labels: cycle.iter().map(ToString::to_string).collect() }
            }
            None => Self { grain, starts, cycle: None, labels },
        })
    }

    /// How long they are.
    #[must_use]
    pub const fn grain(&self) -> Grain {
        self.grain
    }

    /// When each piece begins, in order.
    #[must_use]
    pub fn starts(&self) -> &[Wall] {
        &self.starts
    }

    /// The index of the bucket that a piece is in.
    #[must_use]
    pub fn bucket_of(&self, piece: usize) -> usize {
        self.cycle.as_ref().map_or(piece, |places| places[piece])
    }

    /// The name of each bucket, by its index.
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
        Grain::Minute | Grain::Hour | Grain::HourOfDay => start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Grain::Day | Grain::Week | Grain::Month | Grain::DayOfWeek => start.date().to_string(),
    }
}

/// The index in its cycle.
fn place(grain: Grain, start: &Zoned) -> usize {
    let index = match grain {
        Grain::DayOfWeek => start.weekday().to_monday_zero_offset(),
        _ => start.hour(),
    };
    usize::try_from(index).unwrap_or(0)
}

/// The beginning of the bucket that `at` is in.
fn floor(grain: Grain, at: &Zoned) -> Result<Zoned, BucketError> {
    let (date, tz) = (at.date(), at.time_zone());
    match grain {
        Grain::Minute => Ok(at.checked_sub(at.timestamp().as_millisecond().rem_euclid(60_000).milliseconds())?),
        Grain::Hour | Grain::HourOfDay => {
            let hour = at.checked_sub(into_hour(at).milliseconds())?;
            let changed =
                tz.preceding(at.timestamp().checked_add(1.nanosecond())?).find_map(|t| change(t.timestamp(), tz));
            Ok(changed.map_or(hour.clone(), |changed| changed.max(hour)))
        }
        Grain::Day | Grain::DayOfWeek => day_start(date, tz),
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
        Grain::Minute => return Ok(start.checked_add(60_000.milliseconds())?),
        Grain::Hour | Grain::HourOfDay => {
            let hour = start.checked_add((3_600_000 - into_hour(start)).milliseconds())?;
            let changed = tz.following(start.timestamp()).find_map(|t| change(t.timestamp(), tz));
            return Ok(changed.map_or(hour.clone(), |changed| changed.min(hour)));
        }
        Grain::Day | Grain::DayOfWeek => 1.day(),
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
        let mut start = zoned(Wall::from_ms(at.as_ms() / 60_000 * 60_000), tz).unwrap();
        let monday =
            |at: &Zoned| at.date().checked_sub(i64::from(at.weekday().to_monday_zero_offset()).days()).unwrap();
        match grain {
            Grain::Minute => start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            Grain::HourOfDay => start.strftime("%H").to_string(),
            Grain::DayOfWeek => start.strftime("%A").to_string(),
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
            minute in 21_000_000..31_500_000_i64, days in 1..60_i64, part in 0.0..1.0_f64, second in 0..60_i64,
            zone in select(ZONES), grain in select(Grain::ALL),
        ) {
            let tz = TimeZone::get(zone).unwrap();
            let days = if grain == Grain::Minute { days.min(7) } else { days };
            let range = Wall::from_ms(minute * 60_000)..Wall::from_ms((minute + days * 1_440) * 60_000);
            let at = range.start.shifted((days as f64 * 1_440.0 * part) as i64 * 60_000 + second * 1_000);
            let buckets = Buckets::new(grain, &range, &tz).unwrap();
            let piece = buckets.starts().partition_point(|start| *start <= at) - 1;
            prop_assert_eq!(&buckets.labels()[buckets.bucket_of(piece)], &walked(grain, at, &tz));
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
        let most = MAX_BUCKETS as i64;
        assert!(Buckets::new(Grain::Day, &range(most), &TimeZone::UTC).is_ok());
        assert_eq!(Buckets::new(Grain::Day, &range(most + 1), &TimeZone::UTC), Err(BucketError::TooMany));
        assert!(Buckets::new(Grain::Minute, &range(8), &TimeZone::UTC).is_ok());
        assert!(Buckets::new(Grain::Minute, &range(9), &TimeZone::UTC).is_err());
        let pieces = MAX_PIECES as i64;
        assert!(Buckets::new(Grain::DayOfWeek, &range(pieces), &TimeZone::UTC).is_ok());
        assert_eq!(Buckets::new(Grain::DayOfWeek, &range(pieces + 1), &TimeZone::UTC), Err(BucketError::TooMany));
        assert_eq!(
            Buckets::new(Grain::Day, &(Wall::from_ms(i64::MIN)..Wall::from_ms(0)), &TimeZone::UTC),
            Err(BucketError::Calendar)
        );
    }
}
