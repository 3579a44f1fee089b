//! How fast the embedded store appends, moves and answers: `cargo bench -p quartile-collector --bench store [slices]`.
//!
//! Prints figures; the machine is never quiet enough to assert on them.
// A benchmark is the shell that reads the clock.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use quartile_collector::report;
use quartile_collector::store::Store;
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
const SLICES_PER_VIEW: u64 = 3;
const BATCH: u64 = 2_000;

fn main() {
    let slices = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(300_000);
    let folder = tempfile::TempDir::new().unwrap();
    let store = DuckDb::open(&Options::new(folder.path().join("quartile.duckdb")), Wall::from_ms(NOW)).unwrap();

    let (mut appending, mut working) = (Duration::ZERO, 0.0);
    let mut slowest = Duration::ZERO;
    let mut first = 0;
    while first < slices {
        let rows: Vec<_> = (first..slices.min(first + BATCH)).map(|number| slice(number, slices)).collect();
        let (started, worked) = (Instant::now(), cpu_seconds());
        store.append(&rows, &[]).unwrap();
        appending += started.elapsed();
        working += cpu_seconds() - worked;
        slowest = slowest.max(started.elapsed());
        first += BATCH;
    }
    let rate = slices as f64 / appending.as_secs_f64();
    println!(
        "append, moves included: {rate:.0} slices/s; {working:.1} s of CPU; the slowest batch of {BATCH} {slowest:.0?}"
    );
    answer_all(&store, &format!("{slices} slices, the last of them hot"));

    let started = Instant::now();
    store.settle().unwrap();
    println!("move of the rest: {:.0?}", started.elapsed());
    answer_all(&store, &format!("{slices} slices, all settled"));

    let late: Vec<_> = (0..90_000.min(slices)).map(|number| slice(slices - 1 - number, slices)).collect();
    let started = Instant::now();
    store.append(&late, &[]).unwrap();
    println!("append of {} copies at once: {:.0?}", late.len(), started.elapsed());
    answer_all(&store, "the same, and late copies of many hot");
    store.close().unwrap();
    let size = std::fs::metadata(folder.path().join("quartile.duckdb")).unwrap().len();
    println!("file: {} MB", size / 1_000_000);
}

/// What this process has used of all cores, which other processes disturb less than the time; 0 where it is not told.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time in hundredths of a second: fields 14 and 15 of proc(5), counted after the name.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn answer_all(store: &DuckDb, state: &str) {
    println!("queries, median of 7, {state}:");
    for (name, query) in [
        ("totals", json!({ "metrics": ["plays", "minutes_viewed", "completion_rate"] })),
        ("plays by device and country", json!({ "metrics": ["plays"], "dimensions": ["device", "country"] })),
        (
            "six metrics by hour",
            json!({
                "metrics": ["plays", "impressions", "minutes_viewed", "reached_25", "reached_100", "play_rate"],
                "dimensions": ["time:hour"], "timezone": "Europe/Paris",
            }),
        ),
        ("unique viewers", json!({ "metrics": ["unique_viewers"] })),
        (
            "unique viewers by day, on television",
            json!({
                "metrics": ["unique_viewers"], "dimensions": ["time:day"], "filters": [["is", "device", ["tv"]]],
            }),
        ),
        (
            "top videos of a day",
            json!({
                "metrics": ["plays", "minutes_viewed"], "dimensions": ["video"], "date_range": "day", "pagination": { "limit": 10 },
            }),
        ),
    ] {
        let body = with_defaults(query);
        let mut times: Vec<_> = (0..7)
            .map(|_| {
                let started = Instant::now();
                report::run(store, &body, Wall::from_ms(NOW)).unwrap();
                started.elapsed()
            })
            .collect();
        times.sort();
        println!("  {:>5.0?}  {name}", times[3]);
    }
}

fn with_defaults(mut query: Value) -> Vec<u8> {
    query["site"] = json!("demo");
    if query.get("date_range").is_none() {
        query["date_range"] = json!("30d");
    }
    serde_json::to_vec(&query).unwrap()
}

/// One of many slices, spread over 30 days in the order of their dates.
fn slice(number: u64, of: u64) -> Row {
    let view = number / SLICES_PER_VIEW;
    let mixed = view.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let pick = |texts: &[&'static str], shift: u32| texts[(mixed >> shift) as usize % texts.len()];
    let began = i64::try_from(u128::from(view * SLICES_PER_VIEW) * 30 * DAY_MS as u128 / u128::from(of)).unwrap();
    let at = Wall::from_ms(NOW - 30 * DAY_MS + began);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&mixed.to_le_bytes());
    random[8..].copy_from_slice(&(view as u16).to_le_bytes());

    let first = number.is_multiple_of(SLICES_PER_VIEW);
    let mut fields = Fields::default();
    for field in [Field::Views, Field::Impressions, Field::PlayRequests, Field::Plays, Field::LadderPlays] {
        fields[field] = u64::from(first);
    }
    fields[Field::PlayedMs] = 100_000 + mixed % 200_000;
    fields[Field::ContentMs] = fields[Field::PlayedMs];
    fields[Field::Reached25] = u64::from(first);
    fields[Field::StartupMs] = if first { 100 + mixed % 3_000 } else { 0 };
    fields[Field::Bytes] = mixed % 50_000_000;

    let mut dimensions = Dimensions::default();
    for (dimension, text) in [
        (Dimension::Video, format!("video-{}", mixed % 2_000)),
        (Dimension::Device, pick(&["desktop", "mobile", "tablet", "tv"], 8).into()),
        (Dimension::Os, pick(&["Windows", "Android", "iOS", "Tizen"], 16).into()),
        (Dimension::Browser, pick(&["Chrome", "Firefox", "Safari"], 24).into()),
        (Dimension::Country, pick(&["FR", "DE", "US", "IN", "BR", "JP", "GB", "NG"], 32).into()),
        (Dimension::City, format!("city-{}", mixed % 500)),
        (Dimension::Domain, "www.example.com".into()),
        (Dimension::Page, format!("/watch/{}", mixed % 2_000)),
        (Dimension::DailyViewer, format!("{:016x}", mixed % (of / 5 + 1))),
        (Dimension::Session, format!("{mixed:016x}-0000-4000-8000-000000000000")),
        (Dimension::Player, "video.js".into()),
        (Dimension::Sdk, "quartile-web/0.1.0".into()),
    ] {
        dimensions.set(dimension, text);
    }
    Row {
        key: RowKey {
            site: SiteId::new("demo").unwrap(),
            view: ViewId::new(at, random),
            n: u32::try_from(number % SLICES_PER_VIEW).unwrap(),
        },
        started_at: at.shifted(i64::try_from(number % SLICES_PER_VIEW * 300_000).unwrap()),
        span_ms: 300_000,
        fields,
        watched: Percents::from_bits(0xff_ffff).unwrap(),
        rewatched: Percents::default(),
        active: Minutes::from_bits(0x1f).unwrap(),
        dimensions,
    }
}
