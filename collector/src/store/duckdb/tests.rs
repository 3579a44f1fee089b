//! What is particular to this back end: its file, its tables and its moves.

use std::collections::BTreeMap;
use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::field::Field;
use quartile_protocol::id::ViewId;
use quartile_protocol::row::RowKey;
use tempfile::TempDir;

use super::*;
use crate::report::pattern;
use crate::store::arbitrary::{AUTUMN, PATTERNS, TEXTS, any_row};
use crate::store::conformance::{Place, suite};

/// A folder with a database in it, which moves rows after every few.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    fn options(&self) -> Options {
        Options { settle_rows: 13, threads: Some(2), ..Options::new(self.0.path().join("data/quartile.duckdb")) }
    }
}

impl Place for Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn open(&self) -> Box<dyn Store> {
        let store = DuckDb::open(&self.options(), Wall::from_ms(0)).unwrap();
        assert!(store.set_aside().is_empty());
        Box::new(store)
    }

    fn after_crash(&self) -> Self {
        let copy = Self::new();
        fs::create_dir(copy.0.path().join("data")).unwrap();
        for file in fs::read_dir(self.0.path().join("data")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.0.path().join("data").join(file.file_name())).unwrap();
        }
        copy
    }
}

suite!(Folder);

/// The database as the tests see it: beside the store, to look at what no report tells.
fn database(folder: &Folder) -> Connection {
    Connection::open(folder.options().path).unwrap()
}

fn files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.0.path().join("data")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every row that the store would merge, with every column.
fn stored(store: &DuckDb) -> Vec<Row> {
    store.all_rows(&SiteId::new("demo").unwrap()).unwrap()
}

fn joined(rows: &[Row]) -> Vec<Row> {
    let mut joined: BTreeMap<RowKey, Row> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.key.site.as_str() == "demo") {
        joined.entry(row.key.clone()).and_modify(|joined| joined.join(row)).or_insert_with(|| row.clone());
    }
    joined.into_values().collect()
}

fn open(folder: &Folder) -> DuckDb {
    DuckDb::open(&folder.options(), Wall::from_ms(7)).unwrap()
}

fn sample() -> Vec<Row> {
    let mut runner = TestRunner::deterministic();
    let rows = vec(any_row(), 40);
    rows.new_tree(&mut runner).unwrap().current()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_column_of_every_row_is_as_join_says(batches in vec((vec(any_row(), 1..12), any::<bool>()), 1..5)) {
        let folder = Folder::new();
        let store = open(&folder);
        let mut all = Vec::new();
        for (rows, settle) in batches {
            store.append(&rows, &[]).unwrap();
            all.extend(rows);
            if settle {
                store.settle().unwrap();
            }
            prop_assert_eq!(stored(&store), joined(&all));
        }
    }
}

