//! What the queue promises, told through its public side.

mod damage;
mod faults;
mod fixture;
mod measure;
mod model;
mod repair;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;

use super::fs::{DiskFs, Fs};
use super::sim_fs::SimFs;
use super::{Config, Durability, OpenError, Queue, QueueError, Reader, Record};

const DIR: &str = "/queue";
const ALL: usize = usize::MAX;

/// Segments that hold four records of [`text`] each.
fn small() -> Config {
    Config { segment_bytes: 24 + 4 * 24, ..Config::new(DIR) }
}

/// Eight bytes, so that a record takes 24.
fn text(n: usize) -> String {
    format!("record {n}")
}

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

fn segment(base: usize) -> PathBuf {
    path(&format!("{base:020}.seg"))
}

fn open(fs: &SimFs, config: &Config) -> (Queue, Reader) {
    Queue::open(config, Arc::new(fs.clone())).unwrap()
}

async fn append(queue: &Queue, text: impl Into<String>) {
    queue.append(text.into().into_bytes()).await.unwrap();
}

fn texts(records: Vec<Record>) -> Vec<String> {
    records.into_iter().map(|record| String::from_utf8(record.payload).unwrap()).collect()
}

async fn read(reader: &mut Reader, records: usize) -> Vec<Record> {
    reader.next_batch(records, ALL).await.unwrap().unwrap()
}

/// Closes the queue and reads what is left in it.
async fn drain(queue: &Queue, reader: &mut Reader) -> Vec<String> {
    queue.close().await;
    let mut all = Vec::new();
    while let Some(batch) = reader.next_batch(3, ALL).await.unwrap() {
        all.extend(texts(batch));
    }
    all
}

/// A closed queue on a new disk with this many records, four to a segment.
async fn filled(records: usize) -> SimFs {
    let fs = SimFs::default();
    let (queue, _reader) = open(&fs, &small());
    for n in 0..records {
        append(&queue, text(n)).await;
    }
    queue.close().await;
    fs
}

#[tokio::test]
async fn records_come_out_in_order_with_rising_positions() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    queue.close().await;
    let records = read(&mut reader, 100).await;
    let positions: Vec<u64> = records.iter().map(|record| record.position.get()).collect();
    assert_eq!(positions, (0..10).collect::<Vec<_>>());
    assert_eq!(texts(records), (0..10).map(text).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_keeps_to_both_bounds_but_is_never_empty() {
    let fs = filled(10).await;
    let (_queue, mut reader) = open(&fs, &small());
    assert_eq!(read(&mut reader, 3).await.len(), 3);
    let two = reader.next_batch(ALL, 17).await.unwrap().unwrap();
    assert_eq!(texts(two), ["record 3", "record 4"]);
    let one = reader.next_batch(0, 0).await.unwrap().unwrap();
    assert_eq!(texts(one), ["record 5"]);
    assert_eq!(texts(read(&mut reader, ALL).await), ["record 6", "record 7", "record 8", "record 9"]);
}

#[tokio::test]
async fn a_reader_at_the_end_is_woken_by_the_next_record() {
    let (queue, mut reader) = open(&SimFs::default(), &small());
    let waiting = tokio::spawn(async move { texts(read(&mut reader, 10).await) });
    tokio::task::yield_now().await;
    append(&queue, "hello").await;
    assert_eq!(waiting.await.unwrap(), ["hello"]);
}

#[tokio::test]
async fn cancelled_reads_lose_nothing() {
    let fs = filled(6).await;
    let (queue, mut reader) = open(&fs, &small());
    let mut all = Vec::new();
    for _ in 0..4 {
        // Polled once, which begins the read, then dropped unless the disk was that quick.
        let mut read = std::pin::pin!(reader.next_batch(1, ALL));
        let polled = std::future::poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
        if let Poll::Ready(batch) = polled {
            all.extend(texts(batch.unwrap().unwrap()));
        }
    }
    all.extend(drain(&queue, &mut reader).await);
    assert_eq!(all, (0..6).map(text).collect::<Vec<_>>());
    assert_eq!(queue.stats().lost_records, 0);
}

#[tokio::test]
async fn a_restart_begins_behind_what_was_committed() {
    let fs = filled(6).await;
    let (queue, mut reader) = open(&fs, &small());
    let first = read(&mut reader, 3).await;
    read(&mut reader, 2).await;
    reader.commit(first[1].position).await.unwrap();
    drain(&queue, &mut reader).await;
    drop((queue, reader));
    let (queue, mut reader) = open(&fs, &small());
    assert_eq!(drain(&queue, &mut reader).await, ["record 2", "record 3", "record 4", "record 5"]);
}

#[tokio::test]
async fn rewinding_gives_out_again_what_was_not_committed() {
    let fs = filled(6).await;
    let (_queue, mut reader) = open(&fs, &small());
    let first = read(&mut reader, 5).await;
    reader.commit(first[0].position).await.unwrap();
    reader.rewind();
    assert_eq!(texts(read(&mut reader, 2).await), ["record 1", "record 2"]);
}

#[tokio::test]
async fn what_was_not_read_cannot_be_committed() {
    let fs = filled(2).await;
    let (_queue, mut reader) = open(&fs, &small());
    let last = read(&mut reader, 2).await[1].position;
    reader.rewind();
    let error = reader.commit(last).await.unwrap_err();
    assert!(matches!(error, QueueError::NotRead { .. }) && !error.is_retryable(), "{error}");
}

#[tokio::test]
async fn segments_go_when_they_are_consumed_and_not_before() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    let records = read(&mut reader, 10).await;
    reader.commit(records[2].position).await.unwrap();
    assert_eq!(queue.stats().segments, 3);
    reader.commit(records[8].position).await.unwrap();
    let stats = queue.stats();
    assert_eq!((stats.segments, stats.records, stats.oldest.get()), (1, 1, 9));
    assert_eq!(fs.names(Path::new(DIR)), ["00000000000000000008.seg", "cursor"]);
}

