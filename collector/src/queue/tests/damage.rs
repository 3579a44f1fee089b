//! A catalogue of damaged files. Each case takes a closed queue of ten records in three segments (0–3, 4–7, 8–9),
//! breaks it, opens it, appends one more and reads everything; then all of that again, because nothing may come back
//! or go on getting lost.

use std::path::Path;

use super::super::Stats;
use super::super::sim_fs::{Op, SimFs};
use super::{DIR, append, drain, filled, open, path, read, segment, small, text};

const HEADER: usize = 24;
const RECORD: usize = 24;
const LENGTH: usize = 0;
const CRC: usize = 4;
const POSITION: usize = 8;
const PAYLOAD: usize = 16;

/// Where a field of the `n`th record of a segment is in its file.
fn field(n: usize, field: usize) -> usize {
    HEADER + n * RECORD + field
}

/// Breaks a queue, says what must be missing from it afterwards, and returns the figures of the first opening.
async fn check(damage: impl FnOnce(&SimFs), missing: &[usize]) -> (SimFs, Stats) {
    let fs = filled(10).await;
    damage(&fs);
    let mut expected: Vec<String> = (0..10).filter(|n| !missing.contains(n)).map(text).collect();
    let mut stats = None;
    for addition in ["new", "newer"] {
        let (queue, mut reader) = open(&fs, &small());
        append(&queue, addition).await;
        expected.push(addition.to_owned());
        assert_eq!(drain(&queue, &mut reader).await, expected);
        stats.get_or_insert(queue.stats());
    }
    (fs, stats.unwrap())
}

/// The figures about damage: records lost, segments damaged, cursors damaged, bytes torn off.
fn figures(stats: &Stats) -> (u64, u64, u64, u64) {
    (stats.lost_records, stats.damaged_segments, stats.damaged_cursors, stats.torn_bytes)
}

fn flip(base: usize, at: usize) -> impl FnOnce(&SimFs) {
    move |fs| fs.edit(&segment(base), |bytes| bytes[at] ^= 0x20)
}

fn cut(base: usize, len: usize) -> impl FnOnce(&SimFs) {
    move |fs| fs.edit(&segment(base), |bytes| bytes.truncate(len))
}

fn overwrite(base: usize, at: usize, new: &[u8]) -> impl FnOnce(&SimFs) {
    move |fs| {
        fs.edit(&segment(base), |bytes| {
            bytes[at..at + new.len()].copy_from_slice(new);
        });
    }
}

fn damaged_names(fs: &SimFs) -> Vec<String> {
    fs.names(&path("damaged"))
}

#[tokio::test]
async fn an_intact_queue_reports_no_damage() {
    let (fs, stats) = check(|_| (), &[]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
    assert!(damaged_names(&fs).is_empty());
}

#[tokio::test]
async fn torn_tail_in_the_header() {
    let (fs, stats) = check(cut(8, 10), &[8, 9]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 10));
    assert!(damaged_names(&fs).is_empty());
}

#[tokio::test]
async fn torn_tail_in_the_length() {
    let (_, stats) = check(cut(8, field(1, LENGTH) + 2), &[9]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 2));
}

#[tokio::test]
async fn torn_tail_in_the_payload() {
    let (fs, stats) = check(cut(8, field(1, PAYLOAD) + 5), &[9]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 21));
    assert_eq!(fs.content(&segment(8)).len(), field(1, 0), "the tail was cut from the file");
}

#[tokio::test]
async fn torn_tail_of_zeros() {
    let (_, stats) = check(|fs| fs.edit(&segment(8), |bytes| bytes.resize(5000, 0)), &[]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 5000 - field(2, 0) as u64));
}

#[tokio::test]
async fn only_a_torn_record_in_the_last_segment() {
    let (_, stats) = check(cut(8, field(0, PAYLOAD)), &[8, 9]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 16));
}

