//! Dead letters: rows that can never be stored, and records that are none, each in a file of its own with the reason.
//!
//! ```json
//! {"position":81734,"reason":"the store cannot take this: …","record":{"v":1,"site":"demo","views":[…]}}
//! {"position":81735,"reason":"not a record: …","bytes":"7b227622…"}
//! ```
//!
//! A file is durable before the queue is told that its record was dealt with. `quartile queue replay` gives the letters
//! to the store again, and removes those that it takes.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chain;
use crate::config::hex;
use crate::ingest::Record;
use crate::queue;

/// Letters that are kept; beyond that they are only counted.
const LETTERS: usize = 10_000;

/// The end of the name of a letter, and of one that is being written.
const LETTER: &str = ".json";
const DRAFT: &str = ".part";

/// The folder of dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    folder: PathBuf,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on disk.
    New,
    /// It was on disk before: the same record came again.
    Known,
    /// There are too many.
    Full,
}

/// A letter that was read again.
#[derive(Debug)]
pub struct Letter {
    /// Its file.
    pub path: PathBuf,
    /// Where its record stood in the queue.
    pub position: u64,
    /// Why it was set aside.
    pub reason: String,
    /// What it holds, as a record of the queue.
    pub payload: Vec<u8>,
}

impl DeadLetters {
    /// The letters in a folder, which is made when there is one.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps one slice or event of a record; `name` tells it from the others of the record.
    ///
    /// # Errors
    /// When it could not be written down; then its record was not dealt with.
    pub fn keep_item(&self, position: u64, name: &str, reason: &dyn Error, record: &Record) -> io::Result<Kept> {
        let record: Value = serde_json::from_slice(&record.encode())?;
        let letter = json!({ "position": position, "reason": chain(reason), "record": record });
        self.write(&format!("{position:020}-{name}"), &letter)
    }

    /// Keeps a whole record that cannot be read.
    ///
    /// # Errors
    /// As [`keep_item`](Self::keep_item).
    pub fn keep_whole(&self, queued: &queue::Record, reason: &dyn Error) -> io::Result<Kept> {
        let position = queued.position.get();
        let letter = json!({ "position": position, "reason": chain(reason), "bytes": hex(&queued.payload) });
        self.write(&format!("{position:020}"), &letter)
    }

    fn write(&self, name: &str, letter: &Value) -> io::Result<Kept> {
        let path = self.folder.join(format!("{name}{LETTER}"));
        if path.exists() {
            return Ok(Kept::Known);
        }
        fs::create_dir_all(&self.folder)?;
        if fs::read_dir(&self.folder)?.count() >= LETTERS {
            return Ok(Kept::Full);
        }
        let draft = self.folder.join(format!("{name}{DRAFT}"));
        let mut file = File::create(&draft)?;
        file.write_all(letter.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(Kept::New)
    }

    /// Every letter, by position. What cannot be read as one is named in the log and left where it is.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read_all(&self) -> io::Result<Vec<Letter>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(LETTER) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.into_iter().filter_map(|path| read(&path)).collect())
    }
}

fn read(path: &Path) -> Option<Letter> {
    let letter = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let payload = letter.as_ref().and_then(|letter| match letter.get("record") {
        Some(record) => Some(record.to_string().into_bytes()),
        None => from_hex(letter["bytes"].as_str()?),
    });
    let Some((letter, payload)) = letter.zip(payload) else {
        tracing::error!(path = %path.display(), "this is no dead letter; it is left where it is");
        return None;
    };
    let reason = letter["reason"].as_str().unwrap_or_default().to_owned();
    Some(Letter { path: path.to_owned(), position: letter["position"].as_u64().unwrap_or_default(), reason, payload })
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use tempfile::TempDir;

    use super::*;

    const RECORD: &str = include_str!("../../fixtures/record-v1.json");

    #[test]
    fn a_letter_is_read_as_it_was_kept_and_kept_once() {
        let folder = TempDir::new().unwrap();
        let letters = DeadLetters::new(folder.path().join("dead"));
        assert_eq!(letters.read_all().unwrap().len(), 0);
        let record = Record::decode(RECORD.as_bytes()).unwrap();
        let reason = Error::other("too odd");
        assert_eq!(letters.keep_item(7, "s0", &reason, &record).unwrap(), Kept::New);
        assert_eq!(letters.keep_item(7, "s0", &reason, &record).unwrap(), Kept::Known);
        let [letter] = &letters.read_all().unwrap()[..] else { panic!() };
        assert_eq!((letter.position, &*letter.reason), (7, "too odd"));
        assert_eq!(Record::decode(&letter.payload).unwrap(), record);
    }

    #[test]
    fn what_is_no_letter_is_left_alone() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("1.json"), "nonsense").unwrap();
        fs::write(folder.path().join("2.json"), r#"{"position":2,"bytes":"zz"}"#).unwrap();
        fs::write(folder.path().join("3.part"), "{").unwrap();
        assert_eq!(DeadLetters::new(folder.path().to_owned()).read_all().unwrap().len(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
