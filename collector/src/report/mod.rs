//! Reports: a query is read and validated, planned, answered by a store over merged rows.
//!
//! ```text
//! body ── query ──▶ Query ── planned ──▶ Plan ── Store::query ──▶ Table ──▶ Answer
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`query`], [`filter`], [`json`] | the request and every refusal of it |
//! | [`range`], [`bucket`] | dates, and time cut by the calendar of a timezone |
//! | [`metric`] | the one table of what can be counted |
//! | [`plan`] | what a store is asked for |
//! | [`table`] | what it answers |
//! | [`csv`] | an answer for a spreadsheet |
//! | [`catalog`] | the tables, for people and dashboards |
//!
//! No SQL is here: a plan is data, and each store renders it.

pub mod bucket;
pub mod catalog;
pub mod csv;
pub mod error;
pub mod filter;
pub mod json;
pub mod metric;
pub mod plan;
pub mod query;
pub mod range;
pub mod table;

#[cfg(test)]
pub(crate) mod referee;
#[cfg(test)]
mod tests;
use std::ops::Range;

use jiff::tz::TimeZone;
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::Dimension;
use serde::Serialize;
use serde_json::Value;

use self::bucket::{BucketError, Buckets, zoned};
use self::error::{Code, Refusal, ReportError};
use self::plan::{Axis, Filter, Order, Plan};
use self::query::{AxisName, Query};
use self::table::Cell;
use crate::store::Store;

/// What a column of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// What rows are grouped by.
    Dimension,
    /// What is counted.
    Metric,
}

/// One column of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// The name of the dimension or metric.
    pub name: &'static str,
    /// Which of them it is.
    pub kind: ColumnKind,
    /// What a metric's values mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
}

/// The query as it was understood.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Understood {
    /// The site.
    pub site: String,
    /// The metrics.
    pub metrics: Vec<&'static str>,
    /// The first instant of the range, and the first after it.
    pub date_range: [String; 2],
    /// The dimensions.
    pub dimensions: Vec<&'static str>,
    /// The filters as they were written.
    pub filters: Value,
    /// The whole order: columns, each with `asc` or `desc`.
    pub order_by: Vec<[&'static str; 2]>,
    /// The rows that were asked for.
    pub pagination: Pagination,
    /// The timezone.
    pub timezone: String,
}

/// Which rows of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pagination {
    /// How many at most.
    pub limit: usize,
    /// How many are left out before.
    pub offset: usize,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The columns, dimensions first.
    pub columns: Vec<Column>,
    /// The rows, each with a cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// The query as it was understood.
    pub query: Understood,
    /// Every bucket of time in order, also those without rows, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_labels: Option<Vec<String>>,
    /// What it was computed from.
    pub source: &'static str,
}

/// Answers a request body. Blocks on the store.
///
/// # Errors
/// [`ReportError`], with a status and a body for who asked.
pub fn run(store: &dyn Store, body: &[u8], now: Wall) -> Result<Answer, ReportError> {
    answer(store, &Query::parse(body)?, now)
}

/// Answers a query that was read by [`Query::parse`], so that its site can be looked at before. Blocks on the store.
///
/// # Errors
/// [`ReportError`].
pub fn answer(store: &dyn Store, query: &Query, now: Wall) -> Result<Answer, ReportError> {
    let range = resolve(store, query, now)?;
    let plan = planned(query, range)?;
    let table = store.query(&plan)?;
    Ok(Answer {
        columns: columns(query),
        rows: table.rows,
        query: understood(query, &plan)?,
        time_labels: query.time_labels.then(|| time_labels(&plan)),
        source: "slices",
    })
}

impl From<BucketError> for ReportError {
    fn from(error: BucketError) -> Self {
        let (code, field) = match error {
            BucketError::TooMany => (Code::TooMany, "dimensions"),
            BucketError::Calendar => (Code::InvalidDateRange, "date_range"),
        };
        Self::Refused(Refusal { code, message: error.to_string(), field: field.into() })
    }
}