#[tokio::test]
async fn flipped_byte_in_the_crc() {
    let (_, stats) = check(flip(4, field(1, CRC)), &[5]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn flipped_byte_in_the_payload() {
    let (_, stats) = check(flip(4, field(1, PAYLOAD)), &[5]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn flipped_byte_in_the_length() {
    let (_, stats) = check(flip(4, field(1, LENGTH)), &[5]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn flipped_byte_in_the_position() {
    let (_, stats) = check(flip(4, field(1, POSITION)), &[5]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn huge_length() {
    let (_, stats) = check(overwrite(4, field(1, LENGTH), &u32::MAX.to_le_bytes()), &[5]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn length_in_range_that_points_beyond_the_file() {
    let (_, stats) = check(overwrite(4, field(1, LENGTH), &4_000_000_u32.to_le_bytes()), &[5]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn stretch_of_zeros_over_several_records() {
    let (_, stats) = check(overwrite(4, field(0, PAYLOAD), &[0; 50]), &[4, 5, 6]).await;
    assert_eq!(figures(&stats), (3, 1, 0, 0));
}

#[tokio::test]
async fn two_stretches_in_one_segment_count_as_one_segment() {
    let both = |fs: &SimFs| {
        flip(4, field(0, CRC))(fs);
        flip(4, field(2, CRC))(fs);
    };
    let (_, stats) = check(both, &[4, 6]).await;
    assert_eq!(figures(&stats), (2, 1, 0, 0));
}

#[tokio::test]
async fn flipped_byte_in_the_last_record_of_a_sealed_segment() {
    let (_, stats) = check(flip(4, field(3, PAYLOAD)), &[7]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn flipped_byte_before_the_end_of_the_last_segment_is_no_torn_tail() {
    let (_, stats) = check(flip(8, field(0, LENGTH)), &[8]).await;
    assert_eq!(figures(&stats), (1, 1, 0, 0));
}

#[tokio::test]
async fn sealed_segment_cut_short() {
    let (_, stats) = check(cut(4, field(2, PAYLOAD)), &[6, 7]).await;
    assert_eq!(figures(&stats), (2, 1, 0, 0));
}

#[tokio::test]
async fn sealed_segment_that_ends_between_records() {
    let (_, stats) = check(cut(4, field(2, 0)), &[6, 7]).await;
    assert_eq!(figures(&stats), (2, 0, 0, 0));
}

#[tokio::test]
async fn foreign_files_in_the_folder_are_left_alone() {
    let foreign = |fs: &SimFs| {
        fs.place(&path("notes.txt"), b"do not delete");
        fs.place(&path("12.seg"), b"");
    };
    let (fs, stats) = check(foreign, &[]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
    assert_eq!(fs.content(&path("notes.txt")), b"do not delete");
}

#[tokio::test]
async fn foreign_file_with_the_name_of_a_segment() {
    let (fs, stats) = check(|fs| fs.place(&segment(20), &[b'x'; 100]), &[]).await;
    assert_eq!(figures(&stats), (10, 1, 0, 0));
    assert_eq!(damaged_names(&fs), ["00000000000000000020.seg"]);
}

#[tokio::test]
async fn segment_under_the_name_of_another() {
    let (_, stats) = check(|fs| fs.place(&segment(6), &fs.content(&segment(4))), &[]).await;
    assert_eq!(figures(&stats), (0, 1, 0, 0));
}

#[tokio::test]
async fn empty_segment_at_the_end() {
    let (fs, stats) = check(|fs| fs.place(&segment(10), b""), &[]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
    assert!(damaged_names(&fs).is_empty());
}

#[tokio::test]
async fn empty_segment_in_the_middle() {
    let (_, stats) = check(cut(4, 0), &[4, 5, 6, 7]).await;
    assert_eq!(figures(&stats), (4, 0, 0, 0));
}

#[tokio::test]
async fn segment_with_nothing_but_a_header() {
    let (_, stats) = check(cut(8, HEADER), &[8, 9]).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
}

#[tokio::test]
async fn missing_middle_segment() {
    let (_, stats) = check(|fs| fs.delete(&segment(4)), &[4, 5, 6, 7]).await;
    assert_eq!(figures(&stats), (4, 0, 0, 0));
}

#[tokio::test]
async fn damaged_header_in_the_middle() {
    let (fs, stats) = check(flip(4, 13), &[4, 5, 6, 7]).await;
    assert_eq!(figures(&stats), (4, 1, 0, 0));
    assert_eq!(damaged_names(&fs), ["00000000000000000004.seg"]);
}

#[tokio::test]
async fn damaged_header_of_the_last_segment() {
    let (_, stats) = check(flip(8, 20), &[8, 9]).await;
    assert_eq!(figures(&stats), (0, 1, 0, 0));
}

#[tokio::test]
async fn future_version_is_set_aside_whole() {
    let mut before = Vec::new();
    let newer = |fs: &SimFs| {
        overwrite(4, 8, &[2])(fs);
        before = fs.content(&segment(4));
    };
    let (fs, stats) = check(newer, &[4, 5, 6, 7]).await;
    assert_eq!(figures(&stats), (4, 1, 0, 0));
    assert_eq!(fs.content(&path("damaged/00000000000000000004.seg")), before);
}

#[tokio::test]
async fn damaged_segment_that_cannot_be_moved_is_not_overwritten() {
    let fs = filled(10).await;
    flip(8, 0)(&fs);
    let before = fs.content(&segment(8));
    fs.fail(Op::Rename, 1);
    let (queue, mut reader) = open(&fs, &small());
    append(&queue, "new").await;
    assert_eq!(drain(&queue, &mut reader).await.last().unwrap(), "new");
    assert_eq!(fs.content(&segment(8)), before);
}

/// A queue whose first six records are consumed; `damage` is done to it and the rest is read.
async fn check_cursor(damage: impl FnOnce(&SimFs), first: usize) -> (SimFs, Stats) {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    let records = read(&mut reader, 6).await;
    reader.commit(records[5].position).await.unwrap();
    queue.close().await;
    drop((queue, reader));
    damage(&fs);
    let (queue, mut reader) = open(&fs, &small());
    append(&queue, "new").await;
    let expected: Vec<String> = (first..10).map(text).chain(["new".to_owned()]).collect();
    assert_eq!(drain(&queue, &mut reader).await, expected);
    (fs, queue.stats())
}

#[tokio::test]
async fn intact_cursor() {
    let (_, stats) = check_cursor(|_| (), 6).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
}

#[tokio::test]
async fn damaged_cursor_starts_from_the_oldest_segment() {
    let (fs, stats) = check_cursor(|fs| fs.edit(&path("cursor"), |bytes| bytes[12] ^= 1), 4).await;
    assert_eq!(figures(&stats), (0, 0, 1, 0));
    assert_eq!(damaged_names(&fs), ["cursor"]);
}

#[tokio::test]
async fn torn_cursor_starts_from_the_oldest_segment() {
    let (_, stats) = check_cursor(|fs| fs.edit(&path("cursor"), |bytes| bytes.truncate(7)), 4).await;
    assert_eq!(figures(&stats), (0, 0, 1, 0));
}

#[tokio::test]
async fn lost_cursor_starts_from_the_oldest_segment() {
    let (_, stats) = check_cursor(|fs| fs.delete(&path("cursor")), 4).await;
    assert_eq!(figures(&stats), (0, 0, 1, 0));
}

#[tokio::test]
async fn half_written_next_cursor_is_ignored() {
    let (_, stats) = check_cursor(|fs| fs.place(&path("cursor.tmp"), b"QUART"), 6).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
}

#[tokio::test]
async fn cursor_beyond_the_end_hides_nothing_new() {
    let lost_end = |fs: &SimFs| {
        fs.delete(&segment(4));
        fs.delete(&segment(8));
    };
    let (_, stats) = check_cursor(lost_end, 10).await;
    assert_eq!(figures(&stats), (0, 0, 0, 0));
    assert_eq!((stats.records, stats.next.get()), (1, 7));
}

#[tokio::test]
async fn everything_damaged_at_once_still_opens() {
    let all = |fs: &SimFs| {
        for name in fs.names(Path::new(DIR)) {
            fs.edit(&path(&name), |bytes| bytes.fill(0xAA));
        }
    };
    let (_, stats) = check_cursor(all, 10).await;
    assert_eq!((stats.damaged_segments, stats.damaged_cursors), (2, 1));
}

#[tokio::test]
async fn damaged_segment_is_kept_when_it_was_consumed() {
    let fs = filled(10).await;
    flip(0, field(2, PAYLOAD))(&fs);
    let (_queue, mut reader) = open(&fs, &small());
    let records = read(&mut reader, 9).await;
    reader.commit(records[8].position).await.unwrap();
    assert_eq!(damaged_names(&fs), ["00000000000000000000.seg"]);
}

#[tokio::test]
async fn damaged_segments_do_not_fill_the_disk() {
    let fs = filled(10).await;
    flip(0, field(2, PAYLOAD))(&fs);
    fs.place(&path("damaged/old"), &[0; 3000]);
    let (_queue, mut reader) = open(&fs, &super::Config { max_bytes: 12_000, ..small() });
    let records = read(&mut reader, 9).await;
    reader.commit(records[8].position).await.unwrap();
    assert_eq!(damaged_names(&fs), ["old"]);
}
