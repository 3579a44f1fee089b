//! The referee: a plan evaluated over merged rows in plain, slow Rust. Every store must agree with it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use quartile_protocol::row::Row;

use super::metric::{Definition, Divisor, Measure, Term};
use super::plan::{Axis, Filter, Order, Plan, label};
use super::table::{Cell, Table};

/// The value of one axis, as it is grouped by and ordered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Bucket(usize),
    Label(String),
}

/// Evaluates a plan over all rows of a store, merged.
pub fn evaluate<'a>(plan: &Plan, rows: impl Iterator<Item = &'a Row>) -> Table {
    let mut groups: BTreeMap<Vec<Key>, Vec<&Row>> = BTreeMap::new();
    if plan.axes.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for row in rows {
        if row.key.site == plan.site && plan.range.contains(&row.started_at) && passes(&plan.filter, row) {
            let key = plan.axes.iter().map(|axis| key(axis, row)).collect();
            groups.entry(key).or_default().push(row);
        }
    }
    let mut lines: Vec<(Vec<Key>, Vec<Cell>)> = groups
        .into_iter()
        .map(|(key, rows)| (key, plan.metrics.iter().map(|metric| value(&metric.definition, &rows)).collect()))
        .collect();
    lines.sort_by(|a, b| {
        plan.order.iter().map(|order| compare(order, a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
    let rows = lines.into_iter().skip(plan.offset).take(plan.limit).map(|(keys, cells)| {
        let keys = keys.into_iter().zip(&plan.axes).map(|(key, axis)| match (key, axis) {
            (Key::Bucket(index), Axis::Time(buckets)) => Cell::Text(buckets.labels()[index].clone()),
            (Key::Label(label), _) => Cell::Text(label),
            (Key::Bucket(_), Axis::Dimension(_)) => unreachable!("a dimension has no buckets"),
        });
        keys.chain(cells).collect()
    });
    Table { rows: rows.collect() }
}

fn key(axis: &Axis, row: &Row) -> Key {
    match axis {
        Axis::Dimension(dimension) => Key::Label(label(&row.dimensions[*dimension]).to_owned()),
        Axis::Time(buckets) => {
            let begun = buckets.starts().iter().filter(|start| **start <= row.started_at).count();
            Key::Bucket(begun - 1)
        }
    }
}

fn passes(filter: &Filter, row: &Row) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| passes(filter, row)),
        Filter::Any(filters) => filters.iter().any(|filter| passes(filter, row)),
        Filter::Not(filter) => !passes(filter, row),
        Filter::Is(dimension, labels) => labels.iter().any(|value| value == label(&row.dimensions[*dimension])),
        Filter::Contains(dimension, texts) => {
            texts.iter().any(|text| row.dimensions[*dimension].contains(text.as_str()))
        }
    }
}

fn compare(order: &Order, a: &(Vec<Key>, Vec<Cell>), b: &(Vec<Key>, Vec<Cell>)) -> Ordering {
    let natural = match order.column.checked_sub(a.0.len()) {
        None => a.0[order.column].cmp(&b.0[order.column]),
        Some(metric) => match (&a.1[metric], &b.1[metric]) {
            (Cell::Null, Cell::Null) => return Ordering::Equal,
            (Cell::Null, _) => return Ordering::Greater,
            (_, Cell::Null) => return Ordering::Less,
            (Cell::Integer(a), Cell::Integer(b)) => a.cmp(b),
            (Cell::Number(a), Cell::Number(b)) => a.total_cmp(b),
            cells => unreachable!("a metric has one type: {cells:?}"),
        },
    };
    if order.descending { natural.reverse() } else { natural }
}

fn value(definition: &Definition, rows: &[&Row]) -> Cell {
    match definition {
        Definition::Total(measure) => Cell::Integer(total(*measure, rows)),
        Definition::Quotient(over, Divisor::Constant(constant)) => {
            Cell::Number(terms(over, rows) as f64 / *constant as f64)
        }
        Definition::Quotient(over, Divisor::Terms(under)) => match terms(under, rows) {
            0 => Cell::Null,
            under => Cell::Number(terms(over, rows) as f64 / under as f64),
        },
        Definition::Largest(field) => match rows.iter().map(|row| row.fields[*field]).max().unwrap_or(0) {
            0 => Cell::Null,
            largest => Cell::Integer(largest.into()),
        },
        Definition::Distinct(dimensions) => {
            let known = |row: &&Row| {
                let values = dimensions.iter().map(|&dimension| (dimension, row.dimensions[dimension].to_owned()));
                values.into_iter().find(|(_, value)| !value.is_empty())
            };
            Cell::Integer(rows.iter().filter_map(known).collect::<BTreeSet<_>>().len() as i128)
        }
    }
}

fn terms(terms: &[Term], rows: &[&Row]) -> i128 {
    terms.iter().map(|&(times, measure)| i128::from(times) * total(measure, rows)).sum()
}

fn total(measure: Measure, rows: &[&Row]) -> i128 {
    let of = |row: &&Row| match measure {
        Measure::Sum(field) => i128::from(row.fields[field]),
        Measure::Having(field) => i128::from(row.fields[field] != 0),
        Measure::WatchedPercents => i128::from(row.watched.len()),
    };
    rows.iter().map(of).sum()
}
