//! What the handle, the writer and the reader share.

use std::collections::VecDeque;
use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::error::QueueError;
use super::format::{HEADER_LEN, Position, record_len};
use super::fs::Fs;
use super::handle::{Config, Durability, Limits};
use super::recover::Recovered;

/// So many are told by the writer itself: a task for them is not worth it.
const TOLD_DIRECTLY: usize = 4;

/// A segment of which something may be read.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The position of its first record.
    pub(super) base: Position,
    /// The position after its last acknowledged record.
    pub(super) end: Position,
    /// The bytes up to there.
    pub(super) len: u64,
    /// Nothing will be added to it.
    pub(super) sealed: bool,
    /// Something in it could not be read.
    pub(super) damaged: bool,
}

/// A record on its way to the disk.
pub(super) struct Waiting {
    pub(super) payload: Vec<u8>,
    /// How many things its appender says are in it; only for the figures.
    pub(super) items: u64,
    /// Who is told; nobody with [`Durability::Memory`].
    pub(super) reply: Option<oneshot::Sender<Result<(), QueueError>>>,
}

/// Those who wait for a group, and what they are to be told. They are told when this is let go of.
pub(super) struct Tell {
    replies: Vec<oneshot::Sender<Result<(), QueueError>>>,
    result: Result<(), QueueError>,
}

impl Tell {
    pub(super) fn new(group: Vec<Waiting>, result: Result<(), QueueError>) -> Self {
        Self { replies: group.into_iter().filter_map(|waiting| waiting.reply).collect(), result }
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        for reply in mem::take(&mut self.replies) {
            // Whoever waited may be gone: a sender that hung up.
            let _ = reply.send(self.result.clone());
        }
    }
}

/// What was counted since the queue was opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    pub(super) appended_records: u64,
    pub(super) appended_bytes: u64,
    pub(super) appended_items: u64,
    pub(super) groups: u64,
    pub(super) failed_records: u64,
    pub(super) dropped_records: u64,
    pub(super) refused_full: u64,
    pub(super) lost_records: u64,
    pub(super) damaged_segments: u64,
    pub(super) damaged_cursors: u64,
    pub(super) torn_bytes: u64,
}

/// A moment of the queue, for metrics. What is not about the present counts since the queue was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Records on disk that the consumer has not committed yet, lost ones among them until it passes them.
    pub records: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// The bound of `bytes` and `waiting_bytes` together.
    pub max_bytes: u64,
    /// Number of segments.
    pub segments: usize,
    /// Records that wait for the disk.
    pub waiting_records: usize,
    /// Bytes that wait for the disk.
    pub waiting_bytes: u64,
    /// The first position that is not committed.
    pub oldest: Position,
    /// The position that the next record will get.
    pub next: Position,
    /// The last write failed; cleared by the next one that succeeds.
    pub failing: bool,
    /// Records written.
    pub appended_records: u64,
    /// Their bytes in the segments.
    pub appended_bytes: u64,
    /// What their appenders said is in them.
    pub appended_items: u64,
    /// Writes (and, with [`Durability::Fsync`], syncs) that they took.
    pub groups: u64,
    /// Records whose appender was told that the write failed.
    pub failed_records: u64,
    /// Records that were acknowledged before a write that then failed; only with [`Durability::Memory`].
    pub dropped_records: u64,
    /// Records refused because the queue was full.
    pub refused_full: u64,
    /// Records that were on disk and could not be read.
    pub lost_records: u64,
    /// Segments with a stretch that could not be read, or unreadable altogether.
    pub damaged_segments: u64,
    /// Openings that found the cursor damaged or lost.
    pub damaged_cursors: u64,
    /// Bytes cut from the end of the last segment: what a crash left of a write.
    pub torn_bytes: u64,
}

pub(super) struct State {
    pub(super) segments: VecDeque<Segment>,
    /// The sum of the segments' lengths.
    pub(super) bytes: u64,
    pub(super) next: Position,
    pub(super) cursor: Position,
    pub(super) waiting: VecDeque<Waiting>,
    /// Those in `waiting` and those that the writer is writing.
    pub(super) waiting_records: usize,
    pub(super) waiting_bytes: u64,
    /// The writer sleeps and is to be woken once so many records wait; 0 while it does not.
    pub(super) wake_at: usize,
    /// No more appends; the writer finishes what waits.
    pub(super) closing: bool,
    /// The writer has ended.
    pub(super) finished: bool,
    pub(super) failing: bool,
    pub(super) counters: Counters,
}

pub(super) struct Shared {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) dir: PathBuf,
    pub(super) archive: Option<PathBuf>,
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Wakes the writer.
    pub(super) work: Condvar,
    /// Wakes the reader.
    pub(super) readable: Notify,
    /// Where those who append live, if the queue was opened from there.
    runtime: Option<Handle>,
    /// Held for as long as anything of the queue is in use.
    _lock: Box<dyn Send + Sync>,
}

impl Shared {
    pub(super) fn new(
        fs: Arc<dyn Fs>,
        config: &Config,
        limits: Limits,
        recovered: Recovered,
        lock: Box<dyn Send + Sync>,
    ) -> Self {
        let state = State {
            bytes: recovered.segments.iter().map(|segment| segment.len).sum(),
            segments: recovered.segments,
            next: recovered.next,
            cursor: recovered.cursor,
            waiting: VecDeque::new(),
            waiting_records: 0,
            waiting_bytes: 0,
            wake_at: 0,
            closing: false,
            finished: false,
            failing: false,
            counters: recovered.counters,
        };
        let (work, readable) = (Condvar::new(), Notify::new());
        let (dir, archive) = (config.dir.clone(), config.archive.clone());
        Self {
            fs,
            dir,
            archive,
            limits,
            state: Mutex::new(state),
            work,
            readable,
            runtime: Handle::try_current().ok(),
            _lock: lock,
        }
    }

