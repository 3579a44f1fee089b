//! Disks that fail, fill up or lose power while the queue is in use.

use super::super::sim_fs::{Loss, Op, SimFs};
use super::{ALL, Config, DIR, Durability, QueueError, append, drain, filled, open, read, segment, small, text};

async fn refused(queue: &super::Queue, text: &str) {
    let error = queue.append(text.as_bytes().to_vec()).await.unwrap_err();
    assert!(matches!(error, QueueError::Io { .. }) && error.is_retryable(), "{error}");
}

/// Appends `a`, fails `b` by the operation, appends `c`; then the same is there before and after a power cut.
async fn check_failure(op: Op) {
    let fs = SimFs::default();
    let (queue, mut reader) = open(&fs, &small());
    append(&queue, "a").await;
    fs.fail(op, 1);
    refused(&queue, "b").await;
    assert!(queue.stats().failing);
    assert_eq!(fs.content(&segment(0)).len(), 24 + 17, "the disk got its space back");
    append(&queue, "c").await;
    assert!(!queue.stats().failing);
    assert_eq!(super::texts(read(&mut reader, ALL).await), ["a", "c"]);
    let fs = fs.cut_power(Loss::Everything);
    let (queue, mut reader) = open(&fs, &small());
    assert_eq!(drain(&queue, &mut reader).await, ["a", "c"]);
    assert_eq!(queue.stats().lost_records, 0);
}

#[tokio::test]
async fn a_failed_write_is_not_acknowledged_and_costs_nothing_else() {
    check_failure(Op::Append).await;
}

#[tokio::test]
async fn after_a_failed_sync_the_file_is_not_trusted_again() {
    check_failure(Op::Sync).await;
}

#[tokio::test]
async fn a_failure_whose_clean_up_fails_too_leaves_nothing_to_be_read() {
    let fs = SimFs::default();
    let (queue, mut reader) = open(&fs, &small());
    append(&queue, "a").await;
    fs.fail(Op::Sync, 1);
    fs.fail(Op::Truncate, 1);
    refused(&queue, "b").await;
    append(&queue, "c").await;
    assert_eq!(drain(&queue, &mut reader).await, ["a", "c"]);
    drop((queue, reader));
    let (queue, mut reader) = open(&fs, &small());
    assert_eq!(drain(&queue, &mut reader).await, ["a", "c"]);
    assert_eq!(queue.stats().damaged_segments, 0);
}

#[tokio::test]
async fn a_segment_that_could_not_be_begun_is_begun_again() {
    for op in [Op::Create, Op::Append, Op::Sync, Op::SyncDir] {
        let fs = SimFs::default();
        let (queue, mut reader) = open(&fs, &small());
        fs.fail(op, 1);
        fs.fail(Op::Remove, 1);
        refused(&queue, "a").await;
        append(&queue, "b").await;
        assert_eq!(drain(&queue, &mut reader).await, ["b"], "{op:?}");
        let fs = fs.cut_power(Loss::Everything);
        let (queue, mut reader) = open(&fs, &small());
        assert_eq!(drain(&queue, &mut reader).await, ["b"], "{op:?}");
    }
}

#[tokio::test]
async fn a_full_disk_is_survived_and_forgotten_when_there_is_space_again() {
    let fs = SimFs::default();
    let (queue, mut reader) = open(&fs, &small());
    fs.set_capacity(24 + 5 * 24);
    for n in 0..4 {
        append(&queue, text(n)).await;
    }
    for _ in 0..20 {
        refused(&queue, "no room").await;
    }
    assert_eq!(fs.names(std::path::Path::new(DIR)), ["00000000000000000000.seg"]);
    fs.heal();
    append(&queue, text(4)).await;
    assert_eq!(drain(&queue, &mut reader).await, (0..5).map(text).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_that_cannot_be_written_removes_nothing() {
    for op in [Op::Create, Op::Append, Op::Sync, Op::Rename, Op::SyncDir] {
        let fs = filled(10).await;
        let (queue, mut reader) = open(&fs, &small());
        let last = read(&mut reader, ALL).await[9].position;
        fs.fail(op, 1);
        let error = reader.commit(last).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(queue.stats().segments, 3, "{op:?}");
        reader.commit(last).await.unwrap();
        assert_eq!(queue.stats().segments, 0, "{op:?}");
    }
}

#[tokio::test]
async fn the_cursor_is_durable_before_segments_go() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    let last = read(&mut reader, ALL).await[4].position;
    reader.commit(last).await.unwrap();
    let fs = fs.cut_power(Loss::Everything);
    drop((queue, reader));
    let (queue, mut reader) = open(&fs, &small());
    assert_eq!(drain(&queue, &mut reader).await, (5..10).map(text).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_segment_that_cannot_be_removed_goes_with_the_next_opening() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    let last = read(&mut reader, ALL).await[4].position;
    fs.fail(Op::Remove, 1);
    reader.commit(last).await.unwrap();
    assert!(fs.names(std::path::Path::new(DIR)).contains(&"00000000000000000000.seg".to_owned()));
    queue.close().await;
    drop((queue, reader));
    let (_queue, mut reader) = open(&fs, &small());
    assert!(!fs.names(std::path::Path::new(DIR)).contains(&"00000000000000000000.seg".to_owned()));
    assert_eq!(read(&mut reader, 1).await[0].position.get(), 5);
}

#[tokio::test]
async fn reads_that_fail_for_a_while_are_retried_without_loss() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    fs.fail(Op::Read, 3);
    for _ in 0..3 {
        assert!(reader.next_batch(ALL, ALL).await.unwrap_err().is_retryable());
    }
    assert_eq!(read(&mut reader, ALL).await.len(), 10);
    assert_eq!(queue.stats().lost_records, 0);
}

#[tokio::test]
async fn a_segment_that_can_never_be_read_is_stepped_over() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    read(&mut reader, 2).await;
    fs.fail(Op::Read, 6);
    reader.rewind();
    let mut errors = 0;
    while reader.next_batch(ALL, ALL).await.is_err() {
        errors += 1;
    }
    assert_eq!(errors, 5, "four for the first segment, then one for the second");
    let stats = queue.stats();
    assert_eq!(
        (stats.lost_records, stats.damaged_segments),
        (4, 1),
        "two of the four had come out, but were asked for again"
    );
}

