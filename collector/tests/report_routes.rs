//! Reports over HTTP: every path, in every format, with a body and with parameters, and who may ask.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::io::Read;
use std::sync::Arc;

use quartile_collector::access::token_hash;
use quartile_collector::app::{self, Bounds};
use quartile_collector::clock::Clock;
use quartile_collector::config::{self, Config};
use quartile_collector::store::Store;
use quartile_collector::store::duckdb::{DuckDb, Options};
use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use serde_json::{Value, json};
use support::{Running, request};
use tempfile::TempDir;

const SITE: &str = "[[sites]]\nid = \"demo\"\norigins = [\"*\"]\ndimensions = [\"plan\"]\n";

fn config(dir: &TempDir, text: &str) -> Config {
    let folder = dir.path().to_str().unwrap().to_owned();
    let env = |name: &str| match name {
        "QUARTILE_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "QUARTILE_DATA_DIR" => Some(folder.clone()),
        _ => None,
    };
    config::parse(text, &env).unwrap()
}

/// A play of a minute ago on a page of its own.
fn play(n: u32) -> (Row, EventRow) {
    let at = Clock::system().now().shifted(-60_000);
    let (site, view) = (SiteId::new("demo").unwrap(), ViewId::new(at, u128_bytes(n)));
    let mut fields = Fields::default();
    for field in [Field::Views, Field::PlayRequests, Field::Plays, Field::LadderPlays, Field::Reached25] {
        fields[field] = 1;
    }
    let mut dimensions = Dimensions::default();
    dimensions.set(Dimension::Page, format!("/page/{n}"));
    dimensions.set(Dimension::Device, if n.is_multiple_of(2) { "tv" } else { "=mobile" });
    dimensions.set(Dimension::Custom1, "pro");
    let event = Event { seq: 0, n: 0, at, pos: None, kind: EventKind::Play {} };
    let row = Row {
        key: RowKey { site: site.clone(), view, n: 0 },
        started_at: at,
        span_ms: 30_000,
        fields,
        watched: Percents::from_bits(0b11).unwrap(),
        rewatched: Percents::default(),
        active: Default::default(),
        dimensions,
    };
    (row, EventRow { site, view, event })
}

fn u128_bytes(n: u32) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    bytes
}

/// A collector that has these plays already, and the id of the first view.
fn with_plays(plays: u32, text: &str) -> (Running, ViewId) {
    let dir = TempDir::new().unwrap();
    let config = config(&dir, text);
    let store = DuckDb::open(&Options::new(config.store_path()), Wall::from_ms(0)).unwrap();
    let (rows, events): (Vec<_>, Vec<_>) = (0..plays).map(play).unzip();
    store.append(&rows, &events).unwrap();
    store.close().unwrap();
    let (settings, clock) = (config.clone(), Clock::system());
    let open = move || app::open_store(&settings, &clock);
    (Running::of(dir, config, Bounds::default(), Arc::default(), open), rows[0].key.view)
}

fn open() -> String {
    format!("auth = \"none\"\n{SITE}")
}

