//! A plan as SQL over an aggregation: whole hours from its sums, the rest of the range and stale hours from slices.

use std::collections::BTreeSet;

use quartile_protocol::clock::Wall;
use quartile_protocol::field::Field;

use super::{Statement, condition, grouped, measure, rows, select, time, value};
use crate::report::aggregate::{HOUR_MS, Served};
use crate::report::metric::{Definition, Measure};
use crate::report::plan::{Axis, Filter, Plan};
use crate::store::duckdb::aggregate::{TABLE, column, grouped as set_of, largest};
use crate::store::duckdb::schema::{Shape, quoted};

/// The statement, where these hours are stale.
#[must_use]
pub fn render(plan: &Plan, slices: &Shape, served: &Served, stale: &BTreeSet<i64>) -> Statement {
    let mut statement = Statement::for_site(plan);
    let mut tables = Vec::new();
    let mut parts = vec![from_hours(plan, served, stale, &mut statement)];
    if let Some(opened) = rest(plan, served, stale, &mut statement) {
        tables.push(rows(plan, slices, &opened, &mut statement));
        let sum = |measure| format!("{} AS {}", measure::of_slice(measure), column(measure));
        let most = |field: Field| format!("{} AS {}", quoted(field.name()), largest(field));
        parts.push(format!("SELECT started_at AS moment{} FROM slice", columns(plan, &sum, &most)));
    }
    tables.push(format!("fact AS ({})", parts.join(" UNION ALL ")));
    let total = |measure: Measure| format!("coalesce(sum({}), 0)", column(measure));
    let metric = |definition: &Definition| match definition {
        Definition::Largest(field) => format!("CAST(nullif(max({}), 0) AS HUGEINT)", largest(*field)),
        other => measure::definition(other, &total),
    };
    let join = time::join_buckets(plan, &mut statement);
    tables.push(format!("answer AS MATERIALIZED ({})", grouped(plan, &metric, &join)));
    select(plan, &tables, statement)
}

/// The whole hours that are not stale.
fn from_hours(plan: &Plan, served: &Served, stale: &BTreeSet<i64>, statement: &mut Statement) -> String {
    let (first, end) = (statement.bind_number(served.first), statement.bind_number(served.end));
    let hours: Vec<_> = stale.iter().map(|hour| statement.bind_number(*hour)).collect();
    let fresh = if hours.is_empty() { String::new() } else { format!(" AND hour NOT IN ({})", hours.join(", ")) };
    let filter = condition::of(&without_bots(&plan.filter), statement);
    format!(
        "SELECT hour * {HOUR_MS} AS moment{columns} FROM {TABLE} \
         WHERE grouped = {set} AND site = $1 AND hour >= {first} AND hour < {end}{fresh} AND {filter}",
        columns = columns(plan, &column, &largest),
        set = statement.bind_number(set_of(served.set)),
    )
}

/// There are no bots in an aggregation.
fn without_bots(filter: &Filter) -> Filter {
    let bot = |filter: &Filter| filter.attributes().iter().any(|attribute| attribute.name() == "bot");
    match filter {
        Filter::All(filters) => Filter::All(filters.iter().filter(|filter| !bot(filter)).cloned().collect()),
        other => other.clone(),
    }
}

/// The dimensions and the measures that the plan needs, where these say how a sum and a largest value are had.
fn columns(plan: &Plan, sum: &dyn Fn(Measure) -> String, most: &dyn Fn(Field) -> String) -> String {
    let attributes = plan.axes.iter().filter_map(|axis| match axis {
        Axis::Dimension(attribute) => Some(value(*attribute)),
        Axis::Time(_) => None,
    });
    let mut columns: Vec<String> = attributes.collect();
    for metric in &plan.metrics {
        columns.extend(match metric.definition {
            Definition::Largest(field) => vec![most(field)],
            _ => metric.measures().into_iter().map(sum).collect(),
        });
    }
    let mut seen: Vec<String> = Vec::new();
    for column in columns {
        if !seen.contains(&column) {
            seen.push(column);
        }
    }
    seen.into_iter().map(|column| format!(", {column}")).collect()
}

/// When slices opened that the aggregation does not have; `None` if it has all.
fn rest(plan: &Plan, served: &Served, stale: &BTreeSet<i64>, statement: &mut Statement) -> Option<String> {
    let hour = |hour: i64| Wall::from_ms(hour * HOUR_MS);
    let ends = [(plan.range.start, hour(served.first)), (hour(served.end), plan.range.end)];
    let stale = stale.iter().map(|&one| (hour(one), hour(one + 1)));
    let pieces: Vec<_> = ends
        .into_iter()
        .chain(stale)
        .filter(|(from, to)| from < to)
        .map(|(from, to)| {
            format!("(started_at >= {} AND started_at < {})", statement.bind_wall(from), statement.bind_wall(to))
        })
        .collect();
    (!pieces.is_empty()).then(|| format!("({})", pieces.join(" OR ")))
}
