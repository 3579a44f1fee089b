//! Records into a store: decoded, appended together, and where the store refuses, halved until what it refuses is alone.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use quartile_protocol::clock::Wall;
use quartile_protocol::row::{EventRow, Row};

use super::letters::{DeadLetters, Kept};
use super::progress::{Amount, Delivered, Progress};
use crate::ingest::Record;
use crate::queue;
use crate::store::{Store, StoreError};

/// Bytes of records that are held as rows at once, which takes several times as much.
const PART_BYTES: usize = 1 << 20;

/// Where records go, and what becomes of what can never get there.
#[derive(Clone)]
pub struct Delivery {
    store: Arc<dyn Store>,
    letters: DeadLetters,
    progress: Arc<Progress>,
}

/// Why records were not delivered; all of them are to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The store did not take them.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store refuses could not be set aside.
    #[error("a dead letter could not be written")]
    Letter(#[from] io::Error),
}

/// Rows with the record that each is from.
struct Rows {
    slices: Vec<Row>,
    slices_from: Vec<usize>,
    events: Vec<EventRow>,
    events_from: Vec<usize>,
}

/// A part of them.
#[derive(Clone, Copy)]
struct Part<'a> {
    slices: &'a [Row],
    slices_from: &'a [usize],
    events: &'a [EventRow],
    events_from: &'a [usize],
}

impl Delivery {
    /// Delivers to `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, letters: DeadLetters, progress: Arc<Progress>) -> Self {
        Self { store, letters, progress }
    }

    /// Stores records. What the store can never take, and what is no record, is set aside, and the rest goes on. Blocks.
    ///
    /// # Errors
    /// [`DeliveryError`]; some of the records may be stored, which does no harm when they are given again.
    pub fn deliver(&self, records: &[queue::Record]) -> Result<Delivered, DeliveryError> {
        let mut delivered = Delivered { records: records.len() as u64, ..Delivered::default() };
        let mut left = records;
        while !left.is_empty() {
            let (part, rest) = left.split_at(fitting(left));
            self.deliver_part(part, &mut delivered)?;
            left = rest;
        }
        Ok(delivered)
    }

    /// Stores as many records as are held as rows at once.
    fn deliver_part(&self, records: &[queue::Record], delivered: &mut Delivered) -> Result<(), DeliveryError> {
        let mut rows =
            Rows { slices: Vec::new(), slices_from: Vec::new(), events: Vec::new(), events_from: Vec::new() };
        let mut first_received: Option<Wall> = None;
        for (index, queued) in records.iter().enumerate() {
            match Record::decode(&queued.payload) {
                Ok(record) => {
                    delivered.amount = delivered.amount.plus(record.items(), queued.bytes());
                    first_received = first_received.or(record.received_at);
                    delivered.last_received = record.received_at.or(delivered.last_received);
                    rows.add(index, record);
                }
                Err(error) => {
                    delivered.amount = delivered.amount.plus(0, queued.bytes());
                    delivered.dead += 1;
                    self.enter(queued, &error, self.letters.keep_whole(queued, &error)?);
                }
            }
        }
        self.progress.waits_since(first_received);
        delivered.rows += rows.slices.len() as u64;
        delivered.events += rows.events.len() as u64;
        self.append(rows.all(), records, delivered)
    }

    /// Lets the store remember that everything before this position of the queue was delivered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mark(&self, position: u64) -> Result<(), StoreError> {
        self.store.mark(position)
    }

    fn append(
        &self,
        part: Part<'_>,
        records: &[queue::Record],
        delivered: &mut Delivered,
    ) -> Result<(), DeliveryError> {
        match self.store.append(part.slices, part.events) {
            Err(error @ StoreError::Refused(_)) => match part.halves() {
                Some([first, second]) => {
                    self.append(first, records, delivered)?;
                    self.append(second, records, delivered)
                }
                None => self.set_aside(part, records, &error, delivered),
            },
            other => Ok(other?),
        }
    }

    /// Sets the one slice or event of `part` aside.
    fn set_aside(
        &self,
        part: Part<'_>,
        records: &[queue::Record],
        reason: &StoreError,
        delivered: &mut Delivered,
    ) -> Result<(), DeliveryError> {
        let refused = match (part.slices, part.events) {
            ([row], _) => {
                delivered.rows -= 1;
                let key = &row.key;
                Some((part.slices_from[0], format!("{}-s{}", key.view, key.n), Narrow::Slice(key.view, key.n)))
            }
            (_, [event]) => {
                delivered.events -= 1;
                let (view, seq) = (event.view, event.event.seq);
                Some((part.events_from[0], format!("{view}-e{seq}"), Narrow::Event(view, seq)))
            }
            _ => None,
        };
        let Some((from, name, narrow)) = refused else { return Ok(()) };
        delivered.dead += 1;
        let queued = &records[from];
        let kept = match Record::decode(&queued.payload).ok().and_then(|record| narrow.of(&record)) {
            Some(only) => self.letters.keep_item(queued.position.get(), &name, reason, &only)?,
            // It was decoded a moment ago.
            None => self.letters.keep_whole(queued, reason)?,
        };
        self.enter(queued, reason, kept);
        Ok(())
    }

    fn enter(&self, queued: &queue::Record, reason: &dyn Error, kept: Kept) {
        let position = queued.position;
        match kept {
            Kept::New => {
                self.progress.dead_letters.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%position, ?reason, "what can never be stored was set aside as a dead letter");
            }
            Kept::Known => {}
            Kept::Full => {
                self.progress.lost_letters.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%position, ?reason, "LOST: it can never be stored, and there are too many dead letters");
            }
        }
    }
}

