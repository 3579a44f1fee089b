//! Random rows and random queries: few identities, so that copies meet, and texts that break what is not careful.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::{Media, Wall};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::event::{ErrorPhase, Event, EventKind, Ladder, Percent, StopReason, Text, Word};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use serde_json::{Value, json};

use crate::report::aggregate;
use crate::report::bucket::Grain;
use crate::report::dimension::Attribute;
use crate::report::metric::Metric;

/// The beginning of the hour in which Paris goes back to winter time, 2026-10-25T01:00Z.
pub const AUTUMN: i64 = 1_792_890_000_000;

const HOUR: i64 = 3_600_000;

/// Texts that have broken stores elsewhere, and neighbours in their order.
pub const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "b",
    "ab",
    "a\0",
    "a\0b",
    "\0",
    "'",
    "\"",
    "';--",
    "$1",
    "%",
    "_",
    "\\",
    "é",
    "e\u{301}",
    "\u{ffff}",
    "😀",
    "(unknown)",
    "NULL",
    "\n",
    "\u{1}",
    "tv",
];

/// A text, at times of 200 bytes.
pub fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => select(TEXTS).prop_map(str::to_owned),
        1 => Just("x".repeat(200)),
        1 => Just("😀".repeat(50)),
    ]
}

fn any_site() -> impl Strategy<Value = SiteId> {
    prop_oneof![5 => Just("demo"), 1 => Just("other")].prop_map(|site| SiteId::new(site).unwrap())
}

fn any_view() -> impl Strategy<Value = ViewId> {
    // The first began in 1970, as those of televisions do.
    (0..5_u8).prop_map(|n| {
        let at = if n == 0 { 0 } else { AUTUMN - i64::from(n) * 7 * HOUR };
        ViewId::new(Wall::from_ms(at), [n; 10])
    })
}

fn any_number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..3_u64, 2 => 0..300_000_u64, 1 => Just(1_000_000_000_000)]
}

fn any_date() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => -6 * HOUR..6 * HOUR,
        3 => -40 * 24 * HOUR..40 * 24 * HOUR,
        1 => Just(-AUTUMN),
        1 => Just(0),
    ]
    .prop_map(|from| AUTUMN + from)
}

/// One copy of a slice.
pub fn any_row() -> impl Strategy<Value = Row> {
    (
        (any_site(), any_view(), 0..3_u32),
        (any_date(), 0..600_000_u64),
        vec((select(Field::ALL), any_number()), 0..20),
        (any::<u128>(), any::<u128>(), any::<u128>()),
        vec((select(Dimension::ALL), any_text()), 0..20),
    )
        .prop_map(|((site, view, n), (at, span_ms), numbers, (watched, rewatched, active), texts)| {
            let mut fields = Fields::default();
            for (field, value) in numbers {
                fields[field] = value;
            }
            let mut dimensions = Dimensions::default();
            for (dimension, text) in texts {
                dimensions.set(dimension, text);
            }
            Row {
                key: RowKey { site, view, n },
                started_at: Wall::from_ms(at),
                span_ms,
                fields,
                watched: Percents::from_bits(watched >> 28).unwrap(),
                rewatched: Percents::from_bits(rewatched >> 28).unwrap(),
                active: Minutes::from_bits(active >> 117).unwrap(),
                dimensions,
            }
        })
}

/// One copy of an event: what the event is depends on its identity alone, its date does not.
pub fn any_event() -> impl Strategy<Value = EventRow> {
    (any_site(), any_view(), 0..9_u32, any_date()).prop_map(|(site, view, seq, at)| {
        let kind = match seq {
            0 => EventKind::Impression {},
            1 => EventKind::PlayRequest {},
            2 => EventKind::Play {},
            3 => EventKind::Pause {},
            4 => EventKind::Resume {},
            5 => EventKind::Quartile { ladder: Ladder::Position, percent: Percent::new(75).unwrap() },
            6 => EventKind::End {},
            7 => EventKind::Stop { reason: StopReason::SourceChanged },
            _ => EventKind::Error {
                code: Word::cut("a\0'"),
                message: Text::cut("😀\n"),
                fatal: true,
                phase: ErrorPhase::MidStream,
            },
        };
        let pos = (seq % 2 == 0).then_some(Media::from_ms(i64::from(seq) - 4));
        EventRow { site, view, event: Event { seq, n: seq / 4, at: Wall::from_ms(at), pos, kind } }
    })
}