    /// The state. Never held during I/O. What a panicking thread left is consistent: every change is a few assignments.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the writer is woken.
    pub(super) fn wait_for_work<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.wake_at = 1;
        let mut state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.wake_at = 0;
        state
    }

    /// Sleeps until so many records wait, but not for longer than `time`.
    pub(super) fn wait_for_company<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        records: usize,
        time: Duration,
    ) -> MutexGuard<'a, State> {
        state.wake_at = records;
        let alone = |state: &mut State| state.waiting.len() < records && !state.closing;
        let (mut state, _) = self.work.wait_timeout_while(state, time, alone).unwrap_or_else(PoisonError::into_inner);
        state.wake_at = 0;
        state
    }

    /// Puts a record in line for the writer, or says at once why not. The answer arrives at the receiver; without one
    /// the record counts as acknowledged.
    pub(super) fn admit(
        &self,
        payload: Vec<u8>,
        items: u64,
    ) -> Result<Option<oneshot::Receiver<Result<(), QueueError>>>, QueueError> {
        let max = self.limits.max_record;
        if payload.is_empty() || payload.len() > max {
            return Err(QueueError::RecordSize { bytes: payload.len(), max });
        }
        let len = record_len(&payload);
        let mut state = self.state();
        if state.closing {
            return Err(QueueError::Closed);
        }
        let disk_full = state.bytes + state.waiting_bytes + len + HEADER_LEN as u64 > self.limits.max_bytes;
        let line_full = state.waiting_bytes > 0 && state.waiting_bytes + len > self.limits.max_waiting_bytes;
        if disk_full || line_full {
            state.counters.refused_full += 1;
            return Err(QueueError::Full);
        }
        // While writes fail, nobody is told "done" in advance.
        let early = self.limits.durability == Durability::Memory && !state.failing;
        let (reply, answer) = if early { (None, None) } else { Some(oneshot::channel()).unzip() };
        state.waiting.push_back(Waiting { payload, items, reply });
        state.waiting_records += 1;
        state.waiting_bytes += len;
        let wakes = state.wake_at > 0 && state.waiting.len() >= state.wake_at;
        if wakes {
            state.wake_at = 0;
        }
        drop(state);
        // Waking is a call of the kernel, also where nobody sleeps.
        if wakes {
            self.work.notify_one();
        }
        Ok(answer)
    }

    /// Tells those who wait, in a task if they are many: to wake a task from a thread that runs tasks costs a fraction of
    /// what it costs from any other, and the writer goes back to the disk meanwhile.
    pub(super) fn tell(&self, tell: Tell) {
        match &self.runtime {
            Some(runtime) if tell.replies.len() > TOLD_DIRECTLY => drop(runtime.spawn(async move { drop(tell) })),
            _ => drop(tell),
        }
    }

    /// After a panic of the writer: what it had taken is gone, and it adds nothing to the segment that it was writing.
    pub(super) fn forget_what_was_written(&self) {
        let mut state = self.state();
        state.waiting_records = state.waiting.len();
        state.waiting_bytes = state.waiting.iter().map(|waiting| record_len(&waiting.payload)).sum();
        if let Some(last) = state.segments.back_mut() {
            last.sealed = true;
        }
    }

    /// Asks the writer to finish what waits and end.
    pub(super) fn begin_closing(&self) {
        self.state().closing = true;
        self.work.notify_one();
    }

    /// The first segment that holds `position` or something later.
    pub(super) fn segment_for(&self, position: Position) -> Option<Segment> {
        self.state().segments.iter().find(|segment| segment.end > position).cloned()
    }

    /// Remembers that a segment has damage, to count it once and to keep the file when it is consumed.
    pub(super) fn mark_damaged(&self, base: Position) {
        let mut state = self.state();
        if let Some(segment) = state.segments.iter_mut().find(|segment| segment.base == base)
            && !segment.damaged
        {
            segment.damaged = true;
            state.counters.damaged_segments += 1;
        }
    }

    /// Takes out of the list what lies wholly before the cursor.
    pub(super) fn take_consumed(&self) -> Vec<Segment> {
        let mut state = self.state();
        let mut consumed = Vec::new();
        while let Some(segment) = state.segments.front()
            && segment.sealed
            && segment.end <= state.cursor
        {
            consumed.extend(state.segments.pop_front());
        }
        state.bytes -= consumed.iter().map(|segment| segment.len).sum::<u64>();
        consumed
    }

    pub(super) fn stats(&self) -> Stats {
        let state = self.state();
        let counters = state.counters;
        Stats {
            records: state.next.since(state.cursor),
            bytes: state.bytes,
            max_bytes: self.limits.max_bytes,
            segments: state.segments.len(),
            waiting_records: state.waiting_records,
            waiting_bytes: state.waiting_bytes,
            oldest: state.cursor,
            next: state.next,
            failing: state.failing,
            appended_records: counters.appended_records,
            appended_bytes: counters.appended_bytes,
            appended_items: counters.appended_items,
            groups: counters.groups,
            failed_records: counters.failed_records,
            dropped_records: counters.dropped_records,
            refused_full: counters.refused_full,
            lost_records: counters.lost_records,
            damaged_segments: counters.damaged_segments,
            damaged_cursors: counters.damaged_cursors,
            torn_bytes: counters.torn_bytes,
        }
    }
}
