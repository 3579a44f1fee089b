//! The task of a sink: from its queue over the network.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::RowKey;
use tokio::time::{Instant, timeout};

use super::http::Target;
use super::settling::Settling;
use super::{Counts, Source, When, line};
use crate::ingest::Record;
use crate::queue::{self, Position, QueueError, Reader};
use crate::store::{Store, StoreError};

/// Records read at once, and their bytes.
const RECORDS: usize = 2_000;
const BYTES: usize = 2 << 20;

/// Lines in one request.
const LINES: usize = 2_000;

/// How often it is looked whether slices have settled.
const LOOK: Duration = Duration::from_millis(500);

/// Waiting times after a failure: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(60));

/// The longest wait for the store, which is on this machine.
const STORE_WAIT: Duration = Duration::from_secs(2);

pub struct Task {
    name: String,
    when: When,
    reader: Reader,
    source: Source,
    target: Target,
    counts: Arc<Counts>,
    began: Instant,
    committed: Option<Position>,
}

impl Task {
    pub fn new(name: String, when: When, reader: Reader, source: Source, target: Target, counts: Arc<Counts>) -> Self {
        Self { name, when, reader, source, target, counts, began: Instant::now(), committed: None }
    }

    /// Sends until the queue is closed.
    pub async fn run(mut self) {
        let settle_after = match self.when {
            When::Settled(after) => after,
            When::AsReceived => Duration::ZERO,
        };
        let mut settling = Settling::new(settle_after);
        loop {
            match timeout(LOOK, self.reader.next_batch(RECORDS, BYTES)).await {
                Ok(Ok(Some(records))) => self.take(records, &mut settling).await,
                Ok(Ok(None)) => return,
                Ok(Err(error)) => self.failed(&error).await,
                Err(_) => {}
            }
            self.send_settled(&mut settling).await;
            if let Err(error) = self.commit(&settling).await {
                self.failed(&error).await;
            }
        }
    }

    async fn failed(&self, error: &QueueError) {
        tracing::error!(sink = self.name, ?error, "the queue of a sink fails; trying again");
        tokio::time::sleep(BACKOFF.0).await;
    }

    /// Sends what is sent at once, and remembers which slices were added to.
    async fn take(&self, records: Vec<queue::Record>, settling: &mut Settling) {
        let now = self.began.elapsed();
        let mut lines = Vec::new();
        for queued in records {
            // What is no record is a dead letter of the store.
            let Ok(record) = Record::decode(&queued.payload) else { continue };
            let (rows, events) = record.into_rows();
            match self.when {
                When::AsReceived => lines.extend(rows.iter().map(line::slice)),
                When::Settled(_) => {
                    rows.into_iter().for_each(|row| settling.touch(row.key, queued.position, now));
                }
            }
            lines.extend(events.iter().map(line::event));
            settling.read(queued.position);
        }
        self.send(lines).await;
    }

    async fn send_settled(&self, settling: &mut Settling) {
        if self.source.incomplete.exists() {
            return;
        }
        loop {
            let due = settling.due(self.began.elapsed());
            if due.is_empty() {
                return;
            }
            let lines = self.merged(&due).await;
            self.send(lines).await;
            settling.sent(&due);
        }
    }

    /// Slices as the store has them, for as long as it takes the store to answer, and to have everything: from a store that
    /// is being filled again would come less than was sent before.
    async fn merged(&self, keys: &[RowKey]) -> Vec<String> {
        let mut backoff = BACKOFF.0;
        loop {
            let (store, keys) = (Arc::clone(&self.source.store), keys.to_vec());
            let read = tokio::task::spawn_blocking(move || merged(&*store, &keys)).await;
            // Looked at afterwards: the store may have been begun anew between two attempts.
            match read {
                Ok(Ok(lines)) if !self.source.incomplete.exists() => return lines,
                failed => tracing::debug!(sink = self.name, ?failed, "the store cannot give slices now"),
            }
            backoff = wait(backoff, None).await.min(STORE_WAIT);
        }
    }

    /// Sends lines, for as long as it takes.
    async fn send(&self, lines: Vec<String>) {
        let mut groups: Vec<_> = lines.chunks(LINES).rev().map(<[String]>::to_vec).collect();
        let mut backoff = BACKOFF.0;
        while let Some(mut group) = groups.pop() {
            let target = self.target.clone();
            let sending = tokio::task::spawn_blocking(move || {
                let sent = target.post(&group);
                (sent, group)
            });
            // It panics only while the collector is being taken down.
            let Ok((sent, tried)) = sending.await else { return };
            group = tried;
            match sent {
                Ok(()) => {
                    self.counts.lines.fetch_add(group.len() as u64, Ordering::Relaxed);
                    self.counts.posts.fetch_add(1, Ordering::Relaxed);
                    backoff = BACKOFF.0;
                }
                Err(error) if error.is_too_large() && group.len() > 1 => {
                    let rest = group.split_off(group.len() / 2);
                    groups.extend([rest, group]);
                }
                Err(error) => {
                    self.counts.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(sink = self.name, ?error, wait = ?backoff, "a sink does not take rows; trying again");
                    backoff = wait(backoff, error.wait()).await;
                    groups.push(group);
                }
            }
        }
    }

    async fn commit(&mut self, settling: &Settling) -> Result<(), QueueError> {
        let done = settling.done();
        if let Some(position) = done.filter(|_| done > self.committed) {
            self.reader.commit(position).await?;
            self.committed = done;
        }
        Ok(())
    }
}

/// Waits, and tells how long to wait the next time.
async fn wait(backoff: Duration, asked: Option<Duration>) -> Duration {
    tokio::time::sleep(asked.unwrap_or(backoff).max(backoff)).await;
    (2 * backoff).min(BACKOFF.1)
}

fn merged(store: &dyn Store, keys: &[RowKey]) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::with_capacity(keys.len());
    // Keys are sorted by site.
    for of_site in keys.chunk_by(|a, b| a.site == b.site) {
        let Some(site) = of_site.first().map(|key| -> &SiteId { &key.site }) else { continue };
        let wanted: Vec<(ViewId, u32)> = of_site.iter().map(|key| (key.view, key.n)).collect();
        lines.extend(store.rows(site, &wanted)?.iter().map(line::slice));
    }
    Ok(lines)
}
