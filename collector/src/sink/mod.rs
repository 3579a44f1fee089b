//! Further places that rows go to, after the store has them.
//!
//! Each sink has a queue of its own, on disk, which the forwarder fills once the store took a record. So a sink that is
//! slow or away holds up neither the store nor another sink; when its queue is full, further records are counted as
//! dropped for it, and `quartile queue replay` cannot bring them back to it.
//!
//! # What is sent
//!
//! `POST` to the sink's URL, `Content-Type: application/x-ndjson`, `Content-Encoding: gzip`: one JSON object a line.
//!
//! ```json
//! {"type":"slice","site":"demo","view":"01a0…","n":0,"at":1790000000000,"span_ms":300000,"plays":1,"played_ms":297000,
//!  "watched":"…","dims":{"video":"1234","country":"FR"}}
//! {"type":"event","site":"demo","view":"01a0…","event":{"seq":0,"n":0,"at":1790000000000,"type":"play"}}
//! ```
//!
//! A slice is sent merged, as the store has it, once nothing was added to it for `settle_seconds`; when something comes
//! later it is sent again, whole. With `rows = "as_received"` every copy is sent at once and the receiver merges. Either
//! way a line may come more than once: replace what is there under `(site, view, n)`, or `(site, view, seq)` of an event.
//!
//! With a secret, `Quartile-Signature: t=<Unix seconds>,v1=<hex>` is the HMAC-SHA256 of `<t>.` and the body as it travels.
//!
//! Any answer but 2xx is tried again, later and later; nothing is given up but by the bound of the queue. 413 halves.

pub mod http;
pub mod line;
pub mod settling;
mod task;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::metrics::Samples;
use crate::queue::{self, DiskFs, OpenError, Queue, QueueError};
use crate::store::Store;

use self::http::Target;
use self::task::Task;

/// When rows are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Merged, once nothing was added for so long.
    Settled(Duration),
    /// Each copy at once.
    AsReceived,
}

/// A sink as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    /// Its name, in metrics and as its folder.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What requests are signed with.
    pub secret: Option<String>,
    /// When rows are sent.
    pub when: When,
    /// The bound of its queue.
    pub max_bytes: u64,
}

/// Where merged slices come from.
#[derive(Clone)]
pub struct Source {
    /// The store.
    pub store: Arc<dyn Store>,
    /// While this file is there, the store is being filled again and does not have everything.
    pub incomplete: PathBuf,
}

/// What was sent so far.
#[derive(Debug, Default)]
pub struct Counts {
    pub(crate) lines: AtomicU64,
    pub(crate) posts: AtomicU64,
    pub(crate) failures: AtomicU64,
    dropped: AtomicU64,
}

/// A sink at work.
pub struct Sink {
    name: String,
    queue: Queue,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

/// The way into a sink.
#[derive(Clone)]
pub struct Spool {
    name: String,
    queue: Queue,
    counts: Arc<Counts>,
}

impl Sink {
    /// Opens the queue of a sink in a folder of its own under `data_dir`, and starts to send. Blocks on the disk; call it
    /// within a runtime.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn start(config: &SinkConfig, data_dir: &Path, source: Source, clock: Clock) -> Result<Self, OpenError> {
        let settings = queue::Config { max_bytes: config.max_bytes, ..queue::Config::new(folder(data_dir, config)) };
        let (queue, reader) = Queue::open(&settings, Arc::new(DiskFs))?;
        let counts = Arc::new(Counts::default());
        let target = Target::new(config.url.clone(), config.secret.clone(), clock);
        let task = Task::new(config.name.clone(), config.when, reader, source, target, Arc::clone(&counts));
        Ok(Self { name: config.name.clone(), queue, counts, task: tokio::spawn(task.run()) })
    }

    /// The way into it.
    #[must_use]
    pub fn spool(&self) -> Spool {
        Spool { name: self.name.clone(), queue: self.queue.clone(), counts: Arc::clone(&self.counts) }
    }

    /// Stops sending; what is not sent is sent after the next start.
    pub async fn stop(&self) {
        self.task.abort();
        self.queue.close().await;
    }

    /// Writes the figures as samples.
    pub fn write_metrics(&self, samples: &mut Samples) {
        let (labels, stats) = ([("sink", &*self.name)], self.queue.stats());
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, value) in [
            ("quartile_sink_lag_records", stats.records),
            ("quartile_sink_queue_bytes", stats.bytes),
            ("quartile_sink_lines_total", value(&self.counts.lines)),
            ("quartile_sink_posts_total", value(&self.counts.posts)),
            ("quartile_sink_failures_total", value(&self.counts.failures)),
            ("quartile_sink_dropped_records_total", value(&self.counts.dropped)),
            ("quartile_sink_lost_records_total", stats.lost_records),
        ] {
            samples.add(name, &labels, value);
        }
    }
}

impl Spool {
    /// Keeps records for the sink. What does not fit is dropped and counted.
    ///
    /// # Errors
    /// [`QueueError`] when they cannot be written down; they are to be given again.
    pub async fn take(&self, payloads: Vec<Vec<u8>>) -> Result<(), QueueError> {
        let count = payloads.len() as u64;
        match self.queue.append_all(payloads).await {
            Err(QueueError::Full) => {
                self.counts.dropped.fetch_add(count, Ordering::Relaxed);
                tracing::error!(sink = self.name, records = count, "the queue of a sink is full: it misses records");
                Ok(())
            }
            other => other,
        }
    }
}

fn folder(data_dir: &Path, config: &SinkConfig) -> PathBuf {
    data_dir.join("sinks").join(&config.name)
}
