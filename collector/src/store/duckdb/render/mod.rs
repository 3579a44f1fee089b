//! A plan as SQL. Values are bound, every one; only names from our own tables become text.
//!
//! | module | holds |
//! |---|---|
//! | [`condition`] | filters |
//! | [`hours`] | plans that an aggregation serves |
//! | [`measure`] | metrics |
//! | [`time`] | buckets of the calendar, and rows minute by minute |
//!
//! ```sql
//! WITH slice  AS (the merged rows that pass the filter, with what metrics derive from them),
//!      fact   AS (each row at its opening; by the minute also each minute in which its playhead moved),
//!      answer AS (facts grouped by the axes, beside them what needs a second grouping)
//! SELECT the page
//! ```

mod condition;
mod hours;
mod measure;
mod time;

#[cfg(test)]
pub use self::condition::MATCHES;
pub use self::hours::render as over_hours;
pub use self::measure::{gave_up, of_slice};

use ::duckdb::types::Value;
use quartile_protocol::clock::Wall;
use quartile_protocol::field::Field;

use super::schema::{Shape, quoted};
use crate::report::dimension::{Attribute, VIEWER_KINDS};
use crate::report::metric::{Definition, LOST_MS};
use crate::report::plan::{Axis, Order, Plan, SLICE_MS, UNKNOWN};
use crate::report::table::Cell;

/// A statement and what is bound to `$1`, `$2`, …
#[derive(Debug, Default)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values.
    pub values: Vec<Value>,
}

impl Statement {
    /// `Shape::current` takes the site as the first value.
    fn for_site(plan: &Plan) -> Self {
        let mut statement = Self::default();
        statement.bind(Value::Text(plan.site.as_str().into()));
        statement
    }

    /// Binds a value and gives its name in the text.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn bind_text(&mut self, text: &str) -> String {
        format!("CAST({} AS VARCHAR)", self.bind(Value::Text(text.into())))
    }

    fn bind_number(&mut self, number: i64) -> String {
        format!("CAST({} AS BIGINT)", self.bind(Value::BigInt(number)))
    }

    fn bind_wall(&mut self, at: Wall) -> String {
        self.bind_number(at.as_ms())
    }
}

/// The statement whose rows are the answer to the plan, but for times, which are indices of buckets. A last column has
/// the number of groups.
#[must_use]
pub fn render(plan: &Plan, slices: &Shape) -> Statement {
    let mut statement = Statement::for_site(plan);
    let minutes = plan.by_minute() || time::beside(plan).next().is_some();
    let reach = if minutes { SLICE_MS } else { 0 };
    let from = statement.bind_wall(plan.range.start.shifted(-reach));
    let to = statement.bind_wall(plan.range.end);
    let opened = format!("started_at >= {from} AND started_at < {to}");
    let tables =
        [rows(plan, slices, &opened, &mut statement), time::facts(plan, &mut statement), answer(plan, &mut statement)];
    select(plan, &tables, statement)
}

/// The page of `answer`, which is the last of these tables.
fn select(plan: &Plan, tables: &[String], mut statement: Statement) -> Statement {
    let after = after(plan, &mut statement);
    statement.sql = format!(
        "WITH {tables} SELECT *, (SELECT count(*) FROM answer) FROM answer{after}{order} LIMIT {limit} OFFSET {offset}",
        tables = tables.join(", "),
        order = order(plan),
        limit = plan.limit,
        offset = plan.offset,
    );
    statement
}

/// The table `slice` of the rows that opened then, and `alive` if it has to be known.
fn rows(plan: &Plan, slices: &Shape, opened: &str, statement: &mut Statement) -> String {
    let filter = condition::of(&plan.filter, statement);
    let (mut alive, mut lost) = (String::new(), String::new());
    if plan.wants_lost() {
        let since = statement.bind_number(plan.now.as_ms() - LOST_MS);
        alive = format!(
            "alive AS (SELECT DISTINCT \"view\" FROM ({}) \
             WHERE started_at > {since} - {SLICE_MS} AND started_at + CAST(span_ms AS BIGINT) > {since}), ",
            slices.current(&["view", "started_at", "span_ms"]),
        );
        let (views, stops) = (Field::Views.name(), Field::Stops.name());
        lost = format!(
            ", CASE WHEN \"view\" IN (SELECT \"view\" FROM alive) THEN 0 \
             ELSE CAST({views} AS BIGINT) - CAST({stops} AS BIGINT) END AS lost"
        );
    }
    let exit = measure::exit(plan, statement);
    format!(
        "{alive}slice AS (SELECT *{lost}{exit} FROM ({current}) WHERE {opened} AND {filter})",
        current = slices.current(&wanted(plan)),
    )
}

/// The columns of the axes.
fn keys(plan: &Plan) -> Vec<String> {
    plan.axes.iter().enumerate().map(|(n, axis)| format!("{} AS k{n}", key(axis))).collect()
}

