//! Puts the parts together, and takes them apart again in the right order: no more requests, then no more records, then
//! everything into the store.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use quartile_protocol::clock::DAY_MS;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, timeout};

use crate::access::Access;
use crate::access::file::{self as tokens, TokenError};
use crate::clock::Clock;
use crate::config::{Config, Sites};
use crate::enrich::Enricher;
use crate::enrich::agent::{Agents, PatternError};
use crate::enrich::daily::Salts;
use crate::enrich::place::{PlaceError, Places};
use crate::forward::delivery::Delivery;
use crate::forward::letters::DeadLetters;
use crate::forward::progress::Progress;
use crate::forward::{ForwardError, Forwarder};
use crate::ingest::accounts::Books;
use crate::ingest::quota::Quotas;
use crate::queue::{DiskFs, OpenError, Queue};
use crate::rebuild::{self, Refill};
use crate::server::{Handle, Reloads, Server, Services};
use crate::sink::{Sink, Source};
use crate::store::Store;
use crate::store::none::PointlessError;
use crate::store::reopen::Reopening;
use crate::watch::{Watch, files};

pub use crate::config::Bounds;

/// How often what is due is looked after: salts, the store, the archive.
const UPKEEP: Duration = Duration::from_secs(30);

/// How often rows are removed that are older than their site wants.
const FORGET: Duration = Duration::from_secs(3600);

/// How often it is looked whether the store is to be filled again: the existence of a file.
const REFILL: Duration = Duration::from_secs(1);

