//! What a sender sees when all is well, and what the store gets.

mod support;

use std::io::Write;

use quartile_collector::app::Bounds;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::field::Field;
use serde_json::json;
use support::{Answer, CONFIG, Running, batch, changed, gzip, request};

#[test]
fn an_accepted_batch_is_counted_stored_and_answered() {
    let running = Running::start();
    let answer = running.collect_json(&batch());
    assert_eq!(answer.status, 200, "{answer:?}");
    let reply = answer.json();
    assert_eq!((&reply["accepted"], &reply["rejected"]), (&json!(2), &json!([])));
    assert!(reply["server_time"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(reply.get("retry_after_ms"), None);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");

    running.wait_for_rows(1);
    let rows = running.store.rows.lock().unwrap();
    let row = rows.values().next().unwrap();
    assert_eq!(row.fields[Field::PlayedMs], 9_650);
    assert_eq!(&row.dimensions[Dimension::Custom1], "pro");
    assert_eq!(&row.dimensions[Dimension::Source], "sdk");
    assert_eq!(row.dimensions[Dimension::DailyViewer].len(), 0, "the day of this view is neither today nor yesterday");
}

#[test]
fn the_same_batch_five_times_is_one_row() {
    let running = Running::start();
    for _ in 0..5 {
        assert_eq!(running.collect_json(&batch()).json()["accepted"], json!(2));
    }
    let (_dir, store) = running.stop();
    let rows = store.rows.lock().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows.values().next().unwrap().fields[Field::Plays], 1);
    assert_eq!(store.events.lock().unwrap().len(), 1);
}

#[test]
fn gzip_and_json_and_chunks_and_keep_alive_are_all_fine() {
    let running = Running::start();
    let body = serde_json::to_vec(&batch()).unwrap();
    assert_eq!(running.collect(&gzip(&body)).json()["accepted"], json!(2));
    let as_json = running.request("POST", "/v1/collect", &[("Content-Type", "application/json")], &body);
    assert_eq!(as_json.json()["accepted"], json!(2));

    let mut chunked = b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(100) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(running.raw(&chunked).json()["accepted"], json!(2));

    let mut kept_alive = running.connect();
    let one =
        String::from_utf8(request("POST", "/v1/collect", &[], &body)).unwrap().replace("Connection: close\r\n", "");
    for _ in 0..3 {
        kept_alive.write_all(one.as_bytes()).unwrap();
        assert_eq!(Answer::read(&mut kept_alive).json()["accepted"], json!(2));
    }
}

#[test]
fn a_page_can_read_every_answer() {
    let running = Running::start();
    let body = serde_json::to_vec(&batch()).unwrap();
    for (origin, status) in [("https://example.org", 200), ("https://evil.example", 403), ("null", 403)] {
        let answer = running.request("POST", "/v1/collect", &[("Origin", origin)], &body);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("vary"), "Origin");
    }
    let without = running.collect(&body);
    assert_eq!((without.status, without.header("access-control-allow-origin")), (200, ""));
    let refused = running.request("POST", "/v1/collect", &[("Origin", "https://example.org")], b"nonsense");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (400, "https://example.org"));
}

