//! What every back end must do: the contract of [`Store`] as tests. A back end says where it is opened (a [`Place`])
//! and takes the whole suite by `suite!`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::{DAY_MS, Media, Wall};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use serde_json::{Value, json};

use super::arbitrary::{AUTUMN, TEXTS, any_event, any_query, any_query_of_sums, any_row};
use super::cancel::Cancel;
use super::memory::Memory;
use super::{Store, StoreError};
use crate::report::dimension::{Attribute, Names};
use crate::report::metric::Metric;
use crate::report::named::{self, PartAnswer, Situation};
use crate::report::plan::{Axis, Filter, Order, Plan};
use crate::report::query::Request;
use crate::report::table::Table;
use crate::report::{Answer, run};

/// Where a store is. It should move rows to wherever it moves them after very few, so that tests meet the move.
pub trait Place: Sized {
    /// An empty place.
    fn new() -> Self;
    /// Opens the store there.
    fn open(&self) -> Box<dyn Store>;
    /// A copy of the place as the process would leave it if it died now, with the store open.
    fn after_crash(&self) -> Self;
}

/// Makes a test of each case for a [`Place`].
macro_rules! suite {
    ($place:ty) => {
        #[cfg(test)]
        mod conforms {
            use super::*;
            $crate::store::conformance::suite!(@cases $place:
                copies_merge_whatever_their_order_and_division, a_query_sees_what_was_appended_before_it,
                what_was_appended_survives_a_restart, what_was_appended_survives_a_crash, groups_of_dimensions_stay_together,
                hostile_texts_are_only_texts, viewers_known_by_different_ids_are_different,
                a_range_ends_before_its_last_instant, sites_do_not_see_each_other, events_are_kept_once_with_their_earliest_date,
                appends_and_queries_do_not_disturb_each_other, a_closed_store_says_so, an_empty_store_answers,
                agrees_with_the_referee, every_named_report_agrees_with_the_referee, cursors_lead_through_every_row_once,
                what_is_summed_beforehand_agrees_with_the_referee, rows_are_given_merged_by_key, a_view_is_forgotten_whole_and_no_other,
            );
        }
    };
    (@cases $place:ty: $($case:ident,)+) => {
        $(#[test] fn $case() { $crate::store::conformance::$case::<$place>(); })+
    };
}
pub(crate) use suite;

fn now() -> Wall {
    Wall::from_ms(AUTUMN + 86_400_000)
}

fn site(name: &str) -> SiteId {
    SiteId::new(name).unwrap()
}

/// A slice of the site `demo` in which somebody played.
fn slice(view: u8, n: u32) -> Row {
    let mut fields = Fields::default();
    fields[Field::Plays] = 1;
    fields[Field::PlayedMs] = 60_000;
    let mut dimensions = Dimensions::default();
    dimensions.set(Dimension::Video, "v");
    Row {
        key: RowKey { site: site("demo"), view: ViewId::new(Wall::from_ms(AUTUMN), [view; 10]), n },
        started_at: Wall::from_ms(AUTUMN),
        span_ms: 60_000,
        fields,
        watched: Percents::from_bits(1 << 99 | 1).unwrap(),
        rewatched: Percents::default(),
        active: Default::default(),
        dimensions,
    }
}

pub fn rows_are_given_merged_by_key<P: Place>() {
    let store = P::new().open();
    let mut grown = slice(1, 0);
    grown.fields[Field::PlayedMs] = 59_000;
    grown.fields[Field::Seeks] = 3;
    store.append(&[slice(1, 0), slice(1, 1), slice(2, 0)], &[]).unwrap();
    store.append(&[grown.clone()], &[]).unwrap();
    let mut merged = slice(1, 0);
    merged.join(&grown);
    let keys: Vec<_> = [slice(1, 0), slice(2, 0), slice(3, 0)].iter().map(|row| (row.key.view, row.key.n)).collect();
    let mut rows = store.rows(&site("demo"), &keys).unwrap();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(rows, [merged, slice(2, 0)]);
    assert_eq!(store.rows(&site("other"), &keys).unwrap(), []);
    assert_eq!(store.rows(&site("demo"), &[]).unwrap(), []);
}

fn report(store: &dyn Store, mut query: Value) -> Answer {
    let body = query.as_object_mut().unwrap();
    body.entry("site").or_insert(json!("demo"));
    body.entry("date_range").or_insert(json!("30d"));
    run(store, &serde_json::to_vec(&query).unwrap(), now()).unwrap()
}

/// The rows of an answer as JSON, for short expectations.
fn rows(store: &dyn Store, query: Value) -> Value {
    serde_json::to_value(report(store, query).rows).unwrap()
}

/// Every dimension and every metric of every row of the site: what reports could ever tell.
fn everything(site: SiteId) -> Plan {
    let axes: Vec<_> = Dimension::ALL.iter().copied().map(Attribute::Stored).map(Axis::Dimension).collect();
    Plan {
        site,
        range: Wall::from_ms(i64::MIN / 2)..Wall::from_ms(i64::MAX / 2),
        now: now(),
        after: None,
        order: (0..axes.len()).map(|column| Order { column, descending: false }).collect(),
        axes,
        metrics: Metric::all().iter().filter(|metric| !metric.needs_minutes()).collect(),
        filter: Filter::All(Vec::new()),
        limit: 1_000_000,
        offset: 0,
    }
}

/// What a plan is answered, whatever it was computed from.
fn ask(store: &dyn Store, plan: &Plan) -> Table {
    Table { source: String::new(), ..store.query(plan, &Cancel::default()).unwrap() }
}

/// An answer, whatever it was computed from.
fn content(answer: Answer) -> Answer {
    Answer { source: String::new(), ..answer }
}

fn assert_same(store: &dyn Store, referee: &Memory) {
    for name in ["demo", "other"] {
        let plan = everything(site(name));
        assert_eq!(ask(store, &plan), ask(referee, &plan), "site {name}");
        assert_eq!(store.earliest(&plan.site).unwrap(), referee.earliest(&plan.site).unwrap(), "site {name}");
    }
}

/// How many cases a property is tried with; each opens a store or more.
fn property(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

pub fn copies_merge_whatever_their_order_and_division<P: Place>() {
    let input = (vec(any_row(), 1..40), vec(any::<prop::sample::Index>(), 0..20), vec(1..15_usize, 1..10));
    property(12)
        .run(&input, |(rows, again, sizes)| {
            let referee = Memory::default();
            referee.append(&rows, &[]).unwrap();
            let place = P::new();
            let store = place.open();
            let mut sent: Vec<_> = rows.iter().rev().cloned().collect();
            sent.extend(again.iter().map(|index| index.get(&rows).clone()));
            let mut sizes = sizes.iter().cycle();
            while !sent.is_empty() {
                let size = sizes.next().copied().unwrap_or(1).min(sent.len());
                store.append(&sent.drain(..size).collect::<Vec<_>>(), &[]).unwrap();
            }
            assert_same(&*store, &referee);
            store.maintain().unwrap();
            assert_same(&*store, &referee);
            Ok(())
        })
        .unwrap();
}

pub fn a_query_sees_what_was_appended_before_it<P: Place>() {
    let place = P::new();
    let store = place.open();
    for view in 0..30 {
        store.append(&[slice(view, 0)], &[]).unwrap();
        assert_eq!(rows(&*store, json!({ "metrics": ["plays"] })), json!([[u32::from(view) + 1]]));
    }
}

pub fn what_was_appended_survives_a_restart<P: Place>() {
    let input = vec((vec(any_row(), 1..12), any::<bool>()), 1..5);
    property(8)
        .run(&input, |batches| {
            let (place, referee) = (P::new(), Memory::default());
            for (rows, maintained) in &batches {
                let store = place.open();
                store.append(rows, &[]).unwrap();
                referee.append(rows, &[]).unwrap();
                if *maintained {
                    store.maintain().unwrap();
                }
                store.close().unwrap();
            }
            assert_same(&*place.open(), &referee);
            Ok(())
        })
        .unwrap();
}

pub fn what_was_appended_survives_a_crash<P: Place>() {
    let (mut place, referee) = (P::new(), Memory::default());
    for batch in 0..6_u8 {
        let store = place.open();
        for view in 0..7 {
            let rows = [slice(batch * 5 + view, 0), slice(view, u32::from(batch))];
            store.append(&rows, &[]).unwrap();
            referee.append(&rows, &[]).unwrap();
        }
        let next = place.after_crash();
        drop(store);
        place = next;
        assert_same(&*place.open(), &referee);
    }
}

pub fn groups_of_dimensions_stay_together<P: Place>() {
    let place = P::new();
    let store = place.open();
    let at = |country: &str, city: &str| {
        let mut row = slice(1, 0);
        row.dimensions.set(Dimension::Country, country);
        row.dimensions.set(Dimension::City, city);
        row
    };
    store.append(&[at("FR", "Paris"), at("DE", "Wuppertal"), at("FR", "")], &[]).unwrap();
    let query = json!({ "metrics": ["plays"], "dimensions": ["country", "city"] });
    assert_eq!(rows(&*store, query), json!([["FR", "Paris", 1]]));
    assert_eq!(rows(&*store, json!({ "metrics": ["plays"], "dimensions": ["city"] })), json!([["Paris", 1]]));
}

pub fn hostile_texts_are_only_texts<P: Place>() {
    let (place, referee) = (P::new(), Memory::default());
    let store = place.open();
    let long = "é".repeat(100);
    for (view, text) in (0..).zip(TEXTS.iter().copied().chain([long.as_str()])) {
        let mut row = slice(view, 0);
        for &dimension in Dimension::ALL {
            row.dimensions.set(dimension, text);
        }
        row.dimensions.set(Dimension::Bot, "");
        for store in [&*store, &referee as &dyn Store] {
            store.append(std::slice::from_ref(&row), &[]).unwrap();
        }
        if !text.is_empty() && text != "(unknown)" {
            for operator in ["is", "contains"] {
                let query = json!({
                    "metrics": ["plays", "unique_viewers"], "dimensions": ["video", "city"],
                    "filters": [[operator, "device", [text]], [operator, "page", [text]]],
                });
                let answer = content(report(&*store, query.clone()));
                assert_eq!(answer, content(report(&referee, query)), "{text:?}");
                assert!(!answer.rows.is_empty(), "{text:?}");
            }
        }
    }
    assert_same(&*store, &referee);
}

pub fn viewers_known_by_different_ids_are_different<P: Place>() {
    let place = P::new();
    let store = place.open();
    let by = |view: u8, ids: &[(Dimension, &str)]| {
        let mut row = slice(view, 0);
        ids.iter().for_each(|&(id, text)| row.dimensions.set(id, text));
        row
    };
    use Dimension as D;
    let rows_of_four = [
        by(1, &[(D::User, "x"), (D::Viewer, "one"), (D::Session, "s1")]),
        by(2, &[(D::User, "x"), (D::Viewer, "two"), (D::Session, "s2")]),
        by(3, &[(D::Viewer, "x"), (D::DailyViewer, "y"), (D::Session, "s3")]),
        by(4, &[(D::DailyViewer, "x"), (D::Session, "s4")]),
        by(5, &[(D::Session, "x")]),
        by(6, &[]),
    ];
    store.append(&rows_of_four, &[]).unwrap();
    assert_eq!(rows(&*store, json!({ "metrics": ["unique_viewers", "sessions"] })), json!([[4, 5]]));
    // Who it was is chosen after the merge: the third turns out to be the user as well.
    store.append(&[by(3, &[(D::User, "x")])], &[]).unwrap();
    assert_eq!(rows(&*store, json!({ "metrics": ["unique_viewers", "sessions"] })), json!([[3, 5]]));
}

pub fn a_range_ends_before_its_last_instant<P: Place>() {
    let place = P::new();
    let store = place.open();
    store.append(&[slice(1, 0)], &[]).unwrap();
    let at = |ms: i64| jiff::Timestamp::from_millisecond(AUTUMN + ms).unwrap().to_string();
    let plays = |from: i64, to: i64| rows(&*store, json!({ "metrics": ["plays"], "date_range": [at(from), at(to)] }));
    assert_eq!(plays(-1_000, 0), json!([[0]]));
    assert_eq!(plays(-1_000, 1), json!([[1]]));
    assert_eq!(plays(0, 1), json!([[1]]));
    assert_eq!(plays(1, 1_000), json!([[0]]));
}

pub fn sites_do_not_see_each_other<P: Place>() {
    let place = P::new();
    let store = place.open();
    let mut other = slice(1, 0);
    other.key.site = site("other");
    other.fields[Field::Plays] = 7;
    store.append(&[slice(1, 0), other], &[]).unwrap();
    store.maintain().unwrap();
    assert_eq!(rows(&*store, json!({ "metrics": ["plays"] })), json!([[1]]));
    assert_eq!(rows(&*store, json!({ "site": "other", "metrics": ["plays"] })), json!([[7]]));
    assert_eq!(rows(&*store, json!({ "site": "third", "metrics": ["plays"] })), json!([[0]]));
}

pub fn events_are_kept_once_with_their_earliest_date<P: Place>() {
    let input = vec(vec(any_event(), 1..20), 1..4);
    property(8)
        .run(&input, |batches| {
            let (place, referee) = (P::new(), Memory::default());
            let mut views = BTreeMap::new();
            for events in &batches {
                let store = place.open();
                store.append(&[], events).unwrap();
                referee.append(&[], events).unwrap();
                store.maintain().unwrap();
                views.extend(events.iter().map(|event| ((event.site.clone(), event.view), ())));
                store.close().unwrap();
            }
            let store = place.open();
            for (site, view) in views.keys() {
                let (got, expected) = (store.timeline(site, *view).unwrap(), referee.timeline(site, *view).unwrap());
                prop_assert_eq!(got, expected);
            }
            Ok(())
        })
        .unwrap();
}

pub fn a_view_is_forgotten_whole_and_no_other<P: Place>() {
    let place = P::new();
    let mut store = place.open();
    let of_day = |days_ago: i64, name: &str| {
        let view = ViewId::new(Wall::from_ms(AUTUMN - days_ago * DAY_MS), [7; 10]);
        let mut row = slice(7, 0);
        (row.key.site, row.key.view) = (site(name), view);
        let play = Event { seq: 0, n: 0, at: now(), pos: None, kind: EventKind::Play {} };
        (row, EventRow { site: site(name), view, event: play })
    };
    let left =
        |store: &dyn Store, name: &str| rows(store, json!({ "site": name, "metrics": ["plays"], "date_range": "all" }));
    let (kept, kept_event) = of_day(1, "demo");
    let first_day = kept.key.view.day();
    // The first half is where it moves to by then, the other half where it arrives.
    for days_ago in [3, 2, 1, 0] {
        let (mine, event) = of_day(days_ago, "demo");
        let (other, _) = of_day(days_ago, "other");
        store.append(&[mine, other], &[event]).unwrap();
        if days_ago == 2 {
            store.maintain().unwrap();
        }
    }
    assert_eq!(store.forget(&site("demo"), first_day).unwrap(), 4, "two slices and two events");
    assert_eq!(store.forget(&site("demo"), first_day).unwrap(), 0);
    for _ in 0..2 {
        assert_eq!((left(&*store, "demo"), left(&*store, "other")), (json!([[2]]), json!([[4]])));
        assert_eq!(store.timeline(&site("demo"), kept.key.view).unwrap(), std::slice::from_ref(&kept_event));
        assert_eq!(store.timeline(&site("demo"), of_day(2, "demo").0.key.view).unwrap(), []);
        store.maintain().unwrap();
        store.close().unwrap();
        store = place.open();
    }
    assert_eq!(store.forget(&site("other"), i64::MAX).unwrap(), 4);
    assert_eq!(store.forget(&site("demo"), i64::MIN).unwrap(), 0);
    assert_eq!(left(&*store, "demo"), json!([[2]]));
}

pub fn appends_and_queries_do_not_disturb_each_other<P: Place>() {
    let place = P::new();
    let store = place.open();
    let play = Event { seq: 0, n: 0, at: now(), pos: Some(Media::from_ms(0)), kind: EventKind::Play {} };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for view in 0..60 {
                let row = slice(view, 0);
                let event = EventRow { site: site("demo"), view: row.key.view, event: play.clone() };
                store.append(&[row], &[event]).unwrap();
            }
        });
        let mut seen = 0;
        while seen < 60 {
            let finished = writer.is_finished();
            let rows = rows(&*store, json!({ "metrics": ["plays", "minutes_viewed"] }));
            let plays = rows[0][0].as_u64().unwrap();
            assert!(plays >= seen, "what was seen does not vanish");
            assert_eq!(rows[0][1].as_f64(), Some(plays as f64), "a slice is seen whole");
            assert!(!finished || plays == 60);
            seen = plays;
        }
    });
}

