//! One connection: HTTP/1.1, or HTTP/2 without TLS for whoever begins with its preface (prior knowledge).
//!
//! What a peer can hold is a socket, and that only while it makes use of it: for a head, for a body, for reading its
//! answers and between its requests it has a time each, after which the connection ends.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::patience::Patience;
use super::told_to;
use crate::config::Bounds;

/// What HTTP/2 begins with (RFC 9113, 3.4). No request of HTTP/1.1 does.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long to wait for the rest of what may become the preface.
const PREFACE_PAUSE: Duration = Duration::from_millis(10);

/// What a peer of HTTP/2 may send of one body before any of it is read.
const STREAM_WINDOW: u32 = 64 * 1024;

/// What it may send so of all bodies of its connection.
const CONNECTION_WINDOW: u32 = 128 * 1024;

/// How long a peer of HTTP/2 without a request has to answer that the connection is to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the requests of one connection do.
#[derive(Debug, Default)]
pub(super) struct Activity {
    at_work: AtomicUsize,
    begun: AtomicU64,
}

/// A request at work, until it is let go of.
pub(super) struct AtWork(Arc<Activity>);

impl Activity {
    pub(super) fn begin(self: &Arc<Self>) -> AtWork {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(Arc::clone(self))
    }

    /// Returns once there was no request for so long.
    async fn idle(&self, time: Duration) {
        loop {
            let begun = self.begun.load(Ordering::Relaxed);
            sleep(time).await;
            if self.at_work.load(Ordering::Relaxed) == 0 && self.begun.load(Ordering::Relaxed) == begun {
                return;
            }
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve<S>(
    stream: TcpStream,
    service: S,
    activity: &Activity,
    bounds: &Bounds,
    mut stop: watch::Receiver<bool>,
) where
    S: Service<http::Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    // A small answer is not to wait for more of it; a socket that refuses this works all the same.
    let _ = stream.set_nodelay(true);
    let begun = tokio::select! {
        begun = timeout(bounds.head_time, speaks_http2(&stream)) => begun,
        () = told_to(&mut stop) => return,
    };
    let io = |stream| TokioIo::new(Patience::new(stream, bounds.write_time));
    match begun {
        Ok(Ok(false)) => drive(one(bounds).serve_connection(io(stream), service), None, bounds, stop).await,
        Ok(Ok(true)) => drive(two(bounds).serve_connection(io(stream), service), Some(activity), bounds, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended before it began"),
        Err(_) => tracing::debug!("a connection that asked nothing was ended"),
    }
}

/// Whether the peer begins with the preface of HTTP/2. Nothing is taken from the socket.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut start = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut start).await?;
        if length == 0 || !PREFACE.starts_with(&start[..length]) {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        sleep(PREFACE_PAUSE).await;
    }
}

fn one(bounds: &Bounds) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // A page that is being left may close its side at once; what it sent is taken in all the same.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_headers(bounds.headers)
        .max_header_size(bounds.head_bytes)
        .max_buf_size(2 * bounds.head_bytes);
    builder
}

fn two(bounds: &Bounds) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(u32::try_from(bounds.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        // A peer that is gone without a word is found out.
        .keep_alive_interval(bounds.head_time)
        .keep_alive_timeout(bounds.head_time);
    builder
}

/// Serves until the connection ends, the collector is to stop, or `activity` has been idle for too long. HTTP/1.1 needs
/// no such look: waiting for its next head has its time already.
async fn drive<C>(connection: C, activity: Option<&Activity>, bounds: &Bounds, mut stop: watch::Receiver<bool>)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    tokio::select! {
        // What is asked most often comes first.
        biased;
        ended = connection.as_mut() => return tell_end(ended),
        () = told_to(&mut stop) => {}
        () = idle(activity, bounds.head_time) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => tell_end(ended),
        // The farewell of HTTP/2 is answered by the peer, which may not care to.
        () = idle(activity, FAREWELL) => tracing::debug!("an idle connection was ended"),
    }
}

async fn idle(activity: Option<&Activity>, time: Duration) {
    match activity {
        Some(activity) => activity.idle(time).await,
        None => std::future::pending().await,
    }
}

fn tell_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
