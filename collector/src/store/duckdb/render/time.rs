//! Time: the buckets that facts are in, and rows minute by minute.

use ::duckdb::types::Value;
use quartile_protocol::clock::Wall;

use super::{Statement, group};
use crate::report::metric::Definition;
use crate::report::plan::{Axis, MINUTE_MS, Plan};

/// What takes a second grouping beside the first, where rows are not counted minute by minute.
pub fn beside(plan: &Plan) -> impl Iterator<Item = Definition> {
    let wanted = |definition: &Definition| plan.wants_minutes_beside(*definition);
    [Definition::PeakConcurrent, Definition::ActiveViews].into_iter().filter(wanted)
}

/// The column of a second grouping.
pub const fn name(definition: Definition) -> Option<&'static str> {
    match definition {
        Definition::PeakConcurrent => Some("peak"),
        Definition::ActiveViews => Some("active_views"),
        _ => None,
    }
}

/// The tables `fact`, and `played` with every minute in which a playhead moved if that is needed.
pub fn facts(plan: &Plan, statement: &mut Statement) -> String {
    let (by_minute, beside) = (plan.by_minute(), beside(plan).next().is_some());
    if !by_minute && !beside {
        return "fact AS (SELECT *, started_at AS moment FROM slice)".into();
    }
    let from = statement.bind_wall(plan.range.start);
    let minutes = plan.minutes();
    let (first, end) = (statement.bind_wall(minutes.start), statement.bind_wall(minutes.end));
    // Dates before 1970 are in no range, but a division must not round them up into one.
    let minute = format!("((started_at + 86400000) // {MINUTE_MS} - 1440 + bit) * {MINUTE_MS}");
    let played = format!(
        "played AS (SELECT * FROM (SELECT slice.*, {minute} AS moment, FALSE AS opening, \
         bit_count(active & ((CAST(1 AS UBIGINT) << bit) - 1)) AS part, bit_count(active) AS parts \
         FROM slice, (SELECT unnest(range(11)) AS bit) WHERE (active >> bit) & 1 = 1) \
         WHERE moment >= {first} AND moment < {end})"
    );
    let opened = format!(
        "SELECT slice.*, started_at AS moment, TRUE AS opening, 0 AS part, bit_count(active) AS parts \
         FROM slice WHERE started_at >= {from}"
    );
    let moved = if by_minute { " UNION ALL SELECT * FROM played" } else { "" };
    format!("{played}, fact AS ({opened}{moved})")
}

/// A second grouping, joined to the first by the keys.
pub fn second_grouping(plan: &Plan, definition: Definition, keys: &[String], join: &str) -> String {
    let Some(name) = name(definition) else { return String::new() };
    let names: Vec<_> = (0..keys.len()).map(|n| format!("k{n}")).collect();
    let list = |more: &str| names.iter().map(String::as_str).chain([more]).collect::<Vec<_>>().join(", ");
    let facts = format!(
        "SELECT {} FROM played{join}",
        keys.iter().map(String::as_str).chain(["moment", "\"view\""]).collect::<Vec<_>>().join(", ")
    );
    let axes = plan.axes.len();
    let grouped = match definition {
        Definition::PeakConcurrent => format!(
            "SELECT {} FROM (SELECT {}, count(*) AS views FROM ({facts}) GROUP BY {}){}",
            list(&format!("max(views) AS {name}")),
            list("moment"),
            list("moment"),
            group(axes)
        ),
        _ => {
            let counted = list(&format!("count(DISTINCT \"view\") AS {name}"));
            format!("SELECT {counted} FROM ({facts}){}", group(axes))
        }
    };
    if names.is_empty() {
        return format!(" CROSS JOIN ({grouped}) AS {name}_of");
    }
    format!(" LEFT JOIN ({grouped}) AS {name}_of USING ({})", names.join(", "))
}

/// Joins the index of its bucket to each fact. Pieces of a calendar differ in length, so the range is cut into equal
/// steps, each of which lies in one piece, and the steps into a table.
pub fn join_buckets(plan: &Plan, statement: &mut Statement) -> String {
    let Some(buckets) = plan.axes.iter().find_map(|axis| match axis {
        Axis::Time(buckets) => Some(buckets),
        Axis::Dimension(_) => None,
    }) else {
        return String::new();
    };
    let (starts, end) = (buckets.starts(), plan.range.end);
    let first = starts.first().copied().unwrap_or(end);
    let lengths = starts.windows(2).map(|pair| pair[1].since(pair[0]));
    let step = match lengths.fold(0, gcd) {
        0 => end.since(first).max(1),
        step => step,
    };
    let mut steps = Vec::new();
    for (piece, start) in starts.iter().enumerate() {
        let until = starts.get(piece + 1).copied().unwrap_or(end);
        let count = (until.since(*start) + step - 1) / step;
        let bucket = buckets.bucket_of(piece).to_string();
        steps.extend(std::iter::repeat_n(bucket, usize::try_from(count).unwrap_or(0)));
    }
    let steps = statement.bind(Value::Text(format!("[{}]", steps.join(","))));
    let (first, step) = (statement.bind_wall(first), statement.bind_wall(Wall::from_ms(step)));
    format!(
        " JOIN (SELECT generate_subscripts(list, 1) - 1 AS step, unnest(list) AS bucket \
         FROM (SELECT CAST({steps} AS UINTEGER[]) AS list)) AS steps ON steps.step = (moment - {first}) // {step}"
    )
}

const fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
