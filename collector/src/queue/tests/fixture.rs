//! Files of format version 1, as text: they must open for ever.

use super::super::sim_fs::SimFs;
use super::{Config, DIR, append, drain, open, path, read, segment};

const SEGMENT: &str = include_str!("../fixtures/v1-segment.hex");
const CURSOR: &str = include_str!("../fixtures/v1-cursor.hex");

/// What the fixture holds: three records, of which the first is consumed.
const RECORDS: [&str; 3] = [r#"{"view":"a","n":0}"#, r#"{"view":"b","title":"Über uns"}"#, "x"];

/// The bytes of a text of hexadecimal digits; what stands after `#` on a line is for people.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .lines()
        .flat_map(|line| line.split('#').next())
        .flat_map(str::bytes)
        .filter(u8::is_ascii_hexdigit)
        .collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[tokio::test]
async fn version_1_opens() {
    let fs = SimFs::default();
    fs.place(&segment(0), &bytes(SEGMENT));
    fs.place(&path("cursor"), &bytes(CURSOR));
    let (queue, mut reader) = open(&fs, &Config::new(DIR));
    append(&queue, "new").await;
    assert_eq!(drain(&queue, &mut reader).await, [RECORDS[1], RECORDS[2], "new"]);
    let stats = queue.stats();
    assert_eq!((stats.lost_records, stats.damaged_segments, stats.damaged_cursors, stats.torn_bytes), (0, 0, 0, 0));
}

#[tokio::test]
async fn version_1_is_what_is_written() {
    let fs = SimFs::default();
    let (queue, mut reader) = open(&fs, &Config::new(DIR));
    for record in RECORDS {
        append(&queue, record).await;
    }
    let first = read(&mut reader, 1).await[0].position;
    reader.commit(first).await.unwrap();
    let [segment, cursor] = [segment(0), path("cursor")].map(|path| fs.content(&path));
    assert_eq!((segment, cursor), (bytes(SEGMENT), bytes(CURSOR)));
}