/// What of a record to keep.
enum Narrow {
    Slice(quartile_protocol::id::ViewId, u32),
    Event(quartile_protocol::id::ViewId, u32),
}

impl Narrow {
    fn of(&self, record: &Record) -> Option<Record> {
        match *self {
            Self::Slice(view, n) => record.only_slice(view, n),
            Self::Event(view, seq) => record.only_event(view, seq),
        }
    }
}

impl Rows {
    fn add(&mut self, from: usize, record: Record) {
        let (slices, events) = record.into_rows();
        self.slices_from.extend(slices.iter().map(|_| from));
        self.events_from.extend(events.iter().map(|_| from));
        self.slices.extend(slices);
        self.events.extend(events);
    }

    fn all(&self) -> Part<'_> {
        Part {
            slices: &self.slices,
            slices_from: &self.slices_from,
            events: &self.events,
            events_from: &self.events_from,
        }
    }
}

impl Part<'_> {
    /// Two smaller parts; `None` of one row.
    fn halves(self) -> Option<[Self; 2]> {
        // Slices apart from events first: what is wrong is mostly wrong with one of them.
        let (slices, events) = match (self.slices.len(), self.events.len()) {
            (0, 0..=1) | (1, 0) => return None,
            (slices, 0) => (slices / 2, 0),
            (0, events) => (0, events / 2),
            (slices, _) => (slices, 0),
        };
        let (first, second) = (self.slices.split_at(slices), self.events.split_at(events));
        let (first_from, second_from) = (self.slices_from.split_at(slices), self.events_from.split_at(events));
        let part = |slices, slices_from, events, events_from| Self { slices, slices_from, events, events_from };
        Some([
            part(first.0, first_from.0, second.0, second_from.0),
            part(first.1, first_from.1, second.1, second_from.1),
        ])
    }
}

/// How many of these records become rows at once; at least one.
fn fitting(records: &[queue::Record]) -> usize {
    let sums = records.iter().scan(0, |bytes, record| {
        *bytes += record.payload.len();
        Some(*bytes)
    });
    sums.take_while(|&bytes| bytes <= PART_BYTES).count().max(1)
}

/// What waits in a queue, record by record.
pub(super) fn count(backlog: &mut Amount, payload: &[u8]) {
    *backlog = backlog.plus(Record::count_items(payload), queue::record_bytes(payload));
}

impl queue::Record {
    /// Its bytes in a segment.
    fn bytes(&self) -> u64 {
        queue::record_bytes(&self.payload)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::queue::Position;
    use crate::store::conformance::Place;
    use crate::store::memory::InMemory;

    /// A record of one slice, the id of its view ending with `number`, as long as wanted.
    fn queued(number: usize, bytes: usize) -> queue::Record {
        let id = format!("0199a2f0-1c3e-7000-8000-{number:012x}");
        let rest = format!(r#""site":"demo","views":[{{"id":"{id}","slices":[{{"n":0,"at":1790000000000}}]}}]}}"#);
        let filling = "x".repeat(bytes.saturating_sub(rest.len() + 14));
        let payload = format!(r#"{{"v":1,"_":"{filling}",{rest}"#).into_bytes();
        queue::Record { position: Position::at(number as u64), payload }
    }

    #[test]
    fn rows_are_held_a_part_at_a_time_and_a_part_is_never_empty() {
        let sizes = |bytes: &[usize]| {
            let records: Vec<_> = bytes.iter().map(|&bytes| queued(0, bytes)).collect();
            fitting(&records)
        };
        assert_eq!(sizes(&[PART_BYTES / 2, PART_BYTES / 2, 1_000]), 2);
        assert_eq!(sizes(&[2 * PART_BYTES, 1_000]), 1);
        assert_eq!(sizes(&[1_000, 1_000]), 2);
    }

    #[test]
    fn what_takes_several_parts_is_stored_whole() {
        let folder = TempDir::new().unwrap();
        let store: Arc<dyn Store> = InMemory::new().open().into();
        let letters = DeadLetters::new(folder.path().join("letters"));
        let delivery = Delivery::new(Arc::clone(&store), letters, Arc::default());
        let mut records: Vec<_> = (0..5).map(|number| queued(number, PART_BYTES / 2)).collect();
        records.push(queue::Record { position: Position::at(5), payload: b"no record".to_vec() });
        let delivered = delivery.deliver(&records).unwrap();
        assert_eq!((delivered.records, delivered.rows, delivered.dead), (6, 5, 1));
        let keys = records[..5].iter().map(|queued| Record::decode(&queued.payload).unwrap().views[0].id);
        let keys: Vec<_> = keys.map(|view| (view, 0)).collect();
        let site = quartile_protocol::id::SiteId::new("demo").unwrap();
        assert_eq!(store.rows(&site, &keys).unwrap().len(), 5);
    }
}
