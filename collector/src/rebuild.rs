//! A store made anew from what the queue and the archive still hold: by hand while the collector is stopped, or by the
//! collector itself beside its work after the store was found damaged.
//!
//! By itself the collector begins with an empty store and gives it the old records while new ones arrive: copies merge,
//! so the order is of no matter. A marker beside the database says that this is not finished; it is written before a
//! damaged file is set aside, and removed when every record was given.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Config;
use crate::forward::delivery::{Delivery, DeliveryError};
use crate::forward::feed::{self, Fed, FeedError};
use crate::forward::letters::DeadLetters;
use crate::forward::progress::Progress;
use crate::queue::{self, Depth, DiskFs};
use crate::store::Store;

/// How long a store that cannot now is left alone.
const PATIENCE: Duration = Duration::from_secs(1);

/// The marker beside the database.
#[must_use]
pub fn marker(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".refill");
    name.into()
}

/// Remembers that the database lacks rows that the archive may have.
///
/// # Errors
/// When the marker cannot be written.
pub fn want(database: &Path, now: quartile_protocol::clock::Wall) -> io::Result<()> {
    fs::write(marker(database), now.as_ms().to_string())
}

/// The position of the queue before which everything was forwarded; 0 when that is not known.
#[must_use]
pub fn consumed(config: &Config) -> u64 {
    queue::audit(&DiskFs, &config.queue.dir, Depth::Headers).ok().and_then(|audit| audit.cursor).unwrap_or(0)
}

/// Gives a store what the queue and the archive hold, if the marker asks for that.
pub struct Refill {
    config: Config,
    store: Arc<dyn Store>,
    stopped: AtomicBool,
    /// Segments still to be given.
    left: AtomicU64,
}

#[derive(Debug, thiserror::Error)]
#[error("the collector is stopping")]
struct Stopped;

impl Refill {
    /// For the store of this configuration.
    #[must_use]
    pub fn new(config: Config, store: Arc<dyn Store>) -> Self {
        Self { config, store, stopped: AtomicBool::new(false), left: AtomicU64::new(0) }
    }

    /// Segments still to be given.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Ends it soon; the marker stays, and the next start begins again.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Refills the store if it is to be refilled. Blocks, perhaps for hours.
    ///
    /// # Errors
    /// When a folder or the marker cannot be used.
    pub fn run_if_wanted(&self) -> io::Result<()> {
        let marker = marker(&self.config.store_path());
        let Ok(wanted) = fs::read(&marker) else { return Ok(()) };
        let (files, consumed) = (feed::segments(&self.config)?, consumed(&self.config));
        self.left.store(files.len() as u64, Ordering::Relaxed);
        tracing::error!(segments = files.len(), "THE STORE IS INCOMPLETE and is filled again from queue and archive");
        let letters = DeadLetters::new(self.config.dead_letters());
        let delivery = Delivery::new(Arc::clone(&self.store), letters, Arc::new(Progress::default()));
        let archive = self.config.archive.as_ref().map(|archive| archive.dir.as_path());
        let fed = feed::feed(&files, archive, &mut |records| self.give(&delivery, records), &mut |fed| self.tell(fed));
        match fed {
            Ok(fed) => {
                self.store.mark(consumed).map_err(io::Error::other)?;
                // Unless the store was set aside once more meanwhile.
                if fs::read(&marker)? == wanted {
                    fs::remove_file(&marker)?;
                }
                tracing::warn!(
                    records = fed.records,
                    ?fed,
                    "the store was filled again, as far back as the archive goes"
                );
            }
            Err(FeedError::Taker(Stopped)) => {}
            Err(error) => tracing::error!(?error, "the store could not be filled again; trying later"),
        }
        Ok(())
    }

    fn give(&self, delivery: &Delivery, records: &[queue::Record]) -> Result<(), Stopped> {
        while !self.stopped.load(Ordering::Relaxed) {
            match delivery.deliver(records) {
                Ok(_) => return Ok(()),
                Err(error) => tracing::debug!(?error, "the store cannot be filled now"),
            }
            std::thread::sleep(PATIENCE);
        }
        Err(Stopped)
    }

