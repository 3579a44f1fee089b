//! The archive: consumed segments of the queue, compressed, for as long as the configuration says.
//!
//! The queue moves a consumed segment into the folder by a rename. Here it is compressed and, when it is old enough or
//! there are too many bytes, removed, the oldest first. A file stands whole under its name or not at all: a draft has
//! another name until it is synced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flate2::Compression;
use flate2::write::GzEncoder;
use quartile_protocol::clock::{DAY_MS, Wall};

use crate::queue::{COMPRESSED, SegmentFile};

/// The end of the name of a file that is being compressed.
const DRAFT: &str = ".part";

/// How long segments are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days since a segment was written; older ones are removed.
    pub days: u32,
    /// Bytes of all segments; beyond that the oldest are removed.
    pub max_bytes: u64,
}

/// Where the archive is and how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The folder.
    pub dir: PathBuf,
    /// For how long.
    pub retention: Retention,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Segments that were compressed.
    pub compressed: u64,
    /// Segments that were removed because of their age or size.
    pub removed: u64,
    /// Segments that are there.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Archive {
    /// Compresses what is not, and removes what is kept no longer. Blocks; a segment of 64 MiB takes about a second.
    ///
    /// # Errors
    /// When the folder cannot be read or written; nothing is lost.
    pub fn tidy(&self, now: Wall) -> io::Result<Tidied> {
        remove_drafts(&self.dir)?;
        let mut tidied = Tidied::default();
        for file in SegmentFile::in_folder(&self.dir)?.iter().filter(|file| !file.is_compressed()) {
            compress(&file.path)?;
            tidied.compressed += 1;
        }
        let kept = self.retain(now)?;
        tidied.removed = kept.removed;
        Ok(Tidied { segments: kept.segments, bytes: kept.bytes, ..tidied })
    }

    fn retain(&self, now: Wall) -> io::Result<Tidied> {
        let mut tidied = Tidied::default();
        let oldest = now.shifted(-i64::from(self.retention.days) * DAY_MS);
        // The newest first: they are what there is room for.
        for file in SegmentFile::in_folder(&self.dir)?.iter().rev() {
            let too_many = tidied.bytes + file.bytes > self.retention.max_bytes;
            if too_many || written_at(&file.path)? < oldest {
                fs::remove_file(&file.path)?;
                tidied.removed += 1;
            } else {
                tidied.segments += 1;
                tidied.bytes += file.bytes;
            }
        }
        Ok(tidied)
    }
}

/// When the last record was written: compressing keeps the date.
fn written_at(path: &Path) -> io::Result<Wall> {
    let modified = fs::metadata(path)?.modified()?;
    let since_1970 = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Wall::from_ms(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)))
}

fn remove_drafts(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(DRAFT) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn compress(path: &Path) -> io::Result<()> {
    let (draft, target) = (beside(path, DRAFT), beside(path, COMPRESSED));
    let written = fs::metadata(path)?.modified()?;
    let mut encoder = GzEncoder::new(File::create(&draft)?, Compression::default());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    let file = encoder.finish()?;
    file.set_modified(written)?;
    file.sync_all()?;
    fs::rename(&draft, &target)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    fs::remove_file(path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::queue::{Config, DiskFs, Queue};

    const NOW: Wall = Wall::from_ms(1_790_000_000_000);

    /// Queues so many records, four to a segment, consumes them all and closes.
    async fn consumed(folder: &TempDir, records: usize) -> Archive {
        let archive = folder.path().join("archive");
        let config = Config {
            segment_bytes: 24 + 4 * 24,
            archive: Some(archive.clone()),
            ..Config::new(folder.path().join("queue"))
        };
        let (queue, mut reader) = Queue::open(&config, Arc::new(DiskFs)).unwrap();
        for n in 0..records {
            queue.append(format!("record {n}").into_bytes()).await.unwrap();
        }
        let last = reader.next_batch(records, usize::MAX).await.unwrap().unwrap().pop().unwrap();
        reader.commit(last.position).await.unwrap();
        queue.close().await;
        for file in SegmentFile::in_folder(&archive).unwrap() {
            let modified = UNIX_EPOCH + Duration::from_millis(NOW.as_ms() as u64);
            File::options().write(true).open(&file.path).unwrap().set_modified(modified).unwrap();
        }
        Archive { dir: archive, retention: Retention { days: 30, max_bytes: 1 << 30 } }
    }

    fn texts(archive: &Archive) -> Vec<String> {
        let mut texts = Vec::new();
        for file in SegmentFile::in_folder(&archive.dir).unwrap() {
            let (flaws, _) = file
                .read::<()>(&mut |record| {
                    texts.push(String::from_utf8(record.payload).unwrap());
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!((flaws.damaged_bytes, flaws.lost_records), (0, 0));
        }
        texts
    }

    fn expected(records: std::ops::Range<usize>) -> Vec<String> {
        records.map(|n| format!("record {n}")).collect()
    }

    #[tokio::test]
    async fn consumed_segments_are_kept_and_compressed_with_every_record() {
        let folder = TempDir::new().unwrap();
        let archive = consumed(&folder, 10).await;
        assert_eq!(texts(&archive), expected(0..8), "the last segment is not sealed yet");
        let tidied = archive.tidy(NOW).unwrap();
        assert_eq!((tidied.compressed, tidied.removed, tidied.segments), (2, 0, 2));
        assert!(SegmentFile::in_folder(&archive.dir).unwrap().iter().all(SegmentFile::is_compressed));
        assert_eq!(texts(&archive), expected(0..8));
        assert_eq!(archive.tidy(NOW).unwrap().compressed, 0);
    }

    #[tokio::test]
    async fn old_segments_go_and_so_do_the_oldest_of_too_many() {
        let folder = TempDir::new().unwrap();
        let mut archive = consumed(&folder, 10).await;
        archive.tidy(NOW).unwrap();
        assert_eq!(archive.tidy(NOW.shifted(30 * DAY_MS)).unwrap().removed, 0);
        archive.retention.max_bytes = SegmentFile::in_folder(&archive.dir).unwrap()[1].bytes;
        assert_eq!(archive.tidy(NOW).unwrap().removed, 1);
        assert_eq!(texts(&archive), expected(4..8));
        assert_eq!(archive.tidy(NOW.shifted(30 * DAY_MS + 1)).unwrap().removed, 1);
        assert_eq!(texts(&archive), [""; 0]);
    }

    #[tokio::test]
    async fn a_crash_while_compressing_leaves_every_record_once() {
        let folder = TempDir::new().unwrap();
        let archive = consumed(&folder, 10).await;
        let first = SegmentFile::in_folder(&archive.dir).unwrap().remove(0);
        let raw = fs::read(&first.path).unwrap();
        fs::write(beside(&first.path, DRAFT), &raw[..10]).unwrap();
        assert_eq!(texts(&archive), expected(0..8));
        archive.tidy(NOW).unwrap();
        // Killed between the rename and the removal.
        fs::write(&first.path, &raw).unwrap();
        assert_eq!(texts(&archive), expected(0..8));
        archive.tidy(NOW).unwrap();
        assert_eq!(texts(&archive), expected(0..8));
    }
}
