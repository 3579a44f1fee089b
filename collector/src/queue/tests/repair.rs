//! Looking at a queue and repairing it by hand. Each case takes a closed queue of ten records in three segments (0–3,
//! 4–7, 8–9).

use super::super::audit::{Audit, Depth, audit};
use super::super::mend::{Mended, mend};
use super::super::sim_fs::{Loss, SimFs};
use super::{ALL, Config, DIR, OpenError, append, drain, filled, open, path, read, segment, small, text};

fn look(fs: &SimFs) -> Audit {
    audit(fs, std::path::Path::new(DIR), Depth::Records).unwrap()
}

fn flip(fs: &SimFs, base: usize, at: usize) {
    fs.edit(&segment(base), |bytes| bytes[at] ^= 0x20);
}

/// The offset of the payload of the `n`th record of a segment.
fn payload(n: usize) -> usize {
    24 + n * 24 + 16
}

/// Repairs, then everything but `missing` is there, without any damage; the audit before said so as well.
async fn check(fs: SimFs, missing: &[usize]) -> Vec<Mended> {
    let before = look(&fs);
    assert!(!before.is_sound());
    assert_eq!(before.lost_records(), missing.len() as u64);
    let done = mend(&fs, &small()).unwrap();
    let after = look(&fs);
    assert!(after.segments.iter().all(|segment| segment.unreadable.is_none() && segment.damage.is_empty()));
    assert!(mend(&fs, &small()).unwrap().is_empty(), "a repaired queue needs no repair");
    // What was repaired survives a power cut.
    let fs = fs.cut_power(Loss::Everything);
    let (queue, mut reader) = open(&fs, &small());
    let expected: Vec<_> = (0..10).filter(|n| !missing.contains(n)).map(text).collect();
    assert_eq!(drain(&queue, &mut reader).await, expected);
    assert_eq!(queue.stats().damaged_segments, 0);
    done
}

#[tokio::test]
async fn a_sound_queue_is_told_as_it_is_and_left_alone() {
    let fs = filled(10).await;
    let audit = look(&fs);
    assert!(audit.is_sound() && !audit.in_use);
    let told: Vec<_> = audit.segments.iter().map(|part| (part.first, part.end, part.records)).collect();
    assert_eq!(told, [(0, Some(4), Some(4)), (4, Some(8), Some(4)), (8, Some(10), Some(2))]);
    let before = fs.names(std::path::Path::new(DIR));
    assert_eq!(mend(&fs, &small()).unwrap(), []);
    assert_eq!(fs.names(std::path::Path::new(DIR)), before);
}

#[tokio::test]
async fn a_flipped_byte_costs_one_record_and_the_original_is_kept() {
    let fs = filled(10).await;
    flip(&fs, 4, payload(1));
    let original = fs.content(&segment(4));
    let done = check(fs.clone(), &[5]).await;
    let [Mended::Rewrote { into, kept, lost_records: 1, damaged_bytes: 24, .. }] = &done[..] else {
        panic!("{done:?}")
    };
    assert_eq!(into, &["00000000000000000004.seg", "00000000000000000006.seg"]);
    assert_eq!(fs.content(kept), original);
}

#[tokio::test]
async fn a_damaged_first_record_leaves_an_empty_segment_in_its_place() {
    let fs = filled(10).await;
    flip(&fs, 0, payload(0));
    let done = check(fs, &[0]).await;
    let [Mended::Rewrote { into, .. }] = &done[..] else { panic!("{done:?}") };
    assert_eq!(into, &["00000000000000000000.seg", "00000000000000000001.seg"]);
}

#[tokio::test]
async fn a_segment_without_a_whole_record_is_emptied() {
    let fs = filled(10).await;
    fs.edit(&segment(4), |bytes| bytes[24..].fill(0xAA));
    let done = check(fs, &[4, 5, 6, 7]).await;
    assert!(matches!(&done[..], [Mended::Rewrote { lost_records: 4, .. }]), "{done:?}");
}

