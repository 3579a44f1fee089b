//! What a store is asked for: a query in which every choice has been made and every bound computed.

use std::ops::Range;

use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::id::SiteId;

use super::bucket::Buckets;
use super::metric::Metric;

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
    /// The bucket in which a slice opened. At most one axis is of this kind.
    Time(Buckets),
    /// The label of a dimension.
    Dimension(Dimension),
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
    Is(Dimension, Vec<String>),
    /// The dimension's value, which may be empty, contains one of these texts.
    Contains(Dimension, Vec<String>),
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
#[derive(Clone, Debug)]
pub struct Plan {
    /// The site.
    pub site: SiteId,
    /// When slices opened.
    pub range: Range<Wall>,
    /// What rows are grouped by.
    pub axes: Vec<Axis>,
    /// What is counted.
    pub metrics: Vec<&'static Metric>,
    /// Which rows count.
    pub filter: Filter,
    /// The order, which names every axis, so that no two rows are equal.
    pub order: Vec<Order>,
    /// How many rows at most.
    pub limit: usize,
    /// How many rows are left out before that.
    pub offset: usize,
}
