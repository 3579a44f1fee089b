//! From the queue into the store.
//!
//! What is read is decoded, given to the store and only then committed: after a crash the same records are given again,
//! which changes nothing, because a store merges copies. A store that cannot now is asked again, for as long as it
//! takes; meanwhile the queue fills, and when it is full senders are told to come back. What can never be stored, or is
//! no record, is set aside in the folder `dead-letters`, one file each, and counted: the rest goes on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quartile_protocol::row::{EventRow, Row};
use tokio::sync::watch;

use crate::ingest::Record;
use crate::ingest::accounts::Samples;
use crate::queue::{self, QueueError, Reader};
use crate::store::{Store, StoreError};

/// Records that are given to the store at once.
const RECORDS: usize = 5_000;

/// Bytes of records that are given to the store at once. In memory rows take many times as much.
const BYTES: usize = 2 << 20;

/// Waiting times after a failure: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Dead letters that are kept; beyond that they are only counted.
const DEAD_LETTERS: usize = 1_000;

/// What was forwarded so far.
#[derive(Debug, Default)]
pub struct Progress {
    records: AtomicU64,
    rows: AtomicU64,
    events: AtomicU64,
    dead_letters: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    /// Records that the store has.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Records that were set aside.
    #[must_use]
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters.load(Ordering::Relaxed)
    }

    /// Writes the counters as samples.
    pub fn write_metrics(&self, samples: &mut Samples) {
        for (name, counter) in [
            ("quartile_forward_records_total", &self.records),
            ("quartile_forward_rows_total", &self.rows),
            ("quartile_forward_events_total", &self.events),
            ("quartile_forward_dead_letters_total", &self.dead_letters),
            ("quartile_forward_failures_total", &self.failures),
        ] {
            samples.add(name, &[], counter.load(Ordering::Relaxed));
        }
    }
}

/// The task that forwards.
pub struct Forwarder {
    reader: Reader,
    store: Arc<dyn Store>,
    delay: Duration,
    dead_letters: PathBuf,
    progress: Arc<Progress>,
}

/// A record of the queue that can be read.
struct Letter {
    queued: queue::Record,
    rows: Vec<Row>,
    events: Vec<EventRow>,
}

/// Forwarding ended before the queue did.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The store was closed, or a thread of it panicked.
    #[error("the store ended before the queue was empty")]
    StoreEnded,
}

impl Forwarder {
    /// A forwarder that lets rows wait `delay` for company.
    #[must_use]
    pub fn new(
        reader: Reader,
        store: Arc<dyn Store>,
        delay: Duration,
        dead_letters: PathBuf,
        progress: Arc<Progress>,
    ) -> Self {
        Self { reader, store, delay, dead_letters, progress }
    }

