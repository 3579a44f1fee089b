//! What is done to the files while no collector runs. The queue's format is read here from its documentation alone, so
//! that a mistake in the product's reader is not repeated.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde_json::Value;

use crate::Result;
use crate::state::Key;

/// Bytes of a header, of a segment and of the cursor; and those before a payload.
const HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A record in a segment.
struct Found {
    segment: usize,
    at: usize,
    len: usize,
    position: u64,
}

/// A segment, its first position, and its bytes.
struct Segment {
    path: PathBuf,
    base: u64,
    bytes: Vec<u8>,
}

/// What was in a record that is no more.
#[derive(Debug)]
pub struct Lost {
    /// Its position.
    pub position: u64,
    /// The slices in it.
    pub slices: Vec<Key>,
    /// The events in it.
    pub events: Vec<Key>,
}

/// Flips a byte in each of up to `count` records that are not consumed, and tells what was in them. The last record is
/// left alone: damage at the very end cannot be told from what a crash leaves.
pub fn flip(data: &Path, count: usize, random: &mut Rng, flipped: &mut BTreeSet<u64>) -> Result<Vec<Lost>> {
    let queue = data.join("queue");
    let mut segments = segments(&queue)?;
    let mut records = records(&segments);
    records.pop();
    let cursor = cursor(&queue)?;
    records.retain(|record| record.position >= cursor && !flipped.contains(&record.position));
    random.shuffle(&mut records);
    let mut lost = Vec::new();
    for record in records.into_iter().take(count) {
        let payload = record.at + RECORD_HEADER..record.at + record.len;
        let segment = &mut segments[record.segment];
        lost.push(told(record.position, &segment.bytes[payload])?);
        segment.bytes[record.at + random.usize(..record.len)] ^= 1 << random.u8(..8);
        flipped.insert(record.position);
    }
    for segment in &segments {
        fs::write(&segment.path, &segment.bytes)?;
    }
    Ok(lost)
}

/// Puts a part of a record behind the last one, as a power cut leaves it of a write that was never acknowledged. Tells
/// how many bytes.
pub fn tear(data: &Path, random: &mut Rng) -> Result<u64> {
    let segments = segments(&data.join("queue"))?;
    // A file that was begun and has no header yet has no end either.
    let Some(last) = segments.last().filter(|last| last.bytes.len() >= HEADER) else { return Ok(0) };
    let next = records(&segments).last().map_or(last.base, |record| record.position + 1);
    let mut torn = 700_u32.to_le_bytes().to_vec();
    torn.extend_from_slice(&random.u32(..).to_le_bytes());
    torn.extend_from_slice(&next.to_le_bytes());
    torn.extend(std::iter::repeat_n(b'{', 600));
    torn.truncate(random.usize(1..torn.len()));
    File::options().append(true).open(&last.path)?.write_all(&torn)?;
    Ok(torn.len() as u64)
}

/// Damages the store in one of several ways; tells which.
pub fn ruin_store(data: &Path, random: &mut Rng) -> Result<&'static str> {
    let store = data.join("store/quartile.duckdb");
    let log = data.join("store/quartile.duckdb.wal");
    let Ok(mut bytes) = fs::read(&store) else { return Ok("there was no store") };
    match random.u8(..6) {
        0 => {
            bytes.iter_mut().for_each(|byte| *byte = random.u8(..));
            fs::write(&store, bytes)?;
            Ok("noise instead of the database")
        }
        1 => {
            fs::write(&store, &bytes[..bytes.len() / 2])?;
            Ok("half of the database")
        }
        2 => {
            let from = random.usize(..bytes.len() / 4_096) * 4_096;
            // Noise, because the database's checksum is an exclusive or of words: equal changes in pairs cancel out.
            bytes[from..].iter_mut().take(4_096).for_each(|byte| *byte = random.u8(..));
            fs::write(&store, bytes)?;
            Ok("a page of the database")
        }
        3 if log.exists() => {
            let mut bytes = fs::read(&log)?;
            let at = random.usize(..bytes.len().max(1));
            bytes.iter_mut().skip(at).take(64).for_each(|byte| *byte = random.u8(..));
            fs::write(&log, bytes)?;
            Ok("a stretch of the log")
        }
        4 => {
            fs::remove_file(&store)?;
            Ok("no database, but its log")
        }
        _ => {
            fs::remove_dir_all(data.join("store"))?;
            Ok("no store at all")
        }
    }
}

/// The position at which the consumer goes on.
pub fn cursor(queue: &Path) -> Result<u64> {
    match fs::read(queue.join("cursor")) {
        Ok(bytes) => Ok(number(&bytes, 12)),
        Err(_) => Ok(0),
    }
}

fn segments(queue: &Path) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(queue)? {
        let path = entry?.path();
        let base = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".seg")?.parse().ok());
        if let Some(base) = base {
            segments.push(Segment { bytes: fs::read(&path)?, path, base });
        }
    }
    segments.sort_by_key(|segment| segment.base);
    Ok(segments)
}

/// Every record that is whole by its length and position; not those that a later segment takes the place of.
fn records(segments: &[Segment]) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let end = segments.get(index + 1).map_or(u64::MAX, |next| next.base);
        let (mut at, mut position) = (HEADER, segment.base);
        while at + RECORD_HEADER <= segment.bytes.len() && position < end {
            let mut length = [0; 4];
            length.copy_from_slice(&segment.bytes[at..at + 4]);
            let len = RECORD_HEADER + u32::from_le_bytes(length) as usize;
            if at + len > segment.bytes.len() || number(&segment.bytes, at + 8) != position {
                break;
            }
            found.push(Found { segment: index, at, len, position });
            (at, position) = (at + len, position + 1);
        }
    }
    found
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    match bytes.get(at..at + 8) {
        Some(eight) => number.copy_from_slice(eight),
        None => return 0,
    }
    u64::from_le_bytes(number)
}

fn told(position: u64, payload: &[u8]) -> Result<Lost> {
    let (slices, events) = items(&serde_json::from_slice(payload)?);
    Ok(Lost { position, slices, events })
}

/// The slices and events of a record as JSON.
pub fn items(record: &Value) -> (Vec<Key>, Vec<Key>) {
    let (mut slices, mut events) = (Vec::new(), Vec::new());
    for view in record["views"].as_array().into_iter().flatten() {
        let id = view["id"].as_str().unwrap_or_default();
        let keys = |list: &str, number: &str| -> Vec<Key> {
            let items = view[list].as_array().into_iter().flatten();
            items.map(|item| (id.to_owned(), item[number].as_u64().unwrap_or_default() as u32)).collect()
        };
        slices.extend(keys("slices", "n"));
        events.extend(keys("events", "seq"));
    }
    (slices, events)
}
