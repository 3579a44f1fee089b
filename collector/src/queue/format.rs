//! The bytes of format version 1. The tables are in the documentation of the module.

use std::fmt;

/// The largest payload of a record.
pub const MAX_RECORD_BYTES: usize = 4 << 20;

pub(super) const HEADER_LEN: usize = 24;
pub(super) const RECORD_HEADER_LEN: usize = 16;
/// The shortest record there is.
pub(super) const MIN_RECORD_LEN: u64 = RECORD_HEADER_LEN as u64 + 1;

const VERSION: u32 = 1;
/// Positions from here on are never reached; a file that states one is not ours.
const BEYOND_REACH: u64 = 1 << 62;

/// Where a record stands in the queue: 0 for the first one ever, then one more each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    pub(super) const ZERO: Self = Self(0);
    pub(super) const MAX: Self = Self(u64::MAX);

    /// The position with this number.
    pub(crate) const fn at(number: u64) -> Self {
        Self(number)
    }

    /// The number itself, for metrics and logs.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position `records` further on.
    pub(super) const fn plus(self, records: u64) -> Self {
        Self(self.0.saturating_add(records))
    }

    /// The position before this one; none before the first.
    pub(crate) const fn before(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// How many records lie from `earlier` up to here; 0 when it is not earlier.
    pub(super) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the queue; commit the position of the last one that was dealt with.
    pub position: Position,
    /// The bytes given to `append`.
    pub payload: Vec<u8>,
}

/// The files that begin with a header.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Segment,
    Cursor,
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Segment => b"QUARTSEG",
            Self::Cursor => b"QUARTCUR",
        }
    }
}

/// Why a header is not one of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("the file ends within its header")]
    Short,
    #[error("the file does not begin like one of this queue")]
    Foreign,
    #[error("the file has format version {0}; this release reads version {VERSION}: a newer release wrote it")]
    Future(u32),
    #[error("the header is damaged")]
    Damaged,
}

pub(super) fn encode_header(kind: Kind, position: Position) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(kind.magic());
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..20].copy_from_slice(&position.0.to_le_bytes());
    let crc = crc32c::crc32c(&header[..20]);
    header[20..].copy_from_slice(&crc.to_le_bytes());
    header
}

pub(super) fn decode_header(kind: Kind, bytes: &[u8]) -> Result<Position, HeaderError> {
    let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(HeaderError::Short)?;
    if header[..8] != kind.magic()[..] {
        return Err(HeaderError::Foreign);
    }
    // The version comes before the checksum: a later version may keep its checksum elsewhere.
    let version = u32_at(header, 8);
    if version > VERSION {
        return Err(HeaderError::Future(version));
    }
    if version != VERSION || u32_at(header, 20) != crc32c::crc32c(&header[..20]) {
        return Err(HeaderError::Damaged);
    }
    let position = u64_at(header, 12);
    if position < BEYOND_REACH { Ok(Position(position)) } else { Err(HeaderError::Damaged) }
}

/// How many bytes a payload takes in a segment.
#[must_use]
pub fn record_len(payload: &[u8]) -> u64 {
    (RECORD_HEADER_LEN + payload.len()) as u64
}

/// Adds a record to `out`. The caller has checked the size of the payload.
pub(super) fn encode_record(out: &mut Vec<u8>, position: Position, payload: &[u8]) {
    debug_assert!((1..=MAX_RECORD_BYTES).contains(&payload.len()));
    let len = payload.len() as u32;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&record_crc(len, position, payload).to_le_bytes());
    out.extend_from_slice(&position.0.to_le_bytes());
    out.extend_from_slice(payload);
}

/// The fixed part of a record whose length is in range.
pub(super) struct RecordHeader {
    pub(super) payload_len: usize,
    pub(super) position: Position,
    crc: u32,
}

impl RecordHeader {
    pub(super) fn parse(bytes: &[u8; RECORD_HEADER_LEN]) -> Option<Self> {
        let payload_len = u32_at(bytes, 0) as usize;
        let header = Self { payload_len, crc: u32_at(bytes, 4), position: Position(u64_at(bytes, 8)) };
        (1..=MAX_RECORD_BYTES).contains(&payload_len).then_some(header)
    }

    pub(super) fn fits(&self, payload: &[u8]) -> bool {
        self.crc == record_crc(payload.len() as u32, self.position, payload)
    }
}

fn record_crc(len: u32, position: Position, payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&len.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &position.0.to_le_bytes());
    crc32c::crc32c_append(crc, payload)
}

/// Panics when `bytes` is too short, so only for arrays whose length is known.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

/// The file name of the segment that begins at `base`; names sort as positions do.
pub(super) fn segment_name(base: Position) -> String {
    format!("{:020}.seg", base.0)
}

/// The position in a segment's file name, or `None` for any other name.
pub(super) fn parse_segment_name(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(".seg")?;
    if digits.len() != 20 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|position| *position < BEYOND_REACH).map(Position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_what_is_wrong_with_them() {
        let good = encode_header(Kind::Segment, Position(7));
        assert_eq!(decode_header(Kind::Segment, &good), Ok(Position(7)));
        assert_eq!(decode_header(Kind::Cursor, &good), Err(HeaderError::Foreign));
        assert_eq!(decode_header(Kind::Segment, &good[..23]), Err(HeaderError::Short));
        for byte in 12..HEADER_LEN {
            let mut bad = good;
            bad[byte] ^= 1;
            assert_eq!(decode_header(Kind::Segment, &bad), Err(HeaderError::Damaged), "byte {byte}");
        }
        let mut newer = good;
        newer[8] = 2;
        assert_eq!(decode_header(Kind::Segment, &newer), Err(HeaderError::Future(2)));
    }

    #[test]
    fn a_segment_name_is_its_position_and_nothing_else_is() {
        assert_eq!(parse_segment_name(&segment_name(Position(81_734))), Some(Position(81_734)));
        for name in
            ["1.seg", "+0000000000000000001.seg", "00000000000000000001.tmp", "99999999999999999999.seg", "lock"]
        {
            assert_eq!(parse_segment_name(name), None, "{name}");
        }
    }
}