/// Facts by the axes.
fn grouped(plan: &Plan, metric: &dyn Fn(&Definition) -> String, join: &str) -> String {
    let metrics = plan.metrics.iter().enumerate().map(|(n, one)| format!("{} AS m{n}", metric(&one.definition)));
    let columns: Vec<_> = keys(plan).into_iter().chain(metrics).collect();
    format!("SELECT {} FROM fact{join}{}", columns.join(", "), group(plan.axes.len()))
}

/// The table `answer`.
fn answer(plan: &Plan, statement: &mut Statement) -> String {
    let metric = |metric: &Definition| match plan.by_minute() {
        true => measure::by_minute(metric),
        false => measure::definition(metric, &measure::total),
    };
    let join = time::join_buckets(plan, statement);
    let grouped = grouped(plan, &metric, &join);
    let mut beside = String::new();
    for definition in time::beside(plan) {
        beside.push_str(&time::second_grouping(plan, definition, &keys(plan), &join));
    }
    if beside.is_empty() {
        return format!("answer AS MATERIALIZED ({grouped})");
    }
    let of = |n: usize, definition: Definition| match time::name(definition) {
        Some(name) if !plan.by_minute() => format!("CAST(coalesce({name}, 0) AS HUGEINT) AS m{n}"),
        _ => format!("m{n}"),
    };
    let columns: Vec<_> = (0..plan.axes.len())
        .map(|n| format!("grouped.k{n} AS k{n}"))
        .chain(plan.metrics.iter().enumerate().map(|(n, metric)| of(n, metric.definition)))
        .collect();
    format!("answer AS MATERIALIZED (SELECT {} FROM ({grouped}) AS grouped{beside})", columns.join(", "))
}

fn key(axis: &Axis) -> String {
    match axis {
        Axis::Dimension(attribute) => label(*attribute),
        Axis::Time(_) => "bucket".into(),
    }
}

fn group(axes: usize) -> String {
    match axes {
        0 => String::new(),
        axes => format!(" GROUP BY {}", (1..=axes).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
    }
}

/// The name of a column of `answer`.
fn column(plan: &Plan, order: &Order) -> String {
    match order.column.checked_sub(plan.axes.len()) {
        None => format!("k{}", order.column),
        Some(metric) => format!("m{metric}"),
    }
}

fn order(plan: &Plan) -> String {
    let criterion =
        |order: &Order| format!("{} {} NULLS LAST", column(plan, order), if order.descending { "DESC" } else { "ASC" });
    match &plan.order[..] {
        [] => String::new(),
        order => format!(" ORDER BY {}", order.iter().map(criterion).collect::<Vec<_>>().join(", ")),
    }
}

/// Only what comes behind the cursor: larger in the first criterion, or alike in it and larger in the second, …
fn after(plan: &Plan, statement: &mut Statement) -> String {
    let Some(after) = &plan.after else { return String::new() };
    let mut condition = "FALSE".to_owned();
    for (order, cell) in plan.order.iter().zip(after).rev() {
        let name = column(plan, order);
        let bound = match cell {
            // A missing value is the last: behind it is only what is alike.
            Cell::Null => {
                condition = format!("({name} IS NULL AND {condition})");
                continue;
            }
            Cell::Text(text) => statement.bind_text(text),
            Cell::Integer(value) => format!("CAST({} AS HUGEINT)", statement.bind(Value::Text(value.to_string()))),
            Cell::Number(value) => format!("CAST({} AS DOUBLE)", statement.bind(Value::Double(*value))),
        };
        let larger = if order.descending { "<" } else { ">" };
        condition = format!("({name} {larger} {bound} OR {name} IS NULL OR ({name} = {bound} AND {condition}))");
    }
    format!(" WHERE {condition}")
}

/// The columns that the plan reads.
fn wanted(plan: &Plan) -> Vec<&'static str> {
    let mut wanted = vec!["started_at"];
    let grouped = plan.axes.iter().filter_map(|axis| match axis {
        Axis::Dimension(attribute) => Some(*attribute),
        Axis::Time(_) => None,
    });
    for attribute in grouped.chain(plan.filter.attributes()) {
        wanted.extend(attribute.inputs().iter().map(|dimension| dimension.name()));
    }
    for metric in &plan.metrics {
        wanted.extend(measure::reads(metric));
    }
    if plan.by_minute() {
        wanted.push("active");
    }
    if plan.wants_lost() || time::beside(plan).next().is_some() {
        wanted.push("view");
    }
    wanted
}

/// The value of a dimension, which may be empty.
fn value(attribute: Attribute) -> String {
    match attribute {
        Attribute::Stored(dimension) => quoted(dimension.name()),
        Attribute::ViewerKind => {
            let kinds = VIEWER_KINDS
                .iter()
                .map(|(dimension, kind)| format!(" WHEN {} <> '' THEN '{kind}'", quoted(dimension.name())));
            format!("CASE{} ELSE '' END", kinds.collect::<String>())
        }
    }
}

fn label(attribute: Attribute) -> String {
    let value = value(attribute);
    format!("CASE WHEN {value} = '' THEN '{UNKNOWN}' ELSE {value} END")
}