    fn tell(&self, fed: &Fed) {
        self.left.store(fed.of_segments - fed.segments, Ordering::Relaxed);
        tracing::info!(segments = fed.segments, of = fed.of_segments, records = fed.records, "filling the store again");
    }
}

/// Why a store was not made anew. The one that was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A collector has the queue.
    #[error("the collector must be stopped first")]
    InUse(#[from] queue::OpenError),
    /// There is nothing to make it from.
    #[error("neither queue nor archive has a segment; `[archive]` in the configuration keeps one")]
    Nothing,
    /// Files cannot be used.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
    /// The new store failed.
    #[error("the new store failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Records cannot be read or stored.
    #[error(transparent)]
    Feed(#[from] FeedError<DeliveryError>),
}

/// What was made.
#[derive(Debug)]
pub struct Rebuilt {
    /// What it was made from.
    pub fed: Fed,
    /// Slices, events and records that can never be stored.
    pub dead_letters: u64,
    /// Where the store from before is, if there was one.
    pub replaced: Option<PathBuf>,
}

/// Makes the store anew while the collector is stopped, and puts it in the place of the old one, which is kept beside
/// it. Until then nothing of the old one is touched.
///
/// # Errors
/// [`RebuildError`].
#[cfg(feature = "duckdb")]
pub fn offline(
    config: &Config,
    now: quartile_protocol::clock::Wall,
    tell: &mut dyn FnMut(&Fed),
) -> Result<Rebuilt, RebuildError> {
    use crate::store::duckdb::{DuckDb, Options};

    let _owned = queue::own(&DiskFs, &config.queue.dir)?;
    let path = config.store_path();
    let files = feed::segments(config).map_err(|error| RebuildError::Io(config.data_dir.clone(), error))?;
    if files.is_empty() {
        return Err(RebuildError::Nothing);
    }
    let fresh = beside(&path, ".rebuilding");
    for leftover in [fresh.clone(), beside(&fresh, ".wal"), beside(&fresh, ".opening")] {
        remove(&leftover)?;
    }
    let store = Arc::new(DuckDb::open(&Options::new(&fresh), now).map_err(|error| RebuildError::Store(error.into()))?);
    let progress = Arc::new(Progress::default());
    let letters = DeadLetters::new(config.dead_letters());
    let delivery = Delivery::new(Arc::clone(&store) as Arc<dyn Store>, letters, Arc::clone(&progress));
    let archive = config.archive.as_ref().map(|archive| archive.dir.as_path());
    let fed = feed::feed(&files, archive, &mut |records| delivery.deliver(records).map(|_| ()), tell)?;
    let finished = store.settle().and_then(|()| store.mark(consumed(config))).and_then(|()| store.close());
    finished.map_err(|error| RebuildError::Store(error.into()))?;
    drop((delivery, store));
    if beside(&fresh, ".wal").exists() {
        return Err(RebuildError::Store("its log could not be written into it; is the disk full?".into()));
    }
    Ok(Rebuilt { fed, dead_letters: progress.dead_letters(), replaced: replace(&path, &fresh, now)? })
}

/// Puts a database in the place of another, which keeps existing under another name.
#[cfg(feature = "duckdb")]
fn replace(path: &Path, fresh: &Path, now: quartile_protocol::clock::Wall) -> Result<Option<PathBuf>, RebuildError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| RebuildError::Io(path, error)
    };
    let (log, kept) = (beside(path, ".wal"), beside(path, &format!(".replaced-{}", now.as_ms())));
    // If this is killed between here and the end, the next start fills the store again.
    want(path, now).map_err(failed(path))?;
    let replaced = path.exists();
    if replaced {
        fs::hard_link(path, &kept).map_err(failed(&kept))?;
    }
    if log.exists() {
        fs::rename(&log, beside(&kept, ".wal")).map_err(failed(&log))?;
    }
    fs::rename(fresh, path).map_err(failed(path))?;
    remove(&marker(path))?;
    Ok(replaced.then_some(kept))
}

#[cfg(feature = "duckdb")]
fn remove(path: &Path) -> Result<(), RebuildError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RebuildError::Io(path.to_owned(), error)),
        _ => Ok(()),
    }
}

#[cfg(feature = "duckdb")]
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