fn resolve(store: &dyn Store, query: &Query, now: Wall) -> Result<Range<Wall>, ReportError> {
    let earliest = || store.earliest(&query.site).map_err(ReportError::from);
    let range = query.range.resolve(now, query.zone(), earliest)?;
    if range.is_empty() {
        let message = "must end after it begins".into();
        return Err(Refusal { code: Code::InvalidDateRange, message, field: "date_range".into() }.into());
    }
    let calendar = Wall::from_ms(0)..Wall::from_ms(221_845_392_000_000);
    if range.start < calendar.start || range.end > calendar.end {
        return Err(BucketError::Calendar.into());
    }
    Ok(range)
}

/// Makes every choice that the query left open.
///
/// # Errors
/// [`BucketError`].
pub fn planned(query: &Query, range: Range<Wall>) -> Result<Plan, BucketError> {
    let axis = |name: &AxisName| {
        Ok(match name {
            AxisName::Time(grain) => Axis::Time(Buckets::new(*grain, &range, query.zone())?),
            AxisName::Dimension(dimension) => Axis::Dimension(*dimension),
        })
    };
    Ok(Plan {
        site: query.site.clone(),
        axes: query.axes.iter().map(axis).collect::<Result<_, BucketError>>()?,
        metrics: query.metrics.clone(),
        filter: without_bots(query.filter.clone()),
        order: total_order(query),
        limit: query.limit,
        offset: query.offset,
        range,
    })
}

/// Known bots are stored, and left out unless the query says something about them.
fn without_bots(filter: Filter) -> Filter {
    if filter.dimensions().contains(&Dimension::Bot) {
        return filter;
    }
    let people = Filter::Is(Dimension::Bot, vec![plan::UNKNOWN.into()]);
    Filter::All(vec![people, filter])
}

/// What was asked for; without that by time, then by the first metric; and at last by every dimension, so that no two
/// rows are equal and pages do not overlap.
fn total_order(query: &Query) -> Vec<Order> {
    let mut order: Vec<_> = query.order.iter().map(|&(column, descending)| Order { column, descending }).collect();
    if order.is_empty() {
        let time = query.axes.iter().position(|axis| matches!(axis, AxisName::Time(_)));
        order.extend(time.map(|column| Order { column, descending: false }));
        order.push(Order { column: query.axes.len(), descending: true });
    }
    for column in 0..query.axes.len() {
        if order.iter().all(|order| order.column != column) {
            order.push(Order { column, descending: false });
        }
    }
    order
}

fn columns(query: &Query) -> Vec<Column> {
    let dimension = |axis: &AxisName| Column { name: axis.name(), kind: ColumnKind::Dimension, unit: None };
    let metrics = query.metrics.iter().map(|metric| Column {
        name: metric.name,
        kind: ColumnKind::Metric,
        unit: Some(metric.unit.as_str()),
    });
    query.axes.iter().map(dimension).chain(metrics).collect()
}

fn understood(query: &Query, plan: &Plan) -> Result<Understood, BucketError> {
    let columns = columns(query);
    let direction = |order: &Order| if order.descending { "desc" } else { "asc" };
    Ok(Understood {
        site: query.site.to_string(),
        metrics: query.metrics.iter().map(|metric| metric.name).collect(),
        date_range: [text(plan.range.start, query.zone())?, text(plan.range.end, query.zone())?],
        dimensions: query.axes.iter().map(|axis| axis.name()).collect(),
        filters: query.filters.clone(),
        order_by: plan.order.iter().map(|order| [columns[order.column].name, direction(order)]).collect(),
        pagination: Pagination { limit: query.limit, offset: query.offset },
        timezone: query.zone().iana_name().unwrap_or("UTC").into(),
    })
}

fn text(at: Wall, tz: &TimeZone) -> Result<String, BucketError> {
    let format = if at.as_ms() % 1000 == 0 { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.3f%:z" };
    Ok(zoned(at, tz)?.strftime(format).to_string())
}

fn time_labels(plan: &Plan) -> Vec<String> {
    let time = plan.axes.iter().find_map(|axis| match axis {
        Axis::Time(buckets) => Some(buckets.labels().to_vec()),
        Axis::Dimension(_) => None,
    });
    time.unwrap_or_default()
}
