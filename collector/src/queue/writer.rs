//! The thread that owns the segment being written.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use super::aside;
use super::company::{COMPANY, COMPANY_TIME, Company};
use super::error::QueueError;
use super::format::{self, HEADER_LEN, Kind, Position, record_len, segment_name};
use super::fs::FsFile;
use super::handle::Durability;
use super::state::{Segment, Shared, State, Tell, Waiting};

/// How much one write takes along, so that a long line does not become one long wait.
const GROUP_BYTES: u64 = 8 << 20;

pub(super) struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    company: Company,
    /// What is written next; kept for its capacity.
    buffer: Vec<u8>,
}

/// The segment being written.
struct Active {
    file: Box<dyn FsFile>,
    path: PathBuf,
    base: Position,
    /// Its acknowledged bytes; 0 until its first group is safe, and only then it is in the list of segments.
    len: u64,
}

/// What is written and synced together.
struct Group {
    records: Vec<Waiting>,
    /// Their size in the segment.
    bytes: u64,
    /// The position of the first one.
    first: Position,
    /// They do not fit into the segment being written.
    new_segment: bool,
}

/// However the thread ends, nobody is left waiting for it.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closing = true;
        state.finished = true;
        // Dropping the senders answers those who wait. There are none unless the thread panicked.
        state.waiting.clear();
        drop(state);
        self.0.readable.notify_one();
    }
}

impl Writer {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, active: None, company: Company::default(), buffer: Vec::new() }
    }

    /// Writes until the queue is closed. A panic costs the records that were being written, whose appenders are told so,
    /// and a new segment; everybody else's are written.
    pub(super) fn run(shared: &Arc<Shared>) {
        let _farewell = Farewell(Arc::clone(shared));
        let work = || Self::new(Arc::clone(shared)).work();
        while catch_unwind(AssertUnwindSafe(work)).is_err() {
            shared.forget_what_was_written();
        }
    }

    fn work(mut self) {
        while let Some(group) = self.next_group() {
            if group.new_segment {
                self.seal();
            }
            match self.write(&group) {
                Ok(()) => self.publish(group),
                Err((action, error)) => self.fail(group, action, error),
            }
        }
    }

    /// Sleeps until something waits; `None` when the queue closes and nothing does.
    fn next_group(&mut self) -> Option<Group> {
        let mut state = self.shared.state();
        while state.waiting.is_empty() {
            if state.closing {
                return None;
            }
            state = self.shared.wait_for_work(state);
        }
        let alone = state.waiting.len();
        if self.company.is_waited_for(alone) {
            state = self.shared.wait_for_company(state, COMPANY, COMPANY_TIME);
            self.company.came(alone, state.waiting.len());
        }
        Some(self.take_group(&mut state))
    }

    fn take_group(&self, state: &mut State) -> Group {
        let capacity = self.shared.limits.segment_bytes;
        let used = self.active.as_ref().map_or(HEADER_LEN as u64, |active| active.len);
        let first_len = state.waiting.front().map_or(0, |waiting| record_len(&waiting.payload));
        let new_segment = self.active.is_some() && used + first_len > capacity;
        let used = if new_segment { HEADER_LEN as u64 } else { used };
        let room = capacity.saturating_sub(used).min(GROUP_BYTES);
        let mut group = Group { records: Vec::new(), bytes: 0, first: state.next, new_segment };
        // A record that is larger than a segment gets one for itself.
        while let Some(waiting) = state.waiting.front()
            && (group.records.is_empty() || group.bytes + record_len(&waiting.payload) <= room)
        {
            group.bytes += record_len(&waiting.payload);
            group.records.extend(state.waiting.pop_front());
        }
        group
    }

    fn write(&mut self, group: &Group) -> Result<(), (&'static str, io::Error)> {
        self.buffer.clear();
        let active = match &mut self.active {
            Some(active) => active,
            none => {
                let path = self.shared.dir.join(segment_name(group.first));
                let file = self.shared.fs.create(&path).map_err(|error| ("begin a segment", error))?;
                self.buffer.extend_from_slice(&format::encode_header(Kind::Segment, group.first));
                none.insert(Active { file, path, base: group.first, len: 0 })
            }
        };
        for (record, at) in group.records.iter().zip(0..) {
            format::encode_record(&mut self.buffer, group.first.plus(at), &record.payload);
        }
        active.file.append(&self.buffer).map_err(|error| ("write", error))?;
        if self.shared.limits.durability == Durability::Fsync {
            active.file.sync_data().map_err(|error| ("sync", error))?;
        }
        if active.len == 0 {
            self.shared.fs.sync_dir(&self.shared.dir).map_err(|error| ("sync the folder", error))?;
        }
        Ok(())
    }

    /// Makes a written group readable, then tells those who wait for it.
    fn publish(&mut self, group: Group) {
        let Some(active) = &mut self.active else {
            return;
        };
        let end = group.first.plus(group.records.len() as u64);
        let written = self.buffer.len() as u64;
        active.len += written;
        let segment = Segment { base: active.base, end, len: active.len, sealed: false, damaged: false };
        let mut state = self.shared.state();
        match state.segments.back_mut() {
            Some(last) if last.base == segment.base => {
                last.end = end;
                last.len = segment.len;
            }
            _ => state.segments.push_back(segment),
        }
        state.bytes += written;
        state.next = end;
        state.waiting_records -= group.records.len();
        state.waiting_bytes -= group.bytes;
        state.counters.appended_records += group.records.len() as u64;
        state.counters.appended_bytes += group.bytes;
        state.counters.appended_items += group.records.iter().map(|record| record.items).sum::<u64>();
        state.counters.groups += 1;
        let recovered = std::mem::take(&mut state.failing);
        drop(state);
        if recovered {
            tracing::info!("the queue can write again");
        }
        self.shared.tell(Tell::new(group.records, Ok(())));
        self.shared.readable.notify_one();
    }

    /// Gives up the segment, whose end cannot be trusted any more, and tells those who wait.
    fn fail(&mut self, group: Group, action: &'static str, error: io::Error) {
        self.abandon();
        let dropped = group.records.iter().filter(|record| record.reply.is_none()).count() as u64;
        let mut state = self.shared.state();
        state.waiting_records -= group.records.len();
        state.waiting_bytes -= group.bytes;
        state.counters.dropped_records += dropped;
        state.counters.failed_records += group.records.len() as u64 - dropped;
        let began = !std::mem::replace(&mut state.failing, true);
        drop(state);
        if began {
            // Once, for the operator: those who wait may be remote or, with `memory`, nobody.
            tracing::error!(%error, "the queue could not {action}; appends fail until it can");
        }
        self.shared.tell(Tell::new(group.records, Err(QueueError::io(action, error))));
    }

    /// Ends the segment after a failure. Both clean-ups may fail as well, harmlessly: the next segment takes the
    /// position after what was acknowledged, and with that ends what is read of this file, or replaces it.
    fn abandon(&mut self) {
        let Some(active) = self.active.take() else {
            return;
        };
        drop(active.file);
        if active.len == 0 {
            let _ = self.shared.fs.remove(&active.path);
            return;
        }
        let _ = self.shared.fs.truncate(&active.path, active.len);
        self.seal_last();
    }

    /// Ends the segment because it is full.
    fn seal(&mut self) {
        if self.active.take().is_some() {
            self.seal_last();
        }
    }

    fn seal_last(&self) {
        if let Some(last) = self.shared.state().segments.back_mut() {
            last.sealed = true;
        }
        aside::retire(&self.shared);
    }
}
