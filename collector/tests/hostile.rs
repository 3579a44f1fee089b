//! Peers that are slow, broken or gone cost nothing lasting: afterwards nothing is in flight and no connection is open.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use quartile_collector::app::Bounds;
use support::{Answer, CONFIG, Running, batch, request};

const SHORT: Duration = Duration::from_millis(300);

/// Bounds that end soon what never ends.
fn impatient() -> Bounds {
    Bounds { head_time: SHORT, body_time: SHORT, write_time: SHORT, ..Bounds::default() }
}

fn open(bounds: Bounds) -> Running {
    Running::with(&format!("auth = \"none\"\n{CONFIG}"), bounds)
}

fn body() -> Vec<u8> {
    serde_json::to_vec(&batch()).unwrap()
}

/// The collector serves on and comes to rest: no connection but the one that asks, no request but that, no body.
#[track_caller]
fn check_at_rest(running: &Running) {
    assert_eq!(running.collect(&body()).status, 200);
    running.wait_for_metrics(&[
        ("quartile_connections", 1),
        ("quartile_requests_in_flight", 0),
        ("quartile_body_bytes_in_flight", 0),
        ("quartile_items_in_flight{site=\"demo\"}", 0),
    ]);
}

#[test]
fn heads_that_never_end() {
    let running = open(impatient());
    let slow: Vec<_> = (0..200)
        .map(|n| {
            let mut stream = running.connect();
            let head = b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nX-Slow: ";
            stream.write_all(&head[..n % head.len()]).unwrap();
            stream
        })
        .collect();
    check_at_rest(&running);
    drop(slow);
}

#[test]
fn the_preface_of_http_2_and_no_more() {
    let running = open(impatient());
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let slow: Vec<_> = (0..=preface.len())
        .map(|length| {
            let mut stream = running.connect();
            stream.write_all(&preface[..length]).unwrap();
            stream
        })
        .collect();
    check_at_rest(&running);
    drop(slow);
}

#[test]
fn bodies_that_trickle_and_never_end() {
    let running = open(impatient());
    let mut slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = running.connect();
            stream.write_all(b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n").unwrap();
            stream
        })
        .collect();
    // A byte now and then does not buy time: the whole body has a bound.
    for _ in 0..8 {
        std::thread::sleep(SHORT / 8);
        for stream in &mut slow {
            let _ = stream.write_all(b"{");
        }
    }
    check_at_rest(&running);
}

#[test]
fn answers_that_nobody_reads() {
    let running = open(impatient());
    let unread: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = running.connect();
            stream.set_write_timeout(Some(SHORT)).unwrap();
            // Pipelined until neither side takes anything more.
            let one = b"GET /quartile.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
            while stream.write_all(&one).is_ok() {}
            stream
        })
        .collect();
    check_at_rest(&running);
    drop(unread);
}

#[test]
fn clients_that_are_gone_in_the_middle() {
    let running = open(Bounds::default());
    let whole = request("POST", "/v1/collect", &[], &body());
    for length in (0..whole.len()).step_by(7) {
        let mut stream = running.connect();
        stream.write_all(&whole[..length]).unwrap();
        // Half of them say that they are gone, half of them reset.
        if length % 2 == 0 {
            stream.shutdown(Shutdown::Both).unwrap();
        }
    }
    check_at_rest(&running);
}

#[test]
fn a_client_that_closes_its_side_gets_its_answer() {
    let running = open(Bounds::default());
    let mut stream = running.connect();
    stream.write_all(&request("POST", "/v1/collect", &[], &body())).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Answer::read(&mut stream).status, 200);
    check_at_rest(&running);
}

#[test]
fn connections_beyond_the_bound_wait_until_one_ends() {
    let running = open(Bounds { connections: 2, ..Bounds::default() });
    let first = running.connect();
    let second = running.connect();
    let mut third = running.connect();
    third.write_all(&request("GET", "/healthz", &[], b"")).unwrap();
    third.set_read_timeout(Some(SHORT)).unwrap();
    assert!(third.read(&mut [0; 1]).is_err(), "nobody answers yet");
    drop(first);
    third.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(Answer::read(&mut third).status, 200);
    drop((second, third));
    check_at_rest(&running);
}

#[test]
fn bodies_grow_within_the_bytes_in_flight() {
    let folded = support::gzip(&vec![b' '; 500_000]);
    let taking = |bytes| open(Bounds { in_flight_bytes: bytes, ..Bounds::default() });
    let running = taking(500_000);
    assert_eq!(running.collect(&folded).refusal(), (400, "unreadable".into()), "it fits, and is no batch");
    check_at_rest(&running);
    let running = taking(499_999);
    assert_eq!(running.collect(&folded).refusal(), (503, "unavailable".into()));
    check_at_rest(&running);
}

#[test]
fn stopping_ends_connections_of_every_kind() {
    // Whoever waits for one of them waits for ever.
    let for_ever = Duration::from_secs(1 << 30);
    let running = open(Bounds { finish_time: for_ever, head_time: for_ever, ..Bounds::default() });
    let mut streams: Vec<TcpStream> = (0..3).map(|_| running.connect()).collect();
    streams[1].write_all(b"PRI * HTTP/2.0\r\n").unwrap();
    streams[2].write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    assert_eq!(running.collect(&body()).status, 200);
    running.stop();
    for stream in &mut streams {
        let mut rest = Vec::new();
        // However it ends, it ends.
        let _ = stream.read_to_end(&mut rest);
    }
}
