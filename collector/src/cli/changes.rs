//! Tells when the configuration or the tokens changed, without looking again and again.
//!
//! What is in the files decides whether they changed: writing one takes several steps, and some of them change nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quartile_collector::watch::{self, Watch};
use tokio::sync::Notify;

/// What is watched.
pub struct Changes {
    files: Vec<PathBuf>,
    known: Vec<Option<Vec<u8>>>,
    something: Arc<Notify>,
    /// Watches for as long as it is there.
    _watch: Option<Watch>,
}

impl Changes {
    /// Watches these files. Where that is not possible, SIGHUP is left.
    pub fn watch(config: Option<&Path>, tokens: &Path) -> Self {
        let files: Vec<_> = config.into_iter().chain([tokens]).map(Path::to_owned).collect();
        let something = Arc::new(Notify::new());
        let told = Arc::clone(&something);
        let watch = watch::files(files.iter().map(PathBuf::as_path), move || told.notify_one());
        if let Err(error) = &watch {
            tracing::warn!(%error, "files are not watched: after a change of sites or tokens send SIGHUP");
        }
        Self { known: files.iter().map(|file| fs::read(file).ok()).collect(), files, something, _watch: watch.ok() }
    }

    /// Returns when the content of a file has become another one.
    pub async fn next(&mut self) {
        loop {
            self.something.notified().await;
            let now: Vec<_> = self.files.iter().map(|file| fs::read(file).ok()).collect();
            if now != self.known {
                self.known = now;
                return;
            }
        }
    }
}
