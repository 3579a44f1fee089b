//! The referee: a plan evaluated over merged rows in plain, slow Rust. Every store must agree with it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use quartile_protocol::clock::Wall;
use quartile_protocol::field::Field;
use quartile_protocol::id::ViewId;
use quartile_protocol::row::Row;

use super::metric::{Definition, Divisor, GONE_MS, LOST_MS, Measure, Term, WAITED_MS, is_spread};
use super::plan::{Axis, Filter, MINUTE_MS, Order, Plan, label};
use super::table::{Cell, Table};

/// The value of one axis, as it is grouped by and ordered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Bucket(usize),
    Label(String),
}

/// What a row says of one moment.
#[derive(Clone, Copy)]
struct Fact<'a> {
    row: &'a Row,
    at: Wall,
    /// Which of so many minutes in which the playhead moved; `None` of the opening.
    minute: Option<(u32, u32)>,
}

/// All that is known when values are computed.
struct Bench<'a> {
    plan: &'a Plan,
    /// Views that are still going on, or may be.
    alive: BTreeSet<ViewId>,
    /// Every minute in which a playhead moved, by the keys of its row.
    minutes: BTreeMap<Vec<Key>, Vec<Fact<'a>>>,
}

/// Evaluates a plan over all rows of a store, merged.
pub fn evaluate<'a>(plan: &Plan, rows: impl Iterator<Item = &'a Row>) -> Table {
    let rows: Vec<_> = rows.filter(|row| row.key.site == plan.site).collect();
    let is_alive = |row: &&&Row| ended(row) > plan.now.as_ms() - LOST_MS;
    let alive = rows.iter().filter(is_alive).map(|row| row.key.view).collect();
    let passing: Vec<_> = rows.into_iter().filter(|row| passes(&plan.filter, row)).collect();

    let mut minutes: BTreeMap<Vec<Key>, Vec<Fact<'_>>> = BTreeMap::new();
    for fact in passing.iter().flat_map(|row| minutes_of(row, plan)) {
        minutes.entry(keys(plan, &fact)).or_default().push(fact);
    }
    let mut groups: BTreeMap<Vec<Key>, Vec<Fact<'_>>> = BTreeMap::new();
    if plan.axes.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    let opened = passing.iter().filter(|row| plan.range.contains(&row.started_at));
    for fact in opened.map(|row| Fact { row, at: row.started_at, minute: None }) {
        groups.entry(keys(plan, &fact)).or_default().push(fact);
    }
    if plan.by_minute() {
        for (keys, facts) in &minutes {
            groups.entry(keys.clone()).or_default().extend(facts);
        }
    }
    let bench = Bench { plan, alive, minutes };
    let lines = groups.into_iter().map(|(keys, facts)| bench.line(keys, &facts)).collect();
    page(plan, lines)
}

fn ended(row: &Row) -> i64 {
    row.started_at.as_ms() + row.span_ms as i64
}

/// The minutes of the range in which the row's playhead moved.
fn minutes_of<'a>(row: &'a Row, plan: &Plan) -> Vec<Fact<'a>> {
    let first = row.started_at.as_ms().div_euclid(MINUTE_MS) * MINUTE_MS;
    let active: Vec<_> = (0..64).filter(|&bit| row.active.contains(bit)).collect();
    let of = active.len() as u32;
    let fact = |(index, &bit): (usize, &u32)| Fact {
        row,
        at: Wall::from_ms(first + i64::from(bit) * MINUTE_MS),
        minute: Some((index as u32, of)),
    };
    active.iter().enumerate().map(fact).filter(|fact| plan.minutes().contains(&fact.at)).collect()
}

type Line = (Vec<Key>, Vec<Cell>);

fn page(plan: &Plan, mut lines: Vec<Line>) -> Table {
    let groups = lines.len() as u64;
    let by = |a: &Line, b: &Line| {
        plan.order.iter().map(|order| compare(order, a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    lines.sort_by(by);
    if let Some(after) = &plan.after {
        let last = last_line(plan, after);
        lines.retain(|line| by(line, &last).is_gt());
    }
    let rows = lines.into_iter().skip(plan.offset).take(plan.limit).map(|(keys, cells)| {
        let keys = keys.into_iter().zip(&plan.axes).map(|(key, axis)| match (key, axis) {
            (Key::Bucket(index), Axis::Time(buckets)) => Cell::Text(buckets.labels()[index].clone()),
            (Key::Label(label), _) => Cell::Text(label),
            (Key::Bucket(_), Axis::Dimension(_)) => unreachable!("a dimension has no buckets"),
        });
        keys.chain(cells).collect()
    });
    Table { rows: rows.collect(), groups, source: "slices".into() }
}

/// A line with the values of a cursor.
fn last_line(plan: &Plan, after: &[Cell]) -> Line {
    let mut keys = vec![Key::Bucket(0); plan.axes.len()];
    let mut cells = vec![Cell::Null; plan.metrics.len()];
    for (order, cell) in plan.order.iter().zip(after) {
        match (order.column.checked_sub(plan.axes.len()), cell) {
            (Some(metric), cell) => cells[metric] = cell.clone(),
            (None, Cell::Text(label)) => keys[order.column] = Key::Label(label.clone()),
            (None, Cell::Integer(index)) => keys[order.column] = Key::Bucket(*index as usize),
            (None, cell) => unreachable!("an axis has no such value: {cell:?}"),
        }
    }
    (keys, cells)
}

fn keys(plan: &Plan, fact: &Fact<'_>) -> Vec<Key> {
    let key = |axis: &Axis| match axis {
        Axis::Dimension(attribute) => Key::Label(label(attribute.of(fact.row)).to_owned()),
        Axis::Time(buckets) => {
            let begun = buckets.starts().iter().filter(|start| **start <= fact.at).count();
            Key::Bucket(buckets.bucket_of(begun - 1))
        }
    };
    plan.axes.iter().map(key).collect()
}

fn passes(filter: &Filter, row: &Row) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| passes(filter, row)),
        Filter::Any(filters) => filters.iter().any(|filter| passes(filter, row)),
        Filter::Not(filter) => !passes(filter, row),
        Filter::Is(attribute, labels) => labels.iter().any(|value| value == label(attribute.of(row))),
        Filter::Contains(attribute, texts) => texts.iter().any(|text| attribute.of(row).contains(text.as_str())),
        Filter::Matches(attribute, patterns) => {
            patterns.iter().any(|pattern| regex::Regex::new(pattern).unwrap().is_match(attribute.of(row)))
        }
    }
}