#[track_caller]
fn get(running: &Running, path: &str) -> Value {
    let answer = running.request("GET", path, &[], b"");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

#[test]
fn parameters_are_answered_as_a_body_is() {
    let (running, _) = with_plays(3, &open());
    let body = json!({
        "site": "demo", "metrics": ["plays"], "dimensions": ["plan", "device"], "date_range": "day",
        "filters": [["is", "device", ["tv"]]], "include": { "totals": true },
    });
    let posted = running.request("POST", "/v1/reports/query", &[], body.to_string().as_bytes()).json();
    let path = "/v1/reports/query?site=demo&metrics=plays&dimensions=plan,device&date_range=day&filter=device:tv\
                &include=totals";
    let got = get(&running, path);
    assert_eq!(got, posted);
    assert_eq!((&got["rows"], &got["totals"]), (&json!([["pro", "tv", 2]]), &json!([2])));
}

#[test]
fn everything_in_the_description_is_served() {
    let (running, view) = with_plays(3, &open());
    let document = get(&running, "/v1/reports/openapi.json");
    let mut served = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{report}", "devices").replace("{part}", "devices");
        for (method, operation) in operations.as_object().unwrap() {
            let answer = if method == "get" {
                let value = |name: &str| match name {
                    "site" => "demo".to_owned(),
                    "metrics" => "plays".into(),
                    "date_range" => "day".into(),
                    "view" => view.to_string(),
                    "format" => "json".into(),
                    _ => String::new(),
                };
                let parameters = operation["parameters"].as_array().unwrap().iter();
                let names = parameters.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap());
                let query: Vec<_> = names.map(|name| format!("{name}={}", value(name))).collect();
                running.request("GET", &format!("{path}?{}", query.join("&")), &[], b"")
            } else {
                let body = match path.ends_with("query") {
                    true => json!({ "site": "demo", "metrics": ["plays"], "date_range": "day" }),
                    false => json!({ "site": "demo", "date_range": "day" }),
                };
                running.request("POST", &path, &[], body.to_string().as_bytes())
            };
            assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
            let schema = document.pointer(schema.as_str().unwrap().trim_start_matches('#')).unwrap();
            for name in answer.json().as_object().unwrap().keys() {
                let known = schema["properties"].as_object().is_none_or(|known| known.contains_key(name));
                assert!(known, "{path} answers {name}, which its description lacks");
            }
            served += 1;
        }
    }
    assert_eq!(served, 15);
}

#[test]
fn tables_come_as_csv_and_line_by_line() {
    let (running, _) = with_plays(3, &open());
    let path = "/v1/reports/query?site=demo&metrics=plays&dimensions=device&date_range=day";
    let csv = running.request("GET", &format!("{path}&format=csv"), &[], b"");
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.body, "device,plays\r\ntv,2\r\n\"'=mobile\",1\r\n");
    assert_eq!(running.request("GET", path, &[("Accept", "text/csv")], b"").body, csv.body);
    let json = running.request("GET", path, &[("Accept", "text/csv, application/json")], b"");
    assert_eq!(json.header("content-type"), "application/json");
    let lines = running.request("GET", &format!("{path}&format=ndjson&limit=1"), &[], b"");
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(lines.body, "{\"device\":\"tv\",\"plays\":2}\n");
    for special in ["funnel", "retention", "realtime", "named/engagement/funnel", "named/devices/devices"] {
        let csv = running.request("GET", &format!("/v1/reports/{special}?site=demo&format=csv"), &[], b"");
        assert!(csv.status == 200 && csv.body.contains("\r\n"), "{special}: {csv:?}");
    }
    let whole = running.request("GET", "/v1/reports/named/devices?site=demo&format=csv", &[], b"");
    assert_eq!(whole.refusal(), (406, "not_acceptable".into()));
    let unknown = running.request("GET", &format!("{path}&format=xml"), &[], b"");
    assert_eq!(unknown.refusal(), (400, "invalid_value".into()));
}

/// The body of an answer in chunks.
fn unchunked(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = text.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        body.push_str(&rest[..length]);
        text = &rest[length + 2..];
    }
    body
}

#[test]
fn a_stream_has_all_rows_of_all_pages() {
    let (running, _) = with_plays(10_500, &open());
    let path = "/v1/reports/query?site=demo&metrics=plays&dimensions=page&date_range=day&format=ndjson";
    let mut stream = running.connect();
    std::io::Write::write_all(&mut stream, &request("GET", path, &[], b"")).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let body = unchunked(body);
    let mut pages: Vec<_> =
        body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["page"].to_string()).collect();
    assert_eq!(pages.len(), 10_500);
    pages.sort_unstable();
    pages.dedup();
    assert_eq!(pages.len(), 10_500);
}

