//! What a site may send and who may read it, as its settings say.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use quartile_collector::access::{Reach, Scope, file};
use quartile_collector::app::Bounds;
use quartile_collector::clock::Clock;
use quartile_collector::store::Store;
use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::{DAY_MS, Wall};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::field::Fields;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{Row, RowKey};
use serde_json::{Value, json};
use support::{Answer, CONFIG, KeepAll, Running, batch, changed};
use tempfile::TempDir;

fn with(settings: &str) -> Running {
    let text = format!(
        "trusted_proxies = [\"127.0.0.1\"]\nauth = \"none\"\n{CONFIG}\n{settings}\n[geo]\nheaders = \"cloudflare\""
    );
    Running::with(&text, Bounds::default())
}

fn of_view(n: u64) -> Value {
    changed(|batch| batch["views"][0]["id"] = json!(format!("01a0c4ee-2c00-7000-8000-{n:012}")))
}

#[test]
fn requests_beyond_the_quota_are_told_when_to_come_back() {
    let running = with("requests_per_minute = 3");
    for _ in 0..3 {
        assert_eq!(running.collect_json(&batch()).status, 200);
    }
    let refused: Vec<_> =
        (0..20).map(|_| running.collect_json(&batch())).filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty());
    for answer in &refused {
        assert_eq!(answer.refusal(), (429, "too_many_requests".into()));
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    let metrics = running.metrics();
    let count = metrics["quartile_batches_refused_total{site=\"demo\",code=\"too_many_requests\"}"];
    assert_eq!(count, refused.len() as u64);
}

#[test]
fn new_views_beyond_the_quota_are_dropped_in_the_books_and_known_ones_go_on() {
    let running = with("views_per_minute = 1");
    assert_eq!(running.collect_json(&of_view(1)).status, 200);
    let refused = (2..20).map(|n| running.collect_json(&of_view(n))).find(|answer| answer.status != 200).unwrap();
    assert_eq!(refused.refusal(), (429, "too_many_views".into()));
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(running.collect_json(&of_view(1)).status, 200);
    running.wait_for_metrics(&[("quartile_items_dropped_total{site=\"demo\",reason=\"too_many_views\"}", 2)]);
}

#[test]
fn a_page_reads_that_it_is_to_come_back_later() {
    let running = with("requests_per_minute = 1");
    let body = serde_json::to_vec(&batch()).unwrap();
    let send = || running.request("POST", "/v1/collect", &[("Origin", "https://example.org")], &body);
    let refused = (0..10).map(|_| send()).find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.header("access-control-allow-origin"), "https://example.org");
    assert!(refused.header("access-control-expose-headers").contains("retry-after"));
}

/// What is kept of a viewer in Lyon.
fn kept(settings: &str) -> [String; 4] {
    kept_of(settings, &[], json!({}))
}

/// What is kept of a viewer in Lyon whose browser says so much to the collector, and so much to the page.
fn kept_of(settings: &str, headers: &[(&'static str, &'static str)], client: Value) -> [String; 4] {
    let running = with(settings);
    let told = [&[("cf-ipcountry", "FR"), ("cf-region", "Rhône"), ("cf-ipcity", "Lyon")], headers].concat();
    let batch = changed(|batch| (batch["viewer"], batch["client"]) = (json!("viewer-7"), client));
    let body = serde_json::to_vec(&batch).unwrap();
    assert_eq!(running.request("POST", "/v1/collect", &told, &body).status, 200);
    running.wait_for_rows(1);
    let rows = running.store.rows.lock().unwrap();
    let dimensions = &rows.values().next().unwrap().dimensions;
    [Dimension::Country, Dimension::Region, Dimension::City, Dimension::Viewer].map(|name| dimensions[name].to_owned())
}

#[test]
fn viewers_are_placed_as_exactly_as_the_site_wants_and_told_apart_if_they_consent() {
    assert_eq!(kept("geo = \"city\""), ["FR", "Rhône", "Lyon", "viewer-7"]);
    assert_eq!(kept("geo = \"country\""), ["FR", "", "", "viewer-7"]);
    assert_eq!(kept("geo = \"none\""), ["", "", "", "viewer-7"]);
    assert_eq!(kept("consent = \"denied\""), ["FR", "Rhône", "", ""]);
}

#[test]
fn who_asks_for_privacy_is_counted_and_not_told_apart_whomever_the_browser_tells() {
    let settings = "geo = \"city\"";
    let nobody = ["FR", "Rhône", "", ""];
    assert_eq!(kept_of(settings, &[("sec-gpc", "1")], json!({})), nobody);
    assert_eq!(kept_of(settings, &[], json!({ "gpc": true })), nobody);
    assert_eq!(kept_of(settings, &[("sec-gpc", "0")], json!({ "gpc": false })), ["FR", "Rhône", "Lyon", "viewer-7"]);
}

