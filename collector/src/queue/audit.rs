//! Looks at the files of a queue and changes nothing: what is in them, and what is wrong with them.
//!
//! A collector may be at work meanwhile. Then the end of the last segment is not judged, because it is being written.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::aside::DAMAGED_DIR;
use super::cursor::{self, CURSOR_FILE, Stored};
use super::error::OpenError;
use super::format::{self, HEADER_LEN, Kind, Position};
use super::fs::{Entry, Fs, FsFile};
use super::recover::{self, is_ours};
use super::scan::{Extent, Scanner, Step};

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// At names, sizes and headers.
    Headers,
    /// At the checksum of every record.
    Records,
}

/// The files of a queue at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// The folder.
    pub dir: PathBuf,
    /// Whether a process has the queue open.
    pub in_use: bool,
    /// The position at which the consumer would start; `None` when nothing was ever consumed.
    pub cursor: Option<u64>,
    /// Why the cursor cannot be read, if it cannot.
    pub cursor_damage: Option<String>,
    /// Oldest first.
    pub segments: Vec<SegmentAudit>,
    /// What earlier starts and repairs put into the folder for damaged files.
    pub set_aside: Vec<FileSize>,
    /// Names in the folder that no queue makes.
    pub foreign: Vec<String>,
}

/// A file and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// Its name.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentAudit {
    /// Its name.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// The position of its first record, from its name.
    pub first: u64,
    /// The position after its last record; `None` of the last segment at [`Depth::Headers`].
    pub end: Option<u64>,
    /// Whole records; `None` at [`Depth::Headers`].
    pub records: Option<u64>,
    /// Why nothing of it can be read, if nothing can.
    pub unreadable: Option<String>,
    /// Stretches of bytes that are no record, the torn end apart.
    pub damage: Vec<Stretch>,
    /// Bytes at the end of the last segment that are no whole record: what a crash left. The next start cuts them.
    pub torn_bytes: u64,
    /// Records that are missing and were not consumed yet; of an unreadable segment, those up to the next one.
    pub lost_records: u64,
}

/// Bytes of a file, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// The first byte.
    pub from: u64,
    /// The byte after the last.
    pub to: u64,
}

impl Audit {
    /// Whether nothing is damaged. A torn end is no damage: it was never acknowledged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.cursor_damage.is_none() && self.segments.iter().all(SegmentAudit::is_sound)
    }

    /// Records that are missing and were not consumed yet.
    #[must_use]
    pub fn lost_records(&self) -> u64 {
        self.segments.iter().map(|segment| segment.lost_records).sum()
    }
}

impl SegmentAudit {
    /// Whether nothing of it is damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.unreadable.is_none() && self.damage.is_empty() && self.lost_records == 0
    }
}

/// Looks at the queue in a folder.
///
/// # Errors
/// [`OpenError::Io`] when the folder or the cursor cannot be read. Damaged files are no error.
pub fn audit(fs: &dyn Fs, dir: &Path, depth: Depth) -> Result<Audit, OpenError> {
    let failed = |action| move |source| OpenError::Io { action, dir: dir.to_owned(), source };
    let entries = fs.list(dir).map_err(failed("read the queue"))?;
    // Let go of at once: looking must not keep a collector from starting.
    let in_use = matches!(recover::lock(fs, dir), Err(OpenError::Locked { .. }));
    let (cursor, cursor_damage) = read_cursor(fs, dir, &entries);
    let from = cursor.unwrap_or(Position::ZERO);
    Ok(Audit {
        dir: dir.to_owned(),
        in_use,
        cursor: cursor.map(Position::get),
        cursor_damage,
        segments: segments(fs, dir, &entries, depth, in_use, from),
        set_aside: set_aside(fs, dir),
        foreign: foreign(&entries),
    })
}

fn read_cursor(fs: &dyn Fs, dir: &Path, entries: &[Entry]) -> (Option<Position>, Option<String>) {
    let len = entries.iter().find(|entry| entry.name == CURSOR_FILE).map_or(0, |entry| entry.len);
    match cursor::load(fs, dir, len) {
        Ok(Stored::At(position)) => (Some(position), None),
        // Segments go only once the cursor is durable, so a queue that lost its beginning had one.
        Ok(Stored::Missing) => {
            let oldest = entries.iter().filter_map(|entry| format::parse_segment_name(&entry.name)).min();
            let lost = oldest.is_some_and(|oldest| oldest > Position::ZERO);
            (None, lost.then(|| "the file is gone".to_owned()))
        }
        Ok(Stored::Unreadable(reason)) => (None, Some(reason.to_string())),
        Err(error) => (None, Some(error.to_string())),
    }
}

