//! What a store is asked for: a query in which every choice has been made and every bound computed.

use std::ops::Range;

use quartile_protocol::clock::Wall;
use quartile_protocol::id::SiteId;

use super::bucket::{Buckets, Grain};
use super::dimension::Attribute;
use super::metric::{Definition, Measure, Metric};
use super::table::Cell;

/// How an unknown value is written in a report.
pub const UNKNOWN: &str = "(unknown)";

/// The value of a dimension as a report shows it.
#[must_use]
pub fn label(value: &str) -> &str {
    if value.is_empty() { UNKNOWN } else { value }
}

/// What rows are grouped by, one column of the answer each.
#[derive(Clone, Debug)]
pub enum Axis {
    /// The bucket of time. At most one axis is of this kind.
    Time(Buckets),
    /// The label of a dimension.
    Dimension(Attribute),
}

/// Which merged rows count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of these; all rows, if there are none.
    All(Vec<Self>),
    /// At least one of these; no row, if there are none.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// The dimension's label is one of these.
    Is(Attribute, Vec<String>),
    /// The dimension's value, which may be empty, contains one of these texts.
    Contains(Attribute, Vec<String>),
    /// One of these [patterns](super::pattern) is found in the dimension's value, which may be empty.
    Matches(Attribute, Vec<String>),
}

/// One criterion of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The column: the axes first, then the metrics. Times are compared by date, texts by the bytes of their labels.
    pub column: usize,
    /// Largest first. A missing value is the last either way.
    pub descending: bool,
}

/// What a store is asked for.
///
/// The answer has one row per combination of axes that occurs in a merged row of the site that opened in the range and
/// passes the filter; without axes exactly one, also over no rows. Cells come axes first, then metrics: a time as its
/// bucket's label, a dimension as its label.
///
/// [By the minute](Plan::by_minute) a row counts in every minute in which its playhead moved, too, and those minutes make
/// combinations as well. See [`super::metric`] for how it is divided over them.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The site.
    pub site: SiteId,
    /// When slices opened.
    pub range: Range<Wall>,
    /// When it is asked: what is given up or lost is so by then.
    pub now: Wall,
    /// What rows are grouped by.
    pub axes: Vec<Axis>,
    /// What is counted.
    pub metrics: Vec<&'static Metric>,
    /// Which rows count.
    pub filter: Filter,
    /// The order, which names every axis, so that no two rows are equal.
    pub order: Vec<Order>,
    /// Only what comes behind a row with these values, one for each criterion of the order. A time is the index of its
    /// bucket.
    pub after: Option<Vec<Cell>>,
    /// How many rows at most.
    pub limit: usize,
    /// How many rows are left out before that.
    pub offset: usize,
}

/// The longest that a slice lasts: what opened longer before a minute did not play in it.
pub const SLICE_MS: i64 = 11 * MINUTE_MS;

/// A minute.
pub const MINUTE_MS: i64 = 60_000;

impl Plan {
    /// Whether rows are counted minute by minute and not where they opened.
    #[must_use]
    pub fn by_minute(&self) -> bool {
        self.axes.iter().any(|axis| matches!(axis, Axis::Time(buckets) if buckets.grain() == Grain::Minute))
    }

    /// Whether minutes have to be looked at beside slices, which are counted where they opened.
    #[must_use]
    pub fn wants_minutes_beside(&self, definition: Definition) -> bool {
        !self.by_minute() && self.metrics.iter().any(|metric| metric.definition == definition)
    }

    /// Whether it must be known which views are still going on.
    #[must_use]
    pub fn wants_lost(&self) -> bool {
        self.metrics.iter().any(|metric| metric.definition == Definition::Total(Measure::Lost))
    }

    /// The minutes in which a playhead counts as moving in the range: those that begin in it, and the one it begins in.
    #[must_use]
    pub fn minutes(&self) -> Range<Wall> {
        Wall::from_ms(self.range.start.as_ms().div_euclid(MINUTE_MS) * MINUTE_MS)..self.range.end
    }
}
