//! Starting, stopping, and a store that fails in between.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quartile_collector::app::Bounds;
use quartile_collector::forward::letters::DeadLetters;
use quartile_collector::forward::replay::{self, Replayed};
use serde_json::{Value, json};
use support::{CONFIG, KeepAll, POISON, Running, batch, changed};
use tempfile::TempDir;

#[test]
fn what_was_acknowledged_is_in_the_store_after_a_stop() {
    let running = Running::start();
    for n in 0..20 {
        let answer = running.collect_json(&changed(|batch| batch["views"][0]["slices"][0]["n"] = json!(n)));
        assert_eq!(answer.status, 200);
    }
    let (_dir, store) = running.stop();
    assert_eq!(store.rows.lock().unwrap().len(), 20);
}

#[test]
fn what_the_store_did_not_take_is_forwarded_after_the_next_start() {
    let down = Arc::new(KeepAll::default());
    down.is_down.store(true, Ordering::SeqCst);
    let dir = TempDir::new().unwrap();
    let impatient = Bounds { drain_time: Duration::from_millis(200), ..Bounds::default() };
    let first = Running::in_folder(dir, CONFIG, impatient, Arc::clone(&down));
    assert_eq!(first.collect_json(&batch()).status, 200, "a store that is down is no reason to refuse");
    let (dir, _) = first.stop();
    assert_eq!(down.rows.lock().unwrap().len(), 0);

    let second = Running::in_folder(dir, CONFIG, Bounds::default(), Arc::default());
    second.wait_for_rows(1);
}

#[test]
fn a_store_that_comes_back_gets_everything() {
    let running = Running::start();
    running.store.is_down.store(true, Ordering::SeqCst);
    assert_eq!(running.collect_json(&batch()).status, 200);
    std::thread::sleep(Duration::from_millis(300));
    running.store.is_down.store(false, Ordering::SeqCst);
    running.wait_for_rows(1);
}

#[test]
fn what_can_never_be_stored_is_set_aside_and_the_rest_goes_on() {
    let running = Running::start();
    running.store.is_down.store(true, Ordering::SeqCst);
    for n in 0..10 {
        let answer = running.collect_json(&changed(|batch| {
            batch["views"][0]["slices"][0]["n"] = json!(n);
            if n == 4 {
                batch["views"][0]["video"]["id"] = json!(POISON);
            }
        }));
        assert_eq!(answer.status, 200);
    }
    running.store.is_down.store(false, Ordering::SeqCst);
    running.wait_for_rows(9);
    let (dir, store) = running.stop();
    assert_eq!(store.rows.lock().unwrap().len(), 9);
    let [letter] = &letters(&dir)[..] else { panic!() };
    assert!(letter["record"].to_string().contains(POISON));
    assert_eq!(letter["reason"], json!("the store cannot take this: poison"));
}

fn letters(dir: &TempDir) -> Vec<Value> {
    let entries = std::fs::read_dir(dir.path().join("dead-letters")).unwrap();
    entries.map(|entry| serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap()).collect()
}

#[test]
fn one_poisoned_slice_costs_neither_its_neighbours_nor_its_events() {
    let running = Running::start();
    let answer = running.collect_json(&changed(|batch| {
        let views = batch["views"].as_array_mut().unwrap();
        let mut poisoned = views[0].clone();
        poisoned["id"] = json!("01a0c4ee-2c00-7000-8000-000000000002");
        poisoned["video"]["id"] = json!(POISON);
        views.push(poisoned);
    }));
    assert_eq!(answer.status, 200);
    running.wait_for_rows(1);
    let (dir, store) = running.stop();
    assert_eq!((store.rows.lock().unwrap().len(), store.events.lock().unwrap().len()), (1, 2));
    assert_eq!(letters(&dir).len(), 1);

    // Somebody repairs the letter by hand, and it is forwarded again.
    let folder = dir.path().join("dead-letters");
    let path = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let again = DeadLetters::new(folder);
    assert_eq!(replay::dead_letters(&again, &*store).unwrap().refused.len(), 1);
    let repaired = std::fs::read_to_string(&path).unwrap().replace(POISON, "cured");
    std::fs::write(&path, repaired).unwrap();
    assert_eq!(replay::dead_letters(&again, &*store).unwrap(), Replayed { taken: 1, refused: Vec::new() });
    assert_eq!(store.rows.lock().unwrap().len(), 2);
    assert!(!path.exists());
}

/// The value of a metric.
fn metric(running: &Running, name: &str) -> u64 {
    let metrics = running.request("GET", "/metrics", &[], b"").body;
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
    line.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("no {name} in {metrics}"))
}

#[test]
fn the_lag_is_told_in_rows_bytes_and_seconds_also_after_a_restart() {
    let config = format!("auth = \"none\"\n{CONFIG}");
    let down = Arc::new(KeepAll::default());
    down.is_down.store(true, Ordering::SeqCst);
    let impatient = Bounds { drain_time: Duration::from_millis(50), ..Bounds::default() };
    let first = Running::in_folder(TempDir::new().unwrap(), &config, impatient, Arc::clone(&down));
    for _ in 0..3 {
        assert_eq!(first.collect_json(&batch()).status, 200);
    }
    assert_eq!(metric(&first, "quartile_forward_lag_rows"), 6, "a slice and an event each");
    let bytes = metric(&first, "quartile_forward_lag_bytes");
    assert!(bytes > 600, "{bytes}");
    let (dir, _) = first.stop();

    let second = Running::in_folder(dir, &config, Bounds::default(), Arc::clone(&down));
    // Until what waited is counted, and its oldest record is a second old.
    while metric(&second, "quartile_forward_lag_seconds") == 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(metric(&second, "quartile_forward_lag_rows"), 6);
    assert_eq!(metric(&second, "quartile_forward_lag_bytes"), bytes);
    down.is_down.store(false, Ordering::SeqCst);
    while metric(&second, "quartile_queue_records") > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    for lag in ["rows", "bytes", "seconds"] {
        assert_eq!(metric(&second, &format!("quartile_forward_lag_{lag}")), 0, "{lag}");
    }
}

#[test]
fn stopping_does_not_wait_for_idle_connections() {
    let running = Running::start();
    let idle: Vec<_> = (0..10).map(|_| running.connect()).collect();
    running.stop();
    drop(idle);
}
