//! HTTP/2 without TLS, by prior knowledge: for proxies that speak it to what is behind them.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quartile_collector::app::Bounds;
use serde_json::{Value, json};
use support::{CONFIG, Running, batch};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

async fn connect(running: &Running) -> SendRequest<Full<Bytes>> {
    connect_with(running, &http2::Builder::new(TokioExecutor::new())).await
}

async fn connect_with(running: &Running, builder: &http2::Builder<TokioExecutor>) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Asks for the SDK's bundle with room for no more than this at once.
async fn download(running: &Running, window: u32) -> Incoming {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(window);
    let mut sender = connect_with(running, &builder).await;
    let request = Request::builder().uri("http://localhost/quartile.js").body(Full::default()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body()
}

fn post(body: Vec<u8>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(Method::POST).uri("http://localhost/v1/collect");
    request.header("content-type", "text/plain").body(Full::from(body)).unwrap()
}

#[test]
fn many_requests_share_one_connection() {
    let running = Running::start();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let sender = connect(&running).await;
        let sending: Vec<_> = (0..50)
            .map(|_| {
                let mut sender = sender.clone();
                tokio::spawn(async move {
                    let answer = sender.send_request(post(serde_json::to_vec(&batch()).unwrap())).await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK);
                    assert_eq!(answer.headers()["x-request-id"].len(), 16);
                    let body: Value =
                        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
                    assert_eq!(body["accepted"], json!(2));
                })
            })
            .collect();
        for sent in sending {
            sent.await.unwrap();
        }
    });
    running.wait_for_rows(1);
}

#[test]
fn a_batch_whose_sender_does_not_wait_for_the_answer_is_kept_and_in_the_books() {
    let running = Running::with(&format!("auth = \"none\"\n{CONFIG}"), Bounds::default());
    Runtime::new().unwrap().block_on(async {
        let mut sender = connect(&running).await;
        for patience in 0..40 {
            let asking = sender.send_request(post(serde_json::to_vec(&batch()).unwrap()));
            // Whoever gives up resets the stream, at some moment between the first byte and the answer.
            drop(timeout(Duration::from_micros(100 * patience), asking).await);
        }
        let answer = sender.send_request(post(serde_json::to_vec(&batch()).unwrap())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    });
    let item = |name: &str| format!("quartile_items_{name}{{site=\"demo\"}}");
    running.wait_for_metrics(&[("quartile_requests_in_flight", 0), (&item("in_flight"), 0)]);
    let metrics = running.metrics();
    assert_eq!(metrics[&item("received_total")], metrics[&item("accepted_total")]);
    assert!(metrics[&item("accepted_total")] >= 2);
}

#[test]
fn a_query_whose_asker_has_gone_is_given_up() {
    let running = Running::with(&format!("auth = \"none\"\n{CONFIG}"), Bounds::default());
    let query = json!({ "site": "demo", "metrics": ["plays"], "date_range": "day" }).to_string();
    running.store.is_slow.store(true, Ordering::SeqCst);
    let at_work = |count: usize| {
        let is_so = || running.store.queries.load(Ordering::SeqCst) == count;
        (0..500).any(|_| {
            is_so() || {
                std::thread::sleep(Duration::from_millis(10));
                false
            }
        })
    };
    Runtime::new().unwrap().block_on(async {
        let mut sender = connect(&running).await;
        let request = Request::builder().method(Method::POST).uri("http://localhost/v1/reports/query");
        let asking = tokio::spawn(sender.send_request(request.body(Full::from(query)).unwrap()));
        assert!(at_work(1), "it is worked on");
        asking.abort();
        assert!(at_work(0), "and given up long before the ten seconds that it would take");
    });
}

#[test]
fn bodies_are_bounded_as_they_are_without_it() {
    let running = Running::start();
    Runtime::new().unwrap().block_on(async {
        let mut sender = connect(&running).await;
        let answer = sender.send_request(post(vec![b' '; 600_000])).await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let answer = sender.send_request(post(b"{".to_vec())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "the connection goes on");
    });
}

#[test]
fn an_idle_connection_is_ended_and_costs_nothing_lasting() {
    let bounds = Bounds { head_time: Duration::from_millis(200), ..Bounds::default() };
    let running = Running::with(&format!("auth = \"none\"\n{CONFIG}"), bounds);
    let runtime = Runtime::new().unwrap();
    let mut sender = runtime.block_on(async {
        let mut sender = connect(&running).await;
        assert_eq!(sender.send_request(post(b"{".to_vec())).await.unwrap().status(), StatusCode::BAD_REQUEST);
        sender
    });
    running.wait_for_metrics(&[("quartile_connections", 1), ("quartile_requests_in_flight", 0)]);
    assert!(runtime.block_on(sender.ready()).is_err(), "the connection was ended");
}

#[test]
fn a_slow_download_is_not_cut() {
    let bounds = Bounds { head_time: Duration::from_millis(200), ..Bounds::default() };
    let running = Running::with(CONFIG, bounds);
    let whole = running.request("GET", "/quartile.js", &[], b"").body.len();
    Runtime::new().unwrap().block_on(async {
        // Three seconds, which is more than a connection without a request has.
        let window = u32::try_from(whole / 10).unwrap();
        let mut body = download(&running, window).await;
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            let taken = frame.unwrap().into_data().unwrap().len();
            read += taken;
            tokio::time::sleep(Duration::from_secs(3) * u32::try_from(taken).unwrap() / u32::try_from(whole).unwrap())
                .await;
        }
        assert_eq!(read, whole);
    });
}

#[test]
fn a_download_that_nobody_takes_is_ended() {
    let short = Duration::from_millis(200);
    let bounds = Bounds { head_time: short, write_time: short, ..Bounds::default() };
    let running = Running::with(&format!("auth = \"none\"\n{CONFIG}"), bounds);
    let runtime = Runtime::new().unwrap();
    let body = runtime.block_on(download(&running, 1_000));
    running.wait_for_metrics(&[("quartile_connections", 1), ("quartile_requests_in_flight", 0)]);
    assert!(runtime.block_on(body.collect()).is_err());
}