#[test]
fn a_settled_key_has_one_row_and_nothing_stays_hot() {
    let folder = Folder::new();
    let store = open(&folder);
    for _ in 0..3 {
        store.append(&sample(), &[]).unwrap();
        store.settle().unwrap();
    }
    store.close().unwrap();
    drop(store);
    let database = database(&folder);
    let count = |sql: &str| database.query_row(sql, [], |record| record.get::<_, u64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM slices"), count("SELECT count(DISTINCT (site, view, n)) FROM slices"));
    assert_eq!(count("SELECT count(*) FROM slices_hot"), 0);
}

#[test]
fn dying_in_any_step_of_a_move_loses_and_doubles_nothing() {
    let rows = sample();
    let steps = schema::slices().settle().len();
    for reached in 0..=steps {
        let folder = Folder::new();
        let store = DuckDb::open(&Options { settle_rows: 1_000, ..folder.options() }, Wall::from_ms(0)).unwrap();
        store.append(&rows[..30], &[]).unwrap();
        store.settle().unwrap();
        store.append(&rows[20..], &[]).unwrap();
        let died = {
            let mut writer = locked(&store.writer);
            let transaction = writer.as_mut().unwrap().connection.transaction().unwrap();
            for step in &store.slices.settle()[..reached] {
                transaction.execute_batch(step).unwrap();
            }
            folder.after_crash()
        };
        assert_eq!(stored(&open(&died)), joined(&rows), "after {reached} steps");
    }
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_a_new_one_begun() {
    let folder = Folder::new();
    fs::create_dir(folder.0.path().join("data")).unwrap();
    fs::write(folder.options().path, "this is no database".repeat(1_000)).unwrap();
    let store = open(&folder);
    assert_eq!(store.set_aside().len(), 1);
    store.append(&sample(), &[]).unwrap();
    store.close().unwrap();
    drop(store);
    let names = ["quartile.duckdb", "quartile.duckdb.damaged-7-0", "quartile.duckdb.refill"];
    assert_eq!(files(&folder), names, "and it is remembered that rows are missing");
    assert_eq!(stored(&open(&folder)), joined(&sample()));
}

#[test]
fn a_process_that_dies_while_opening_sets_the_log_aside_at_the_fourth_attempt() {
    let folder = Folder::new();
    let store = DuckDb::open(&Options { settle_rows: 1_000, ..folder.options() }, Wall::from_ms(0)).unwrap();
    store.append(&sample()[..20], &[]).unwrap();
    store.settle().unwrap();
    store.append(&sample()[20..], &[]).unwrap();
    let folder = folder.after_crash();
    let counter = folder.0.path().join("data/quartile.duckdb.opening");

    fs::write(&counter, "2").unwrap();
    let patient = folder.after_crash();
    assert_eq!(stored(&open(&patient)), joined(&sample()));
    assert!(!files(&patient).iter().any(|name| name.contains("opening")));

    fs::write(&counter, "3").unwrap();
    let store = open(&folder);
    assert_eq!(store.set_aside().len(), 1);
    assert!(files(&folder).contains(&"quartile.duckdb.wal.damaged-7-0".to_owned()));
    assert_eq!(stored(&store), joined(&sample()[..20]), "the rows of the last check-point are there");
}

#[test]
fn a_damaged_log_is_set_aside_and_a_torn_one_read_as_far_as_it_goes() {
    let folder = Folder::new();
    let store = DuckDb::open(&Options { settle_rows: 1_000, ..folder.options() }, Wall::from_ms(0)).unwrap();
    store.append(&sample()[..20], &[]).unwrap();
    store.settle().unwrap();
    store.append(&sample()[20..30], &[]).unwrap();
    let whole = folder.after_crash();
    let log = |folder: &Folder| folder.0.path().join("data/quartile.duckdb.wal");
    let length = fs::metadata(log(&whole)).unwrap().len();
    store.append(&sample()[30..], &[]).unwrap();

    let torn = folder.after_crash();
    fs::OpenOptions::new().write(true).open(log(&torn)).unwrap().set_len(length + 100).unwrap();
    let store = open(&torn);
    assert!(store.set_aside().is_empty());
    assert_eq!(stored(&store), joined(&sample()[..30]));

    let damaged = folder.after_crash();
    let mut bytes = fs::read(log(&damaged)).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0xff;
    fs::write(log(&damaged), bytes).unwrap();
    let store = open(&damaged);
    assert_eq!(store.set_aside().len(), 1);
    assert_eq!(stored(&store), joined(&sample()[..20]));
}

#[test]
fn damage_that_shows_only_in_use_sets_the_file_aside_at_the_next_opening() {
    let folder = Folder::new();
    let store = DuckDb::open(&Options { settle_rows: 100_000, ..folder.options() }, Wall::from_ms(0)).unwrap();
    let mut rows = Vec::new();
    for batch in 0..40 {
        rows.extend(sample().into_iter().map(|mut row| {
            row.key.n += 1_000 * batch;
            row
        }));
    }
    store.append(&rows, &[]).unwrap();
    store.settle().unwrap();
    store.close().unwrap();
    drop(store);
    let path = folder.options().path;
    let mut bytes = fs::read(&path).unwrap();
    // Behind the three headers, every block.
    for at in (12_288 + 5_000..bytes.len()).step_by(4_096) {
        bytes[at] ^= 0xff;
    }
    fs::write(&path, bytes).unwrap();
    let site = SiteId::new("demo").unwrap();
    let set_aside = match DuckDb::open(&folder.options(), Wall::from_ms(7)) {
        // Depending on where the catalogue lies it shows at once.
        Ok(store) if !store.set_aside().is_empty() => store,
        Ok(store) => {
            let error = store.all_rows(&site).unwrap_err();
            assert!(matches!(error, StoreError::Broken(_)), "{error:?}");
            drop(store);
            open(&folder)
        }
        Err(error) => panic!("{error}"),
    };
    assert!(!set_aside.set_aside().is_empty());
    assert_eq!(set_aside.all_rows(&site).unwrap(), []);
}

#[test]
fn tables_of_a_later_version_are_left_alone() {
    let folder = Folder::new();
    open(&folder).close().unwrap();
    database(&folder).execute_batch("UPDATE quartile_schema SET version = 2").unwrap();
    let error = DuckDb::open(&folder.options(), Wall::from_ms(7)).unwrap_err();
    assert!(matches!(error, OpenError::Later(_, 2)), "{error}");
    assert_eq!(files(&folder), ["quartile.duckdb"]);
}

#[test]
fn a_folder_in_place_of_the_file_is_left_alone() {
    let folder = Folder::new();
    fs::create_dir_all(folder.options().path).unwrap();
    let error = DuckDb::open(&folder.options(), Wall::from_ms(7)).unwrap_err();
    assert!(matches!(error, OpenError::Refused(..)), "{error}");
    assert_eq!(files(&folder), ["quartile.duckdb"]);
}

#[test]
fn a_database_from_before_a_column_gains_it_empty() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut rows = sample();
    store.append(&rows, &[]).unwrap();
    store.close().unwrap();
    drop(store);
    for table in ["slices", "slices_hot"] {
        let sql = format!("ALTER TABLE {table} DROP COLUMN bytes; ALTER TABLE {table} DROP COLUMN cdn");
        database(&folder).execute_batch(&sql).unwrap();
    }
    for row in &mut rows {
        row.fields[Field::Bytes] = 0;
        row.dimensions.set(Dimension::Cdn, "");
    }
    let store = open(&folder);
    assert_eq!(stored(&store), joined(&rows));
    store.append(&sample(), &[]).unwrap();
    store.settle().unwrap();
    assert_eq!(stored(&store), joined(&sample()), "and takes values in it");
}

#[test]
fn a_column_that_a_later_version_added_stays_empty() {
    let folder = Folder::new();
    drop(open(&folder));
    for table in ["slices", "slices_hot", "events", "events_hot"] {
        let sql = format!("ALTER TABLE {table} ADD COLUMN later UBIGINT DEFAULT 0");
        database(&folder).execute_batch(&sql).unwrap();
    }
    let store = open(&folder);
    store.append(&sample(), &[]).unwrap();
    store.settle().unwrap();
    assert_eq!(stored(&store), joined(&sample()));
}

#[test]
fn a_query_that_takes_too_long_is_interrupted() {
    let folder = Folder::new();
    let store = DuckDb::open(&Options { query_limit: Duration::from_millis(50), ..folder.options() }, Wall::from_ms(0));
    let store = store.unwrap();
    let endless = "SELECT sum(a.range * b.range) FROM range(1000000000) AS a, range(1000000000) AS b";
    let result = store.read(|connection| connection.query_row(endless, [], |record| record.get::<_, f64>(0)));
    assert!(matches!(result, Err(StoreError::TooSlow)));
    store.ready().unwrap();
}

/// What a query was computed from, and its rows.
fn asked(store: &DuckDb, query: serde_json::Value) -> (String, serde_json::Value) {
    let answer =
        crate::report::run(store, &serde_json::to_vec(&query).unwrap(), Wall::from_ms(AUTUMN + 86_400_000)).unwrap();
    (answer.source.clone(), serde_json::to_value(answer.rows).unwrap())
}

/// A play on a device in an hour, seen from the end of summer time.
fn play(view: u8, hour: i64, device: &str) -> Row {
    let mut row = sample().swap_remove(0);
    row.key = RowKey { site: SiteId::new("demo").unwrap(), view: ViewId::new(Wall::from_ms(AUTUMN), [view; 10]), n: 0 };
    row.started_at = Wall::from_ms(AUTUMN + hour * 3_600_000);
    row.fields = quartile_protocol::field::Fields::default();
    row.fields[Field::Plays] = 1;
    row.dimensions = quartile_protocol::dimension::Dimensions::default();
    row.dimensions.set(Dimension::Device, device);
    row
}

fn by_device(metrics: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "site": "demo", "metrics": metrics, "dimensions": ["device"],
        "date_range": ["2026-10-25T00:00:00Z", "2026-10-25T06:00:00Z"],
    })
}

