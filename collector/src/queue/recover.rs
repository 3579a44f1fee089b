//! Makes a folder, in whatever state a crash left it, into a queue again.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use super::aside::{self, DAMAGED_DIR};
use super::cursor::{self, CURSOR_DRAFT, CURSOR_FILE, Stored};
use super::error::OpenError;
use super::format::{self, HEADER_LEN, HeaderError, Kind, MIN_RECORD_LEN, Position, segment_name};
use super::fs::{Entry, Fs};
use super::mend::DRAFT;
use super::scan::{Extent, Scanner, Step};
use super::state::{Counters, Segment};

const LOCK_FILE: &str = "lock";

/// What was found in the folder.
pub(super) struct Recovered {
    /// Oldest first; all sealed, because a file is only written to by the process that began it.
    pub(super) segments: VecDeque<Segment>,
    pub(super) cursor: Position,
    /// The position of the next record.
    pub(super) next: Position,
    pub(super) counters: Counters,
}

/// Makes this process the owner of the folder.
pub(super) fn lock(fs: &dyn Fs, dir: &Path) -> Result<Box<dyn Send + Sync>, OpenError> {
    fs.lock(&dir.join(LOCK_FILE)).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock => OpenError::Locked { dir: dir.to_owned() },
        _ => OpenError::Io { action: "lock the queue", dir: dir.to_owned(), source },
    })
}

/// `archive` is where consumed segments go.
pub(super) fn recover(fs: &dyn Fs, dir: &Path, archive: Option<&Path>) -> io::Result<Recovered> {
    let entries = fs.list(dir)?;
    let mut recovery = Recovery { fs, dir, archive, taken: Position::ZERO, counters: Counters::default() };
    let mut segments = recovery.readable_segments(&entries);
    recovery.end_last(&mut segments);
    let ends: Vec<Position> = segments.iter().skip(1).map(|segment| segment.base).collect();
    for (segment, end) in segments.iter_mut().zip(ends) {
        segment.end = end;
    }
    let oldest = segments.front().map(|segment| segment.base);
    let cursor = recovery.cursor(&entries, oldest);
    recovery.remove_consumed(&mut segments, cursor);
    let end = segments.back().map_or(Position::ZERO, |segment| segment.end);
    let next = end.max(recovery.taken).max(cursor);
    fs.sync_dir(dir)?;
    Ok(Recovered { segments, cursor, next, counters: recovery.counters })
}

struct Recovery<'a> {
    fs: &'a dyn Fs,
    dir: &'a Path,
    archive: Option<&'a Path>,
    /// Positions below this one were used, whether or not their records can be read.
    taken: Position,
    counters: Counters,
}

