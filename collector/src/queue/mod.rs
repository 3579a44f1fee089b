//! The durable queue between the reply to a sender and the store.
//!
//! # Contract
//!
//! - [`Queue::append`] answers `Ok` once the record is as safe as the configured [`Durability`] says; with
//!   [`Durability::Fsync`], once it survives a power cut. An `Err` means: not acknowledged. The record may still turn
//!   up later (its bytes may have reached the disk), so the sender repeats it and the store merges the copies.
//! - [`Reader`] is the one consumer. It sees acknowledged records, in order, at least once: after a restart it starts
//!   again from the durable cursor.
//! - Everything is bounded: the segment files, the bytes waiting for the disk, one record. Beyond a bound the answer is
//!   [`QueueError::Full`], at once.
//! - Damage costs what is damaged and nothing else. It is counted, logged and stepped over; opening fails only for what
//!   an operator has to put right (permissions, a second process), never because of what a file contains.
//!
//! # Files
//!
//! ```text
//! 00000000000000000000.seg   segments, named for the position of their first record
//! 00000000000000081734.seg
//! cursor                     where the consumer starts after a restart
//! cursor.tmp                 the next cursor, until it is renamed
//! lock                       held by the one process that owns the folder
//! damaged/                   what could not be read, for a human to look at; nothing here is ever opened again
//! ```
//!
//! All numbers are little-endian. Segments and the cursor begin with the same header of 24 bytes:
//!
//! | bytes | segment | cursor |
//! |---|---|---|
//! | 8 | `QUARTSEG` | `QUARTCUR` |
//! | 4 | format version, 1 | format version, 1 |
//! | 8 | position of the first record | position of the next record to consume |
//! | 4 | CRC32C of the 20 bytes before | CRC32C of the 20 bytes before |
//!
//! A segment goes on with records, without padding:
//!
//! | bytes | |
//! |---|---|
//! | 4 | length of the payload, 1 to 4 MiB |
//! | 4 | CRC32C of length, position and payload |
//! | 8 | position: records are numbered from 0, without gaps within a segment |
//! | n | payload |
//!
//! Because a record states its position, the next whole record can be found again behind a damaged stretch, and the
//! number of those that were lost is known. (A record's own text cannot pass for a record: a length in range has a zero
//! byte, and JSON has none.)
//!
//! # Writing
//!
//! One thread owns the files that are written. It takes everything that is waiting, makes one write and one `fdatasync`
//! of it, and completes all those who waited. A lone record is written as soon as the disk is free, and what arrives
//! meanwhile becomes the next group. Where the disk is so quick that groups stay small under load, a group waits a
//! millisecond for company, as long as company comes ([`company`]).
//!
//! A file is written to by one process and until its first failure. After a failed write or sync the file is cut back
//! to what was acknowledged and a new segment begins, because the kernel may drop the dirty pages of a failed
//! sync and report the next one as a success. A segment that begins at position *p* ends what can be read of the one
//! before it at *p*, so leftovers of a failure are never seen once something else took their position.
//!
//! # Reading
//!
//! The consumer reads up to what the writer has published and is woken by it. It commits a position: the cursor is
//! written beside the old one, synced, renamed, the folder synced; only then are segments that lie wholly before it
//! removed. A sealed segment is let go of in one place (`aside::retire`): with an archive it is moved there, by a rename,
//! and compressed later by somebody who is not waited for.
//!
//! # Opening
//!
//! Headers are checked, the last segment is scanned to find the next position, and a torn tail is cut from it. Older
//! segments are checked record by record when they are read, so that opening takes no longer with a full queue.
//!
//! # Looking and repairing by hand
//!
//! [`audit`] reads everything and changes nothing; [`mend`] does what opening does and besides takes damaged stretches out
//! of segments. [`SegmentFile`] reads one segment apart from its queue: in the archive, or set aside.

mod aside;
mod audit;
mod company;
mod cursor;
mod error;
mod format;
mod fs;
mod handle;
mod mend;
mod reader;
mod recover;
mod scan;
mod state;
mod stored;
mod writer;

#[cfg(test)]
mod sim_fs;
#[cfg(test)]
mod tests;

pub use audit::{Audit, Depth, FileSize, SegmentAudit, Stretch, audit};
pub use error::{OpenError, QueueError};
pub use format::{MAX_RECORD_BYTES, Position, Record, record_len as record_bytes};
pub use fs::{DiskFs, Entry, Fs, FsFile};
pub use handle::{Admitted, Config, Durability, Queue};
pub use mend::{Mended, mend};
pub use reader::Reader;
pub use state::Stats;
pub(crate) use stored::COMPRESSED;
pub use stored::{Flaws, SegmentFile, own};