pub fn a_closed_store_says_so<P: Place>() {
    let place = P::new();
    let store = place.open();
    store.ready().unwrap();
    store.close().unwrap();
    let closed = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::Closed)));
    closed(store.append(&[slice(1, 0)], &[]));
    closed(store.query(&everything(site("demo")), &Cancel::default()).map(drop));
    closed(store.earliest(&site("demo")).map(drop));
    closed(store.timeline(&site("demo"), slice(1, 0).key.view).map(drop));
    closed(store.forget(&site("demo"), 0).map(drop));
    closed(store.maintain());
    closed(store.ready());
    closed(store.close());
}

pub fn an_empty_store_answers<P: Place>() {
    let place = P::new();
    let store = place.open();
    store.append(&[], &[]).unwrap();
    store.maintain().unwrap();
    let query = json!({ "metrics": ["plays", "minutes_viewed", "play_rate", "max_seek_ms", "unique_viewers"] });
    assert_eq!(rows(&*store, query), json!([[0, 0.0, null, null, 0]]));
    let query = json!({ "metrics": ["plays"], "dimensions": ["time:day", "video"], "date_range": "all" });
    assert_eq!(rows(&*store, query), json!([]));
    assert_eq!(store.earliest(&site("demo")).unwrap(), None);
}

/// The property that the reports rest on: any rows, any queries, rows merged, moved and opened again in between.
pub fn agrees_with_the_referee<P: Place>() {
    let batch = (vec(any_row(), 1..30), any::<bool>(), any::<bool>());
    let input = (vec(batch, 1..4), vec(any_query(), 12));
    property(24)
        .run(&input, |(batches, queries)| {
            let (place, referee) = (P::new(), Memory::default());
            let mut store = place.open();
            for (rows, maintain, restart) in &batches {
                store.append(rows, &[]).unwrap();
                referee.append(rows, &[]).unwrap();
                if *maintain {
                    store.maintain().unwrap();
                }
                if *restart {
                    store.close().unwrap();
                    drop(store);
                    store = place.open();
                }
            }
            for query in queries {
                let body = serde_json::to_vec(&query).unwrap();
                let expected = run(&referee, &body, now()).map(content).map_err(|error| format!("{error:?}"));
                let got = run(&*store, &body, now()).map(content).map_err(|error| format!("{error:?}"));
                prop_assert!(got == expected, "{}{}", difference(&got, &expected), query);
            }
            Ok(())
        })
        .unwrap();
}

