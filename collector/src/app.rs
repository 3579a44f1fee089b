//! Puts the parts together, and takes them apart again in the right order: no more requests, then no more records, then
//! everything into the store.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::{Config, Sites};
use crate::enrich::Enricher;
use crate::enrich::agent::{Agents, PatternError};
use crate::enrich::daily::Salts;
use crate::enrich::place::{PlaceDatabase, PlaceError};
use crate::forward::{ForwardError, Forwarder, Progress};
use crate::ingest::accounts::Books;
use crate::queue::{DiskFs, OpenError, Queue};
use crate::server::{Handle, Server, Services};
use crate::store::Store;

pub use crate::server::Bounds;

/// How often what is due is looked after: salts, the file of places, the store.
const UPKEEP: Duration = Duration::from_secs(30);

/// Why the collector did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; QUARTILE_LISTEN or `listen` in the configuration names another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The queue cannot be opened.
    #[error("the queue cannot be opened")]
    Queue(#[source] Box<OpenError>),
    /// The file of places cannot be used.
    #[error("geo.mmdb, {path}, cannot be used")]
    Places {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PlaceError,
    },
    /// The built-in patterns cannot be used.
    #[error(transparent)]
    Patterns(#[from] PatternError),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[source] Box<dyn Error + Send + Sync>),
    /// A part panicked while it started.
    #[error("a part of the collector failed while it started")]
    Panicked,
}

/// A collector at work.
pub struct Collector {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    handle: Handle,
    server: JoinHandle<()>,
    forwarder: JoinHandle<Result<(), ForwardError>>,
    upkeep: JoinHandle<()>,
}

impl Collector {
    /// Starts everything, with the store that `open_store` opens. When this returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: Config,
        clock: Clock,
        bounds: Bounds,
        open_store: impl FnOnce() -> Result<Arc<dyn Store>, StartError> + Send + 'static,
    ) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: config.listen, source };
        // First, because it is what most often fails.
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;

        let settings = config.clone();
        let opening = move || {
            let opened =
                Queue::open(&settings.queue, Arc::new(DiskFs)).map_err(|error| StartError::Queue(error.into()))?;
            Ok((opened, enricher(&settings)?, open_store()?))
        };
        let opened: Result<_, StartError> =
            tokio::task::spawn_blocking(opening).await.unwrap_or(Err(StartError::Panicked));
        let ((queue, reader), enricher, store) = opened?;

        let progress = Arc::new(Progress::default());
        let (stop, stopped) = watch::channel(false);
        let forwarder = Forwarder::new(
            reader,
            Arc::clone(&store),
            config.forward_delay,
            config.data_dir.join("dead-letters"),
            Arc::clone(&progress),
        );
        let services = Services {
            clock,
            sites: ArcSwap::from_pointee(config.sites),
            enricher,
            queue,
            books: Books::default(),
            access: config.access,
            store,
            progress,
        };
        let server = Server::new(listener, services, bounds);
        let handle = server.handle();
        Ok(Self {
            address,
            upkeep: tokio::spawn(upkeep(handle.clone())),
            handle,
            server: tokio::spawn(server.run(stopped.clone())),
            forwarder: tokio::spawn(forwarder.run(stopped)),
            stop,
        })
    }

    /// The address that is listened on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces who may send, without a restart.
    pub fn replace_sites(&self, sites: Sites) {
        self.handle.replace_sites(sites);
    }

    /// Stops: accepts nothing more, finishes requests, writes what waits, forwards what is queued. Each of these has its
    /// time; what is acknowledged and not forwarded by then is forwarded after the next start.
    pub async fn stop(self) {
        let (services, bounds) = (self.handle.services(), self.handle.bounds());
        // Nobody listening means that the tasks have ended, which is as good.
        let _ = self.stop.send(true);
        if timeout(bounds.finish_time, self.server).await.is_err() {
            tracing::warn!("requests took too long to finish and were abandoned");
        }
        services.queue.close().await;
        match timeout(bounds.drain_time, self.forwarder).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "forwarding ended early"),
            Ok(Err(error)) => tracing::error!(%error, "forwarding ended because of a bug"),
            Err(_) => tracing::warn!("the store took too long; what is queued is forwarded after the next start"),
        }
        self.upkeep.abort();
        let store = Arc::clone(&services.store);
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::error!(?closed, "the store did not close");
        }
    }
}

fn enricher(config: &Config) -> Result<Enricher, StartError> {
    let places = match &config.mmdb {
        None => PlaceDatabase::none(),
        Some(path) => {
            PlaceDatabase::open(path.clone()).map_err(|source| StartError::Places { path: path.clone(), source })?
        }
    };
    Ok(Enricher {
        agents: Agents::new()?,
        trusted: config.trusted_proxies.clone(),
        headers: config.headers.clone(),
        places,
        salts: Salts::new(config.data_dir.join("salts")),
    })
}

/// Opens the store of the configuration. Blocks on the disk.
///
/// # Errors
/// [`StartError::Store`].
#[cfg(feature = "duckdb")]
pub fn open_store(config: &Config, clock: &Clock) -> Result<Arc<dyn Store>, StartError> {
    use crate::store::duckdb::{DuckDb, Options};
    let options = Options::new(config.data_dir.join("store").join("quartile.duckdb"));
    let store = DuckDb::open(&options, clock.now()).map_err(|error| StartError::Store(Box::new(error)))?;
    for path in store.set_aside() {
        tracing::error!(path = %path.display(), "THE STORE WAS DAMAGED, set aside and begun anew: what it held is missing from reports");
    }
    Ok(Arc::new(store))
}

/// Says that there is no store in this build.
///
/// # Errors
/// [`StartError::Store`], always.
#[cfg(not(feature = "duckdb"))]
pub fn open_store(_: &Config, _: &Clock) -> Result<Arc<dyn Store>, StartError> {
    Err(StartError::Store("this collector was built without the feature `duckdb`".into()))
}

/// Does from time to time what nobody waits for.
async fn upkeep(handle: Handle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        let handle = handle.clone();
        let work = tokio::task::spawn_blocking(move || {
            let services = handle.services();
            if let Err(error) = services.enricher.salts.destroy_old(services.clock.now()) {
                tracing::error!(%error, "an old salt could not be destroyed");
            }
            match services.enricher.places.refresh() {
                Ok(true) => tracing::info!("the file of places was read again"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the new file of places is not used"),
            }
            if let Err(error) = services.store.maintain() {
                tracing::error!(?error, "the store could not look after itself");
            }
        });
        if let Err(error) = work.await {
            tracing::error!(%error, "upkeep failed because of a bug");
        }
    }
}
