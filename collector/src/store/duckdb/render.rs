//! A plan as SQL. Values are bound, every one; only names from our own tables become text.

use ::duckdb::types::Value;
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::Dimension;

use super::schema::{Shape, quoted};
use crate::report::bucket::Buckets;
use crate::report::metric::{Definition, Divisor, Measure, Term};
use crate::report::plan::{Axis, Filter, Plan, UNKNOWN};

/// A statement and what is bound to `$1`, `$2`, …
#[derive(Debug, Default)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values.
    pub values: Vec<Value>,
}

impl Statement {
    /// Binds a value and gives its name in the text.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn bind_text(&mut self, text: &str) -> String {
        format!("CAST({} AS VARCHAR)", self.bind(Value::Text(text.into())))
    }

    fn bind_wall(&mut self, at: Wall) -> String {
        format!("CAST({} AS BIGINT)", self.bind(Value::BigInt(at.as_ms())))
    }
}

/// The statement whose rows are the answer to the plan, but for times, which are indices of buckets.
#[must_use]
pub fn render(plan: &Plan, slices: &Shape) -> Statement {
    let mut statement = Statement::default();
    // `Shape::current` takes the site as the first value.
    statement.bind(Value::Text(plan.site.as_str().into()));
    let mut columns = Vec::new();
    let mut time = String::new();
    for axis in &plan.axes {
        match axis {
            Axis::Dimension(dimension) => columns.push(label(*dimension)),
            Axis::Time(buckets) => {
                columns.push("bucket".into());
                time = join_buckets(buckets, plan.range.end, &mut statement);
            }
        }
    }
    columns.extend(plan.metrics.iter().map(|metric| definition(&metric.definition)));
    let from = statement.bind_wall(plan.range.start);
    let to = statement.bind_wall(plan.range.end);
    let filter = condition(&plan.filter, &mut statement);
    let group = match plan.axes.len() {
        0 => String::new(),
        axes => format!(" GROUP BY {}", (1..=axes).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
    };
    statement.sql = format!(
        "SELECT {columns} FROM ({current}) AS slice{time} \
         WHERE started_at >= {from} AND started_at < {to} AND {filter}{group}{order} LIMIT {limit} OFFSET {offset}",
        columns = columns.join(", "),
        current = slices.current(&wanted(plan)),
        order = order(plan),
        limit = plan.limit,
        offset = plan.offset,
    );
    statement
}

fn order(plan: &Plan) -> String {
    let criterion = |order: &crate::report::plan::Order| {
        format!("{} {} NULLS LAST", order.column + 1, if order.descending { "DESC" } else { "ASC" })
    };
    match &plan.order[..] {
        [] => String::new(),
        order => format!(" ORDER BY {}", order.iter().map(criterion).collect::<Vec<_>>().join(", ")),
    }
}

/// The columns that the plan reads.
fn wanted(plan: &Plan) -> Vec<&'static str> {
    let mut wanted = vec!["started_at"];
    for axis in &plan.axes {
        if let Axis::Dimension(dimension) = axis {
            wanted.push(dimension.name());
        }
    }
    wanted.extend(plan.filter.dimensions().into_iter().map(Dimension::name));
    for metric in &plan.metrics {
        match metric.definition {
            Definition::Total(measure) => reads(measure, &mut wanted),
            Definition::Largest(field) => wanted.push(field.name()),
            Definition::Distinct(dimensions) => wanted.extend(dimensions.iter().map(|dimension| dimension.name())),
            Definition::Quotient(over, divisor) => {
                let under = if let Divisor::Terms(under) = divisor { under } else { &[] };
                over.iter().chain(under).for_each(|&(_, measure)| reads(measure, &mut wanted));
            }
        }
    }
    wanted
}

fn reads(measure: Measure, wanted: &mut Vec<&'static str>) {
    match measure {
        Measure::Sum(field) | Measure::Having(field) => wanted.push(field.name()),
        Measure::WatchedPercents => wanted.extend(["watched_lo", "watched_hi"]),
    }
}