/// What keeps a store from being opened.
pub type StoreOpenError = Box<dyn Error + Send + Sync>;

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
    /// The tokens cannot be read.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// A file of places cannot be used.
    #[error("geo.mmdb: {0}")]
    Places(#[from] PlaceError),
    /// The built-in patterns cannot be used.
    #[error(transparent)]
    Patterns(#[from] PatternError),
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
    upkeep: [JoinHandle<()>; 3],
    _places: Option<Watch>,
}

impl Collector {
    /// Starts everything, with the store that `open_store` opens, now or as soon as it can, and again when it broke. When
    /// this returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: Config,
        clock: Clock,
        bounds: Bounds,
        open_store: impl Fn() -> Result<Arc<dyn Store>, StoreOpenError> + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: config.listen, source };
        // First, because it is what most often fails.
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;

        let settings = config.clone();
        let opening = move || {
            let opened =
                Queue::open(&settings.queue, Arc::new(DiskFs)).map_err(|error| StartError::Queue(error.into()))?;
            let store: Arc<dyn Store> = Arc::new(Reopening::new(Box::new(open_store)));
            Ok((opened, enricher(&settings)?, store, readers(&settings)?))
        };
        let opened: Result<_, StartError> =
            tokio::task::spawn_blocking(opening).await.unwrap_or(Err(StartError::Panicked));
        let ((queue, reader), enricher, store, access) = opened?;

        let progress = Arc::new(Progress::default());
        let (stop, stopped) = watch::channel(false);
        let letters = DeadLetters::new(config.dead_letters());
        let delivery = Delivery::new(Arc::clone(&store), letters, Arc::clone(&progress));
        let sinks = start_sinks(&config, &store, &clock)?;
        let spools = sinks.iter().map(Sink::spool).collect();
        let forwarder = Forwarder::new(reader, delivery, spools, config.forward_delay, Arc::clone(&progress));
        let refill = Refill::new(config.clone(), Arc::clone(&store));
        let services = Services {
            clock,
            sites: ArcSwap::from_pointee(config.sites),
            enricher,
            queue,
            books: Books::default(),
            quotas: Quotas::default(),
            access: ArcSwap::from_pointee(access),
            reloads: Reloads::default(),
            store,
            progress,
            refill,
            sinks,
            archive: config.archive,
        };
        let server = Server::new(listener, services, bounds);
        let handle = server.handle();
        Ok(Self {
            address,
            _places: watch_places(&handle),
            upkeep: [
                tokio::spawn(upkeep(handle.clone(), UPKEEP, look_after)),
                tokio::spawn(upkeep(handle.clone(), FORGET, forget_old)),
                tokio::spawn(upkeep(handle.clone(), REFILL, refill_store)),
            ],
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

    /// Replaces who may send and who may read, for requests from now on. Those at work go on as they began.
    pub fn replace(&self, sites: Sites, access: Access) {
        self.handle.replace(sites, access);
    }

    /// Who may read.
    #[must_use]
    pub fn readers(&self) -> Access {
        Access::clone(&self.handle.services().access.load())
    }

    /// Counts that who may send and read was to be replaced, and was not because of a mistake.
    pub fn count_failed_reload(&self) {
        self.handle.count_failed_reload();
    }

    /// Reads the files of places that have changed again. It happens by itself where the operating system tells of changes.
    pub fn reload_places(&self) {
        self.handle.services().enricher.places.reload();
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
        for sink in &services.sinks {
            sink.stop().await;
        }
        self.upkeep.iter().for_each(JoinHandle::abort);
        services.refill.stop();
        let store = Arc::clone(&services.store);
        let closed = timeout(bounds.close_time, tokio::task::spawn_blocking(move || store.close())).await;
        if !matches!(closed, Ok(Ok(Ok(())))) {
            tracing::error!(?closed, "the store did not close");
        }
    }
}

fn start_sinks(config: &Config, store: &Arc<dyn Store>, clock: &Clock) -> Result<Vec<Sink>, StartError> {
    let source = Source { store: Arc::clone(store), incomplete: rebuild::marker(&config.store_path()) };
    let start = |sink| Sink::start(sink, &config.data_dir, source.clone(), clock.clone());
    config.sinks.iter().map(start).collect::<Result<_, _>>().map_err(|error| StartError::Queue(error.into()))
}

/// Who may read: by the configuration, and by the file of tokens.
///
/// # Errors
/// [`TokenError`] when that file cannot be read.
pub fn readers(config: &Config) -> Result<Access, TokenError> {
    let mut access = config.access.clone();
    access.add(tokens::read(&config.tokens_path())?.into_iter().map(|token| token.grant));
    Ok(access)
}

fn enricher(config: &Config) -> Result<Enricher, StartError> {
    Ok(Enricher {
        agents: Agents::new()?,
        trust: config.trust.clone(),
        headers: config.headers.clone(),
        places: Places::open(config.mmdb.clone())?,
        salts: Salts::new(config.data_dir.join("salts")),
    })
}

/// Reads the files of places again when they are replaced, where there are any.
fn watch_places(handle: &Handle) -> Option<Watch> {
    let paths = || handle.services().enricher.places.paths();
    paths().next()?;
    let reader = handle.clone();
    match files(paths(), move || reader.services().enricher.places.reload()) {
        Ok(watch) => Some(watch),
        Err(error) => {
            tracing::warn!(%error, "the files of places cannot be watched: they are read again at the next start or signal");
            None
        }
    }
}

/// Opens the store of the configuration. Blocks on the disk.
///
/// # Errors
/// What keeps it from being opened now.
#[cfg(feature = "duckdb")]
pub fn open_store(config: &Config, clock: &Clock) -> Result<Arc<dyn Store>, StoreOpenError> {
    use crate::store::duckdb::{DuckDb, Options};
    let path = config.store_path();
    let store = DuckDb::open(&Options::new(&path), clock.now())?;
    // The queue knows what was forwarded, the store what arrived: it was removed, or its log lost without a word.
    let (consumed, marked) = (rebuild::consumed(config), store.marked()?);
    if marked < consumed && store.set_aside().is_empty() {
        tracing::error!(marked, consumed, "THE STORE LACKS ROWS that were forwarded to it");
        rebuild::want(&path, clock.now())?;
    }
    for path in store.set_aside() {
        tracing::error!(path = %path.display(), "THE STORE WAS DAMAGED, set aside and begun anew: what queue and archive still have is filled in, anything older is missing from reports");
    }
    Ok(Arc::new(store))
}

/// Whether this build has a store for the configuration, or needs none.
///
/// # Errors
/// Why a collector would take in what it can give to nobody.
#[cfg(feature = "duckdb")]
pub const fn check_store(_: &Config) -> Result<(), PointlessError> {
    Ok(())
}

/// Whether this build has a store for the configuration, or needs none.
///
/// # Errors
/// Why a collector would take in what it can give to nobody.
#[cfg(not(feature = "duckdb"))]
pub fn check_store(config: &Config) -> Result<(), PointlessError> {
    crate::store::none::NoStore::for_sinks(&config.sinks).map(drop)
}

/// There is no store in this build: rows go to sinks alone.
///
/// # Errors
/// When no sink could use them.
#[cfg(not(feature = "duckdb"))]
pub fn open_store(config: &Config, _: &Clock) -> Result<Arc<dyn Store>, StoreOpenError> {
    Ok(Arc::new(crate::store::none::NoStore::for_sinks(&config.sinks)?))
}

/// Does from time to time what nobody waits for.
async fn upkeep(handle: Handle, every: Duration, work: fn(&Services)) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let handle = handle.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || work(handle.services())).await {
            tracing::error!(%error, "upkeep failed because of a bug");
        }
    }
}

fn look_after(services: &Services) {
    let now = services.clock.now();
    if let Err(error) = services.enricher.salts.destroy_old(now) {
        tracing::error!(%error, "an old salt could not be destroyed");
    }
    if let Err(error) = services.store.maintain() {
        tracing::error!(?error, "the store could not look after itself");
    }
    match services.archive.as_ref().map(|archive| archive.tidy(now)) {
        Some(Err(error)) => tracing::error!(%error, "the archive could not be looked after"),
        Some(Ok(tidied)) if tidied.removed > 0 => tracing::info!(?tidied, "old segments were removed from the archive"),
        _ => {}
    }
}

/// A site's retention is in whole days of the ids of its views, so that a view goes as a whole.
fn forget_old(services: &Services) {
    let today = services.clock.now().as_ms().div_euclid(DAY_MS);
    for site in services.sites.load().iter() {
        let Some(days) = site.retention_days else { continue };
        match services.store.forget(&site.id, today - i64::from(days)) {
            Ok(0) => {}
            Ok(rows) => tracing::info!(site = %site.id, rows, days, "removed rows that are older than the site wants"),
            Err(error) => tracing::warn!(site = %site.id, ?error, "old rows could not be removed; trying later"),
        }
    }
}

/// Apart from the rest, because it may take hours.
fn refill_store(services: &Services) {
    if let Err(error) = services.refill.run_if_wanted() {
        tracing::error!(%error, "the store could not be filled again; trying later");
    }
}