#[test]
fn realtime_comes_as_events_for_who_accepts_them() {
    let (running, _) = with_plays(3, &open());
    let mut stream = running.connect();
    let asked = request("GET", "/v1/reports/realtime?site=demo", &[("Accept", "text/event-stream")], b"");
    std::io::Write::write_all(&mut stream, &asked).unwrap();
    let mut text = String::new();
    while text.matches("\n\n").count() < 1 {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    let data = text.split("data: ").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap()["minutes"].as_array().unwrap().len(), 30);
    // Whoever goes away ends it: the collector stops without waiting for the hour to pass.
    drop(stream);
    running.stop();
}

#[test]
fn the_events_of_a_view() {
    let (running, view) = with_plays(1, &open());
    let timeline = get(&running, &format!("/v1/reports/timeline?site=demo&view={view}"));
    assert_eq!(timeline["view"], json!(view.to_string()));
    assert_eq!((&timeline["events"][0]["type"], &timeline["events"][0]["seq"]), (&json!("play"), &json!(0)));
    let refused = |query: &str| {
        let answer = running.request("GET", &format!("/v1/reports/timeline?{query}"), &[], b"");
        (answer.status, answer.json()["error"]["field"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused("site=demo"), (400, "view".into()));
    assert_eq!(refused("site=demo&view=x"), (400, "view".into()));
    assert_eq!(refused(&format!("view={view}")), (400, "site".into()));
}

#[test]
fn who_may_ask_for_what() {
    let hash: String = token_hash("a-long-enough-token").iter().map(|byte| format!("{byte:02x}")).collect();
    let (running, view) = with_plays(1, &format!("{SITE}[auth]\ntokens = [\"{hash}\"]\n"));
    let reports =
        ["query?site=demo", "funnel?site=demo", "retention?site=demo", "realtime?site=demo", "catalog", "openapi.json"];
    let timeline = format!("timeline?site=demo&view={view}");
    for report in reports.into_iter().chain(["named/devices?site=demo", "named/devices/devices?site=demo", &timeline]) {
        let path = format!("/v1/reports/{report}");
        assert_eq!(running.request("GET", &path, &[], b"").refusal(), (401, "unauthorized".into()), "{path}");
        let right = [("Authorization", "Bearer a-long-enough-token")];
        let answer = running.request("GET", &path, &right, b"");
        assert_ne!(answer.status, 401, "{path}");
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let (running, _) = with_plays(1, &open());
    let refused = |path: &str| {
        let answer = running.request("GET", &format!("/v1/reports/{path}"), &[], b"");
        format!("{} {}", answer.status, answer.json()["error"]["message"].as_str().unwrap())
    };
    insta::assert_snapshot!(refused("named/nonsense?site=demo"), @r#"404 there is no report "nonsense"; allowed: overview, top_videos, audience_map, devices, systems, sources, engagement, realtime, quality, errors, live, players, custom"#);
    insta::assert_snapshot!(refused("named/live/nonsense?site=demo"), @"404 live has no such part; allowed: totals, over_time, videos");
    insta::assert_snapshot!(refused("funnel?site=nowhere"), @"400 there is no site `nowhere` here");
    insta::assert_snapshot!(refused("funnel?site=demo&metrics=plays"), @"400 is not known here; allowed: site, date_range, filter, filters, timezone, format");
    insta::assert_snapshot!(refused("funnel"), @"400 is missing");
}

#[test]
fn the_catalog_of_a_site_has_its_own_dimensions() {
    let (running, _) = with_plays(1, &open());
    let has_plan =
        |catalog: Value| catalog["dimensions"].as_array().unwrap().iter().any(|entry| entry["name"] == "plan");
    assert!(has_plan(get(&running, "/v1/reports/catalog?site=demo")));
    assert!(!has_plan(get(&running, "/v1/reports/catalog")));
}