/// Joins the index of its bucket to each slice. Buckets of a calendar differ in length, so the range is cut into equal
/// steps, each of which lies in one bucket, and the steps into a table.
fn join_buckets(buckets: &Buckets, end: Wall, statement: &mut Statement) -> String {
    let starts = buckets.starts();
    let first = starts.first().copied().unwrap_or(end);
    let lengths = starts.windows(2).map(|pair| pair[1].since(pair[0]));
    let step = match lengths.fold(0, gcd) {
        0 => end.since(first).max(1),
        step => step,
    };
    let mut steps = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let until = starts.get(index + 1).copied().unwrap_or(end);
        let count = (until.since(*start) + step - 1) / step;
        steps.extend(std::iter::repeat_n(index.to_string(), usize::try_from(count).unwrap_or(0)));
    }
    let steps = statement.bind(Value::Text(format!("[{}]", steps.join(","))));
    let (first, step) = (statement.bind_wall(first), statement.bind_wall(Wall::from_ms(step)));
    format!(
        " JOIN (SELECT generate_subscripts(list, 1) - 1 AS step, unnest(list) AS bucket \
         FROM (SELECT CAST({steps} AS UINTEGER[]) AS list)) AS steps ON steps.step = (started_at - {first}) // {step}"
    )
}

const fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn label(dimension: Dimension) -> String {
    let name = quoted(dimension.name());
    format!("CASE WHEN {name} = '' THEN '{UNKNOWN}' ELSE {name} END")
}

fn definition(definition: &Definition) -> String {
    match definition {
        Definition::Total(measure) => format!("CAST({} AS HUGEINT)", total(*measure)),
        Definition::Largest(field) => format!("CAST(nullif(max({}), 0) AS HUGEINT)", quoted(field.name())),
        Definition::Quotient(over, Divisor::Constant(constant)) => {
            format!("CAST({} AS DOUBLE) / CAST({constant} AS DOUBLE)", terms(over))
        }
        Definition::Quotient(over, Divisor::Terms(under)) => {
            let (over, under) = (terms(over), terms(under));
            format!("CASE WHEN {under} = 0 THEN NULL ELSE CAST({over} AS DOUBLE) / CAST({under} AS DOUBLE) END")
        }
        Definition::Distinct(dimensions) => {
            let known = dimensions.iter().enumerate().map(|(kind, dimension)| {
                let name = quoted(dimension.name());
                format!(" WHEN {name} <> '' THEN concat('{kind}:', {name})")
            });
            format!("CAST(count(DISTINCT CASE{} END) AS HUGEINT)", known.collect::<String>())
        }
    }
}

fn terms(terms: &[Term]) -> String {
    let term = |&(times, measure): &Term| match times {
        1 => total(measure),
        _ => format!("{times} * {}", total(measure)),
    };
    format!("({})", terms.iter().map(term).collect::<Vec<_>>().join(" + "))
}

fn total(measure: Measure) -> String {
    match measure {
        Measure::Sum(field) => format!("coalesce(sum({}), 0)", quoted(field.name())),
        Measure::Having(field) => format!("count_if({} <> 0)", quoted(field.name())),
        Measure::WatchedPercents => "coalesce(sum(bit_count(watched_lo) + bit_count(watched_hi)), 0)".into(),
    }
}

fn condition(filter: &Filter, statement: &mut Statement) -> String {
    let mut all = |filters: &[Filter], operator: &str, none: &str| match filters {
        [] => none.to_owned(),
        _ => {
            let conditions: Vec<_> = filters.iter().map(|filter| condition(filter, statement)).collect();
            format!("({})", conditions.join(operator))
        }
    };
    match filter {
        Filter::All(filters) => all(filters, " AND ", "TRUE"),
        Filter::Any(filters) => all(filters, " OR ", "FALSE"),
        Filter::Not(filter) => format!("(NOT {})", condition(filter, statement)),
        Filter::Is(dimension, labels) => {
            let mut values: Vec<_> = labels.iter().map(|label| statement.bind_text(label)).collect();
            if labels.iter().any(|label| label == UNKNOWN) {
                values.push("''".into());
            }
            match values.is_empty() {
                true => "FALSE".into(),
                false => format!("({} IN ({}))", quoted(dimension.name()), values.join(", ")),
            }
        }
        Filter::Contains(dimension, texts) => {
            let name = quoted(dimension.name());
            let contains: Vec<_> =
                texts.iter().map(|text| format!("contains({name}, {})", statement.bind_text(text))).collect();
            if contains.is_empty() { "FALSE".into() } else { format!("({})", contains.join(" OR ")) }
        }
    }
}
