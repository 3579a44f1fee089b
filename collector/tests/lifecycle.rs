//! Starting, stopping, and a store that fails in between.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quartile_collector::app::Bounds;
use serde_json::json;
use support::{CONFIG, KeepAll, POISON, Running, batch, changed};

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
    let dir = tempfile::TempDir::new().unwrap();
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
    let letters: Vec<_> = std::fs::read_dir(dir.path().join("dead-letters")).unwrap().collect();
    assert_eq!(letters.len(), 1);
    let letter = std::fs::read_to_string(letters[0].as_ref().unwrap().path()).unwrap();
    assert!(letter.contains(POISON));
}

#[test]
fn stopping_does_not_wait_for_idle_connections() {
    let running = Running::start();
    let idle: Vec<_> = (0..10).map(|_| running.connect()).collect();
    running.stop();
    drop(idle);
}
