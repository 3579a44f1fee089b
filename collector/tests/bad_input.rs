//! What is wrong is refused with its status and code, and costs nothing else.

mod support;

use std::io::Write;

use quartile_protocol::limits;
use serde_json::{Value, json};
use support::{Answer, Running, batch, changed, gzip, request};

#[track_caller]
fn check_refused(running: &Running, body: &[u8], status: u16, code: &str) {
    assert_eq!(running.collect(body).refusal(), (status, code.to_owned()));
}

/// Sends the small good batch, changed, and expects one rejection and that its neighbour is accepted.
#[track_caller]
fn check_rejected(running: &Running, change: impl FnOnce(&mut Value), expect: Value, accepted: u64) {
    let answer = running.collect_json(&changed(change));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.json()["rejected"], &answer.json()["accepted"]), (&json!([expect]), &json!(accepted)));
}

#[test]
fn broken_bodies() {
    let running = Running::start();
    let good = serde_json::to_vec(&batch()).unwrap();
    for broken in [&b""[..], b"{", b"[]", b"\xff\xfe", &good[..good.len() / 2], b"\x1f\x8b", &gzip(&good)[..20]] {
        check_refused(&running, broken, 400, "unreadable");
    }
    check_refused(&running, "[".repeat(400_000).as_bytes(), 400, "unreadable");
    assert_eq!(running.collect(&good).status, 200, "the collector is as well as before");
}

#[test]
fn broken_batches() {
    let running = Running::start();
    let refused = |change: fn(&mut Value), status, code| {
        check_refused(&running, &serde_json::to_vec(&changed(change)).unwrap(), status, code);
    };
    refused(|batch| batch["v"] = json!(2), 400, "unsupported_version");
    refused(|batch| batch["site"] = json!("no spaces"), 400, "bad_field");
    refused(|batch| batch["site"] = json!("other"), 401, "unknown_site");
    refused(|batch| batch["sent_at"] = json!(-1), 400, "bad_field");
    refused(|batch| batch["viewer"] = json!("x".repeat(limits::ID_BYTES + 1)), 400, "bad_field");
}

#[test]
fn bodies_that_are_too_large() {
    let running = Running::start();
    let large = vec![b' '; 10 << 20];
    check_refused(&running, &large, 413, "too_large");
    check_refused(&running, &large[..limits::BODY_BYTES + 1], 413, "too_large");
    check_refused(&running, &large[..limits::BODY_BYTES], 400, "unreadable");
    check_refused(&running, &gzip(&large), 413, "too_large");

    let mut chunked = b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in large.chunks(64 << 10) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(running.raw(&chunked).refusal(), (413, "too_large".into()));

    let mut patient = running.connect();
    let head = "POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n";
    patient.write_all(head.as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut patient).refusal(), (413, "too_large".into()), "before anything was sent");
}

#[test]
fn pages_that_the_site_does_not_know() {
    let running = Running::start();
    let body = serde_json::to_vec(&batch()).unwrap();
    for origin in ["https://evil.example", "http://example.org", "https://example.org:8443", "null"] {
        let answer = running.request("POST", "/v1/collect", &[("Origin", origin)], &body);
        assert_eq!(answer.refusal(), (403, "forbidden_origin".into()));
    }
}

#[test]
fn single_items() {
    let running = Running::start();
    let slice = |field: &'static str, value: Value, code: &str| {
        let expect = json!({ "view": 0, "slice": 0, "code": code, "field": field });
        check_rejected(&running, |batch| batch["views"][0]["slices"][0][field] = value, expect, 1);
    };
    slice("played_ms", json!(-1), "bad_number");
    slice("played_ms", json!(1e300), "bad_number");
    slice("played_ms", json!(u64::MAX), "bad_number");
    slice("played_ms", json!(12_001), "implausible");
    slice("span_ms", json!(limits::SPAN_MS + 1), "implausible");
    slice("error_code", json!("x".repeat(limits::WORD_BYTES + 1)), "too_long");
    check_rejected(
        &running,
        |batch| batch["views"][0]["events"][0]["type"] = json!("teleport"),
        json!({ "view": 0, "event": 0, "code": "unknown_event_type", "field": "type" }),
        1,
    );
}

#[test]
fn whole_views() {
    let running = Running::start();
    let view = |field: &str, value: Value, expect: Value| {
        check_rejected(&running, |batch| *batch["views"][0].pointer_mut(field).unwrap() = value, expect, 0);
    };
    let future = "01a11f86-0000-7000-8000-000000000001";
    view("/id", json!(future), json!({ "view": 0, "code": "view_from_future", "field": "id" }));
    let old = "00a0c4ee-2c00-7000-8000-000000000001";
    view("/id", json!(old), json!({ "view": 0, "code": "view_too_old", "field": "id" }));
    view("/id", json!("7"), json!({ "view": 0, "code": "bad_view_id", "field": "id" }));
    view(
        "/video/id",
        json!("x".repeat(limits::ID_BYTES + 1)),
        json!({ "view": 0, "code": "too_long", "field": "video.id" }),
    );
}

#[test]
fn broken_http() {
    let running = Running::start();
    let long = "x".repeat(40_000);
    let answer = running.request("POST", "/v1/collect", &[("X-Long", &long)], b"{}");
    assert_eq!(answer.status, 431, "a head that is too long");
    let many: Vec<_> = (0..100).map(|n| (format!("X-{n}"), "1")).collect();
    let many: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(running.request("POST", "/v1/collect", &many, b"{}").status, 431, "too many headers");
    assert_eq!(running.raw(b"nonsense\r\n\r\n").status, 400);
    // A body that breaks off has nobody left to be answered; the collector just goes on.
    let mut cut = running.connect();
    let whole = request("POST", "/v1/collect", &[], &serde_json::to_vec(&batch()).unwrap());
    cut.write_all(&whole[..whole.len() - 10]).unwrap();
    drop(cut);
    assert_eq!(running.collect_json(&batch()).status, 200);
}
