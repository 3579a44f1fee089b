//! Reads a segment record by record and finds the way back behind damage.

use std::io;
use std::ops::{Range, RangeInclusive};

use super::format::{HEADER_LEN, MIN_RECORD_LEN, Position, RECORD_HEADER_LEN, Record, RecordHeader};
use super::fs::FsFile;

/// How much is read from the file at a time.
const WINDOW: u64 = 256 << 10;
/// How many bytes may be checksummed in search of the next whole record, so that no content makes it slow.
const SEARCH_BUDGET: u64 = 256 << 20;

/// How far a segment may be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Bytes of the file.
    pub(super) len: u64,
    /// The position after its last record.
    pub(super) end: Position,
}

/// What comes next in a segment.
#[derive(Debug)]
pub(super) enum Step {
    Record(Record),
    /// These bytes of the file are no record.
    Damage(Range<u64>),
    End,
}

/// A place in a segment that moves forward.
pub(super) struct Scanner {
    file: Box<dyn FsFile>,
    /// Where the next record begins.
    offset: u64,
    /// What its position has to be.
    expected: Position,
    window: Vec<u8>,
    window_at: u64,
    /// Bytes of payload checked so far.
    hashed: u64,
}

impl Scanner {
    /// Begins after the header of a segment whose first record is `base`.
    pub(super) fn new(file: Box<dyn FsFile>, base: Position) -> Self {
        Self { file, offset: HEADER_LEN as u64, expected: base, window: Vec::new(), window_at: 0, hashed: 0 }
    }

    /// The byte after what was stepped over.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The position that the next record should have.
    pub(super) fn expected(&self) -> Position {
        self.expected
    }

    /// Reads on. The extent may have grown since the last step. After an error the step can be tried again.
    pub(super) fn step(&mut self, extent: Extent) -> io::Result<Step> {
        if self.offset >= extent.len || self.expected >= extent.end {
            return Ok(Step::End);
        }
        if let Some(record) = self.record_at(self.offset, extent, &(self.expected..=self.expected))? {
            self.offset += RECORD_HEADER_LEN as u64 + record.payload.len() as u64;
            self.expected = record.position.plus(1);
            return Ok(Step::Record(record));
        }
        let damaged_from = self.offset;
        match self.search(extent)? {
            Some((offset, position)) => {
                self.offset = offset;
                self.expected = position;
            }
            None => {
                self.offset = extent.len;
                self.expected = extent.end;
            }
        }
        Ok(Step::Damage(damaged_from..self.offset))
    }

    /// The first whole record behind a damaged one, and its position.
    fn search(&mut self, extent: Extent) -> io::Result<Option<(u64, Position)>> {
        let budget = self.hashed.saturating_add(SEARCH_BUDGET);
        for offset in self.offset + MIN_RECORD_LEN..extent.len {
            // At least one record was lost, and no more than had room.
            let lost = (offset - self.offset) / MIN_RECORD_LEN;
            let positions = self.expected.plus(1)..=self.expected.plus(lost);
            if let Some(record) = self.record_at(offset, extent, &positions)? {
                return Ok(Some((offset, record.position)));
            }
            if self.hashed > budget {
                break;
            }
        }
        Ok(None)
    }

    /// The record at `offset`, if there is a whole one there with one of the positions.
    fn record_at(
        &mut self,
        offset: u64,
        extent: Extent,
        positions: &RangeInclusive<Position>,
    ) -> io::Result<Option<Record>> {
        let Some(header) = self.bytes(offset, RECORD_HEADER_LEN as u64, extent.len)? else {
            return Ok(None);
        };
        let Some(header) = header.first_chunk().and_then(RecordHeader::parse) else {
            return Ok(None);
        };
        if !positions.contains(&header.position) || header.position >= extent.end {
            return Ok(None);
        }
        let payload_at = offset + RECORD_HEADER_LEN as u64;
        self.hashed += header.payload_len as u64;
        let Some(payload) = self.bytes(payload_at, header.payload_len as u64, extent.len)? else {
            return Ok(None);
        };
        let record = || Record { position: header.position, payload: payload.to_vec() };
        Ok(header.fits(payload).then(record))
    }

    /// `len` bytes from `offset` on, or `None` when the segment ends before.
    fn bytes(&mut self, offset: u64, len: u64, file_len: u64) -> io::Result<Option<&[u8]>> {
        if offset.saturating_add(len) > file_len {
            return Ok(None);
        }
        let window_end = self.window_at + self.window.len() as u64;
        if offset < self.window_at || offset + len > window_end {
            let want = len.max(WINDOW).min(file_len - offset) as usize;
            // Empty until the read has succeeded, so that a failed one leaves nothing to be taken for content.
            let mut window = std::mem::take(&mut self.window);
            window.resize(want, 0);
            self.file.read_exact_at(&mut window, offset)?;
            self.window = window;
            self.window_at = offset;
        }
        let start = (offset - self.window_at) as usize;
        Ok(self.window.get(start..start + len as usize))
    }
}