/// The reports that are saved queries, and those that are no queries.
pub fn every_named_report_agrees_with_the_referee<P: Place>() {
    let input = (vec(any_row(), 1..40), select(&["day", "7d", "3mo"][..]), select(&["UTC", "Asia/Kolkata"][..]));
    property(6)
        .run(&input, |(rows, range, zone)| {
            let (place, referee) = (P::new(), Memory::default());
            let store = place.open();
            store.append(&rows, &[]).unwrap();
            referee.append(&rows, &[]).unwrap();
            let body =
                json!({ "site": "demo", "date_range": range, "timezone": zone, "comparison": "previous_period" });
            let request = Request::new(body).unwrap();
            let asked = Situation {
                request: &request,
                names: &Names::new(&["plan".into(), "tier".into()]),
                timezone: &TimeZone::UTC,
                now: now(),
                cancel: &Cancel::default(),
            };
            for report in named::ALL {
                let of = |store: &dyn Store| {
                    let mut report = named::report(store, report, None, &asked).unwrap();
                    for part in &mut report.parts {
                        if let PartAnswer::Table(answer) = &mut part.answer {
                            answer.source = String::new();
                        }
                    }
                    report
                };
                prop_assert_eq!(of(&*store), of(&referee), "{}", report.name);
            }
            Ok(())
        })
        .unwrap();
}

