//! The same rows in another period.

use std::collections::HashMap;
use std::ops::Range;

use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use quartile_protocol::clock::Wall;
use serde::Serialize;

use super::bucket::{BucketError, day_start, wall, zoned};
use super::error::ReportError;
use super::plan::{Axis, Filter, Plan};
use super::query::{Comparison, Query, limits};
use super::range::DateRange;
use super::table::{Cell, Table};
use super::{answered, checked, planned, text, totals};
use crate::store::Store;
use crate::store::cancel::Cancel;

/// What an answer is compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The first instant of the other period, and the first after it.
    pub date_range: [String; 2],
    /// For each row of the answer the metrics of the same row in the other period; nothing where it had none. The n-th
    /// bucket of time is compared with the n-th.
    pub rows: Vec<Option<Vec<Cell>>>,
    /// For each of those the change since then, as a share of what was then; nothing where that was nothing.
    pub change: Vec<Option<Vec<Cell>>>,
    /// The totals of the other period, if totals were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Vec<Cell>>,
}

/// What a row is known by in both periods.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Bucket(usize),
    Label(String),
}

/// Compares a page of an answer.
///
/// # Errors
/// [`ReportError`].
pub fn compared(
    store: &dyn Store,
    query: &Query,
    plan: &Plan,
    page: &Table,
    with: Comparison,
    cancel: &Cancel,
) -> Result<Compared, ReportError> {
    let range = checked(other_range(with, &plan.range, query.zone())?, "include.comparison")?;
    let date_range = [text(range.start, query.zone())?, text(range.end, query.zone())?];
    let mut other = planned(query, range, plan.now)?;
    (other.limit, other.offset) = (limits::GROUPS, 0);
    let totals = query.include.totals.then(|| totals(store, &other, cancel)).transpose()?;
    other.filter = Filter::All(vec![other.filter, only_of(page, &other.axes)]);
    let mut then: HashMap<_, _> = HashMap::new();
    for row in answered(store, &other, cancel)?.rows {
        then.insert(key(&row, &other.axes), row[other.axes.len()..].to_vec());
    }
    let rows: Vec<_> = page.rows.iter().map(|row| then.get(&key(row, &plan.axes)).cloned()).collect();
    let now = page.rows.iter().map(|row| &row[plan.axes.len()..]);
    let change = now.zip(&rows).map(|(now, then)| Some(changes(now, then.as_ref()?))).collect();
    Ok(Compared { date_range, rows, change, totals })
}

/// Passes every row of the page, and few others.
fn only_of(page: &Table, axes: &[Axis]) -> Filter {
    let one_of = |(column, axis): (usize, &Axis)| {
        let Axis::Dimension(attribute) = axis else { return None };
        let mut labels: Vec<_> = page.rows.iter().filter_map(|row| row[column].as_text()).collect();
        labels.sort_unstable();
        labels.dedup();
        Some(Filter::Is(*attribute, labels.into_iter().map(str::to_owned).collect()))
    };
    Filter::All(axes.iter().enumerate().filter_map(one_of).collect())
}

fn key(row: &[Cell], axes: &[Axis]) -> Vec<Key> {
    let key = |(cell, axis): (&Cell, &Axis)| {
        let label = cell.as_text().unwrap_or_default();
        match axis {
            Axis::Dimension(_) => Key::Label(label.to_owned()),
            Axis::Time(buckets) => {
                Key::Bucket(buckets.labels().iter().position(|known| known == label).unwrap_or(usize::MAX))
            }
        }
    };
    row.iter().zip(axes).map(key).collect()
}

fn changes(now: &[Cell], then: &[Cell]) -> Vec<Cell> {
    let change = |(now, then): (&Cell, &Cell)| match (now.as_number(), then.as_number()) {
        (Some(now), Some(then)) if then != 0.0 => Cell::Number((now - then) / then),
        _ => Cell::Null,
    };
    now.iter().zip(then).map(change).collect()
}

/// The other period.
fn other_range(with: Comparison, range: &Range<Wall>, tz: &TimeZone) -> Result<Range<Wall>, BucketError> {
    let (from, to) = (zoned(range.start, tz)?, zoned(range.end, tz)?);
    match with {
        Comparison::Between(from, to) => DateRange::Between(from, to).resolve(range.start, tz, || Ok(None)),
        Comparison::YearBefore => Ok(wall(&year_before(&from)?)..wall(&year_before(&to)?)),
        Comparison::PreviousPeriod if is_day_start(&from)? && is_day_start(&to)? => {
            let days = from.date().until(to.date())?.get_days();
            Ok(wall(&day_start(from.date().checked_sub(days.days())?, tz)?)..range.start)
        }
        Comparison::PreviousPeriod => Ok(range.start.shifted(-range.end.since(range.start))..range.start),
    }
}

fn is_day_start(at: &Zoned) -> Result<bool, BucketError> {
    Ok(day_start(at.date(), at.time_zone())? == *at)
}

/// The same local date and time; of a 29 February, the 28th.
fn year_before(at: &Zoned) -> Result<Zoned, BucketError> {
    Ok(at.datetime().checked_sub(1.year())?.to_zoned(at.time_zone().clone())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(with: Comparison, from: &str, to: &str, expect: &str) {
        let at = |text: &str| Wall::from_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let tz = TimeZone::get("Europe/Paris").unwrap();
        let range = other_range(with, &(at(from)..at(to)), &tz).unwrap();
        assert_eq!(format!("{}..{}", text(range.start, &tz).unwrap(), text(range.end, &tz).unwrap()), expect);
    }

    #[test]
    fn whole_days_are_compared_with_as_many_before_whatever_the_clock_did() {
        check(
            Comparison::PreviousPeriod,
            "2026-10-24T22:00:00Z",
            "2026-10-31T23:00:00Z",
            "2026-10-18T00:00:00+02:00..2026-10-25T00:00:00+02:00",
        );
        check(
            Comparison::PreviousPeriod,
            "2026-10-25T23:00:00Z",
            "2026-10-26T23:00:00Z",
            "2026-10-25T00:00:00+02:00..2026-10-26T00:00:00+01:00",
        );
    }

    #[test]
    fn other_ranges_are_compared_with_as_much_time_before() {
        check(
            Comparison::PreviousPeriod,
            "2026-11-02T10:30:00Z",
            "2026-11-02T11:00:00Z",
            "2026-11-02T11:00:00+01:00..2026-11-02T11:30:00+01:00",
        );
    }

    #[test]
    fn a_year_before_has_the_same_dates() {
        check(
            Comparison::YearBefore,
            "2024-02-28T23:00:00Z",
            "2024-03-31T22:00:00Z",
            "2023-02-28T00:00:00+01:00..2023-04-01T00:00:00+02:00",
        );
    }
}
