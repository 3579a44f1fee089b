//! The side of the queue that gives records out.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::aside;
use super::cursor;
use super::error::QueueError;
use super::format::{Position, Record, segment_name};
use super::scan::{Extent, Scanner, Step};
use super::state::{Segment, Shared, Stats};

/// How often the same place is tried before the rest of its segment is given up.
const READ_ATTEMPTS: u32 = 5;

/// What a survey holds in memory at once.
const SURVEY_RECORDS: usize = 5_000;
const SURVEY_BYTES: usize = 4 << 20;

/// The one consumer of a queue.
pub struct Reader {
    shared: Arc<Shared>,
    place: Arc<Mutex<Place>>,
    /// The next position to give out. Here and not in `place`, so that a call that is cancelled changes nothing.
    next: Position,
}

/// Where in the files reading stands; only to go on without searching.
struct Place {
    open: Option<OpenSegment>,
    /// Lost records before this position are counted already.
    counted: Position,
    failures: u32,
}

struct OpenSegment {
    base: Position,
    scanner: Scanner,
    /// What the scanner found for a `next` and the batch had no room for.
    held: Option<(Position, Record)>,
}

impl OpenSegment {
    /// Whether everything from `next` on is still to come.
    fn leads_to(&self, next: Position) -> bool {
        match &self.held {
            Some((asked, _)) => *asked == next,
            None => self.scanner.expected() <= next,
        }
    }
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let next = shared.state().cursor;
        let place = Place { open: None, counted: next, failures: 0 };
        Self { shared, place: Arc::new(Mutex::new(place)), next }
    }

    /// The next records: at least one, at most `max_records`, and no more than `max_bytes` of payload unless the first
    /// alone has more. Waits until there is one. `None` when the queue is closed and everything was read.
    ///
    /// It can be cancelled without losing anything.
    ///
    /// # Errors
    ///
    /// [`QueueError::Io`] when the disk cannot be read; after several attempts the place is stepped over.
    pub async fn next_batch(
        &mut self,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<Record>>, QueueError> {
        loop {
            // Before the look at the files: what is published between the look and the wait then ends the wait.
            let finished = self.shared.state().finished;
            let (shared, place, from) = (Arc::clone(&self.shared), Arc::clone(&self.place), self.next);
            let (records, next) = blocking(move || {
                let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
                place.read(&shared, from, max_records.max(1), max_bytes)
            })
            .await?;
            self.next = next;
            if !records.is_empty() {
                return Ok(Some(records));
            }
            if finished {
                return Ok(None);
            }
            self.shared.readable.notified().await;
        }
    }

    /// Records that everything up to and including `through` was dealt with. When this returns, a restart begins
    /// behind it.
    ///
    /// # Errors
    ///
    /// [`QueueError::NotRead`] for a position that was not given out yet; [`QueueError::Io`] when the cursor could not
    /// be written, in which case nothing was removed and the commit can be repeated.
    pub async fn commit(&mut self, through: Position) -> Result<(), QueueError> {
        if through >= self.next {
            return Err(QueueError::NotRead { through, next: self.next });
        }
        let position = through.plus(1);
        let (shared, place) = (Arc::clone(&self.shared), Arc::clone(&self.place));
        blocking(move || {
            // A commit that was cancelled may still be at work; two must not write the same file.
            let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
            if position <= shared.state().cursor {
                return Ok(());
            }
            cursor::store(&*shared.fs, &shared.dir, position)
                .map_err(|error| QueueError::io("write the cursor", error))?;
            shared.state().cursor = position;
            aside::retire(&shared);
            place.close_removed(&shared);
            Ok(())
        })
        .await
    }

    /// The figures of this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Gives every record that waits now to `visit`, without consuming any. It reads all of them from the disk.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the disk cannot be read.
    pub async fn survey<T: Send + 'static>(&self, begin: T, visit: fn(&mut T, &[u8])) -> Result<T, QueueError> {
        let (shared, mut from) = (Arc::clone(&self.shared), self.next);
        blocking(move || {
            let end = shared.state().next;
            // What is lost is counted by the reading that consumes.
            let mut place = Place { open: None, counted: Position::MAX, failures: 0 };
            let mut result = begin;
            while from < end {
                let (records, next) = place.read(&shared, from, SURVEY_RECORDS, SURVEY_BYTES)?;
                records.iter().for_each(|record| visit(&mut result, &record.payload));
                if next == from {
                    break;
                }
                from = next;
            }
            Ok(result)
        })
        .await
    }

    /// Goes back to the first record that is not committed.
    pub fn rewind(&mut self) {
        self.next = self.shared.state().cursor;
    }
}

