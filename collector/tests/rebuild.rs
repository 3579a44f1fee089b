//! A store that is lost, damaged or made anew has the same rows as before, from what the archive kept.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quartile_collector::app::{self, Bounds};
use quartile_collector::clock::Clock;
use quartile_collector::config::{self, Config};
use quartile_collector::queue::SegmentFile;
use quartile_collector::rebuild;
use quartile_collector::store::Store;
use quartile_collector::store::duckdb::{DuckDb, Options};
use quartile_protocol::clock::Wall;
use quartile_protocol::id::SiteId;
use quartile_protocol::row::Row;
use serde_json::{Value, json};
use support::{CONFIG, Running, changed};
use tempfile::TempDir;

const NOW: Wall = Wall::from_ms(1_790_000_100_000);

fn settings(dir: &Path) -> Config {
    let folder = dir.to_str().unwrap().to_owned();
    let env = |name: &str| match name {
        "QUARTILE_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "QUARTILE_DATA_DIR" => Some(folder.clone()),
        "QUARTILE_FORWARD_DELAY_MS" => Some("5".to_owned()),
        _ => None,
    };
    let text = format!("auth = \"none\"\n{CONFIG}\n[archive]\nkeep_days = 30");
    let mut config = config::parse(&text, &env).unwrap();
    // Many segments from few records.
    config.queue.segment_bytes = 2_000;
    config
}

fn start(dir: TempDir) -> Running {
    let config = settings(dir.path());
    let (stored, clock) = (config.clone(), Clock::system());
    Running::of(dir, config, Bounds::default(), Arc::default(), move || app::open_store(&stored, &clock))
}

/// Each slice twice, the second time grown.
fn send(running: &Running, slices: std::ops::Range<u32>) {
    for n in slices {
        for played_ms in [4_000, 9_000 + n] {
            let answer = running.collect_json(&changed(|batch| {
                let slice = &mut batch["views"][0]["slices"][0];
                slice["n"] = json!(n);
                slice["played_ms"] = json!(played_ms);
            }));
            assert_eq!(answer.status, 200);
        }
    }
}

fn rows(config: &Config) -> Vec<Row> {
    let store = DuckDb::open(&Options::new(config.store_path()), NOW).unwrap();
    let rows = store.all_rows(&SiteId::new("demo").unwrap()).unwrap();
    store.close().unwrap();
    rows
}

fn stop(running: Running) -> (TempDir, Config) {
    let (dir, _) = running.stop();
    let config = settings(dir.path());
    (dir, config)
}

/// The plays in the report; null while the store cannot answer.
fn plays(running: &Running) -> Value {
    let query = json!({ "site": "demo", "metrics": ["plays"], "date_range": "all" });
    let answer = running.request("POST", "/v1/reports/query", &[], query.to_string().as_bytes());
    assert!(matches!(answer.status, 200 | 503), "{answer:?}");
    answer.json()["rows"][0][0].clone()
}

fn wait_for_plays(running: &Running, count: u32) {
    for _ in 0..500 {
        if plays(running) == json!(count) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} plays instead of {count}", plays(running));
}

#[test]
fn a_rebuilt_store_has_the_same_merged_rows() {
    let running = start(TempDir::new().unwrap());
    send(&running, 0..30);
    let (_dir, config) = stop(running);
    let before = rows(&config);
    assert_eq!(before.len(), 30);
    let archive = config.archive.as_ref().unwrap();
    archive.tidy(Clock::system().now()).unwrap();
    assert!(SegmentFile::in_folder(&archive.dir).unwrap().len() > 3);

    let mut told = Vec::new();
    let rebuilt = rebuild::offline(&config, NOW, &mut |fed| told.push(*fed)).unwrap();
    assert_eq!(rows(&config), before);
    assert_eq!((rebuilt.fed.records, rebuilt.fed.lost_records), (60, 0));
    assert_eq!(told.last().unwrap().segments, told.last().unwrap().of_segments);
    assert!(rebuilt.replaced.unwrap().exists());
    assert!(!rebuild::marker(&config.store_path()).exists());
}

#[test]
fn a_damaged_store_is_set_aside_and_filled_again_while_the_collector_works() {
    let running = start(TempDir::new().unwrap());
    send(&running, 0..30);
    let (dir, config) = stop(running);
    let before = rows(&config);
    fs::write(config.store_path(), "this is no database".repeat(1_000)).unwrap();

    let running = start(dir);
    send(&running, 30..31);
    wait_for_plays(&running, 31);
    let (_dir, config) = stop(running);
    let after = rows(&config);
    assert_eq!(after[..30], before[..]);
    assert_eq!(after.len(), 31);
}

#[test]
fn a_store_that_is_gone_is_filled_again() {
    let running = start(TempDir::new().unwrap());
    send(&running, 0..10);
    let (dir, config) = stop(running);
    let before = rows(&config);
    fs::remove_dir_all(config.store_path().parent().unwrap()).unwrap();
    let running = start(dir);
    wait_for_plays(&running, 10);
    let (_dir, config) = stop(running);
    assert_eq!(rows(&config), before);
}

#[test]
fn a_store_in_use_by_another_keeps_nobody_from_sending() {
    let dir = TempDir::new().unwrap();
    let config = settings(dir.path());
    fs::create_dir_all(config.store_path()).unwrap();
    let running = start(dir);
    send(&running, 0..3);
    assert_eq!(running.request("GET", "/readyz", &[], b"").status, 503);
    fs::remove_dir(config.store_path()).unwrap();
    wait_for_plays(&running, 3);
    let (_dir, config) = stop(running);
    assert_eq!(rows(&config).len(), 3);
}

#[test]
fn a_rebuild_needs_the_collector_to_be_stopped_and_something_to_build_from() {
    let running = start(TempDir::new().unwrap());
    let config = settings(running.dir.path());
    let error = rebuild::offline(&config, NOW, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("stopped"), "{error}");
    running.stop();
    let empty = TempDir::new().unwrap();
    let error = rebuild::offline(&settings(empty.path()), NOW, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("[archive]"), "{error}");
}
