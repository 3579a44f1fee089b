//! How fast reports are answered: `cargo bench -p quartile-collector --bench reports -- [--views N] [--json]`.
//!
//! Builds 30 days of a site, then asks every part of every named report, 50 mixed queries, and some of those written by
//! hand on the same tables. Prints figures; the machine is never quiet enough to assert on them.
// A benchmark is the shell that reads the clock.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use duckdb::Connection;
use jiff::tz::TimeZone;
use quartile_collector::report::dimension::Names;
use quartile_collector::report::named::{self, PartAnswer, Situation};
use quartile_collector::report::query::Request;
use quartile_collector::report::run;
use quartile_collector::store::Store;
use quartile_collector::store::cancel::Cancel;
use quartile_collector::store::duckdb::{DuckDb, Options};
use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::{DAY_MS, Wall};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{Row, RowKey};
use serde_json::{Value, json};

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200_000;
const BATCH: u64 = 20_000;
const TIMES: usize = 5;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let value = arguments.iter().position(|one| one == "--views").and_then(|at| arguments.get(at + 1)?.parse().ok());
    let (views, as_json) = (value.unwrap_or(50_000), arguments.iter().any(|one| one == "--json"));
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("quartile.duckdb");
    let mut figures = json!({ "views": views });

    let store = DuckDb::open(&Options::new(&path), Wall::from_ms(NOW)).unwrap();
    let slices = fill(&store, views, &mut figures);
    figures["slices"] = json!(slices);
    named_reports(&store, &mut figures, as_json);
    let own = mixed(&store, &mut figures);
    store.close().unwrap();
    drop(store);
    figures["file_bytes_per_slice"] = json!(std::fs::metadata(&path).unwrap().len() / slices.max(1));
    figures["ratio_to_hand_written"] = json!(rounded(own / by_hand(&path)));
    println!("{}", if as_json { figures.to_string() } else { serde_json::to_string_pretty(&figures).unwrap() });
}

/// Appends all slices, a view's two or three among others', and sums them.
fn fill(store: &DuckDb, views: u64, figures: &mut Value) -> u64 {
    let (started, mut slices, mut rows) = (Instant::now(), 0, Vec::new());
    for view in 0..views {
        rows.extend((0..2 + u32::from(view.is_multiple_of(4))).map(|n| slice(view, views, n)));
        if rows.len() as u64 >= BATCH || view + 1 == views {
            store.append(&rows, &[]).unwrap();
            slices += rows.len() as u64;
            rows.clear();
        }
    }
    store.settle().unwrap();
    figures["append_slices_per_s"] = json!((slices as f64 / started.elapsed().as_secs_f64()).round());
    let started = Instant::now();
    store.maintain().unwrap();
    figures["sums_s"] = json!(rounded(started.elapsed().as_secs_f64()));
    slices
}

fn named_reports(store: &DuckDb, figures: &mut Value, quiet: bool) {
    let request = Request::new(json!({ "site": "demo", "date_range": "30d" })).unwrap();
    let (names, cancel) = (Names::default(), Cancel::default());
    let situation = Situation {
        request: &request,
        names: &names,
        timezone: &TimeZone::UTC,
        now: Wall::from_ms(NOW),
        cancel: &cancel,
    };
    let (mut summed, mut scanned) = (Vec::new(), Vec::new());
    for report in named::ALL {
        for part in report.parts {
            let mut source = String::new();
            let time = median(|| {
                let answered = named::report(store, report, Some(part.name), &situation).unwrap();
                if let Some(PartAnswer::Table(answer)) = answered.parts.first().map(|part| &part.answer) {
                    source.clone_from(&answer.source);
                }
            });
            if !quiet {
                println!("{:>7.1} ms  {} / {}  ({source})", time, report.name, part.name);
            }
            if source.starts_with("hours") { &mut summed } else { &mut scanned }.push(time);
        }
    }
    figures["named_from_hours_p95_ms"] = json!(percentile(&mut summed.clone(), 95));
    figures["named_from_slices_p95_ms"] = json!(percentile(&mut scanned.clone(), 95));
    summed.append(&mut scanned);
    figures["named_p95_ms"] = json!(percentile(&mut summed, 95));
}

/// Queries that no sum covers. Gives the time of the three that are also written by hand.
fn mixed(store: &DuckDb, figures: &mut Value) -> f64 {
    let metrics = [
        &["plays", "unique_viewers"][..],
        &["minutes_viewed", "startup_ms_p95"],
        &["plays", "rebuffer_ratio", "sessions"],
        &["completion_rate", "unique_viewers", "avg_bitrate_kbps"],
        &["plays", "startup_ms_p50", "error_rate"],
    ];
    let dimensions = [
        &[][..],
        &["country"],
        &["time:day"],
        &["device", "os"],
        &["video"],
        &["time:hour"],
        &["browser", "country"],
        &["time:day", "device"],
        &["isp"],
        &["city"],
    ];
    let mut times = Vec::new();
    for metrics in metrics {
        for (index, dimensions) in dimensions.iter().enumerate() {
            let filters = if index % 3 == 0 { json!([]) } else { json!([["is", "device", ["tv", "mobile"]]]) };
            times.push(median(|| {
                ask(store, json!({ "metrics": metrics, "dimensions": dimensions, "filters": filters }));
            }));
        }
    }
    figures["adhoc_p95_ms"] = json!(percentile(&mut times, 95));
    HAND_WRITTEN
        .iter()
        .map(|(dimensions, _)| {
            median(|| ask(store, json!({ "metrics": ["plays", "unique_viewers"], "dimensions": dimensions })))
        })
        .sum()
}

