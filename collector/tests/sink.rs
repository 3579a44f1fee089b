//! What a further sink gets, and that it holds up nobody.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use quartile_collector::app::Bounds;
use quartile_collector::sink::http::signature;
use serde_json::{Value, json};
use support::{CONFIG, KeepAll, Running, changed};
use tempfile::TempDir;

/// Something that takes what a sink sends, and answers with a status that can be changed.
struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    lines: Arc<Mutex<Vec<Value>>>,
    refused: Arc<AtomicU16>,
}

impl Receiver {
    fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            status: Arc::new(AtomicU16::new(status)),
            lines: Arc::default(),
            refused: Arc::default(),
        };
        let (status, lines) = (Arc::clone(&receiver.status), Arc::clone(&receiver.lines));
        let refused = Arc::clone(&receiver.refused);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some((signed, body)) = read_request(&mut BufReader::new(&mut stream)) else { continue };
                let status = status.load(Ordering::SeqCst);
                if status == 200 {
                    lines.lock().unwrap().extend(opened(&signed, &body));
                } else {
                    refused.fetch_add(1, Ordering::SeqCst);
                }
                let answer = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        receiver
    }

    fn config(&self, rows: &str) -> String {
        let url = format!("http://{}/in", self.address);
        format!(
            "auth = \"none\"\n{CONFIG}\n[[sinks]]\nname = \"far\"\nkind = \"http\"\nurl = \"{url}\"\nsecret = \"s3cret\"\n{rows}"
        )
    }

    fn wait_for(&self, what: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..1_000 {
            let lines = self.lines.lock().unwrap().clone();
            if enough(&lines) {
                return lines;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {what} in {:?}", self.lines.lock().unwrap());
    }
}

/// The signature and the body of a request.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut length, mut signed) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "quartile-signature" => signed = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((signed, body))
}

/// The lines of a body whose signature is right.
fn opened(signed: &str, body: &[u8]) -> Vec<Value> {
    let (time, mac) = signed.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert_eq!(mac, signature("s3cret", time.parse().unwrap(), body));
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn send(running: &Running, n: u32, played_ms: u32) {
    let answer = running.collect_json(&changed(|batch| {
        let slice = &mut batch["views"][0]["slices"][0];
        slice["n"] = json!(n);
        slice["played_ms"] = json!(played_ms);
    }));
    assert_eq!(answer.status, 200);
}

fn slices(lines: &[Value]) -> Vec<(u64, u64)> {
    let of = |line: &Value| (line["n"].as_u64().unwrap(), line["played_ms"].as_u64().unwrap());
    lines.iter().filter(|line| line["type"] == "slice").map(of).collect()
}

#[test]
fn a_slice_is_sent_merged_once_it_has_settled() {
    let receiver = Receiver::start(200);
    let running = Running::with(&receiver.config("settle_seconds = 1"), Bounds::default());
    for played_ms in [1_000, 9_000, 5_000] {
        send(&running, 0, played_ms);
    }
    let lines = receiver.wait_for("slice", |lines| !slices(lines).is_empty());
    assert_eq!(slices(&lines), [(0, 9_000)]);
    let slice = lines.iter().find(|line| line["type"] == "slice").unwrap();
    assert_eq!((&slice["site"], &slice["dims"]["video"]), (&json!("demo"), &json!("1234")));
    assert_eq!(lines.iter().find(|line| line["type"] == "event").unwrap()["event"]["type"], json!("play"));
    // What comes later is sent whole.
    send(&running, 0, 9_500);
    receiver.wait_for("later copy", |lines| slices(lines).contains(&(0, 9_500)));
}

#[test]
fn a_sink_that_is_away_gets_everything_later_and_holds_up_nobody() {
    let receiver = Receiver::start(503);
    let running = Running::with(&receiver.config("rows = \"as_received\""), Bounds::default());
    for n in 0..20 {
        send(&running, n, 1_000 + n);
    }
    running.wait_for_rows(20);
    while receiver.refused.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    receiver.status.store(200, Ordering::SeqCst);
    receiver.wait_for("twenty slices", |lines| (0..20).all(|n| slices(lines).contains(&(n, 1_000 + n))));
    let metrics = running.request("GET", "/metrics", &[], b"").body;
    assert!(metrics.contains("quartile_sink_dropped_records_total{sink=\"far\"} 0"), "{metrics}");
}

#[test]
fn each_of_several_sinks_gets_everything() {
    let all = [Receiver::start(200), Receiver::start(200), Receiver::start(200)];
    let sections = all.iter().zip(["one", "two", "three"]).map(|(receiver, name)| {
        let config = receiver.config("rows = \"as_received\"").replace("far", name);
        config[config.find("[[sinks]]").unwrap()..].to_owned()
    });
    let config = format!("{CONFIG}\n{}", sections.collect::<Vec<_>>().join("\n"));
    let running = Running::with(&config, Bounds::default());
    for n in 0..3 {
        send(&running, n, 1_000);
    }
    for receiver in &all {
        let lines = receiver.wait_for("three slices", |lines| slices(lines).len() >= 3);
        assert_eq!(slices(&lines), [(0, 1_000), (1, 1_000), (2, 1_000)]);
    }
}

#[test]
fn what_a_sink_did_not_get_is_sent_after_the_next_start() {
    let receiver = Receiver::start(500);
    let config = receiver.config("rows = \"as_received\"");
    let store = Arc::new(KeepAll::default());
    let first = Running::in_folder(TempDir::new().unwrap(), &config, Bounds::default(), Arc::clone(&store));
    send(&first, 7, 7_000);
    first.wait_for_rows(1);
    let (dir, store) = first.stop();
    receiver.status.store(200, Ordering::SeqCst);
    let _second = Running::in_folder(dir, &config, Bounds::default(), store);
    receiver.wait_for("slice", |lines| slices(lines) == [(7, 7_000)]);
}

#[test]
fn a_sink_does_not_ask_a_store_that_is_being_filled_again() {
    let receiver = Receiver::start(200);
    let running = Running::with(&receiver.config("settle_seconds = 1"), Bounds::default());
    // In place of the marker, and nothing that could be worked off.
    let marker = running.dir.path().join("store/quartile.duckdb.refill");
    std::fs::create_dir_all(&marker).unwrap();
    send(&running, 0, 9_000);
    receiver.wait_for("event", |lines| !lines.is_empty());
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(slices(&receiver.lines.lock().unwrap()), []);
    std::fs::remove_dir(&marker).unwrap();
    receiver.wait_for("slice", |lines| slices(lines) == [(0, 9_000)]);
}
