//! Reports: a query is read and validated, planned, answered by a store over merged rows.
//!
//! ```text
//! body ── query ──▶ Query ── planned ──▶ Plan ── Store::query ──▶ Table ──▶ Answer
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`query`], [`filter`], [`pattern`], [`cursor`], [`parameters`], [`json`] | the request and every refusal of it |
//! | [`range`], [`bucket`] | dates, and time cut by the calendar of a timezone |
//! | [`metric`], [`dimension`] | the tables of what can be counted, and by what |
//! | [`compare`] | the same in another period |
//! | [`named`], [`special`] | the table of saved queries, and reports that are no tables |
//! | [`plan`] | what a store is asked for |
//! | [`aggregate`] | the table of what is summed beforehand |
//! | [`table`] | what it answers |
//! | [`timeline`] | what happened in one view |
//! | [`sheet`] | an answer for a spreadsheet, or line by line |
//! | [`catalog`], [`openapi`] | the tables, for people, dashboards and programs |
//!
//! No SQL is here: a plan is data, and each store renders it.

pub mod aggregate;
pub mod bucket;
pub mod catalog;
pub mod compare;
pub mod cursor;
pub mod dimension;
pub mod error;
pub mod filter;
pub mod json;
pub mod metric;
pub mod named;
pub mod openapi;
pub mod parameters;
pub mod pattern;
pub mod plan;
pub mod query;
pub mod range;
pub mod sheet;
pub mod special;
pub mod table;
pub mod timeline;

#[cfg(test)]
mod document;
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
use self::compare::Compared;
use self::cursor::Cursor;
use self::dimension::{Attribute, Names};
use self::error::{Code, Refusal, ReportError};
use self::plan::{Axis, Filter, Order, Plan};
use self::query::{AxisName, Query, Request, limits};
use self::table::{Cell, Table};
use crate::store::Store;
use crate::store::cancel::Cancel;

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
    pub name: String,
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
    pub dimensions: Vec<String>,
    /// The filters as they were written.
    pub filters: Value,
    /// The whole order: columns, each with `asc` or `desc`.
    pub order_by: Vec<[String; 2]>,
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
    /// The metrics over all rows of all pages, if they were asked for; of what only a minute has, nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Vec<Cell>>,
    /// How many rows all pages have, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_rows: Option<u64>,
    /// The same in another period, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Compared>,
    /// What leads to the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The query as it was understood.
    pub query: Understood,
    /// Every bucket of time in order, also those without rows, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_labels: Option<Vec<String>>,
    /// What it was computed from.
    pub source: String,
}

/// Answers a request body for a site without dimensions of its own. Blocks on the store.
///
/// # Errors
/// [`ReportError`], with a status and a body for who asked.
pub fn run(store: &dyn Store, body: &[u8], now: Wall) -> Result<Answer, ReportError> {
    answer(store, &Request::parse(body)?.query(Names::default())?, now, &Cancel::default())
}

