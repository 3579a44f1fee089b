//! What can fail, and whether it makes sense to try again.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::format::Position;

/// Why an append, a read or a commit did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// A bound was reached: the bytes on disk, or those waiting for the disk.
    #[error("the queue is full")]
    Full,
    /// The record is empty or too large; it never fits.
    #[error("a record of {bytes} bytes; allowed are 1 to {max}")]
    RecordSize {
        /// The size of the payload that was refused.
        bytes: usize,
        /// The largest payload this queue takes.
        max: usize,
    },
    /// The queue was closed.
    #[error("the queue is closed")]
    Closed,
    /// A commit of something that was not read yet.
    #[error("position {through} cannot be committed: the next to be read is {next}")]
    NotRead {
        /// What was to be committed.
        through: Position,
        /// The first position that was not read.
        next: Position,
    },
    /// The file system refused.
    #[error("the queue could not {action}")]
    Io {
        /// What was attempted, to be read after "could not".
        action: &'static str,
        /// The answer of the file system, shared by all who waited for the same write.
        #[source]
        source: Arc<io::Error>,
    },
}

impl QueueError {
    /// Whether the same call can succeed later without anything else being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Full | Self::Io { .. } => true,
            Self::RecordSize { .. } | Self::Closed | Self::NotRead { .. } => false,
        }
    }

    pub(super) fn io(action: &'static str, source: io::Error) -> Self {
        Self::Io { action, source: Arc::new(source) }
    }
}

/// Why a queue could not be opened. Damaged files are no reason.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder.
    #[error("the queue in {dir} is in use by another process")]
    Locked {
        /// The folder of the queue.
        dir: PathBuf,
    },
    /// The folder cannot be used.
    #[error("could not {action} in {dir}")]
    Io {
        /// What was attempted, to be read after "could not".
        action: &'static str,
        /// The folder of the queue.
        dir: PathBuf,
        /// The answer of the file system.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// Whether opening can succeed later without an operator doing something: a predecessor may still be leaving.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }
}