fn ask(store: &DuckDb, mut query: Value) {
    (query["site"], query["date_range"]) = (json!("demo"), json!("30d"));
    run(store, &serde_json::to_vec(&query).unwrap(), Wall::from_ms(NOW)).unwrap();
}

/// The same questions as a person would put them to the settled table.
const HAND_WRITTEN: &[(&[&str], &str)] = &[
    (&[], "SELECT sum(plays), count(DISTINCT hash(viewer)) FROM slices WHERE site = 'demo' AND bot = ''"),
    (
        &["country"],
        "SELECT country, sum(plays) AS plays, count(DISTINCT hash(viewer)) FROM slices WHERE site = 'demo' AND bot = '' \
         GROUP BY country ORDER BY plays DESC",
    ),
    (
        &["video"],
        "SELECT video, sum(plays) AS plays, count(DISTINCT hash(viewer)) FROM slices WHERE site = 'demo' AND bot = '' \
         GROUP BY video ORDER BY plays DESC",
    ),
];

fn by_hand(path: &Path) -> f64 {
    let connection = Connection::open(path).unwrap();
    let ask = |sql: &str| {
        let mut prepared = connection.prepare(sql).unwrap();
        let mut records = prepared.query([]).unwrap();
        while records.next().unwrap().is_some() {}
    };
    HAND_WRITTEN.iter().map(|(_, sql)| median(|| ask(sql))).sum()
}

/// The median of some tries, in milliseconds.
fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[TIMES / 2].as_secs_f64() * 1_000.0
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    (times.len() * percent).div_ceil(100).checked_sub(1).map_or(0.0, |index| rounded(times[index]))
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// One slice of many views, spread over 30 days in the order of their dates.
fn slice(view: u64, of: u64, n: u32) -> Row {
    let hashed = view.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let at = Wall::from_ms(NOW - 30 * DAY_MS + (view * (30 * DAY_MS as u64) / of) as i64 + i64::from(n) * 300_000);
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&view.to_be_bytes());
    let mut fields = Fields::default();
    if n == 0 {
        for field in [Field::Views, Field::Impressions, Field::PlayRequests, Field::Plays, Field::LadderPlays] {
            fields[field] = 1;
        }
        fields[Field::StartupMs] = 200 + hashed % 3_000;
    }
    fields[Field::PlayedMs] = 30_000 + hashed % 270_000;
    fields[Field::EngagedMs] = 30_000;
    fields[Field::Bytes] = hashed % 50_000_000;
    fields[Field::Rebuffers] = u64::from(hashed.is_multiple_of(20));
    fields[Field::RebufferMs] = if hashed.is_multiple_of(20) { 900 } else { 0 };
    let mut dimensions = Dimensions::default();
    let pick = |shift: u32, count: u64| ((hashed >> shift) % count).min((hashed >> (shift + 7)) % count);
    dimensions.set(Dimension::Video, format!("video-{}", pick(0, 500)));
    dimensions.set(Dimension::VideoTitle, format!("The video {}", pick(0, 500)));
    dimensions.set(Dimension::Country, format!("{:02}", pick(3, 60)));
    dimensions.set(Dimension::Region, format!("{:02}-{}", pick(3, 60), pick(5, 8)));
    dimensions.set(Dimension::City, format!("City {} {}", pick(3, 60), pick(5, 40)));
    dimensions.set(Dimension::Isp, format!("Provider {}", pick(2, 80)));
    dimensions.set(Dimension::Device, ["desktop", "mobile", "tv", "tablet"][pick(4, 4) as usize]);
    dimensions.set(Dimension::Os, format!("os {}", pick(6, 6)));
    dimensions.set(Dimension::Browser, format!("browser {}", pick(8, 7)));
    dimensions.set(Dimension::Domain, "example.org");
    dimensions.set(Dimension::Page, format!("/watch/{}", pick(0, 500)));
    dimensions.set(Dimension::Player, "video.js");
    dimensions.set(Dimension::Viewer, format!("{:016x}", hashed % (of / 3 + 1)));
    dimensions.set(Dimension::Session, format!("{view:016x}"));
    Row {
        key: RowKey { site: SiteId::new("demo").unwrap(), view: ViewId::new(at, bytes), n },
        started_at: at,
        span_ms: 300_000,
        fields,
        watched: Percents::from_bits((1 << (hashed % 100)) - 1).unwrap(),
        rewatched: Percents::default(),
        active: Minutes::from_bits(0b11111).unwrap(),
        dimensions,
    }
}