/// Metrics that add up, by dimensions that are summed beforehand: the same as from rows, whatever is settled by then, comes
/// late, or lies at the ends of the range.
pub fn what_is_summed_beforehand_agrees_with_the_referee<P: Place>() {
    let batch = (vec(any_row(), 1..30), any::<bool>());
    let input = (vec(batch, 1..4), vec(any_query_of_sums(), 10));
    property(8)
        .run(&input, |(batches, queries)| {
            let (place, referee) = (P::new(), Memory::default());
            let store = place.open();
            for (rows, maintain) in &batches {
                store.append(rows, &[]).unwrap();
                referee.append(rows, &[]).unwrap();
                if *maintain {
                    store.maintain().unwrap();
                }
            }
            for query in queries {
                let body = serde_json::to_vec(&query).unwrap();
                let expected = run(&referee, &body, now()).map(content).map_err(|error| format!("{error:?}"));
                let got = run(&*store, &body, now()).map(content).map_err(|error| format!("{error:?}"));
                prop_assert!(got == expected, "{}{}", difference(&got, &expected), query);
            }
            Ok(())
        })
        .unwrap();
}

/// Page by page comes what comes at once, whatever it is ordered by.
pub fn cursors_lead_through_every_row_once<P: Place>() {
    let input = (vec(any_row(), 1..40), any_query(), 1..5_usize);
    property(12)
        .run(&input, |(rows, mut query, limit)| {
            let place = P::new();
            let store = place.open();
            store.append(&rows, &[]).unwrap();
            query["include"] = Value::Null;
            query["pagination"] = Value::Null;
            let run = |query: &Value| run(&*store, &serde_json::to_vec(query).unwrap(), now());
            // A range that has too many buckets is refused with and without pages.
            let Ok(whole) = run(&query) else { return Ok(()) };
            let ask = |query: &Value| run(query).unwrap();
            let (mut paged, mut cursor) = (Vec::new(), Value::Null);
            loop {
                query["pagination"] = json!({ "limit": limit, "cursor": cursor });
                let page = ask(&query);
                paged.extend(page.rows);
                match page.next_cursor {
                    Some(next) => cursor = json!(next),
                    None => break,
                }
            }
            prop_assert_eq!(paged, whole.rows);
            Ok(())
        })
        .unwrap();
}

/// Where two answers differ: whole ones are too long to be read.
fn difference(got: &Result<Answer, String>, expected: &Result<Answer, String>) -> String {
    let (Ok(got), Ok(expected)) = (got, expected) else {
        let of =
            |answer: &Result<Answer, String>| answer.as_ref().map(|answer| answer.rows.len()).map_err(Clone::clone);
        return format!("{:?}, expected {:?}\n", of(got), of(expected));
    };
    let mut text = String::new();
    for (index, (mine, theirs)) in got.rows.iter().zip(&expected.rows).enumerate() {
        for (column, (mine, theirs)) in got.columns.iter().zip(mine.iter().zip(theirs)) {
            if mine != theirs {
                text.push_str(&format!("row {index}, {}: {mine:?}, expected {theirs:?}\n", column.name));
            }
        }
    }
    text + &format!(
        "rows {} expected {}\ntotals {:?} expected {:?}\ncomparison equal: {}\n",
        got.rows.len(),
        expected.rows.len(),
        got.totals,
        expected.totals,
        got.comparison == expected.comparison
    )
}