/// Lays everything to rest.
fn settled_and_summed(store: &DuckDb) {
    store.settle().unwrap();
    store.maintain().unwrap();
}

#[test]
fn an_answer_says_what_it_was_computed_from() {
    let folder = Folder::new();
    let store = open(&folder);
    store.append(&[play(1, 0, "tv"), play(2, 1, "tv")], &[]).unwrap();
    settled_and_summed(&store);
    let plays = |metrics: &[&str]| asked(&store, by_device(metrics));
    assert_eq!(plays(&["plays"]), ("hours by device".into(), serde_json::json!([["tv", 2]])));
    assert_eq!(plays(&["plays", "unique_viewers"]).0, "slices", "what does not add up is not summed beforehand");
    let with = |name: &str, value: serde_json::Value| {
        let mut query = by_device(&["plays"]);
        query[name] = value;
        asked(&store, query).0
    };
    use serde_json::json;
    assert_eq!(with("filters", json!([["is", "country", ["FR"]]])), "hours by device × country");
    assert_eq!(with("filters", json!([["is", "os", ["x"]]])), "slices");
    assert_eq!(with("filters", json!([["is_not", "bot", ["x"]]])), "slices", "bots are in no aggregation");
    assert_eq!(with("dimensions", json!(["device", "time:day"])), "hours by device");
    let mut india = by_device(&["plays"]);
    (india["dimensions"], india["timezone"]) = (json!(["time:hour"]), json!("Asia/Kolkata"));
    assert_eq!(asked(&store, india).0, "slices", "its hours are no hours of every clock");
}