/// Runs disk work where it does not hold up other tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueueError> + Send + 'static,
) -> Result<T, QueueError> {
    // The runtime refuses only when it is being shut down.
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(QueueError::Closed))
}

impl Place {
    fn read(
        &mut self,
        shared: &Shared,
        from: Position,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<(Vec<Record>, Position), QueueError> {
        let mut records = Vec::new();
        let mut bytes = 0;
        let mut next = from;
        while records.len() < max_records
            && let Some(segment) = shared.segment_for(next)
        {
            match self.step(shared, &segment, next) {
                Ok(Some(record)) => {
                    self.failures = 0;
                    if !records.is_empty() && bytes + record.payload.len() > max_bytes {
                        self.hold(next, record);
                        break;
                    }
                    self.count_lost(shared, &segment, next, record.position);
                    next = record.position.plus(1);
                    bytes += record.payload.len();
                    records.push(record);
                }
                Ok(None) => {
                    self.count_lost(shared, &segment, next, segment.end);
                    next = segment.end;
                }
                Err(error) if self.gives_up(&error) => {
                    tracing::error!(%error, file = segment_name(segment.base), "a queue segment cannot be read");
                    shared.mark_damaged(segment.base);
                    self.count_lost(shared, &segment, next, segment.end);
                    next = segment.end;
                }
                // What was read so far is good; the error comes again with the next call.
                Err(_) if !records.is_empty() => break,
                Err(error) => return Err(QueueError::io("read a segment", error)),
            }
        }
        Ok((records, next))
    }

    /// The first record of the segment at `next` or later; `None` when it has no more.
    fn step(&mut self, shared: &Shared, segment: &Segment, next: Position) -> io::Result<Option<Record>> {
        let fits = |open: &OpenSegment| open.base == segment.base && open.leads_to(next);
        let mut open = match self.open.take().filter(fits) {
            Some(open) => open,
            None => {
                let file = shared.fs.open(&shared.dir.join(segment_name(segment.base)))?;
                OpenSegment { base: segment.base, scanner: Scanner::new(file, segment.base), held: None }
            }
        };
        if let Some((_, record)) = open.held.take() {
            self.open = Some(open);
            return Ok(Some(record));
        }
        let extent = Extent { len: segment.len, end: segment.end };
        let found = loop {
            match open.scanner.step(extent)? {
                Step::Record(record) if record.position < next => {}
                Step::Record(record) => break Some(record),
                Step::End => break None,
                Step::Damage(bytes) => {
                    let file = segment_name(segment.base);
                    tracing::error!(
                        file,
                        from = bytes.start,
                        to = bytes.end,
                        "a stretch of a queue segment is damaged"
                    );
                    shared.mark_damaged(segment.base);
                }
            }
        };
        self.open = Some(open);
        Ok(found)
    }

    /// Counts the records from `next` up to `found` as lost, once, whoever reads there again.
    fn count_lost(&mut self, shared: &Shared, segment: &Segment, next: Position, found: Position) {
        let lost = found.since(next.max(self.counted));
        if lost > 0 {
            self.counted = found;
            tracing::error!(lost, from = %next, file = segment_name(segment.base), "records of the queue are lost");
            shared.state().counters.lost_records += lost;
        }
    }

    /// Keeps a record for the next batch.
    fn hold(&mut self, next: Position, record: Record) {
        if let Some(open) = &mut self.open {
            open.held = Some((next, record));
        }
    }

    /// Closes a file that was removed, so that the disk gets its space back.
    fn close_removed(&mut self, shared: &Shared) {
        let state = shared.state();
        self.open.take_if(|open| state.segments.iter().all(|segment| segment.base != open.base));
    }

    fn gives_up(&mut self, error: &io::Error) -> bool {
        self.open = None;
        self.failures += 1;
        let hopeless = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof);
        if hopeless || self.failures >= READ_ATTEMPTS {
            self.failures = 0;
            return true;
        }
        false
    }
}
