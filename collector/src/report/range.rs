//! Ranges of dates as people say them.

use std::ops::Range;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use quartile_protocol::clock::Wall;

use super::bucket::{BucketError, day_start, wall, zoned};

/// A range, before it is known when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateRange {
    /// So many days, of which today is the last.
    Days(u16),
    /// So many calendar months, of which this one is the last; to the end of today.
    Months(u16),
    /// This year, to the end of today.
    Year,
    /// From the first slice to the end of today.
    All,
    /// From one bound to another.
    Between(Bound, Bound),
}

/// One bound of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A local day, which as the last one is part of the range.
    Date(Date),
    /// A local time.
    Local(DateTime),
    /// An instant.
    Instant(Timestamp),
}

/// What a range may be, for people.
pub const ALLOWED: &str = "\"day\", \"7d\" or any number of days, \"month\", \"6mo\" or any number of months, \"year\", \
                           \"all\", or two dates such as [\"2026-11-01\", \"2026-11-23\"]";

impl DateRange {
    /// Reads the short form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|&n| n > 0 && n <= 5_000);
        match text {
            "day" => Some(Self::Days(1)),
            "month" => Some(Self::Months(1)),
            "year" => Some(Self::Year),
            "all" => Some(Self::All),
            _ => match (text.strip_suffix("mo"), text.strip_suffix('d')) {
                (Some(months), _) => number(months).map(Self::Months),
                (_, Some(days)) => number(days).map(Self::Days),
                _ => None,
            },
        }
    }

    /// The instants, the second one not included.
    ///
    /// `earliest` tells when the site's first slice began, which is asked for [`All`](Self::All) only.
    ///
    /// # Errors
    /// [`BucketError::Calendar`], or whatever `earliest` fails with.
    pub fn resolve<E: From<BucketError>>(
        self,
        now: Wall,
        tz: &TimeZone,
        earliest: impl FnOnce() -> Result<Option<Wall>, E>,
    ) -> Result<Range<Wall>, E> {
        let earliest = if self == Self::All { earliest()? } else { None };
        Ok(self.instants(now, tz, earliest)?)
    }

    fn instants(self, now: Wall, tz: &TimeZone, earliest: Option<Wall>) -> Result<Range<Wall>, BucketError> {
        let today = zoned(now, tz)?.date();
        let first = match self {
            Self::Between(from, to) => return Ok(from.instant(tz, false)?..to.instant(tz, true)?),
            Self::Days(days) => today.checked_sub((i64::from(days) - 1).days())?,
            Self::Months(months) => today.first_of_month().checked_sub((i64::from(months) - 1).months())?,
            Self::Year => today.first_of_year(),
            // Whatever claims to be older than computers began in 1970; whatever is not yet begins today.
            Self::All => zoned(earliest.unwrap_or(now).clamp(Wall::from_ms(0), now.max(Wall::from_ms(0))), tz)?.date(),
        };
        Ok(wall(&day_start(first, tz)?)..wall(&day_start(today.tomorrow()?, tz)?))
    }
}

impl Bound {
    /// Reads `2026-11-23`, `2026-11-23T08:00` or, with an offset, `2026-11-23T08:00:00Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains(['T', 't', ' ']) {
            return text.parse().ok().map(Self::Date);
        }
        let instant = || text.parse().ok().map(Self::Instant);
        instant().or_else(|| text.parse().ok().map(Self::Local))
    }

    fn instant(self, tz: &TimeZone, last: bool) -> Result<Wall, BucketError> {
        Ok(match self {
            Self::Date(date) if last => wall(&day_start(date.tomorrow()?, tz)?),
            Self::Date(date) => wall(&day_start(date, tz)?),
            Self::Local(time) => wall(&time.to_zoned(tz.clone())?),
            Self::Instant(at) => Wall::from_ms(at.as_millisecond()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: DateRange, expect: &str) {
        let tz = TimeZone::get("Europe/Paris").unwrap();
        let now = Wall::from_ms("2026-11-23T22:30:00Z".parse::<Timestamp>().unwrap().as_millisecond());
        let first = Wall::from_ms("2026-03-05T12:00:00Z".parse::<Timestamp>().unwrap().as_millisecond());
        let range = range.resolve::<BucketError>(now, &tz, || Ok(Some(first))).unwrap();
        let text = |at: Wall| Timestamp::from_millisecond(at.as_ms()).unwrap().to_string();
        assert_eq!(format!("{}..{}", text(range.start), text(range.end)), expect);
    }

    fn short(text: &str) -> DateRange {
        DateRange::parse(text).unwrap()
    }

    fn between(from: &str, to: &str) -> DateRange {
        DateRange::Between(Bound::parse(from).unwrap(), Bound::parse(to).unwrap())
    }

    #[test]
    fn short_forms_end_with_today_in_the_asked_timezone() {
        check(short("day"), "2026-11-22T23:00:00Z..2026-11-23T23:00:00Z");
        check(short("7d"), "2026-11-16T23:00:00Z..2026-11-23T23:00:00Z");
        check(short("30d"), "2026-10-24T22:00:00Z..2026-11-23T23:00:00Z");
        check(short("month"), "2026-10-31T23:00:00Z..2026-11-23T23:00:00Z");
        check(short("6mo"), "2026-05-31T22:00:00Z..2026-11-23T23:00:00Z");
        check(short("year"), "2025-12-31T23:00:00Z..2026-11-23T23:00:00Z");
        check(short("all"), "2026-03-04T23:00:00Z..2026-11-23T23:00:00Z");
    }

    #[test]
    fn a_last_date_is_included_and_a_last_time_is_not() {
        check(between("2026-11-01", "2026-11-01"), "2026-10-31T23:00:00Z..2026-11-01T23:00:00Z");
        check(between("2026-11-01T08:00", "2026-11-01T09:00:00Z"), "2026-11-01T07:00:00Z..2026-11-01T09:00:00Z");
    }

    #[test]
    fn other_texts_are_no_ranges() {
        for text in ["", "d", "0d", "-1d", "5001d", "7 d", "mo", "week", "7d "] {
            assert_eq!(DateRange::parse(text), None, "{text}");
        }
        for text in ["", "2026-13-01", "yesterday", "2026-11-01T25:00"] {
            assert_eq!(Bound::parse(text), None, "{text}");
        }
    }
}