#[tokio::test]
async fn an_empty_oversized_or_late_record_is_refused() {
    let (queue, _reader) = open(&SimFs::default(), &Config { max_bytes: 4000, ..small() });
    for size in [0, 961] {
        let error = queue.append(vec![0; size]).await.unwrap_err();
        assert!(matches!(error, QueueError::RecordSize { max: 960, .. }), "{error}");
    }
    queue.close().await;
    queue.close().await;
    assert!(matches!(queue.append(vec![1]).await, Err(QueueError::Closed)));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_takes_more_when_it_was_consumed() {
    let config = Config { max_bytes: 1000, segment_bytes: 250, ..small() };
    let (queue, mut reader) = open(&SimFs::default(), &config);
    for _ in 0..5 {
        let mut kept = 0;
        while queue.append(vec![7; 100]).await.is_ok() {
            kept += 1;
        }
        assert!(kept >= 5, "{kept}");
        assert!(queue.stats().bytes <= 1000);
        let records = read(&mut reader, ALL).await;
        assert_eq!(records.len(), kept);
        reader.commit(records[kept - 1].position).await.unwrap();
    }
    assert_eq!(queue.stats().refused_full, 5);
}

#[tokio::test]
async fn an_empty_queue_takes_the_largest_record_again_and_again() {
    let config = Config { max_bytes: 1000, ..small() };
    let (queue, mut reader) = open(&SimFs::default(), &config);
    for _ in 0..20 {
        queue.append(vec![7; 210]).await.unwrap();
        let last = read(&mut reader, 1).await[0].position;
        reader.commit(last).await.unwrap();
    }
}

#[tokio::test]
async fn the_line_for_the_disk_is_bounded() {
    let config = Config { max_waiting_bytes: 100, ..small() };
    let (queue, mut reader) = open(&SimFs::default(), &config);
    // Polled in one go on one thread: the writer may take some of them meanwhile, hence the many.
    let appends: Vec<_> = (0..200)
        .map(|n| {
            tokio::spawn({
                let queue = queue.clone();
                async move { queue.append(text(n).into_bytes()).await }
            })
        })
        .collect();
    let mut kept = 0;
    for append in appends {
        match append.await.unwrap() {
            Ok(()) => kept += 1,
            Err(error) => assert!(matches!(error, QueueError::Full) && error.is_retryable(), "{error}"),
        }
    }
    assert_eq!(drain(&queue, &mut reader).await.len(), kept);
    assert_eq!(queue.stats().refused_full as usize, 200 - kept);
}

#[tokio::test]
async fn closing_finishes_what_waits() {
    let (queue, mut reader) = open(&SimFs::default(), &Config::new(DIR));
    let appends: Vec<_> = (0..50)
        .map(|n| {
            tokio::spawn({
                let queue = queue.clone();
                async move { queue.append(text(n).into_bytes()).await }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.close().await;
    let mut kept = 0;
    for append in appends {
        kept += usize::from(append.await.unwrap().is_ok());
    }
    assert_eq!(drain(&queue, &mut reader).await.len(), kept);
    let stats = queue.stats();
    assert_eq!((stats.waiting_records, stats.waiting_bytes), (0, 0));
}

#[tokio::test]
async fn one_process_owns_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path().join("queue"));
    let disk: Arc<dyn Fs> = Arc::new(DiskFs);
    let (queue, reader) = Queue::open(&config, Arc::clone(&disk)).unwrap();
    let error = Queue::open(&config, Arc::clone(&disk)).err().unwrap();
    assert!(matches!(error, OpenError::Locked { .. }) && error.is_retryable(), "{error}");
    queue.close().await;
    drop((queue, reader));
    Queue::open(&config, disk).unwrap();
}

#[tokio::test]
async fn a_place_that_is_no_folder_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Queue::open(&Config::new(file.path()), Arc::new(DiskFs)).err().unwrap();
    assert!(matches!(error, OpenError::Io { .. }) && !error.is_retryable(), "{error}");
}

#[tokio::test]
async fn the_real_disk_keeps_records_in_every_mode() {
    for durability in [Durability::Fsync, Durability::Os, Durability::Memory] {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { dir: folder.path().to_owned(), durability, ..small() };
        let (queue, mut reader) = Queue::open(&config, Arc::new(DiskFs)).unwrap();
        for n in 0..10 {
            append(&queue, text(n)).await;
        }
        let first = read(&mut reader, 1).await;
        reader.commit(first[0].position).await.unwrap();
        queue.close().await;
        drop((queue, reader));
        let torn = folder.path().join("00000000000000000008.seg");
        let len = std::fs::metadata(&torn).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&torn).unwrap().set_len(len - 1).unwrap();
        let (queue, mut reader) = Queue::open(&config, Arc::new(DiskFs)).unwrap();
        append(&queue, "new").await;
        let expected: Vec<String> = (1..9).map(text).chain(["new".to_owned()]).collect();
        assert_eq!(drain(&queue, &mut reader).await, expected, "{durability:?}");
    }
}