    /// Forwards until the queue is closed and empty. Once `stop` says so, nothing waits for company any more.
    ///
    /// # Errors
    /// [`ForwardError`]; what was not forwarded is in the queue.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), ForwardError> {
        let mut backoff = BACKOFF.0;
        loop {
            match self.step(&mut stop).await {
                Ok(true) => backoff = BACKOFF.0,
                Ok(false) => return Ok(()),
                Err(StepError::Ended) => return Err(ForwardError::StoreEnded),
                Err(StepError::Queue(error)) => {
                    tracing::error!(%error, "the queue cannot be read or committed; trying again");
                    backoff = self.wait(backoff).await;
                }
                Err(StepError::Store(error)) => {
                    tracing::error!(error = ?error, "the store does not take rows; trying again");
                    backoff = self.wait(backoff).await;
                }
            }
        }
    }

    /// Waits, counts the failure, goes back to what is not committed, and tells how long to wait the next time.
    async fn wait(&mut self, backoff: Duration) -> Duration {
        self.progress.failures.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(backoff).await;
        self.reader.rewind();
        (2 * backoff).min(BACKOFF.1)
    }

    /// Forwards what there is; tells whether there may be more.
    async fn step(&mut self, stop: &mut watch::Receiver<bool>) -> Result<bool, StepError> {
        let Some(first) = self.reader.next_batch(1, BYTES).await? else { return Ok(false) };
        drop(first);
        // Which of the two it was does not matter.
        drop(tokio::time::timeout(self.delay, stop.wait_for(|stop| *stop)).await);
        self.reader.rewind();
        let Some(records) = self.reader.next_batch(RECORDS, BYTES).await? else { return Ok(false) };
        let Some(last) = records.last().map(|record| record.position) else { return Ok(true) };

        let count = records.len() as u64;
        let letters = self.read(records).await?;
        let (mut rows, mut events) = (0, 0);
        for letter in &letters {
            rows += letter.rows.len() as u64;
            events += letter.events.len() as u64;
        }
        let set_aside = self.store(letters).await?;
        self.reader.commit(last).await?;
        self.progress.records.fetch_add(count - set_aside, Ordering::Relaxed);
        self.progress.rows.fetch_add(rows, Ordering::Relaxed);
        self.progress.events.fetch_add(events, Ordering::Relaxed);
        Ok(true)
    }

    /// Decodes records; those that are none are set aside.
    async fn read(&self, records: Vec<queue::Record>) -> Result<Vec<Letter>, StepError> {
        let (dead_letters, progress) = (self.dead_letters.clone(), Arc::clone(&self.progress));
        let reading = move || {
            let mut letters = Vec::with_capacity(records.len());
            for queued in records {
                match Record::decode(&queued.payload) {
                    Ok(record) => {
                        let (rows, events) = record.into_rows();
                        letters.push(Letter { queued, rows, events });
                    }
                    Err(error) => set_aside(&dead_letters, &queued, &error, &progress),
                }
            }
            letters
        };
        tokio::task::spawn_blocking(reading).await.map_err(|_| StepError::Ended)
    }

    /// Stores letters, and sets those aside that can never be stored: the group is halved until they are alone.
    async fn store(&self, letters: Vec<Letter>) -> Result<u64, StepError> {
        let (store, dead_letters) = (Arc::clone(&self.store), self.dead_letters.clone());
        let progress = Arc::clone(&self.progress);
        let storing = move || {
            let mut groups = vec![letters];
            let mut refused = 0;
            while let Some(mut group) = groups.pop() {
                let rows: Vec<_> = group.iter().flat_map(|letter| letter.rows.iter().cloned()).collect();
                let events: Vec<_> = group.iter().flat_map(|letter| letter.events.iter().cloned()).collect();
                match store.append(&rows, &events) {
                    Ok(()) => {}
                    Err(error @ (StoreError::Unavailable(_) | StoreError::TooSlow)) => {
                        return Err(StepError::Store(error));
                    }
                    Err(StoreError::Closed) => return Err(StepError::Ended),
                    Err(StoreError::Refused(_)) if group.len() > 1 => {
                        groups.push(group.split_off(group.len() / 2));
                        groups.push(group);
                    }
                    Err(error @ StoreError::Refused(_)) => {
                        refused += 1;
                        for letter in &group {
                            set_aside(&dead_letters, &letter.queued, &error, &progress);
                        }
                    }
                }
            }
            Ok(refused)
        };
        tokio::task::spawn_blocking(storing).await.unwrap_or(Err(StepError::Ended))
    }
}

enum StepError {
    Queue(QueueError),
    Store(StoreError),
    Ended,
}

impl From<QueueError> for StepError {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

/// Keeps what cannot be stored for somebody to look at.
fn set_aside(folder: &Path, queued: &queue::Record, reason: &dyn std::error::Error, progress: &Progress) {
    let position = queued.position;
    progress.dead_letters.fetch_add(1, Ordering::Relaxed);
    match write_dead_letter(folder, queued) {
        Ok(true) => tracing::error!(%position, ?reason, "a record cannot be stored and was set aside"),
        Ok(false) => tracing::error!(%position, ?reason, "a record cannot be stored, and no more are set aside"),
        Err(error) => tracing::error!(%position, ?reason, %error, "a record can be neither stored nor set aside"),
    }
}

/// Tells whether there was room.
fn write_dead_letter(folder: &Path, queued: &queue::Record) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.count() >= DEAD_LETTERS {
        return Ok(false);
    }
    fs::write(folder.join(format!("{}.json", queued.position)), &queued.payload)?;
    Ok(true)
}