/// Answers a query that was read by [`Request`], so that its site can be looked at before. Blocks on the store.
///
/// # Errors
/// [`ReportError`].
pub fn answer(store: &dyn Store, query: &Query, now: Wall, cancel: &Cancel) -> Result<Answer, ReportError> {
    let plan = whole_plan(store, query, now)?;
    let mut table = answered(store, &plan, cancel)?;
    let more = table.rows.len() > query.limit;
    table.rows.truncate(query.limit);
    let comparison = query.include.comparison.map(|with| compare::compared(store, query, &plan, &table, with, cancel));
    Ok(Answer {
        columns: columns(query),
        totals: query.include.totals.then(|| totals(store, &plan, cancel)).transpose()?,
        total_rows: query.include.total_rows.then_some(table.groups),
        comparison: comparison.transpose()?,
        next_cursor: more.then(|| next_cursor(&table, &plan, query)).flatten(),
        query: understood(query, &plan)?,
        time_labels: query.include.time_labels.then(|| time_labels(&plan)),
        source: table.source,
        rows: table.rows,
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

/// The plan of the asked page and one row more, which tells whether there is another page.
fn whole_plan(store: &dyn Store, query: &Query, now: Wall) -> Result<Plan, ReportError> {
    let mut plan = match &query.cursor {
        Some(cursor) => planned(query, cursor.range.clone(), cursor.now)?,
        None => planned(query, resolve(store, query, now)?, now)?,
    };
    plan.limit += 1;
    if let Some(cursor) = &query.cursor {
        if !cursor.fits(&plan) {
            let message = "must be the next_cursor of an answer, unchanged".into();
            return Err(Refusal { code: Code::InvalidCursor, message, field: "pagination.cursor".into() }.into());
        }
        plan.after = Some(cursor.after.clone());
    }
    Ok(plan)
}

/// Asks the store, and refuses what has more groups than anybody may ask for.
fn answered(store: &dyn Store, plan: &Plan, cancel: &Cancel) -> Result<Table, ReportError> {
    let table = store.query(plan, cancel)?;
    if table.groups > limits::GROUPS as u64 {
        return Err(Refusal {
            code: Code::TooMany,
            message: format!(
                "there are {} combinations of these values, and at most {} are answered: leave out a dimension, filter, \
                 or ask for a shorter range",
                table.groups,
                limits::GROUPS
            ),
            field: "dimensions".into(),
        }
        .into());
    }
    Ok(table)
}

fn next_cursor(table: &Table, plan: &Plan, query: &Query) -> Option<String> {
    Cursor::behind(&table.rows, plan, query.fingerprint).map(|cursor| cursor.to_string())
}

/// The metrics over everything that passes the filter in the range.
fn totals(store: &dyn Store, plan: &Plan, cancel: &Cancel) -> Result<Vec<Cell>, ReportError> {
    let metrics: Vec<_> = plan.metrics.iter().copied().filter(|metric| !metric.needs_minutes()).collect();
    let whole = Plan {
        axes: Vec::new(),
        order: Vec::new(),
        after: None,
        limit: 1,
        offset: 0,
        metrics: metrics.clone(),
        ..plan.clone()
    };
    let mut cells = match metrics.is_empty() {
        true => Vec::new(),
        false => answered(store, &whole, cancel)?.rows.pop().unwrap_or_default(),
    }
    .into_iter();
    let cell = |needs_minutes: bool| if needs_minutes { Cell::Null } else { cells.next().unwrap_or(Cell::Null) };
    Ok(plan.metrics.iter().map(|metric| metric.needs_minutes()).map(cell).collect())
}

fn resolve(store: &dyn Store, query: &Query, now: Wall) -> Result<Range<Wall>, ReportError> {
    let earliest = || store.earliest(&query.site).map_err(ReportError::from);
    let range = query.range.resolve(now, query.zone(), earliest)?;
    checked(range, "date_range")
}

/// A range that holds something and that a calendar can tell.
fn checked(range: Range<Wall>, field: &str) -> Result<Range<Wall>, ReportError> {
    let refuse = |message: String| Refusal { code: Code::InvalidDateRange, message, field: field.into() };
    if range.is_empty() {
        return Err(refuse("must end after it begins".into()).into());
    }
    let calendar = Wall::from_ms(0)..Wall::from_ms(221_845_392_000_000);
    if range.start < calendar.start || range.end > calendar.end {
        return Err(refuse(BucketError::Calendar.to_string()).into());
    }
    Ok(range)
}

/// Makes every choice that the query left open.
///
/// # Errors
/// [`BucketError`].
pub fn planned(query: &Query, range: Range<Wall>, now: Wall) -> Result<Plan, BucketError> {
    let axis = |name: &AxisName| {
        Ok(match name {
            AxisName::Time(grain) => Axis::Time(Buckets::new(*grain, &range, query.zone())?),
            AxisName::Dimension(attribute) => Axis::Dimension(*attribute),
        })
    };
    Ok(Plan {
        site: query.site.clone(),
        axes: query.axes.iter().map(axis).collect::<Result<_, BucketError>>()?,
        metrics: query.metrics.clone(),
        filter: without_bots(query.filter.clone()),
        order: total_order(query),
        after: None,
        limit: query.limit,
        offset: query.offset,
        range,
        now,
    })
}

/// Known bots are stored, and left out unless the query says something about them.
fn without_bots(filter: Filter) -> Filter {
    let bot = Attribute::Stored(Dimension::Bot);
    if filter.attributes().contains(&bot) {
        return filter;
    }
    let people = Filter::Is(bot, vec![plan::UNKNOWN.into()]);
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
    let dimension =
        |axis: &AxisName| Column { name: query.name_of(*axis).into(), kind: ColumnKind::Dimension, unit: None };
    let metrics = query.metrics.iter().map(|metric| Column {
        name: metric.name.into(),
        kind: ColumnKind::Metric,
        unit: Some(metric.unit.as_str()),
    });
    query.axes.iter().map(dimension).chain(metrics).collect()
}

fn understood(query: &Query, plan: &Plan) -> Result<Understood, BucketError> {
    let columns: Vec<_> = query.columns().collect();
    let direction = |order: &Order| if order.descending { "desc" } else { "asc" };
    Ok(Understood {
        site: query.site.to_string(),
        metrics: query.metrics.iter().map(|metric| metric.name).collect(),
        date_range: [text(plan.range.start, query.zone())?, text(plan.range.end, query.zone())?],
        dimensions: query.axes.iter().map(|axis| query.name_of(*axis).to_owned()).collect(),
        filters: query.filters.clone(),
        order_by: plan.order.iter().map(|order| [columns[order.column], direction(order)].map(str::to_owned)).collect(),
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
