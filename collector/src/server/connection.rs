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

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::patience::Patience;
use super::rewound::Rewound;
use super::sent::Sent;
use super::told_to;
use crate::config::Bounds;

/// What HTTP/2 begins with (RFC 9113, 3.4). No request of HTTP/1.1 does.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

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
    sending: AtomicUsize,
    /// Requests that began and pieces of answers that were handed over.
    moved: AtomicU64,
}

/// A request at work, until it is let go of.
pub(super) struct AtWork(Arc<Activity>);

/// An answer on its way, until it is let go of.
pub(super) struct Sending(Arc<Activity>);

impl Activity {
    pub(super) fn begin(self: &Arc<Self>) -> AtWork {
        self.moved.fetch_add(1, Ordering::Relaxed);
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(Arc::clone(self))
    }

    pub(super) fn send(self: &Arc<Self>) -> Sending {
        self.sending.fetch_add(1, Ordering::Relaxed);
        Sending(Arc::clone(self))
    }

    /// Returns once nothing was at work for so long; an answer on its way is given `patience` for each of its pieces.
    async fn idle(&self, time: Duration, patience: Duration) {
        loop {
            let moved = self.moved.load(Ordering::Relaxed);
            sleep(time).await;
            if self.sending.load(Ordering::Relaxed) > 0 {
                sleep(patience.saturating_sub(time)).await;
            }
            if self.at_work.load(Ordering::Relaxed) == 0 && self.moved.load(Ordering::Relaxed) == moved {
                return;
            }
        }
    }
}

impl Sending {
    /// Another piece was asked for.
    pub(super) fn goes_on(&self) {
        self.0.moved.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.sending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve<S>(
    mut stream: TcpStream,
    service: S,
    activity: &Activity,
    bounds: &Bounds,
    mut stop: watch::Receiver<bool>,
) where
    S: Service<http::Request<Incoming>, Response = http::Response<Sent>, Error = Infallible, Future: Send + 'static>,
{
    // A small answer is not to wait for more of it; a socket that refuses this works all the same.
    let _ = stream.set_nodelay(true);
    let begun = tokio::select! {
        begun = timeout(bounds.head_time, Start::read(&mut stream)) => begun,
        () = told_to(&mut stop) => return,
    };
    let start = match begun {
        Ok(Ok(start)) => start,
        Ok(Err(error)) => return tracing::debug!(%error, "a connection ended before it began"),
        Err(_) => return tracing::debug!("a connection that asked nothing was ended"),
    };
    let is_two = start.is_preface();
    let io = TokioIo::new(start.before(Patience::new(stream, bounds.write_time)));
    if is_two {
        drive(two(bounds).serve_connection(io, service), Some(activity), bounds, stop).await;
    } else {
        drive(one(bounds).serve_connection(io, service), None, bounds, stop).await;
    }
}

/// What a peer begins with: as much as tells which protocol it speaks.
#[derive(Debug, Default)]
struct Start {
    bytes: [u8; PREFACE.len()],
    length: usize,
}

impl Start {
    /// Reads until it is the preface of HTTP/2, or cannot become it.
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut start = Self::default();
        while start.length < PREFACE.len() && PREFACE.starts_with(&start.bytes[..start.length]) {
            match stream.read(&mut start.bytes[start.length..]).await? {
                0 => break,
                read => start.length += read,
            }
        }
        Ok(start)
    }

    fn is_preface(&self) -> bool {
        self.bytes[..self.length] == PREFACE[..]
    }

    /// `stream` with this before it, as if nothing had been read.
    fn before<S>(self, stream: S) -> Rewound<S, { PREFACE.len() }> {
        Rewound::new(stream, self.bytes, self.length)
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
        () = idle(activity, bounds.head_time, bounds.write_time) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => tell_end(ended),
        // The farewell of HTTP/2 is answered by the peer, which may not care to.
        () = idle(activity, FAREWELL, bounds.write_time) => tracing::debug!("an idle connection was ended"),
    }
}

async fn idle(activity: Option<&Activity>, time: Duration, patience: Duration) {
    match activity {
        Some(activity) => activity.idle(time, patience).await,
        None => std::future::pending().await,
    }
}

fn tell_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a peer that sends `sent` and closes its side is taken for, and what is read of it then.
    async fn begun(sent: &[&[u8]]) -> (bool, Vec<u8>) {
        let mut reads =
            sent.iter().fold(Box::new(tokio::io::empty()) as Box<dyn AsyncRead + Unpin>, |before, piece| {
                Box::new(before.chain(*piece))
            });
        let start = Start::read(&mut reads).await.unwrap();
        let is_two = start.is_preface();
        let mut all = Vec::new();
        start.before(reads).read_to_end(&mut all).await.unwrap();
        (is_two, all)
    }

    #[tokio::test]
    async fn the_preface_is_known_however_it_is_cut_and_nothing_is_lost() {
        let preface = [&PREFACE[..], b"and more"].concat();
        for at in 0..=preface.len() {
            let (one, other) = preface.split_at(at);
            assert_eq!(begun(&[one, other]).await, (true, preface.clone()), "{at}");
        }
    }

    #[tokio::test]
    async fn whatever_is_no_preface_is_read_as_it_came() {
        for sent in ["", "P", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            assert_eq!(begun(&[sent.as_bytes()]).await, (false, sent.into()), "{sent}");
            let pieces: Vec<_> = sent.as_bytes().chunks(1).collect();
            assert_eq!(begun(&pieces).await, (false, sent.into()), "{sent}");
        }
    }
}
