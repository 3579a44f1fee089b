//! How far forwarding is, as figures.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quartile_protocol::clock::Wall;

use crate::metrics::Samples;
use crate::queue;

/// What was forwarded so far.
#[derive(Debug, Default)]
pub struct Progress {
    records: AtomicU64,
    rows: AtomicU64,
    events: AtomicU64,
    pub(super) dead_letters: AtomicU64,
    pub(super) lost_letters: AtomicU64,
    pub(super) failures: AtomicU64,
    place: Mutex<Place>,
}

/// What is needed to tell how far behind the store is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Items and bytes that waited in the queue when it was opened.
    backlog: Amount,
    /// Of those and of what was appended since, what was dealt with.
    settled: Amount,
    /// When the oldest record that is not dealt with was received, as far as it is known.
    oldest: Option<Wall>,
}

/// Items, which are slices and events, and bytes of their records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Slices and events.
    pub items: u64,
    /// Bytes in segments.
    pub bytes: u64,
}

/// How far the store is behind the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Slices and events that are acknowledged and not in the store.
    pub rows: u64,
    /// Bytes of their records.
    pub bytes: u64,
    /// For how long the oldest of them has waited, in seconds.
    pub seconds: u64,
}

/// What one group of records came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivered {
    /// Records.
    pub records: u64,
    /// Slices that the store took.
    pub rows: u64,
    /// Events that the store took.
    pub events: u64,
    /// Slices, events and whole records that it never will.
    pub dead: u64,
    /// Slices and events in the records, and their bytes.
    pub amount: Amount,
    /// When the last of the records was received.
    pub last_received: Option<Wall>,
}

impl Progress {
    /// Records that were dealt with.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Slices, events and unreadable records that were set aside.
    #[must_use]
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters.load(Ordering::Relaxed)
    }

    /// How far the store is behind the queue with these figures.
    #[must_use]
    pub fn lag(&self, queue: &queue::Stats, now: Wall) -> Lag {
        // Whatever the counts say: a consumed queue is not behind.
        if queue.records == 0 {
            return Lag::default();
        }
        let place = *self.place();
        let received = place.backlog.plus(queue.appended_items, queue.appended_bytes);
        let waited_ms = place.oldest.map_or(0, |oldest| now.since(oldest).max(0));
        Lag {
            rows: received.items.saturating_sub(place.settled.items),
            bytes: received.bytes.saturating_sub(place.settled.bytes),
            seconds: u64::try_from(waited_ms).unwrap_or_default() / 1_000,
        }
    }

    pub(super) fn begin(&self, backlog: Amount) {
        self.place().backlog = backlog;
    }

    pub(super) fn waits_since(&self, received: Option<Wall>) {
        self.place().oldest = received;
    }

    /// Enters what was dealt with, the figures of the queue being those right after it was told so.
    pub(super) fn settle(&self, delivered: &Delivered, queue: &queue::Stats) {
        self.records.fetch_add(delivered.records, Ordering::Relaxed);
        self.rows.fetch_add(delivered.rows, Ordering::Relaxed);
        self.events.fetch_add(delivered.events, Ordering::Relaxed);
        let mut place = self.place();
        place.oldest = delivered.last_received;
        place.settled = if queue.records == 0 {
            // With this, what damage took from the queue is not waited for.
            place.backlog.plus(queue.appended_items, queue.appended_bytes)
        } else {
            place.settled.plus(delivered.amount.items, delivered.amount.bytes)
        };
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the counters as samples.
    pub fn write_metrics(&self, samples: &mut Samples, queue: &queue::Stats, now: Wall) {
        for (name, counter) in [
            ("quartile_forward_records_total", &self.records),
            ("quartile_forward_rows_total", &self.rows),
            ("quartile_forward_events_total", &self.events),
            ("quartile_forward_dead_letters_total", &self.dead_letters),
            ("quartile_forward_dead_letters_lost_total", &self.lost_letters),
            ("quartile_forward_failures_total", &self.failures),
        ] {
            samples.add(name, &[], counter.load(Ordering::Relaxed));
        }
        let lag = self.lag(queue, now);
        samples.add("quartile_forward_lag_rows", &[], lag.rows);
        samples.add("quartile_forward_lag_bytes", &[], lag.bytes);
        samples.add("quartile_forward_lag_seconds", &[], lag.seconds);
    }
}

impl Amount {
    pub(super) const fn plus(self, items: u64, bytes: u64) -> Self {
        Self { items: self.items.saturating_add(items), bytes: self.bytes.saturating_add(bytes) }
    }
}
