//! The commands of the binary, as a person or a script runs them.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quartile_collector::app::Bounds;
use serde_json::{Value, json};
use support::{CONFIG, KeepAll, POISON, Running, changed};
use tempfile::TempDir;

const FULL: &str = "[queue]\nmax_bytes = \"16 MiB\"\nsegment_bytes = \"1 MiB\"\n[archive]\nkeep_days = 5\n";

/// A folder with ten records that wait in the queue, and its configuration.
fn waiting() -> (TempDir, PathBuf) {
    let down = Arc::new(KeepAll::default());
    down.is_down.store(true, Ordering::SeqCst);
    let impatient = Bounds { drain_time: Duration::from_millis(50), ..Bounds::default() };
    let text = format!("{CONFIG}\n{FULL}");
    let running = Running::in_folder(TempDir::new().unwrap(), &text, impatient, down);
    for n in 0..10 {
        let answer = running.collect_json(&changed(|batch| batch["views"][0]["slices"][0]["n"] = json!(n)));
        assert_eq!(answer.status, 200);
    }
    let (dir, _) = running.stop();
    let config = dir.path().join("quartile.toml");
    std::fs::write(&config, text).unwrap();
    (dir, config)
}

fn quartile(dir: &Path, config: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartile"));
    command.arg("--config").arg(config).args(arguments).env("QUARTILE_DATA_DIR", dir);
    command.output().unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Flips a byte in the third record of the one segment.
fn damage(dir: &Path) {
    let path = dir.join("queue/00000000000000000000.seg");
    let mut bytes = std::fs::read(&path).unwrap();
    let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize + 16;
    let second = 24 + length(24);
    let third = second + length(second);
    bytes[third + 30] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_queue_is_told_and_verified() {
    let (dir, config) = waiting();
    let inspected = quartile(dir.path(), &config, &["queue", "inspect"]);
    let text = String::from_utf8(inspected.stdout).unwrap();
    assert!(text.contains("at the beginning") && text.contains("00000000000000000000.seg"), "{text}");
    let verified = quartile(dir.path(), &config, &["queue", "verify", "--json"]);
    assert!(verified.status.success());
    let verdict = json_of(&verified);
    assert_eq!((&verdict["sound"], &verdict["segments"][0]["records"]), (&json!(true), &json!(10)));
}

#[test]
fn damage_ends_verify_with_status_1_and_repair_sets_it_aside() {
    let (dir, config) = waiting();
    damage(dir.path());
    let verified = quartile(dir.path(), &config, &["queue", "verify", "--json"]);
    assert_eq!(verified.status.code(), Some(1));
    let verdict = json_of(&verified);
    assert_eq!((&verdict["sound"], &verdict["lost_records"]), (&json!(false), &json!(1)));
    assert!(String::from_utf8(verified.stderr).unwrap().contains("the queue is damaged"));

    let repaired = quartile(dir.path(), &config, &["queue", "repair"]);
    let text = String::from_utf8(repaired.stdout).unwrap();
    assert!(repaired.status.success() && text.contains("1 records lost"), "{text}");
    assert!(dir.path().join("queue/damaged/00000000000000000000.seg").exists());
    let again = quartile(dir.path(), &config, &["queue", "repair", "--json"]);
    assert_eq!(json_of(&again), json!({ "repaired": [] }));
}

#[test]
fn a_store_is_rebuilt_and_dead_letters_are_replayed() {
    let (dir, config) = waiting();
    let rebuilt = quartile(dir.path(), &config, &["rebuild", "--json"]);
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    assert_eq!(json_of(&rebuilt)["fed"]["records"], json!(10));
    assert_eq!(String::from_utf8_lossy(&rebuilt.stderr), "1 of 1 segments, 10 records\n");
    assert!(dir.path().join("store/quartile.duckdb").exists());
    let replayed = quartile(dir.path(), &config, &["queue", "replay", "archive"]);
    assert!(String::from_utf8(replayed.stdout).unwrap().contains("10 records of 1 segments"));

    let letters = dir.path().join("dead-letters");
    std::fs::create_dir_all(&letters).unwrap();
    std::fs::write(letters.join("1.json"), r#"{"position":1,"reason":"x","record":{"v":9}}"#).unwrap();
    let refused = quartile(dir.path(), &config, &["queue", "replay", "dead-letters", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(json_of(&refused)["refused"][0][1].as_str().unwrap().contains("version 9"), "{refused:?}");
}

#[test]
fn a_queue_in_use_is_inspected_but_not_repaired() {
    let text = format!("{CONFIG}\n{FULL}");
    let running = Running::with(&text, Bounds::default());
    let config = running.dir.path().join("quartile.toml");
    std::fs::write(&config, text).unwrap();
    let poisoned = changed(|batch| batch["views"][0]["video"]["id"] = json!(POISON));
    assert_eq!(running.collect_json(&poisoned).status, 200);
    let inspected = quartile(running.dir.path(), &config, &["queue", "inspect", "--json"]);
    assert_eq!(json_of(&inspected)["in_use"], json!(true));
    for arguments in [&["queue", "repair"][..], &["rebuild"], &["queue", "replay", "archive"]] {
        let refused = quartile(running.dir.path(), &config, arguments);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8(refused.stderr).unwrap().contains("in use"), "{arguments:?}");
    }
}

#[test]
fn sums_are_computed_anew_by_a_command() {
    let (dir, config) = waiting();
    assert!(quartile(dir.path(), &config, &["rebuild"]).status.success());
    let output = quartile(dir.path(), &config, &["store", "recompute"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Sums of 1 hours are new.\n");
}
