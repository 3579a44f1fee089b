//! From a batch to a report, through the queue and the embedded store.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use quartile_collector::app::{self, Bounds};
use quartile_collector::clock::Clock;
use quartile_collector::config::{self, Config};
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

/// A collector with the embedded store.
fn start(load: impl Fn(config::Env<'_>) -> Config) -> Running {
    let dir = tempfile::TempDir::new().unwrap();
    let folder = dir.path().to_str().unwrap().to_owned();
    let config = load(&|name| match name {
        "QUARTILE_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "QUARTILE_DATA_DIR" => Some(folder.clone()),
        _ => None,
    });
    let (settings, clock) = (config.clone(), Clock::system());
    Running::of(dir, config, Bounds::default(), Arc::default(), move || app::open_store(&settings, &clock))
}

fn ask(running: &Running, query: &Value) -> Value {
    let answer = running.request("POST", "/v1/reports/query", &[], query.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn a_view_sent_now_is_in_the_report_of_today() {
    let running = start(|env| config::load(None, env).unwrap());
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

#[test]
fn a_query_without_a_timezone_is_answered_in_that_of_the_site() {
    let site = "auth = \"none\"\n[[sites]]\nid = \"demo\"\norigins = [\"*\"]\ntimezone = \"Asia/Kathmandu\"";
    let running = start(|env| config::parse(site, env).unwrap());
    let answered = |zone: Option<&str>| {
        let mut query = json!({ "site": "demo", "metrics": ["plays"], "date_range": "day" });
        if let Some(zone) = zone {
            query["timezone"] = json!(zone);
        }
        let report = ask(&running, &query);
        (report["query"]["timezone"].clone(), report["query"]["date_range"][0].as_str().unwrap()[19..].to_owned())
    };
    assert_eq!(answered(None), (json!("Asia/Kathmandu"), "+05:45".into()));
    assert_eq!(answered(Some("UTC")).0, json!("UTC"));
}