#[tokio::test]
async fn an_unreadable_header_sets_the_segment_aside() {
    let fs = filled(10).await;
    flip(&fs, 4, 12);
    let done = check(fs, &[4, 5, 6, 7]).await;
    assert!(matches!(&done[..], [Mended::SetAside { lost_records: 4, .. }]), "{done:?}");
}

#[tokio::test]
async fn a_damaged_cursor_is_reset() {
    let fs = filled(10).await;
    fs.place(&path("cursor"), b"nonsense");
    let done = check(fs, &[]).await;
    assert!(matches!(&done[..], [Mended::ResetCursor { .. }]), "{done:?}");
}

#[tokio::test]
async fn a_torn_end_is_cut_and_is_no_damage() {
    let fs = filled(10).await;
    fs.edit(&segment(8), |bytes| bytes.extend([7; 30]));
    let audit = look(&fs);
    assert!(audit.is_sound());
    assert_eq!(audit.segments[2].torn_bytes, 30);
    assert_eq!(mend(&fs, &small()).unwrap(), [Mended::Cut { file: "00000000000000000008.seg".into(), bytes: 30 }]);
}

#[tokio::test]
async fn a_missing_segment_is_told() {
    let fs = filled(10).await;
    fs.delete(&segment(4));
    assert_eq!(look(&fs).lost_records(), 4);
}

#[tokio::test]
async fn what_was_consumed_is_not_counted_as_lost() {
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &small());
    let records = read(&mut reader, 6).await;
    reader.commit(records[5].position).await.unwrap();
    queue.close().await;
    drop((queue, reader));
    flip(&fs, 4, payload(1));
    let audit = look(&fs);
    assert_eq!((audit.cursor, audit.lost_records(), audit.is_sound()), (Some(6), 0, false));
}

#[tokio::test]
async fn a_queue_at_work_is_looked_at_but_not_repaired() {
    let fs = filled(2).await;
    let (queue, mut reader) = open(&fs, &small());
    append(&queue, "new").await;
    assert!(look(&fs).in_use);
    assert!(matches!(mend(&fs, &small()), Err(OpenError::Locked { .. })));
    assert_eq!(drain(&queue, &mut reader).await.len(), 3);
}

#[tokio::test]
async fn a_repair_that_is_killed_anywhere_loses_nothing() {
    for power in 0..60 {
        let fs = filled(10).await;
        flip(&fs, 4, payload(1));
        fs.power_for(power);
        let finished = mend(&fs, &small()).is_ok();
        let fs = fs.cut_power(Loss::Some(u64::from(power) * 7919));
        let (queue, mut reader) = open(&fs, &small());
        let expected: Vec<_> = (0..10).filter(|n| *n != 5).map(text).collect();
        assert_eq!(drain(&queue, &mut reader).await, expected, "after {power} operations");
        if finished {
            return;
        }
    }
    panic!("the repair never came to its end");
}

#[tokio::test]
async fn consumed_segments_are_moved_into_the_archive_by_commits_and_by_openings() {
    let config = Config { archive: Some("/archive".into()), ..small() };
    let fs = filled(10).await;
    let (queue, mut reader) = open(&fs, &config);
    let records = read(&mut reader, ALL).await;
    reader.commit(records[4].position).await.unwrap();
    let archived = || fs.names(std::path::Path::new("/archive"));
    assert_eq!(archived(), ["00000000000000000000.seg"]);
    // A rename that fails is done by the next opening.
    fs.fail(super::super::sim_fs::Op::Rename, 2);
    let last = records[9].position;
    assert!(reader.commit(last).await.is_err(), "the cursor is renamed as well");
    reader.commit(last).await.unwrap_err();
    reader.commit(last).await.unwrap();
    queue.close().await;
    drop((queue, reader));
    open(&fs, &config);
    assert_eq!(archived().len(), 3);
}
