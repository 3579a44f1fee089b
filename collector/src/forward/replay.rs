//! Dead letters, forwarded again: after an update of the collector, or after somebody repaired them by hand.

use std::fs;
use std::io;

use serde::Serialize;

use super::letters::{DeadLetters, Letter};
use crate::ingest::Record;
use crate::store::{Store, StoreError};

/// What became of the letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Letters that the store took; their files are removed.
    pub taken: u64,
    /// Letters that it still refuses, with the file and the reason; they stay.
    pub refused: Vec<(String, String)>,
}

/// Why replaying ended early; letters that were taken until then are removed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The letters cannot be read or removed.
    #[error("the dead letters cannot be used")]
    Letters(#[from] io::Error),
    /// The store cannot now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives every dead letter to the store, and removes those that it takes. Blocks.
///
/// # Errors
/// [`ReplayError`].
pub fn dead_letters(letters: &DeadLetters, store: &dyn Store) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    for letter in letters.read_all()? {
        match again(&letter, store)? {
            None => {
                fs::remove_file(&letter.path)?;
                replayed.taken += 1;
            }
            Some(reason) => replayed.refused.push((letter.path.display().to_string(), reason)),
        }
    }
    Ok(replayed)
}

/// Gives one letter to the store; tells why it is still refused.
fn again(letter: &Letter, store: &dyn Store) -> Result<Option<String>, StoreError> {
    let (rows, events) = match Record::decode(&letter.payload) {
        Ok(record) => record.into_rows(),
        Err(error) => return Ok(Some(error.to_string())),
    };
    match store.append(&rows, &events) {
        Ok(()) => Ok(None),
        Err(StoreError::Refused(reason)) => Ok(Some(reason.to_string())),
        Err(error) => Err(error),
    }
}