impl Recovery<'_> {
    /// The segments whose header is good, oldest first. Their ends are not known yet.
    fn readable_segments(&mut self, entries: &[Entry]) -> VecDeque<Segment> {
        let mut segments = Vec::new();
        for entry in entries {
            match format::parse_segment_name(&entry.name) {
                Some(base) if entry.is_file => {
                    self.taken = self.taken.max(base);
                    segments.extend(self.check_header(entry, base));
                }
                // What a repair was writing when it was killed; the original is still there.
                _ if entry.name.ends_with(DRAFT) => self.remove(&entry.name),
                _ if is_ours(&entry.name) => {}
                _ => tracing::warn!(file = entry.name, "a file in the folder of the queue does not belong there"),
            }
        }
        segments.sort_by_key(|segment| segment.base);
        segments.into()
    }

    fn check_header(&mut self, entry: &Entry, base: Position) -> Option<Segment> {
        match self.read_header(entry) {
            Ok(Ok(stated)) if stated == base => {
                Some(Segment { base, end: base, len: entry.len, sealed: true, damaged: false })
            }
            // A file without a whole header has no records: it was begun, and then the power went.
            Ok(Err(HeaderError::Short)) => {
                self.counters.torn_bytes += entry.len;
                self.remove(&entry.name);
                None
            }
            Ok(Ok(stated)) => {
                self.set_aside(entry, base, &format!("its header says that it begins at {stated}"));
                None
            }
            Ok(Err(reason)) => {
                self.set_aside(entry, base, &reason.to_string());
                None
            }
            Err(error) => {
                self.set_aside(entry, base, &error.to_string());
                None
            }
        }
    }

    fn read_header(&self, entry: &Entry) -> io::Result<Result<Position, HeaderError>> {
        let file = self.fs.open(&self.dir.join(&entry.name))?;
        let mut header = vec![0; (entry.len as usize).min(HEADER_LEN)];
        file.read_exact_at(&mut header, 0)?;
        Ok(format::decode_header(Kind::Segment, &header))
    }

    fn set_aside(&mut self, entry: &Entry, base: Position, reason: &str) {
        self.counters.damaged_segments += 1;
        let file = &entry.name;
        match aside::set_aside(self.fs, self.dir, file) {
            Ok(kept) => {
                tracing::error!(file, reason, kept = %kept.display(), "a queue segment was set aside unread");
            }
            Err(error) => {
                tracing::error!(file, reason, %error, "a queue segment cannot be read, nor moved away");
                // No segment may take its name as long as it is there.
                self.taken = self.taken.max(base.plus(1));
            }
        }
    }

    /// Finds where the last segment ends, and cuts off what a crash left behind that. One without any record goes.
    fn end_last(&mut self, segments: &mut VecDeque<Segment>) {
        while let Some(last) = segments.back_mut() {
            self.scan_to_end(last);
            if last.end > last.base {
                break;
            }
            self.remove(&segment_name(last.base));
            segments.pop_back();
        }
    }

    fn scan_to_end(&mut self, segment: &mut Segment) {
        let name = segment_name(segment.base);
        let path = self.dir.join(&name);
        let extent = Extent { len: segment.len, end: Position::MAX };
        let scanned = self.fs.open(&path).map(|file| Scanner::new(file, segment.base)).and_then(|mut scanner| {
            let mut good = scanner.offset();
            loop {
                match scanner.step(extent)? {
                    Step::Record(record) => {
                        segment.end = record.position.plus(1);
                        good = scanner.offset();
                    }
                    // In the middle it is for the reader to count; at the end it is the torn tail.
                    Step::Damage(_) => {}
                    Step::End => return Ok(good),
                }
            }
        });
        let good = match scanned {
            Ok(good) => good,
            Err(error) => {
                // How many records it has is not known, and what is appended next must not take a position that one
                // of them has. The reader tries again, and counts the surplus as lost.
                tracing::error!(file = name, %error, "the last queue segment cannot be read to its end");
                let room = segment.len.saturating_sub(HEADER_LEN as u64) / MIN_RECORD_LEN;
                segment.end = segment.base.plus(room);
                return;
            }
        };
        let torn = segment.len - good;
        if torn > 0 {
            tracing::warn!(file = name, bytes = torn, "cut a torn tail from the last queue segment");
            self.counters.torn_bytes += torn;
            segment.len = good;
            if let Err(error) = self.fs.truncate(&path, good) {
                tracing::warn!(file = name, %error, "the torn tail could not be cut; it is not read");
            }
        }
    }

    fn cursor(&mut self, entries: &[Entry], oldest: Option<Position>) -> Position {
        let len = entries.iter().find(|entry| entry.name == CURSOR_FILE).map_or(0, |entry| entry.len);
        let start = oldest.unwrap_or(self.taken);
        let reason = match cursor::load(self.fs, self.dir, len) {
            Ok(Stored::At(position)) => return position,
            // Nothing was ever removed, so nothing was ever committed.
            Ok(Stored::Missing) if start == Position::ZERO => return start,
            Ok(Stored::Missing) => "the file is gone".to_owned(),
            Ok(Stored::Unreadable(reason)) => reason.to_string(),
            Err(error) => error.to_string(),
        };
        self.counters.damaged_cursors += 1;
        tracing::error!(reason, from = %start, "the cursor of the queue is lost; everything in it is read again");
        // Kept out of the way of the next one; when it cannot be moved, the next one replaces it.
        let _ = aside::set_aside(self.fs, self.dir, CURSOR_FILE);
        start
    }

    fn remove_consumed(&self, segments: &mut VecDeque<Segment>, cursor: Position) {
        while let Some(segment) = segments.front()
            && segment.end <= cursor
        {
            if let Err(error) = aside::let_go(self.fs, self.dir, self.archive, &segment_name(segment.base)) {
                let file = segment_name(segment.base);
                tracing::warn!(file, %error, "a consumed queue segment could not be moved away");
            }
            segments.pop_front();
        }
    }

    fn remove(&self, name: &str) {
        if let Err(error) = self.fs.remove(&self.dir.join(name)) {
            tracing::warn!(file = name, %error, "a queue segment with nothing to read could not be removed");
        }
    }
}

/// Whether a queue makes files of this name beside its segments.
pub(super) fn is_ours(name: &str) -> bool {
    name.ends_with(DRAFT) || [LOCK_FILE, CURSOR_FILE, CURSOR_DRAFT, DAMAGED_DIR].contains(&name)
}
