//! Tells when the configuration or the tokens changed, without looking again and again.
//!
//! Editors and orchestrators put a new file in the place of the old one, or turn a link to another folder. So the folders
//! are watched, and what is in the files decides whether they changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long nothing may happen before the files are read: writing one takes several steps.
const QUIET: Duration = Duration::from_millis(200);

/// After so many steps the files are read even if it goes on.
const STEPS: usize = 25;

/// What is watched.
pub struct Changes {
    files: Vec<PathBuf>,
    known: Vec<Option<Vec<u8>>>,
    something: Arc<Notify>,
    /// Watches for as long as it is there.
    _watcher: Option<RecommendedWatcher>,
}

impl Changes {
    /// Watches these files. Where that is not possible, SIGHUP is left.
    pub fn watch(config: Option<&Path>, tokens: &Path) -> Self {
        let files: Vec<_> = config.into_iter().chain([tokens]).map(Path::to_owned).collect();
        let something = Arc::new(Notify::new());
        let watcher = watcher(&files, Arc::clone(&something));
        if let Err(error) = &watcher {
            tracing::warn!(%error, "files are not watched: after a change of sites or tokens send SIGHUP");
        }
        Self { known: files.iter().map(|file| fs::read(file).ok()).collect(), files, something, _watcher: watcher.ok() }
    }

    /// Returns when the content of a file has become another one.
    pub async fn next(&mut self) {
        loop {
            self.something.notified().await;
            for _ in 0..STEPS {
                if timeout(QUIET, self.something.notified()).await.is_err() {
                    break;
                }
            }
            let now: Vec<_> = self.files.iter().map(|file| fs::read(file).ok()).collect();
            if now != self.known {
                self.known = now;
                return;
            }
        }
    }
}

fn watcher(files: &[PathBuf], something: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Reading is no change, and we read ourselves.
        if !matches!(event, Ok(Event { kind: EventKind::Access(_), .. })) {
            something.notify_one();
        }
    })?;
    let mut folders: Vec<_> = files.iter().map(|file| folder(file)).collect();
    folders.sort();
    folders.dedup();
    folders.iter().try_for_each(|folder| watcher.watch(folder, RecursiveMode::NonRecursive))?;
    Ok(watcher)
}

/// The folder that a file is in; for one without a folder in its name, the one that the collector works in.
fn folder(file: &Path) -> PathBuf {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