#[test]
fn a_late_copy_corrects_the_hour_of_the_settled_one() {
    let folder = Folder::new();
    let store = open(&folder);
    store.append(&[play(1, 0, "tv"), play(2, 3, "tv")], &[]).unwrap();
    settled_and_summed(&store);
    // It came late and is said to have begun later; its hour is that of the earlier copy.
    let mut late = play(1, 2, "tv");
    late.fields[Field::Plays] = 5;
    store.append(&[late], &[]).unwrap();
    let by_hour = || {
        let mut query = by_device(&["plays"]);
        query["dimensions"] = serde_json::json!(["time:hour"]);
        asked(&store, query)
    };
    let expected = serde_json::json!([["2026-10-25T01:00:00+00:00", 5], ["2026-10-25T04:00:00+00:00", 1]]);
    assert_eq!(by_hour(), ("hours".into(), expected.clone()), "from slices where it is stale");
    settled_and_summed(&store);
    assert_eq!(by_hour().1, expected, "and summed anew");
    // Opened again, it still knows what is stale.
    let mut later = play(2, 4, "tv");
    later.fields[Field::Plays] = 7;
    store.append(&[later], &[]).unwrap();
    store.close().unwrap();
    drop(store);
    let store = open(&folder);
    let mut query = by_device(&["plays"]);
    query["dimensions"] = serde_json::json!([]);
    assert_eq!(asked(&store, query), ("hours".into(), serde_json::json!([[12]])));
}

#[test]
fn a_database_from_before_its_sums_gets_them() {
    let folder = Folder::new();
    let store = open(&folder);
    store.append(&[play(1, 0, "tv"), play(2, 3, "tv")], &[]).unwrap();
    settled_and_summed(&store);
    store.close().unwrap();
    drop(store);
    // Other sets than these were kept, and one of them is wrong.
    database(&folder).execute_batch("UPDATE quartile_aggregates SET contents = 'other'").unwrap();
    let store = open(&folder);
    assert_eq!(asked(&store, by_device(&["plays"])).0, "slices");
    store.maintain().unwrap();
    assert_eq!(asked(&store, by_device(&["plays"])), ("hours by device".into(), serde_json::json!([["tv", 2]])));
    store.close().unwrap();
    drop(store);
    database(&folder).execute_batch("UPDATE hours SET plays = 99").unwrap();
    let store = open(&folder);
    assert_eq!(asked(&store, by_device(&["plays"])).1, serde_json::json!([["tv", 198]]), "it believes what it summed");
    assert_eq!(store.recompute().unwrap(), 2);
    assert_eq!(asked(&store, by_device(&["plays"])), ("hours by device".into(), serde_json::json!([["tv", 2]])));
}

/// A slice of a bot whose name is what reports say of an unknown one counts as no bot everywhere.
#[test]
fn a_name_that_reads_like_an_unknown_one_is_summed_like_one() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut odd = play(1, 0, "tv");
    odd.dimensions.set(Dimension::Bot, "(unknown)");
    let mut robot = play(2, 0, "tv");
    robot.dimensions.set(Dimension::Bot, "robot");
    store.append(&[odd, robot], &[]).unwrap();
    settled_and_summed(&store);
    assert_eq!(asked(&store, by_device(&["plays"])), ("hours by device".into(), serde_json::json!([["tv", 1]])));
    assert_eq!(asked(&store, by_device(&["plays", "sessions"])).1[0][1], serde_json::json!(1), "as from slices");
}

