//! Records that were stored before, again: segments of the archive, of the queue, and set aside.
//!
//! A store merges copies, so what it has already changes nothing.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::queue::{self, COMPRESSED, Flaws, SegmentFile};

use super::{BYTES, RECORDS};

/// How far feeding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// Segments that are done.
    pub segments: u64,
    /// All segments.
    pub of_segments: u64,
    /// Records given.
    pub records: u64,
    /// Bytes that were no record.
    pub damaged_bytes: u64,
    /// Records missing between those that were given.
    pub lost_records: u64,
}

/// Why feeding ended early.
#[derive(Debug, thiserror::Error)]
pub enum FeedError<E> {
    /// A segment cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    /// Whoever was given the records did not take them.
    #[error("the records were not taken")]
    Taker(#[source] E),
}

/// Every segment that still holds what was acknowledged: in the queue, in the archive, set aside. The queue comes first:
/// a segment that moves from there into the archive meanwhile is found twice and not missed.
///
/// # Errors
/// When a folder cannot be read.
pub fn segments(config: &Config) -> io::Result<Vec<SegmentFile>> {
    let mut files = SegmentFile::in_folder(&config.queue.dir)?;
    if let Some(archive) = &config.archive {
        files.extend(SegmentFile::in_folder(&archive.dir)?);
    }
    files.extend(SegmentFile::in_folder(&config.queue.dir.join("damaged"))?);
    files.sort();
    Ok(files)
}

/// Gives every record of these segments to `take`, many at once, and tells after each segment how far it is. A segment
/// that is no longer where it was is looked for in the archive.
///
/// # Errors
/// [`FeedError`]; the first error of `take` ends it.
pub fn feed<E>(
    files: &[SegmentFile],
    archive: Option<&Path>,
    take: &mut dyn FnMut(&[queue::Record]) -> Result<(), E>,
    tell: &mut dyn FnMut(&Fed),
) -> Result<Fed, FeedError<E>> {
    let mut fed = Fed { of_segments: files.len() as u64, ..Fed::default() };
    let mut group = Group { take, waiting: Vec::new(), bytes: 0, given: 0 };
    for file in files {
        let flaws = feed_one(file, archive, &mut group)?;
        fed.segments += 1;
        fed.damaged_bytes += flaws.damaged_bytes;
        fed.lost_records += flaws.lost_records;
        fed.records = group.given + group.waiting.len() as u64;
        tell(&fed);
    }
    group.flush().map_err(FeedError::Taker)?;
    Ok(fed)
}

fn feed_one<E>(file: &SegmentFile, archive: Option<&Path>, group: &mut Group<'_, E>) -> Result<Flaws, FeedError<E>> {
    for place in places(file, archive) {
        let read = place.read(&mut |record| match group.add(record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        });
        match read {
            Ok((flaws, None)) => return Ok(flaws),
            Ok((_, Some(error))) => return Err(FeedError::Taker(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(FeedError::Read(place.path, error)),
        }
    }
    tracing::warn!(path = %file.path.display(), "a segment went away before it was read again");
    Ok(Flaws::default())
}

/// Where a segment may be by now: it moves into the archive and is compressed there.
fn places(file: &SegmentFile, archive: Option<&Path>) -> Vec<SegmentFile> {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut places = vec![file.clone()];
    if let Some(archive) = archive {
        let name = name.trim_end_matches(COMPRESSED);
        let paths = [archive.join(name), archive.join(format!("{name}{COMPRESSED}"))];
        places.extend(paths.map(|path| file.at(path)));
    }
    places
}

struct Group<'a, E> {
    take: &'a mut dyn FnMut(&[queue::Record]) -> Result<(), E>,
    waiting: Vec<queue::Record>,
    bytes: usize,
    given: u64,
}

impl<E> Group<'_, E> {
    fn add(&mut self, record: queue::Record) -> Result<(), E> {
        self.bytes += record.payload.len();
        self.waiting.push(record);
        if self.waiting.len() < RECORDS && self.bytes < BYTES { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), E> {
        (self.take)(&self.waiting)?;
        self.given += self.waiting.len() as u64;
        self.waiting.clear();
        self.bytes = 0;
        Ok(())
    }
}