/// Patterns that tell engines apart: what a dot, a class, an anchor is.
pub const PATTERNS: &[&str] = &[
    "^$",
    "^.$",
    "a|b",
    "^[^a]",
    r"\w",
    r"^\W+$",
    r"\s",
    r"^\d*$",
    "x{100,}$",
    "é|^e.$",
    "[[:alpha:]]",
    "(a)(b)?$",
    "^a",
    "a$",
    "^(a|b)$",
    "^a.*b$",
    "^.*$",
    "b.*",
    r"\$1",
    "\u{1}",
    "^..?$",
];

fn any_filter() -> impl Strategy<Value = Value> {
    let names: Vec<_> = Attribute::common().filter(|attribute| !attribute.is_outcome()).map(Attribute::name).collect();
    let names_again = names.clone();
    let text = any_text().prop_map(|text| if text.is_empty() { "(unknown)".to_owned() } else { text });
    let leaf = (select(&["is", "is_not", "contains", "contains_not"][..]), select(names), vec(text, 1..4))
        .prop_map(|(operator, dimension, values)| json!([operator, dimension, values]));
    let pattern = (select(&["matches", "matches_not"][..]), select(names_again), vec(select(PATTERNS), 1..3))
        .prop_map(|(operator, dimension, patterns)| json!([operator, dimension, patterns]));
    let leaf = prop_oneof![3 => leaf, 1 => pattern];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(|filters| json!(["and", filters])),
            vec(inner.clone(), 1..4).prop_map(|filters| json!(["or", filters])),
            inner.prop_map(|filter| json!(["not", filter])),
        ]
    })
}

fn any_date_range() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(&["day", "7d", "30d", "month", "3mo", "year", "all"][..]).prop_map(|range| json!(range)),
        (0..28_i64, 0..3_i64).prop_map(|(from, days)| {
            let day = |n: i64| format!("2026-10-{:02}", 1 + n.min(30));
            json!([day(from), day(from + days)])
        }),
        (-400..400_i64, 1..600_i64).prop_map(|(from, minutes)| {
            let at = |minute: i64| jiff::Timestamp::from_millisecond(AUTUMN + minute * 60_000).unwrap().to_string();
            json!([at(from), at(from + minutes)])
        }),
    ]
}

/// A range that is short enough for minutes.
fn in_minutes(range: Value) -> Value {
    match range.as_str() {
        Some("day" | "7d") => range,
        Some(_) => json!(["2026-10-23", "2026-10-26"]),
        None => range,
    }
}

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
];

fn any_comparison() -> impl Strategy<Value = Value> {
    select(vec![json!(null), json!("previous_period"), json!("year_before"), json!(["2026-10-01", "2026-10-25"])])
}