#[test]
fn servers_may_compress_as_they_like() {
    let running = with("");
    let body = serde_json::to_vec(&batch()).unwrap();
    let mut brotli = Vec::new();
    ::brotli::BrotliCompress(&mut &*body, &mut brotli, &Default::default()).unwrap();
    for (coding, body) in [
        ("gzip", support::gzip(&body)),
        ("br", brotli),
        ("zstd", zstd::encode_all(&*body, 3).unwrap()),
        ("identity", body),
    ] {
        let answer = running.request("POST", "/v1/collect", &[("Content-Encoding", coding)], &body);
        assert_eq!(answer.json()["accepted"], json!(2), "{coding}");
    }
    let refused = running.request("POST", "/v1/collect", &[("Content-Encoding", "deflate")], b"{}");
    assert_eq!(refused.refusal(), (415, "unsupported_encoding".into()));
}

fn row_of(site: SiteId, view: ViewId) -> Row {
    Row {
        key: RowKey { site, view, n: 0 },
        started_at: view.time(),
        span_ms: 0,
        fields: Fields::default(),
        watched: Percents::default(),
        rewatched: Percents::default(),
        active: Minutes::default(),
        dimensions: Dimensions::default(),
    }
}

#[test]
fn rows_are_kept_for_as_many_days_as_the_site_wants() {
    let store = Arc::new(KeepAll::default());
    let today = Clock::system().now().as_ms().div_euclid(DAY_MS);
    for (site, days_ago) in [("short", 2), ("short", 3), ("long", 3), ("long", 4000)] {
        let view = ViewId::new(Wall::from_ms((today - days_ago) * DAY_MS), [days_ago as u8; 10]);
        store.append(&[row_of(SiteId::new(site).unwrap(), view)], &[]).unwrap();
    }
    let settings = "[[sites]]\nid = \"short\"\norigins = [\"*\"]\nretention_days = 2\n\
                    [[sites]]\nid = \"long\"\norigins = [\"*\"]";
    let running = Running::in_folder(TempDir::new().unwrap(), settings, Bounds::default(), Arc::clone(&store));
    while store.rows.lock().unwrap().len() > 3 {
        thread::sleep(Duration::from_millis(10));
    }
    drop(running);
    let kept = store.rows.lock().unwrap();
    let kept: Vec<_> = kept.keys().map(|key| (key.site.as_str(), today - key.view.day())).collect();
    assert_eq!(kept, [("long", 4000), ("long", 3), ("short", 2)]);
}

const TWO: &str = "[[sites]]\nid = \"mine\"\norigins = [\"*\"]\n[[sites]]\nid = \"other\"\norigins = [\"*\"]";

#[test]
fn a_token_reaches_as_far_as_it_was_made_to() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("tokens.json");
    let make = |scope, sites| file::create(&path, "", scope, sites, Wall::from_ms(0)).unwrap().0;
    let mine = make(Scope::Read, Reach::Only(vec![SiteId::new("mine").unwrap()]));
    let every = make(Scope::Export, Reach::Every);
    let admin = make(Scope::Admin, Reach::Every);
    let running = Running::in_folder(dir, TWO, Bounds::default(), KeepAll::default().into());
    let ask = |token: &str, method: &str, path: &str, body: &[u8]| -> Answer {
        running.request(method, path, &[("Authorization", &format!("Bearer {token}"))], body)
    };
    let query = |token: &str, site: &str| {
        let body = json!({ "site": site, "metrics": ["plays"], "date_range": "7d" }).to_string();
        ask(token, "POST", "/v1/reports/query", body.as_bytes()).refusal()
    };
    // The store of these tests answers nothing: who gets as far as that was let in.
    let let_in = (503, "store_unavailable".to_owned());
    assert_eq!(query(&mine, "mine"), let_in);
    for site in ["other", "nowhere"] {
        assert_eq!(query(&mine, site), (403, "forbidden".into()), "it does not tell which sites there are");
    }
    assert_eq!(query(&every, "other"), let_in);
    assert_eq!(ask(&mine, "GET", "/v1/reports/catalog", b"").status, 200);
    for token in [&mine, &every] {
        let refused = ask(token, "GET", "/metrics", b"");
        assert_eq!(refused.refusal(), (403, "forbidden".into()));
        assert!(refused.body.contains("admin"), "{}", refused.body);
    }
    assert_eq!(ask(&admin, "GET", "/metrics", b"").status, 200);
}