#[tokio::test]
async fn a_segment_deleted_under_the_reader_is_stepped_over_at_once() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    fs.delete(&segment(4));
    assert_eq!(read(&mut reader, ALL).await.len(), 6);
    assert_eq!(queue.stats().lost_records, 4);
}

#[tokio::test]
async fn memory_mode_counts_what_it_drops_and_stops_promising() {
    let fs = SimFs::default();
    let config = Config { durability: Durability::Memory, ..small() };
    let (queue, mut reader) = open(&fs, &config);
    fs.fail(Op::Append, 2);
    append(&queue, "promised too early").await;
    while !queue.stats().failing {
        tokio::task::yield_now().await;
    }
    refused(&queue, "told the truth").await;
    append(&queue, "written").await;
    assert_eq!(drain(&queue, &mut reader).await, ["written"]);
    let stats = queue.stats();
    assert_eq!((stats.dropped_records, stats.failed_records, stats.appended_records), (1, 1, 1));
}

#[tokio::test]
async fn an_unwritable_folder_is_an_error_and_not_a_panic() {
    let fs = SimFs::default();
    fs.fail(Op::List, 1);
    assert!(super::Queue::open(&small(), std::sync::Arc::new(fs.clone())).is_err());
    open(&fs, &small());
}

#[tokio::test]
async fn an_unreadable_last_segment_is_neither_cut_nor_hidden() {
    let fs = filled(10).await;
    fs.edit(&segment(8), |bytes| bytes.extend([0; 20]));
    let before = fs.content(&segment(8));
    // The headers of three segments are opened and read, then the last one is opened; the next read fails.
    fs.fail_after(Op::Read, 7, 1);
    let (queue, mut reader) = open(&fs, &small());
    assert_eq!(fs.content(&segment(8)), before);
    append(&queue, "new").await;
    let expected: Vec<String> = (0..10).map(text).chain(["new".to_owned()]).collect();
    assert_eq!(drain(&queue, &mut reader).await, expected);
    assert!(queue.stats().next.get() > 11, "room was left for records that could not be seen");
}

#[tokio::test]
async fn a_writer_that_panics_costs_one_group_and_goes_on() {
    for op in [Op::Create, Op::Append, Op::Sync, Op::SyncDir] {
        let fs = SimFs::default();
        let (queue, mut reader) = open(&fs, &small());
        if op == Op::Append || op == Op::Sync {
            append(&queue, "a").await;
        }
        let before = queue.stats().appended_records;
        fs.panic_at(op);
        assert!(queue.append(b"b".to_vec()).await.is_err(), "{op:?}");
        append(&queue, "c").await;
        let stats = queue.stats();
        assert_eq!((stats.waiting_records, stats.waiting_bytes), (0, 0), "{op:?}");
        assert_eq!(stats.appended_records, before + 1);
        let fs = fs.cut_power(Loss::Everything);
        drop((queue, reader));
        (_, reader) = open(&fs, &small());
        let all = super::texts(read(&mut reader, ALL).await);
        assert_eq!(all.last().map(String::as_str), Some("c"), "{op:?}");
        assert!(!all.contains(&"b".to_owned()), "{op:?}");
    }
}