/// A request body for the site `demo`.
pub fn any_query() -> impl Strategy<Value = Value> {
    let outcome = prop::bool::weighted(0.2);
    outcome.prop_flat_map(|outcome| {
        let metrics: Vec<_> = Metric::all()
            .iter()
            .filter(|metric| !metric.needs_minutes() && (!outcome || metric.counts_outcomes()))
            .map(|metric| metric.name)
            .collect();
        let names: Vec<_> =
            Attribute::common().filter(|&a| outcome || !a.is_outcome()).map(Attribute::name).collect();
        let count = metrics.len();
        (
            subsequence(metrics, 1..=count.min(50)).prop_shuffle(),
            (subsequence(names, 0..=3).prop_shuffle(), prop::option::of(select(Grain::ALL))),
            vec(any_filter(), 0..2),
            (any_date_range(), select(ZONES)),
            (vec((any::<prop::sample::Index>(), any::<bool>()), 0..3), 1..30_usize, 0..4_usize, any_comparison()),
        )
            .prop_map(move |(mut metrics, (mut axes, grain), filters, (mut range, zone), (order, limit, offset, comparison))| {
                if let Some(grain) = grain {
                    axes.insert(axes.len() / 2, grain.name());
                }
                if grain == Some(Grain::Minute) {
                    range = in_minutes(range);
                    if !outcome {
                        metrics.push("concurrent_views");
                    }
                }
                let columns: Vec<_> = axes.iter().chain(&metrics).copied().collect();
                let mut order_by: Vec<(&str, &str)> = Vec::new();
                for (index, descending) in order {
                    let column = columns[index.index(columns.len())];
                    if order_by.iter().all(|(name, _)| *name != column) {
                        order_by.push((column, if descending { "desc" } else { "asc" }));
                    }
                }
                json!({
                    "site": "demo", "metrics": metrics, "dimensions": axes, "filters": filters, "date_range": range,
                    "timezone": zone, "order_by": order_by,
                    "include": { "time_labels": true, "totals": true, "total_rows": true, "comparison": comparison },
                    "pagination": { "limit": limit, "offset": offset },
                })
            })
    })
}

/// A request body for the site `demo` that an aggregation may serve: by whole hours, nearly, and by one of the sets.
pub fn any_query_of_sums() -> impl Strategy<Value = Value> {
    let metrics: Vec<_> = Metric::all().iter().filter(|metric| aggregate::covers(metric)).map(|one| one.name).collect();
    let custom = |set: &&[Dimension]| !set.iter().any(|dimension| Dimension::CUSTOM.contains(dimension));
    let sets: Vec<_> = aggregate::SETS.iter().copied().filter(custom).collect();
    let text = any_text().prop_map(|text| if text.is_empty() { "(unknown)".to_owned() } else { text });
    let range = prop_oneof![
        2 => any_date_range(),
        1 => (-40..40_i64, 1..60_i64, 0..2_i64).prop_map(|(from, hours, minutes)| {
            let at = |ms: i64| jiff::Timestamp::from_millisecond(AUTUMN + ms).unwrap().to_string();
            json!([at(from * HOUR), at((from + hours) * HOUR + minutes * 60_000)])
        }),
    ];
    (
        (subsequence(metrics, 1..12).prop_shuffle(), select(sets), any::<prop::sample::Index>()),
        (prop::option::of(select(Grain::ALL)), range, select(ZONES)),
        (any::<bool>(), any::<prop::sample::Index>(), select(&["is", "is_not", "contains"][..]), vec(text, 1..3)),
    )
        .prop_map(|((metrics, set, some), (grain, range, zone), (filtered, by, operator, values))| {
            // An outcome takes metrics of its own.
            let outcome = set.contains(&Dimension::ErrorCode);
            let metrics = if outcome { vec!["errors", "stops"] } else { metrics };
            let names: Vec<_> = set.iter().map(|dimension| dimension.name()).collect();
            let mut dimensions: Vec<_> = names[..some.index(names.len() + 1)].to_vec();
            let filters: Vec<_> = (filtered && !names.is_empty())
                .then(|| json!([operator, names[by.index(names.len())], values]))
                .into_iter()
                .collect();
            let range = if grain == Some(Grain::Minute) { in_minutes(range) } else { range };
            dimensions.extend(grain.map(Grain::name));
            json!({
                "site": "demo", "metrics": metrics, "dimensions": dimensions, "filters": filters, "date_range": range,
                "timezone": zone, "include": { "totals": true },
            })
        })
}