fn compare(order: &Order, a: &Line, b: &Line) -> Ordering {
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

impl Bench<'_> {
    fn line(&self, keys: Vec<Key>, facts: &[Fact<'_>]) -> Line {
        let none = Vec::new();
        let minutes = self.minutes.get(&keys).unwrap_or(&none);
        let cells = self.plan.metrics.iter().map(|metric| self.value(&metric.definition, facts, minutes)).collect();
        (keys, cells)
    }

    fn value(&self, definition: &Definition, facts: &[Fact<'_>], minutes: &[Fact<'_>]) -> Cell {
        let opened = || facts.iter().filter(|fact| fact.minute.is_none()).map(|fact| fact.row);
        match definition {
            Definition::Total(measure) => Cell::Integer(self.total(*measure, facts)),
            Definition::Quotient(over, Divisor::Constant(constant)) => {
                Cell::Number(self.terms(over, facts) as f64 / *constant as f64)
            }
            Definition::Quotient(over, Divisor::Terms(under)) => match self.terms(under, facts) {
                0 => Cell::Null,
                under => Cell::Number(self.terms(over, facts) as f64 / under as f64),
            },
            Definition::Largest(field) => match opened().map(|row| row.fields[*field]).max().unwrap_or(0) {
                0 => Cell::Null,
                largest => Cell::Integer(largest.into()),
            },
            Definition::Percentile(field, percent) => {
                let mut values: Vec<_> = opened().map(|row| row.fields[*field]).filter(|&value| value > 0).collect();
                values.sort_unstable();
                let rank = (values.len() * usize::from(*percent)).div_ceil(100);
                rank.checked_sub(1).map_or(Cell::Null, |index| Cell::Integer(values[index].into()))
            }
            Definition::Concurrent => Cell::Integer(minutes.len() as i128),
            Definition::PeakConcurrent => {
                let mut count: BTreeMap<Wall, i128> = BTreeMap::new();
                minutes.iter().for_each(|fact| *count.entry(fact.at).or_default() += 1);
                Cell::Integer(count.into_values().max().unwrap_or(0))
            }
            Definition::ActiveViews => {
                Cell::Integer(minutes.iter().map(|fact| fact.row.key.view).collect::<BTreeSet<_>>().len() as i128)
            }
            Definition::Distinct(dimensions) => {
                let known = |fact: &Fact<'_>| {
                    let values =
                        dimensions.iter().map(|&dimension| (dimension, fact.row.dimensions[dimension].to_owned()));
                    values.into_iter().find(|(_, value)| !value.is_empty())
                };
                Cell::Integer(facts.iter().filter_map(known).collect::<BTreeSet<_>>().len() as i128)
            }
        }
    }

    fn terms(&self, terms: &[Term], facts: &[Fact<'_>]) -> i128 {
        terms.iter().map(|&(times, measure)| i128::from(times) * self.total(measure, facts)).sum()
    }

    fn total(&self, measure: Measure, facts: &[Fact<'_>]) -> i128 {
        facts.iter().map(|fact| self.measured(measure, fact)).sum()
    }

    fn measured(&self, measure: Measure, fact: &Fact<'_>) -> i128 {
        let (row, opened) = (fact.row, fact.minute.is_none());
        match measure {
            Measure::Sum(field) => i128::from(self.counted(field, fact)),
            _ if !opened => 0,
            Measure::Having(field) => i128::from(row.fields[field] != 0),
            Measure::WatchedPercents => i128::from(row.watched.len()),
            Measure::Watched(percent) => i128::from(row.watched.contains(percent.into())),
            Measure::WatchedAgain(percent) => i128::from(row.rewatched.contains(percent.into())),
            Measure::ExitBeforeStart => i128::from(self.gave_up(row)),
            Measure::Lost if self.alive.contains(&row.key.view) => 0,
            Measure::Lost => i128::from(row.fields[Field::Views]) - i128::from(row.fields[Field::Stops]),
        }
    }

    /// What of a field is in this fact.
    fn counted(&self, field: Field, fact: &Fact<'_>) -> u64 {
        let value = fact.row.fields[field];
        let spread = self.plan.by_minute() && is_spread(field) && !fact.row.active.is_empty();
        match fact.minute {
            None if spread => 0,
            None => value,
            Some((index, of)) if spread => {
                let until = |minutes: u32| value * u64::from(minutes) / u64::from(of);
                until(index + 1) - until(index)
            }
            Some(_) => 0,
        }
    }

    fn gave_up(&self, row: &Row) -> bool {
        let none = [Field::Plays, Field::StartFailures, Field::AutoplayBlocked];
        row.fields[Field::PlayRequests] > 0
            && row.fields[Field::WaitMs] >= WAITED_MS as u64
            && none.iter().all(|&field| row.fields[field] == 0)
            && ended(row) <= self.plan.now.as_ms() - GONE_MS
    }
}
