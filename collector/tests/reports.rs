//! From a batch to a report, through the queue and the embedded store.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use quartile_collector::app::{self, Bounds};
use quartile_collector::clock::Clock;
use quartile_collector::config;
use quartile_protocol::id::ViewId;
use serde_json::{Value, json};
use support::{Running, batch};

/// Today's batch of one view, from a telephone in France.
fn sent_now(n: u8) -> Vec<u8> {
    let now = Clock::system().now();
    let mut body = batch();
    body["sent_at"] = json!(now.as_ms());
    body["views"][0]["id"] = json!(ViewId::new(now, [n; 10]).to_string());
    body["views"][0]["slices"][0]["at"] = json!(now.shifted(-9_000).as_ms());
    body["views"][0]["events"][0]["at"] = json!(now.as_ms());
    serde_json::to_vec(&body).unwrap()
}

fn ask(running: &Running, query: &Value) -> Value {
    let answer = running.request("POST", "/v1/reports/query", &[], query.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn a_view_sent_now_is_in_the_report_of_today() {
    let dir = tempfile::TempDir::new().unwrap();
    let folder = dir.path().to_str().unwrap().to_owned();
    let env = |name: &str| match name {
        "QUARTILE_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "QUARTILE_DATA_DIR" => Some(folder.clone()),
        _ => None,
    };
    let config = config::load(None, &env).unwrap();
    let (settings, clock) = (config.clone(), Clock::system());
    let running =
        Running::of(dir, config, Bounds::default(), Arc::default(), move || app::open_store(&settings, &clock));
    let from = [
        (
            "User-Agent",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1",
        ),
        ("CF-IPCountry", "FR"),
        ("X-Forwarded-For", "203.0.113.9"),
    ];
    for n in 0..3 {
        let body = sent_now(n);
        for _ in 0..2 {
            let answer = running.request("POST", "/v1/collect", &from, &body);
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
    let query = json!({
        "site": "demo", "metrics": ["plays", "unique_viewers"], "dimensions": ["country", "device"], "date_range": "day",
    });
    let mut report = Value::Null;
    for _ in 0..200 {
        report = ask(&running, &query);
        if report["rows"][0][2].as_f64() == Some(3.0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(report["rows"], json!([["FR", "mobile", 3, 1]]), "{report}");
}
