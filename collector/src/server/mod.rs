//! HTTP/1.1 for senders and readers, and nothing about what they send or read.
//!
//! | path | |
//! |---|---|
//! | `POST /v1/collect` | takes in a batch ([`collect`]) |
//! | `GET /quartile.js` | the SDK for a script tag ([`assets`]) |
//! | `POST /v1/reports/query`, `GET /v1/reports/catalog` | reports, for who may read them ([`reports`]) |
//! | `GET /healthz`, `/readyz`, `/metrics` | for who runs it ([`health`]) |
//!
//! Everything is bounded: connections, the size and the time of headers and bodies, requests at work and the bytes of
//! their bodies. Beyond a bound the answer is 503 with `Retry-After`, and it is given at once.

mod access;
mod answer;
mod assets;
mod body;
mod collect;
mod health;
mod reports;
mod routes;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use quartile_protocol::limits::BODY_BYTES;
use quartile_protocol::reply::BodyCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::archive::Archive;
use crate::clock::Clock;
use crate::config::{Access, Sites};
use crate::enrich::Enricher;
use crate::forward::progress::Progress;
use crate::ingest::accounts::Books;
use crate::queue::Queue;
use crate::rebuild::Refill;
use crate::sink::Sink;
use crate::store::Store;

/// What the server serves with.
pub struct Services {
    /// The date.
    pub clock: Clock,
    /// Who may send; can be replaced at any time.
    pub sites: ArcSwap<Sites>,
    /// What requests tell of their senders.
    pub enricher: Enricher,
    /// Where records are kept before the answer.
    pub queue: Queue,
    /// The outcomes.
    pub books: Books,
    /// Who may read.
    pub access: Access,
    /// Where reports come from.
    pub store: Arc<dyn Store>,
    /// How far the queue was forwarded.
    pub progress: Arc<Progress>,
    /// The filling of a store that was found damaged.
    pub refill: Refill,
    /// Further places that rows go to.
    pub sinks: Vec<Sink>,
    /// The archive, if one is kept.
    pub archive: Option<Archive>,
}

/// The bounds.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections at once; more wait to be accepted.
    pub connections: u32,
    /// Requests at work at once.
    pub requests: u32,
    /// Reports at work at once.
    pub reports: u32,
    /// Bytes of all bodies at work.
    pub in_flight_bytes: u32,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// How long a connection may take for the head of its next request; also how long it may idle.
    pub head_time: Duration,
    /// How long a body may take.
    pub body_time: Duration,
    /// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
    pub drained_bytes: usize,
    /// How long requests at work may take once the collector is to stop.
    pub finish_time: Duration,
    /// How long the queue may take to be forwarded after that; what is left waits for the next start.
    pub drain_time: Duration,
    /// How long the store may take to close after that.
    pub close_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 4_096,
            requests: 1_024,
            reports: 16,
            in_flight_bytes: 64 * BODY_BYTES as u32,
            head_bytes: 32 * 1024,
            headers: 64,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(20),
            drained_bytes: 32 * BODY_BYTES,
            finish_time: Duration::from_secs(10),
            drain_time: Duration::from_secs(15),
            close_time: Duration::from_secs(10),
        }
    }
}

/// What all requests share.
struct Shared {
    services: Services,
    bounds: Bounds,
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    reports: Arc<Semaphore>,
    refused: [AtomicU64; BodyCode::ALL.len()],
    bundle: assets::Asset,
}

impl Shared {
    fn count_refusal(&self, code: BodyCode) {
        self.refused[code as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// The address at the other end of a connection.
#[derive(Clone, Copy)]
struct Peer(IpAddr);

/// A server that is bound to its address and not yet at work.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Server {
    /// Takes a socket that listens.
    #[must_use]
    pub fn new(listener: TcpListener, services: Services, bounds: Bounds) -> Self {
        let shared = Shared {
            requests: Arc::new(Semaphore::new(bounds.requests as usize)),
            bytes: Arc::new(Semaphore::new(bounds.in_flight_bytes as usize)),
            reports: Arc::new(Semaphore::new(bounds.reports as usize)),
            refused: Default::default(),
            bundle: assets::bundle(),
            services,
            bounds,
        };
        Self { listener, shared: Arc::new(shared) }
    }

    /// What can be changed and asked while it is at work.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Serves until `stop` says so, then accepts nothing more and finishes what is at work.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let bounds = &self.shared.bounds;
        let connections = Arc::new(Semaphore::new(bounds.connections as usize));
        let routes = routes::all(Arc::clone(&self.shared));
        loop {
            let accepted = tokio::select! {
                () = told_to(&mut stop) => break,
                accepted = accept(&self.listener, &connections) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else { continue };
            let (routes, bounds, stop) = (routes.clone(), bounds.clone(), stop.clone());
            tokio::spawn(async move {
                connection(stream, peer, routes, &bounds, stop).await;
                drop(permit);
            });
        }
        drop(self.listener);
        // Whoever holds all permits is alone: connections first, then work that outlived its connection.
        let _ = connections.acquire_many(bounds.connections).await;
        let _ = self.shared.requests.acquire_many(bounds.requests).await;
    }
}

/// What can be changed and asked while the server is at work.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Replaces who may send.
    pub fn replace_sites(&self, sites: Sites) {
        self.0.services.sites.store(Arc::new(sites));
    }

    /// The bounds.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.0.bounds
    }

    /// What the server serves with.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.0.services
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // Most often there are no file descriptors left: give others the time to close some.
            tracing::warn!(%error, "a connection was not accepted");
            tokio::time::sleep(Duration::from_millis(200)).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    bounds: &Bounds,
    mut stop: watch::Receiver<bool>,
) {
    // A small answer is not to wait for more of it; a socket that refuses this works all the same.
    let _ = stream.set_nodelay(true);
    let service = routes::for_peer(routes, Peer(peer.ip()));
    let connection = http1::Builder::new()
        // A page that is being left may close its side at once; what it sent is taken in all the same.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_headers(bounds.headers)
        .max_header_size(bounds.head_bytes)
        .max_buf_size(2 * bounds.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Waits until `stop` says so, or nobody is left to say it.
async fn told_to(stop: &mut watch::Receiver<bool>) {
    // The value is a guard of a lock, which is not to be held.
    drop(stop.wait_for(|stop| *stop).await);
}