fn segments(
    fs: &dyn Fs,
    dir: &Path,
    entries: &[Entry],
    depth: Depth,
    in_use: bool,
    cursor: Position,
) -> Vec<SegmentAudit> {
    let based = |entry: &Entry| format::parse_segment_name(&entry.name).filter(|_| entry.is_file);
    let mut found: Vec<_> = entries.iter().filter_map(|entry| Some((based(entry)?, entry))).collect();
    found.sort_by_key(|(base, _)| *base);
    let ends: Vec<_> = found.iter().skip(1).map(|(base, _)| Some(*base)).chain([None]).collect();
    let audits = found.into_iter().zip(ends).filter_map(|((base, entry), end)| {
        let look = Look { depth, in_use, cursor, end };
        match segment(fs, dir, entry, base, &look) {
            // It was consumed since the folder was listed.
            Err(error) if in_use && error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(unreadable(entry, base, &look, error.to_string())),
            Ok(audit) => Some(audit),
        }
    });
    audits.collect()
}

/// How to look at a segment.
struct Look {
    depth: Depth,
    in_use: bool,
    cursor: Position,
    /// Where the next segment begins.
    end: Option<Position>,
}

impl Look {
    /// How many of the records from `from` up to `to` were not consumed.
    fn unconsumed(&self, from: Position, to: Position) -> u64 {
        to.since(from.max(self.cursor))
    }
}

fn segment(fs: &dyn Fs, dir: &Path, entry: &Entry, base: Position, look: &Look) -> io::Result<SegmentAudit> {
    let file = fs.open(&dir.join(&entry.name))?;
    // A file without a whole header was begun and has no record.
    if entry.len < HEADER_LEN as u64 && look.end.is_none() {
        return Ok(SegmentAudit { torn_bytes: entry.len, end: Some(base.get()), ..begin(entry, base) });
    }
    if let Err(reason) = check_header(&*file, entry.len, base) {
        return Ok(unreadable(entry, base, look, reason));
    }
    match look.depth {
        Depth::Headers => Ok(SegmentAudit { end: look.end.map(Position::get), ..begin(entry, base) }),
        Depth::Records => records(file, entry, base, look),
    }
}

fn begin(entry: &Entry, base: Position) -> SegmentAudit {
    SegmentAudit {
        file: entry.name.clone(),
        bytes: entry.len,
        first: base.get(),
        end: None,
        records: None,
        unreadable: None,
        damage: Vec::new(),
        torn_bytes: 0,
        lost_records: 0,
    }
}

fn unreadable(entry: &Entry, base: Position, look: &Look, reason: String) -> SegmentAudit {
    let lost_records = look.end.map_or(0, |end| look.unconsumed(base, end));
    SegmentAudit { unreadable: Some(reason), end: look.end.map(Position::get), lost_records, ..begin(entry, base) }
}

/// Says what is wrong with the header of a segment that should begin at `base`.
pub(super) fn check_header(file: &dyn FsFile, len: u64, base: Position) -> Result<(), String> {
    let mut header = vec![0; (len as usize).min(HEADER_LEN)];
    file.read_exact_at(&mut header, 0).map_err(|error| error.to_string())?;
    match format::decode_header(Kind::Segment, &header) {
        Ok(stated) if stated == base => Ok(()),
        Ok(stated) => Err(format!("its header says that it begins at {stated}")),
        Err(reason) => Err(reason.to_string()),
    }
}

fn records(file: Box<dyn FsFile>, entry: &Entry, base: Position, look: &Look) -> io::Result<SegmentAudit> {
    let mut audit = begin(entry, base);
    let (mut records, mut expected) = (0, base);
    let extent = Extent { len: entry.len, end: look.end.unwrap_or(Position::MAX) };
    let mut scanner = Scanner::new(file, base);
    loop {
        match scanner.step(extent)? {
            Step::Record(record) => {
                records += 1;
                audit.lost_records += look.unconsumed(expected, record.position);
                expected = record.position.plus(1);
            }
            Step::Damage(bytes) => audit.damage.push(Stretch { from: bytes.start, to: bytes.end }),
            Step::End => break,
        }
    }
    match look.end {
        Some(end) => audit.lost_records += look.unconsumed(expected, end),
        None => {
            // Behind the last record of all there is no telling damage from what a crash left.
            if let Some(last) = audit.damage.pop_if(|stretch| stretch.to == entry.len) {
                audit.torn_bytes = if look.in_use { 0 } else { last.to - last.from };
            }
        }
    }
    audit.records = Some(records);
    audit.end = Some(look.end.unwrap_or(expected).get());
    Ok(audit)
}

fn set_aside(fs: &dyn Fs, dir: &Path) -> Vec<FileSize> {
    let entries = fs.list(&dir.join(DAMAGED_DIR)).unwrap_or_default();
    let mut files: Vec<_> = entries.into_iter().map(|entry| FileSize { file: entry.name, bytes: entry.len }).collect();
    files.sort_by(|a, b| a.file.cmp(&b.file));
    files
}

fn foreign(entries: &[Entry]) -> Vec<String> {
    let is_foreign = |entry: &&Entry| format::parse_segment_name(&entry.name).is_none() && !is_ours(&entry.name);
    let mut names: Vec<_> = entries.iter().filter(is_foreign).map(|entry| entry.name.clone()).collect();
    names.sort();
    names
}
