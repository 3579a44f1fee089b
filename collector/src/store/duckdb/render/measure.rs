//! Metrics as expressions over the facts of a group.

use quartile_protocol::field::Field;

use super::Statement;
use crate::report::metric::{Definition, Divisor, GONE_MS, Measure, Metric, Term, WAITED_MS, is_spread};
use crate::report::plan::Plan;
use crate::store::duckdb::schema::quoted;

/// A metric, where `total` says how a measure is summed.
pub fn definition(definition: &Definition, total: &dyn Fn(Measure) -> String) -> String {
    match definition {
        Definition::Total(measure) => format!("CAST({} AS HUGEINT)", total(*measure)),
        Definition::Largest(field) => format!("CAST(nullif(max({}), 0) AS HUGEINT)", quoted(field.name())),
        Definition::Percentile(field, percent) => {
            let name = quoted(field.name());
            format!("CAST(quantile_disc({name}, 0.{percent:02}) FILTER ({name} > 0) AS HUGEINT)")
        }
        // Minutes are counted by a second grouping; see [`super::time`].
        Definition::Concurrent | Definition::PeakConcurrent | Definition::ActiveViews => "NULL".into(),
        Definition::Quotient(over, Divisor::Constant(constant)) => {
            format!("CAST({} AS DOUBLE) / CAST({constant} AS DOUBLE)", terms(over, total))
        }
        Definition::Quotient(over, Divisor::Terms(under)) => {
            let (over, under) = (terms(over, total), terms(under, total));
            format!("CASE WHEN {under} = 0 THEN NULL ELSE CAST({over} AS DOUBLE) / CAST({under} AS DOUBLE) END")
        }
        Definition::Distinct(dimensions) => {
            let known = dimensions.iter().enumerate().map(|(kind, dimension)| {
                let name = quoted(dimension.name());
                // Hashes of 64 bits are counted six times as quickly as texts.
                format!(" WHEN {name} <> '' THEN hash({kind}, {name})")
            });
            format!("CAST(count(DISTINCT CASE{} END) AS HUGEINT)", known.collect::<String>())
        }
    }
}

/// A metric over facts of single minutes: what is not divided over minutes is of the opening.
pub fn by_minute(metric: &Definition) -> String {
    match metric {
        Definition::Concurrent | Definition::PeakConcurrent => "CAST(count_if(NOT opening) AS HUGEINT)".into(),
        Definition::ActiveViews => "CAST(count(DISTINCT \"view\") FILTER (NOT opening) AS HUGEINT)".into(),
        Definition::Largest(field) => {
            format!("CAST(nullif(max({}) FILTER (opening), 0) AS HUGEINT)", quoted(field.name()))
        }
        Definition::Percentile(field, percent) => {
            let name = quoted(field.name());
            format!("CAST(quantile_disc({name}, 0.{percent:02}) FILTER (opening AND {name} > 0) AS HUGEINT)")
        }
        other => definition(other, &total_by_minute),
    }
}

fn terms(terms: &[Term], total: &dyn Fn(Measure) -> String) -> String {
    let term = |&(times, measure): &Term| match times {
        1 => total(measure),
        _ => format!("{times} * {}", total(measure)),
    };
    format!("({})", terms.iter().map(term).collect::<Vec<_>>().join(" + "))
}

/// The sum of a measure over slices.
pub fn total(measure: Measure) -> String {
    format!("coalesce(sum({}), 0)", of_slice(measure))
}

/// A measure of one slice.
pub fn of_slice(measure: Measure) -> String {
    match measure {
        Measure::Sum(field) => quoted(field.name()),
        Measure::Having(field) => format!("CAST({} <> 0 AS INTEGER)", quoted(field.name())),
        Measure::WatchedPercents => "bit_count(watched_lo) + bit_count(watched_hi)".into(),
        Measure::Watched(percent) => bit("watched", percent),
        Measure::WatchedAgain(percent) => bit("rewatched", percent),
        Measure::ExitBeforeStart => "gave_up".into(),
        Measure::Lost => "lost".into(),
    }
}

fn bit(bitmap: &str, percent: u8) -> String {
    let half = if percent < 64 { "lo" } else { "hi" };
    format!("({bitmap}_{half} >> {}) & 1", percent % 64)
}

fn total_by_minute(measure: Measure) -> String {
    match measure {
        Measure::Sum(field) if is_spread(field) => {
            let name = quoted(field.name());
            format!(
                "coalesce(sum(CASE WHEN opening THEN CASE WHEN parts = 0 THEN {name} ELSE 0 END \
                 ELSE {name} * (part + 1) // parts - {name} * part // parts END), 0)"
            )
        }
        measure => format!("coalesce(sum({}) FILTER (opening), 0)", of_slice(measure)),
    }
}

/// The column `gave_up` of a slice, if the plan asks for it.
pub fn exit(plan: &Plan, statement: &mut Statement) -> String {
    if !plan.metrics.iter().any(|metric| metric.measures().contains(&Measure::ExitBeforeStart)) {
        return String::new();
    }
    let gone = statement.bind_number(plan.now.as_ms() - GONE_MS);
    format!(", CASE WHEN started_at + CAST(span_ms AS BIGINT) <= {gone} THEN {} ELSE 0 END AS gave_up", gave_up())
}

/// 1 for a slice that counts as given up once it is over for long enough.
pub fn gave_up() -> String {
    let [asked, waited] = [Field::PlayRequests, Field::WaitMs].map(|field| quoted(field.name()));
    let none = [Field::Plays, Field::StartFailures, Field::AutoplayBlocked]
        .map(|field| format!(" AND {} = 0", quoted(field.name())));
    format!("CAST({asked} > 0 AND {waited} >= {WAITED_MS}{} AS INTEGER)", none.concat())
}

/// The columns of slices that a metric reads.
pub fn reads(metric: &Metric) -> Vec<&'static str> {
    let mut columns = Vec::new();
    for input in metric.inputs() {
        match input {
            "watched" => columns.extend(["watched_lo", "watched_hi"]),
            "rewatched" => columns.extend(["rewatched_lo", "rewatched_hi"]),
            other => columns.push(other),
        }
    }
    if metric.measures().contains(&Measure::ExitBeforeStart) {
        columns.push("span_ms");
    }
    if metric.definition == Definition::ActiveViews {
        columns.push("view");
    }
    columns
}
