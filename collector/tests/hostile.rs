//! Peers that are slow, broken or gone cost nothing lasting: afterwards nothing is in flight and no connection is open.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use quartile_collector::app::Bounds;
use quartile_protocol::limits::BODY_BYTES;
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

/// A body that does not say how long it is has room for the longest reserved, and gives back what it did not need.
#[test]
fn bodies_of_unsaid_length_need_room_for_the_longest_and_only_until_they_are_read() {
    let folded = support::gzip(&vec![b' '; BODY_BYTES]);
    let mut chunked = b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    chunked.extend(format!("{:x}\r\n", folded.len()).bytes());
    chunked.extend(&folded);
    chunked.extend(b"\r\n0\r\n\r\n");
    let budget = u32::try_from(BODY_BYTES).unwrap();
    for (budget, expected) in [(budget, (400, "unreadable")), (budget - 1, (503, "unavailable"))] {
        let running = open(Bounds { in_flight_bytes: budget, ..Bounds::default() });
        for _ in 0..2 {
            assert_eq!(running.raw(&chunked).refusal(), (expected.0, expected.1.into()), "{budget}");
        }
        check_at_rest(&running);
    }
}

/// Whoever is still sending holds what the longest body may have.
#[test]
fn a_body_of_unsaid_length_that_goes_on_leaves_no_room_for_another() {
    let budget = u32::try_from(BODY_BYTES).unwrap();
    let running = open(Bounds { in_flight_bytes: budget, ..Bounds::default() });
    let mut slow = running.connect();
    slow.write_all(b"POST /v1/collect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    running.wait_for_metrics(&[("quartile_body_bytes_in_flight", u64::from(budget))]);
    assert_eq!(running.collect(&body()).refusal(), (503, "unavailable".into()));
    slow.write_all(b"1\r\n{\r\n0\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut slow).refusal(), (400, "unreadable".into()));
    drop(slow);
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
