//! Puts a queue right by hand: what opening does, and besides that whatever is damaged within a segment is set aside, so
//! that the queue has no damage left.
//!
//! Nothing is thrown away: the damaged original is copied into the folder for damaged files first. Then every run of
//! whole records becomes a segment of its own, the last run first. A segment that begins at a position ends what is read
//! of the one before it, so a crash at any moment leaves a queue with the same records; the first run, even an empty one,
//! takes the place of the original in one rename.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::aside;
use super::audit::{Audit, Depth, SegmentAudit, audit};
use super::error::OpenError;
use super::format::{self, HEADER_LEN, Kind, Position, segment_name};
use super::fs::{Fs, FsFile};
use super::handle::Config;
use super::recover;
use super::scan::{Extent, Scanner, Step};

/// How a segment ends that is being written by a repair.
pub(super) const DRAFT: &str = ".mend";

/// What is copied or written at once.
const CHUNK: usize = 1 << 20;

/// One thing that a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Mended {
    /// Nothing of a segment could be read; it is in the folder for damaged files.
    SetAside {
        /// The segment.
        file: String,
        /// Why.
        reason: String,
        /// Records that are missing and were not consumed.
        lost_records: u64,
    },
    /// A segment was damaged within; it is in the folder for damaged files, and its whole records are in the queue.
    Rewrote {
        /// The segment.
        file: String,
        /// Where the original is.
        kept: PathBuf,
        /// The segments that hold its whole records now.
        into: Vec<String>,
        /// Bytes that were no record.
        damaged_bytes: u64,
        /// Records that are missing and were not consumed.
        lost_records: u64,
    },
    /// A crash had left half a record behind the last one.
    Cut {
        /// The segment.
        file: String,
        /// Bytes that were cut.
        bytes: u64,
    },
    /// The cursor could not be read; everything in the queue is forwarded again, which changes nothing in a store.
    ResetCursor {
        /// Why.
        reason: String,
    },
}

/// Repairs the queue in a folder, which no other process may have open. Says what was done.
///
/// # Errors
/// [`OpenError::Locked`] while a collector has it, [`OpenError::Io`] when the disk refuses.
pub fn mend(fs: &dyn Fs, config: &Config) -> Result<Vec<Mended>, OpenError> {
    let dir = &*config.dir;
    let failed = |action| move |source| OpenError::Io { action, dir: dir.to_owned(), source };
    let found = audit(fs, dir, Depth::Records)?;
    let _lock = recover::lock(fs, dir)?;
    let mut done = Vec::new();
    for segment in found.segments.iter().filter(|segment| !segment.damage.is_empty()) {
        done.push(rewrite(fs, dir, segment).map_err(failed("rewrite a damaged segment"))?);
    }
    // Headers, the torn end and the cursor are put right as at every start.
    recover::recover(fs, dir, config.archive.as_deref()).map_err(failed("repair the queue"))?;
    done.extend(rest(&found));
    Ok(done)
}

/// What opening puts right, as the audit before it saw it.
fn rest(found: &Audit) -> impl Iterator<Item = Mended> {
    let segments = found.segments.iter().filter_map(|segment| {
        let (file, lost_records) = (segment.file.clone(), segment.lost_records);
        match &segment.unreadable {
            Some(reason) => Some(Mended::SetAside { file, reason: reason.clone(), lost_records }),
            None if segment.torn_bytes > 0 => Some(Mended::Cut { file, bytes: segment.torn_bytes }),
            None => None,
        }
    });
    segments.chain(found.cursor_damage.iter().map(|reason| Mended::ResetCursor { reason: reason.clone() }))
}

fn rewrite(fs: &dyn Fs, dir: &Path, segment: &SegmentAudit) -> io::Result<Mended> {
    let kept = copy_aside(fs, dir, segment)?;
    let runs = write_runs(fs, dir, segment)?;
    for &base in runs.iter().rev() {
        fs.rename(&dir.join(draft_name(base)), &dir.join(segment_name(base)))?;
        fs.sync_dir(dir)?;
    }
    Ok(Mended::Rewrote {
        file: segment.file.clone(),
        kept,
        into: runs.into_iter().map(segment_name).collect(),
        damaged_bytes: segment.damage.iter().map(|stretch| stretch.to - stretch.from).sum(),
        lost_records: segment.lost_records,
    })
}

fn copy_aside(fs: &dyn Fs, dir: &Path, segment: &SegmentAudit) -> io::Result<PathBuf> {
    let from = fs.open(&dir.join(&segment.file))?;
    let target = aside::free_name(fs, dir, &segment.file)?;
    let mut to = fs.create(&target)?;
    let mut at = 0;
    while at < segment.bytes {
        let mut bytes = vec![0; (segment.bytes - at).min(CHUNK as u64) as usize];
        from.read_exact_at(&mut bytes, at)?;
        to.append(&bytes)?;
        at += bytes.len() as u64;
    }
    to.sync_data()?;
    aside::sync_folder(fs, dir)?;
    Ok(target)
}

/// Writes each run of records without a gap as a draft; gives the positions at which they begin.
fn write_runs(fs: &dyn Fs, dir: &Path, segment: &SegmentAudit) -> io::Result<Vec<Position>> {
    let base = Position::at(segment.first);
    let extent = Extent { len: segment.bytes, end: segment.end.map_or(Position::MAX, Position::at) };
    let mut scanner = Scanner::new(fs.open(&dir.join(&segment.file))?, base);
    let mut bases = vec![base];
    let mut run = Run::begin(fs, dir, base)?;
    loop {
        match scanner.step(extent)? {
            Step::Record(record) => {
                if run.next != record.position {
                    bases.push(record.position);
                    std::mem::replace(&mut run, Run::begin(fs, dir, record.position)?).finish()?;
                }
                run.add(record.position, &record.payload)?;
            }
            Step::Damage(_) => {}
            Step::End => break,
        }
    }
    run.finish()?;
    Ok(bases)
}

/// Records without a gap on their way into a draft.
struct Run {
    file: Box<dyn FsFile>,
    next: Position,
    buffer: Vec<u8>,
}

impl Run {
    fn begin(fs: &dyn Fs, dir: &Path, base: Position) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(HEADER_LEN);
        buffer.extend_from_slice(&format::encode_header(Kind::Segment, base));
        Ok(Self { file: fs.create(&dir.join(draft_name(base)))?, next: base, buffer })
    }

    fn add(&mut self, position: Position, payload: &[u8]) -> io::Result<()> {
        format::encode_record(&mut self.buffer, position, payload);
        self.next = position.plus(1);
        if self.buffer.len() < CHUNK {
            return Ok(());
        }
        self.file.append(&std::mem::take(&mut self.buffer))
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.append(&self.buffer)?;
        self.file.sync_data()
    }
}

fn draft_name(base: Position) -> String {
    format!("{}{DRAFT}", segment_name(base))
}
