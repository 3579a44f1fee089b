//! From the queue into the store, and from there into further sinks.
//!
//! What is read is decoded, given to the store and only then committed: after a crash the same records are given again,
//! which changes nothing, because a store merges copies. A store that cannot now is asked again, for as long as it
//! takes; meanwhile the queue fills, and when it is full senders are told to come back.
//!
//! | module | holds |
//! |---|---|
//! | [`delivery`] | records into a store; what it can never take is found by halving, and the rest goes on |
//! | [`letters`] | the files of what can never be stored, each with its reason |
//! | [`progress`] | counters, and how far the store is behind |
//! | [`feed`] | records that were stored before, again |
//! | [`replay`] | dead letters, again |

pub mod delivery;
pub mod feed;
pub mod letters;
pub mod progress;
pub mod replay;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use self::delivery::{Delivery, DeliveryError};
use self::progress::{Amount, Delivered, Progress};
use crate::queue::{self, QueueError, Reader};
use crate::sink::Spool;
use crate::store::StoreError;

/// Records that are read, given to the store and committed together.
const RECORDS: usize = 5_000;

/// Bytes of records that are read, given to the store and committed together.
const BYTES: usize = 4 << 20;

/// Bytes after which a group counts as large: more is likely to wait behind it.
const LARGE: usize = BYTES / 2;

/// Waiting times after a failure: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The task that forwards.
pub struct Forwarder {
    reader: Reader,
    delivery: Delivery,
    spools: Vec<Spool>,
    delay: Duration,
    progress: Arc<Progress>,
    /// The last group was large: the next one has company enough.
    hurries: bool,
}

/// Forwarding ended before the queue did.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The store was closed.
    #[error("the store ended before the queue was empty")]
    StoreEnded,
}

impl Forwarder {
    /// A forwarder that lets rows wait `delay` for company, and gives what the store took to `spools`.
    #[must_use]
    pub fn new(
        reader: Reader,
        delivery: Delivery,
        spools: Vec<Spool>,
        delay: Duration,
        progress: Arc<Progress>,
    ) -> Self {
        Self { reader, delivery, spools, delay, progress, hurries: false }
    }

    /// Forwards until the queue is closed and empty. Once `stop` says so, nothing waits for company any more.
    ///
    /// # Errors
    /// [`ForwardError`]; what was not forwarded is in the queue.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), ForwardError> {
        self.count_backlog().await;
        let mut backoff = BACKOFF.0;
        loop {
            let error = match self.step(&mut stop).await {
                Ok(true) => {
                    backoff = BACKOFF.0;
                    continue;
                }
                Ok(false) => return Ok(()),
                Err(StepError::Delivery(DeliveryError::Store(StoreError::Closed))) => {
                    return Err(ForwardError::StoreEnded);
                }
                Err(error) => error,
            };
            tracing::error!(?error, "what is queued cannot be forwarded; trying again");
            self.progress.failures.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(backoff).await;
            self.reader.rewind();
            backoff = (2 * backoff).min(BACKOFF.1);
        }
    }

    /// Counts what waited when the queue was opened, for the lag.
    async fn count_backlog(&self) {
        match self.reader.survey(Amount::default(), delivery::count).await {
            Ok(backlog) => self.progress.begin(backlog),
            // What cannot be read now is read again, and told, a moment later.
            Err(error) => tracing::warn!(%error, "what waits in the queue could not be counted"),
        }
    }

    /// Forwards what there is; tells whether there may be more.
    async fn step(&mut self, stop: &mut watch::Receiver<bool>) -> Result<bool, StepError> {
        let Some(first) = self.reader.next_batch(1, BYTES).await? else { return Ok(false) };
        drop(first);
        if !self.hurries {
            // Which of the two it was does not matter.
            drop(tokio::time::timeout(self.delay, stop.wait_for(|stop| *stop)).await);
        }
        self.reader.rewind();
        let Some(records) = self.reader.next_batch(RECORDS, BYTES).await? else { return Ok(false) };
        let Some(last) = records.last().map(|record| record.position) else { return Ok(true) };
        self.hurries = records.len() == RECORDS || payload_bytes(&records) >= LARGE;
        let (delivered, records) = self.deliver(records).await?;
        self.spool(records).await?;
        self.reader.commit(last).await?;
        self.progress.settle(&delivered, &self.reader.stats());
        Ok(true)
    }

    /// Gives the store what it takes, and the records back.
    async fn deliver(&self, records: Vec<queue::Record>) -> Result<(Delivered, Vec<queue::Record>), StepError> {
        let delivery = self.delivery.clone();
        let work = tokio::task::spawn_blocking(move || {
            let delivered = delivery.deliver(&records)?;
            if let Some(last) = records.last() {
                delivery.mark(last.position.get() + 1)?;
            }
            Ok((delivered, records))
        });
        // A store that panics is asked again like one that fails: its lock is not held any more.
        work.await.map_err(|error| StepError::Panicked(error.to_string()))?.map_err(StepError::Delivery)
    }

    /// Gives further sinks what the store took. The last of them, mostly the only one, gets it without a copy.
    async fn spool(&self, records: Vec<queue::Record>) -> Result<(), QueueError> {
        let Some((last, others)) = self.spools.split_last() else { return Ok(()) };
        let payloads: Vec<_> = records.into_iter().map(|record| record.payload).collect();
        for spool in others {
            spool.take(payloads.clone()).await?;
        }
        last.take(payloads).await
    }
}

fn payload_bytes(records: &[queue::Record]) -> usize {
    records.iter().map(|record| record.payload.len()).sum()
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown in the log")]
enum StepError {
    Queue(QueueError),
    Delivery(DeliveryError),
    Panicked(String),
}

impl From<QueueError> for StepError {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}