#[test]
fn what_is_forgotten_is_in_no_sum() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut old = play(1, 0, "tv");
    old.key.view = ViewId::new(Wall::from_ms(AUTUMN - 3 * 86_400_000), [1; 10]);
    let day = play(2, 0, "tv").key.view.day();
    store.append(&[old, play(2, 0, "tv")], &[]).unwrap();
    settled_and_summed(&store);
    store.forget(&SiteId::new("demo").unwrap(), day).unwrap();
    assert_eq!(asked(&store, by_device(&["plays"])), ("hours by device".into(), serde_json::json!([["tv", 1]])));
}

#[test]
fn patterns_mean_here_what_they_mean_in_rust() {
    let folder = Folder::new();
    let store = open(&folder);
    let emoji = "😀".repeat(50);
    // Of a column, not of a constant: the optimiser rewrites some patterns.
    let texts: Vec<_> =
        TEXTS.iter().copied().chain([emoji.as_str(), "a1", "_", "tv\n", "\u{a0}", "٣", "b$a", "ba"]).collect();
    store
        .write(|writer| {
            writer.connection.execute_batch("CREATE TEMP TABLE text (n INTEGER, value VARCHAR)")?;
            for (n, text) in texts.iter().enumerate() {
                writer.connection.execute("INSERT INTO text VALUES ($1, $2)", ::duckdb::params![n as i32, text])?;
            }
            for pattern in PATTERNS {
                let portable = pattern::portable(pattern).unwrap();
                let matches = render::MATCHES.replace("{text}", "value").replace("{pattern}", "$1");
                let sql = format!("SELECT n FROM text WHERE {matches} ORDER BY n");
                let mut prepared = writer.connection.prepare(&sql)?;
                let found: Vec<i32> =
                    prepared.query_map([&portable], |record| record.get(0))?.collect::<Result<_, _>>()?;
                let found: Vec<_> = found.into_iter().map(|n| texts[n as usize]).collect();
                let regex = regex::Regex::new(&portable).unwrap();
                let expected: Vec<_> = texts.iter().copied().filter(|text| regex.is_match(text)).collect();
                assert_eq!(found, expected, "{pattern:?}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_query_that_nobody_waits_for_is_interrupted() {
    let folder = Folder::new();
    let store = open(&folder);
    let cancel = Cancel::default();
    let endless = "SELECT sum(a.range * b.range) FROM range(1000000000) AS a, range(1000000000) AS b";
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        store.read_until(&cancel, |connection| connection.query_row(endless, [], |record| record.get::<_, f64>(0)))
    });
    assert!(matches!(result, Err(StoreError::Cancelled)), "{result:?}");
    let later = store.read_until(&cancel, |connection| connection.execute_batch("SELECT 1"));
    assert!(matches!(later, Err(StoreError::Cancelled)), "nothing begins for who has gone");
    store.ready().unwrap();
}

#[test]
fn errors_are_retried_unless_the_rows_are_the_reason() {
    let refused = |text: &str| {
        let error = ::duckdb::Error::DuckDBFailure(::duckdb::ffi::Error::new(1), Some(text.into()));
        !StoreError::from(error).is_retryable()
    };
    assert!(refused("Conversion Error: no number"));
    assert!(!refused("IO Error: No space left on device"));
    assert!(!refused("Out of Memory Error: failed to allocate"));
    let broken = |text: &str| {
        let error = ::duckdb::Error::DuckDBFailure(::duckdb::ffi::Error::new(1), Some(text.into()));
        matches!(StoreError::from(error), StoreError::Broken(_))
    };
    assert!(broken("FATAL Error: Failed: database has been invalidated because of a previous fatal error"));
    assert!(broken("INTERNAL Error: Attempted to access index 7"));
    assert!(!broken("IO Error: No space left on device"));
}

#[test]
fn the_mark_is_the_furthest_that_was_set_and_goes_with_the_log() {
    let folder = Folder::new();
    let store = open(&folder);
    assert_eq!(store.marked().unwrap(), 0);
    store.mark(7).unwrap();
    store.mark(5).unwrap();
    assert_eq!(store.marked().unwrap(), 7);
    store.settle().unwrap();
    store.append(&sample(), &[]).unwrap();
    store.mark(9).unwrap();
    let whole = folder.after_crash();
    assert_eq!(open(&whole).marked().unwrap(), 9);
    // DuckDB takes a log whose beginning is damaged for no log at all, and says nothing.
    let damaged = folder.after_crash();
    let log = damaged.0.path().join("data/quartile.duckdb.wal");
    let mut bytes = fs::read(&log).unwrap();
    bytes[..64].fill(0xff);
    fs::write(&log, bytes).unwrap();
    let store = open(&damaged);
    assert!(store.set_aside().is_empty());
    assert!(store.marked().unwrap() < 9, "what is missing is missing from the mark as well");
}
