//! The side of the queue that takes records in.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::error::{OpenError, QueueError};
use super::format::{HEADER_LEN, MAX_RECORD_BYTES, RECORD_HEADER_LEN};
use super::fs::Fs;
use super::reader::Reader;
use super::recover;
use super::state::{Shared, Stats};
use super::writer::Writer;

/// When a record counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// It is synced to the disk: a power cut does not take it.
    #[default]
    Fsync,
    /// It is handed to the operating system: the process may crash, the machine may not.
    Os,
    /// It waits in memory: a crash takes what is not written yet, and so does a write that fails.
    Memory,
}

/// How a queue is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder; it is made if it does not exist. Nothing else should live in it.
    pub dir: PathBuf,
    /// When a record counts as kept.
    pub durability: Durability,
    /// At what size a segment is sealed and the next begun; at most a quarter of `max_bytes` is used.
    pub segment_bytes: u64,
    /// The bound of all segments together with what waits for the disk.
    pub max_bytes: u64,
    /// The bound of what waits for the disk. One record is taken whatever its size.
    pub max_waiting_bytes: u64,
    /// Where consumed segments are moved to, on the same file system; without it they are removed.
    pub archive: Option<PathBuf>,
}

impl Config {
    /// The defaults: fsync, segments of 64 MiB, 4 GiB in all, 32 MiB waiting.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::Fsync,
            segment_bytes: 64 << 20,
            max_bytes: 4 << 30,
            max_waiting_bytes: 32 << 20,
            archive: None,
        }
    }

    fn limits(&self) -> Limits {
        // The segment being written is not removed even when all of it is consumed. A quarter for it and a quarter for
        // the largest record make sure that an empty queue always takes one more.
        let quarter = self.max_bytes / 4;
        let overhead = (HEADER_LEN + RECORD_HEADER_LEN) as u64;
        let max_record = quarter.saturating_sub(overhead).min(MAX_RECORD_BYTES as u64);
        Limits {
            durability: self.durability,
            segment_bytes: self.segment_bytes.min(quarter),
            max_bytes: self.max_bytes,
            max_waiting_bytes: self.max_waiting_bytes,
            max_record: max_record as usize,
        }
    }
}

/// The configuration, made consistent.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) durability: Durability,
    pub(super) segment_bytes: u64,
    pub(super) max_bytes: u64,
    pub(super) max_waiting_bytes: u64,
    pub(super) max_record: usize,
}

/// The queue, for those who append. Clones are the same queue. When the last one is dropped the queue closes by itself,
/// without anybody waiting for it.
#[derive(Clone)]
pub struct Queue {
    owner: Arc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.begin_closing();
    }
}

/// A record in line for the disk: resolves when it is as safe as the [`Durability`] says. Letting go of it does not take
/// the record back.
pub struct Admitted {
    /// `None` where that was so at once.
    answer: Option<oneshot::Receiver<Result<(), QueueError>>>,
}

impl Future for Admitted {
    type Output = Result<(), QueueError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = &mut self.answer else { return Poll::Ready(Ok(())) };
        // The writer answers everybody; it leaves without an answer only if it panicked.
        let told = ready!(Pin::new(answer).poll(cx));
        Poll::Ready(told.unwrap_or(Err(QueueError::Closed)))
    }
}

impl Queue {
    /// Opens the queue in a folder, repairs what a crash left, and starts its writer. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// [`OpenError::Locked`] when another process has the folder, [`OpenError::Io`] when it cannot be used. Damaged
    /// files are no error.
    pub fn open(config: &Config, fs: Arc<dyn Fs>) -> Result<(Self, Reader), OpenError> {
        let failed = |action| {
            let dir = config.dir.clone();
            move |source| OpenError::Io { action, dir, source }
        };
        fs.create_dir(&config.dir).map_err(failed("make the folder"))?;
        let lock = recover::lock(&*fs, &config.dir)?;
        let recovered =
            recover::recover(&*fs, &config.dir, config.archive.as_deref()).map_err(failed("read the queue"))?;
        let shared = Arc::new(Shared::new(fs, config, config.limits(), recovered, lock));
        let of_writer = Arc::clone(&shared);
        let thread = thread::Builder::new().name("queue-writer".to_owned()).spawn(move || Writer::run(&of_writer));
        let writer = Mutex::new(Some(thread.map_err(failed("start the writer"))?));
        let reader = Reader::new(Arc::clone(&shared));
        Ok((Self { owner: Arc::new(Owner { shared, writer }) }, reader))
    }

    /// Keeps a record. Resolves when it is as safe as the [`Durability`] says. Dropping the future does not take the
    /// record back.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`] at once when a bound is reached; [`QueueError::Io`] when the write failed, in which case
    /// the record is not acknowledged but may turn up.
    pub async fn append(&self, payload: Vec<u8>) -> Result<(), QueueError> {
        self.append_counted(payload, 1).await
    }

    /// The same for a record with so many `items` in it, which the [`Stats`] add up.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn append_counted(&self, payload: Vec<u8>, items: u64) -> Result<(), QueueError> {
        self.admit(payload, items)?.await
    }

    /// Puts a record in line: from here on it will be kept, whether or not anybody waits for it.
    ///
    /// # Errors
    /// As [`append`](Self::append), of what is known at once.
    pub fn admit(&self, payload: Vec<u8>, items: u64) -> Result<Admitted, QueueError> {
        Ok(Admitted { answer: self.owner.shared.admit(payload, items)? })
    }

    /// Keeps records, in order and without waiting for each: they share the groups that are written. After an error any
    /// of them may be kept.
    ///
    /// # Errors
    /// As [`append`](Self::append), the first that there was.
    pub async fn append_all(&self, payloads: Vec<Vec<u8>>) -> Result<(), QueueError> {
        let mut answers = Vec::with_capacity(payloads.len());
        for payload in payloads {
            answers.push(self.admit(payload, 1)?);
        }
        for answer in answers {
            answer.await?;
        }
        Ok(())
    }

    /// The figures of this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.owner.shared.stats()
    }

    /// Refuses further appends, finishes those that wait, and ends the writer. The reader goes on until everything is
    /// read. Closing twice is fine.
    pub async fn close(&self) {
        self.owner.shared.begin_closing();
        let writer = self.owner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the queue's writer ended by a panic");
        }
    }
}
