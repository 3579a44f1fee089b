//! HTTP/1.1 and HTTP/2 for senders and readers, and nothing about what they send or read.
//!
//! | path | |
//! |---|---|
//! | `POST /v1/collect` | takes in a batch ([`collect`]) |
//! | `GET /quartile.js`, `/quartile-….js` | the SDK for a script tag ([`assets`]) |
//! | `GET` and `POST /v1/reports/…`, as `/v1/reports/openapi.json` says | reports, for who may read them ([`reports`]) |
//! | `GET /healthz`, `/readyz`, `/metrics` | for who runs it ([`health`]) |
//! | `GET /robots.txt` | nothing here is for search engines |
//!
//! Everything is bounded ([`Bounds`]): connections, the size and the time of headers and bodies, the time to read an
//! answer, requests at work and the bytes of their bodies. Connections beyond their bound wait in the backlog of the
//! socket until one ends. Beyond any other bound the answer is 503 with `Retry-After`, and it is given at once.

mod access;
mod answer;
mod assets;
mod body;
mod collect;
mod connection;
mod health;
mod patience;
mod reports;
mod request_id;
mod rewound;
mod routes;
mod sent;
mod unfold;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::access::Access;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::config::{Bounds, Sites};
use crate::enrich::Enricher;
use crate::forward::progress::Progress;
use crate::ingest::accounts::Books;
use crate::ingest::quota::Quotas;
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
    /// How much of their quotas the sites have used up.
    pub quotas: Quotas,
    /// Who may read; can be replaced at any time.
    pub access: ArcSwap<Access>,
    /// How often both were replaced.
    pub reloads: Reloads,
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

/// How often who may send and read was replaced, or was to be.
#[derive(Debug, Default)]
pub struct Reloads {
    done: AtomicU64,
    failed: AtomicU64,
}

/// Readers who may get a report again and again at a time.
const STREAMS: usize = 100;

/// What all requests share.
struct Shared {
    services: Services,
    bounds: Bounds,
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    reports: Arc<Semaphore>,
    /// Readers who get a report again and again.
    streams: Arc<Semaphore>,
    open_connections: AtomicU64,
    bundle: assets::Bundle,
    core: assets::Bundle,
}

impl Shared {
    /// Requests at work, and the bytes that are held for their bodies.
    fn in_flight(&self) -> [u64; 2] {
        let taken = |bound: u32, left: &Semaphore| (bound as usize).saturating_sub(left.available_permits()) as u64;
        [taken(self.bounds.requests, &self.requests), taken(self.bounds.in_flight_bytes, &self.bytes)]
    }
}

/// Counts a connection for as long as it is there.
struct Open<'a>(&'a AtomicU64);

impl<'a> Open<'a> {
    fn count(connections: &'a AtomicU64) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(connections)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
            streams: Arc::new(Semaphore::new(STREAMS)),
            open_connections: AtomicU64::new(0),
            bundle: assets::Bundle::script(),
            core: assets::Bundle::core(),
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
            let (routes, shared, stop) = (routes.clone(), Arc::clone(&self.shared), stop.clone());
            tokio::spawn(async move {
                let open = Open::count(&shared.open_connections);
                let activity = Arc::default();
                let service = routes::for_peer(routes, Arc::clone(&shared), Peer(peer.ip()), Arc::clone(&activity));
                connection::serve(stream, service, &activity, &shared.bounds, stop).await;
                drop((open, permit));
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
    /// Replaces who may send and who may read, for requests from now on.
    pub fn replace(&self, sites: Sites, access: Access) {
        let services = self.services();
        services.sites.store(Arc::new(sites));
        services.access.store(Arc::new(access));
        services.reloads.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts that they were to be replaced, and were not.
    pub fn count_failed_reload(&self) {
        self.services().reloads.failed.fetch_add(1, Ordering::Relaxed);
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

/// Waits until `stop` says so, or nobody is left to say it.
async fn told_to(stop: &mut watch::Receiver<bool>) {
    // The value is a guard of a lock, which is not to be held.
    drop(stop.wait_for(|stop| *stop).await);
}