#[test]
fn a_preflight_is_answered_and_can_be_kept() {
    let running = Running::start();
    let asked = [
        ("Origin", "https://example.org"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let answer = running.request("OPTIONS", "/v1/collect", &asked, b"");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "https://example.org");
    assert_eq!(answer.header("access-control-allow-methods"), "POST");
    assert!(answer.header("access-control-allow-headers").contains("content-type"));
    assert_eq!(answer.header("access-control-max-age"), "86400");
    assert_eq!(answer.header("vary"), "Origin");
}

#[test]
fn a_page_that_is_left_before_the_answer_has_its_batch_kept() {
    let running = Running::start();
    let body = serde_json::to_vec(&batch()).unwrap();
    let mut stream = running.connect();
    stream.write_all(&request("POST", "/v1/collect", &[], &body)).unwrap();
    drop(stream);
    running.wait_for_rows(1);
}

#[test]
fn a_bad_item_costs_no_other_and_is_told_by_its_place() {
    let running = Running::start();
    let answer = running.collect_json(&changed(|batch| {
        batch["views"][0]["events"][0]["type"] = json!("teleport");
    }));
    assert_eq!(answer.status, 200);
    let reply = answer.json();
    assert_eq!(reply["accepted"], json!(1));
    assert_eq!(reply["rejected"], json!([{ "view": 0, "event": 0, "code": "unknown_event_type", "field": "type" }]));
    running.wait_for_rows(1);
}

#[test]
fn a_reply_lists_so_many_rejections_and_no_more() {
    let running = Running::start();
    let answer = running.collect_json(&changed(|batch| {
        let bad = json!({ "seq": 1, "n": 0, "at": 1_790_000_000_000_u64, "type": "teleport" });
        let views = batch["views"].as_array_mut().unwrap();
        views[0]["events"] = json!(vec![bad; 600]);
        views.push(views[0].clone());
    }));
    let reply = answer.json();
    assert_eq!(reply["rejected"].as_array().unwrap().len(), 1_000);
    assert_eq!(reply["accepted"], json!(2));
}

#[test]
fn the_books_balance_in_every_scrape_under_load() {
    let config = format!("auth = \"none\"\n{CONFIG}\nviews_per_minute = 2");
    let running = Running::with(&config, Bounds::default());
    let good = batch();
    assert_eq!(running.collect_json(&good).status, 200);
    let fresh = |sender: u64, n: u64| {
        changed(|batch| batch["views"][0]["id"] = json!(format!("01a0c4ee-2c00-7000-8000-{sender:06}{n:06}")))
    };
    let bad = changed(|batch| batch["views"][0]["slices"][0]["played_ms"] = json!(99_999));
    let balance = || {
        let metrics = running.request("GET", "/metrics", &[], b"").body;
        let sum = |name: &str| -> u64 {
            let lines = metrics.lines().filter(|line| line.starts_with(&format!("quartile_items_{name}{{")));
            lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        };
        let (received, in_flight) = (sum("received_total"), sum("in_flight"));
        let outcomes = sum("accepted_total") + sum("rejected_total") + sum("dropped_total");
        assert_eq!(received, outcomes + in_flight, "{metrics}");
        (received, in_flight)
    };
    std::thread::scope(|scope| {
        for sender in 1..=4 {
            let (running, good, bad) = (&running, &good, &bad);
            scope.spawn(move || {
                for n in 0..50 {
                    match n % 5 {
                        0 => assert_eq!(running.collect_json(bad).status, 200),
                        1 => assert!([200, 429].contains(&running.collect_json(&fresh(sender, n)).status)),
                        _ => assert_eq!(running.collect_json(good).status, 200),
                    }
                }
            });
        }
        for _ in 0..40 {
            balance();
        }
    });
    assert_eq!(balance(), (402, 0));
    let metrics = running.metrics();
    assert!(metrics["quartile_items_dropped_total{site=\"demo\",reason=\"too_many_views\"}"] > 0);
}

#[test]
fn the_books_balance() {
    let config = format!("auth = \"none\"\n{CONFIG}");
    let running = Running::with(&config, Bounds::default());
    running.collect_json(&batch());
    running.collect_json(&changed(|batch| batch["views"][0]["slices"][0]["played_ms"] = json!(99_999)));
    running.collect_json(&changed(|batch| batch["discarded"] = json!({ "queue_full": 7 })));
    running.collect(b"nonsense");
    running.wait_for_rows(1);
    let metrics = running.request("GET", "/metrics", &[], b"");
    assert_eq!(metrics.status, 200);
    for line in [
        "quartile_items_received_total{site=\"demo\"} 6",
        "quartile_items_accepted_total{site=\"demo\"} 5",
        "quartile_items_rejected_total{site=\"demo\",code=\"implausible\"} 1",
        "quartile_items_in_flight{site=\"demo\"} 0",
        "quartile_items_discarded_by_sender_total{site=\"demo\",reason=\"queue_full\"} 7",
        "quartile_batches_refused_total{site=\"\",code=\"unreadable\"} 1",
    ] {
        assert!(metrics.body.contains(line), "{line} is missing in\n{}", metrics.body);
    }
}
