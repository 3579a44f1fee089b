//! Nothing is unbounded: not time, not concurrency, not the queue.

mod support;

use std::io::{Read, Write};
use std::time::Duration;

use quartile_collector::app::Bounds;
use serde_json::json;
use support::{Answer, CONFIG, Running, batch};

#[test]
fn a_head_that_never_ends_is_cut_off_and_holds_up_nobody() {
    let running = Running::with(CONFIG, Bounds { head_time: Duration::from_millis(300), ..Bounds::default() });
    let mut slow: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = running.connect();
            stream.write_all(b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
            stream
        })
        .collect();
    assert_eq!(running.collect_json(&batch()).status, 200);
    for stream in &mut slow {
        let mut rest = Vec::new();
        // However it ends, it ends.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
}

#[test]
fn a_body_that_never_ends_is_asked_for_again() {
    let running = Running::with(CONFIG, Bounds { body_time: Duration::from_millis(300), ..Bounds::default() });
    let mut slow = running.connect();
    slow.write_all(b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{").unwrap();
    let answer = Answer::read(&mut slow);
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    assert_eq!(answer.header("retry-after"), "5");
}

#[test]
fn more_at_once_than_allowed_is_told_to_come_back() {
    let running = Running::with(CONFIG, Bounds { requests: 2, ..Bounds::default() });
    let _slow: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = running.connect();
            stream.write_all(b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{").unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    let answer = running.collect_json(&batch());
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    assert_eq!(answer.header("retry-after"), "5");
    drop(_slow);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(running.collect_json(&batch()).status, 200);
}

#[test]
fn bytes_in_flight_are_bounded_too() {
    let running = Running::with(CONFIG, Bounds { in_flight_bytes: 1_000, ..Bounds::default() });
    assert_eq!(running.collect_json(&batch()).status, 200);
    assert_eq!(running.collect(&[b' '; 1_001]).refusal(), (503, "unavailable".into()));
}

#[test]
fn a_full_queue_is_told_with_the_time_to_come_back() {
    let config = format!("{CONFIG}\n[queue]\nmax_bytes = \"16 MiB\"\nsegment_bytes = \"4 MiB\"");
    let running = Running::with(&config, Bounds::default());
    running.store.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut large = batch();
    let titled = |n: usize| json!({ "id": n.to_string(), "title": "x".repeat(400) });
    let view = large["views"][0].clone();
    large["views"] = (0..200)
        .map(|n| {
            let mut view = view.clone();
            view["video"] = titled(n);
            view
        })
        .collect();
    let refused = (0..400).map(|_| running.collect_json(&large)).find(|answer| answer.status != 200).unwrap();
    assert_eq!(refused.refusal(), (503, "queue_full".into()));
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(running.request("GET", "/healthz", &[], b"").status, 200);
    assert_eq!(running.request("GET", "/readyz", &[], b"").status, 503);
}
