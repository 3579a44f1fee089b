//! From bodies to rows, and records there and back.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::Media;
use quartile_protocol::decode::Envelope;
use quartile_protocol::dimension::Dimension as D;
use quartile_protocol::event::{ErrorPhase, Event, EventKind, Ladder, Percent, StopReason, Text, Word};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::slice::Slice;

use super::*;

const WHOLE: &[u8] = include_bytes!("../../../protocol/golden/v1/whole.json");
const LEAST: &[u8] = include_bytes!("../../../protocol/golden/v1/least.json");
/// What version 1 wrote for [`WHOLE`]; it must be read for ever.
const RECORD_V1: &str = include_str!("../../fixtures/record-v1.json");

const SENT_AT: i64 = 1_790_000_060_000;

fn batch(body: &[u8]) -> Batch {
    Envelope::read(body).unwrap().validate().unwrap().batch
}

/// The record of a batch that arrived `late_ms` after it was sent, from a telephone in Lyon.
fn record_of(batch: Batch, late_ms: i64, private: bool) -> Record {
    let agent = Agent { device: Some(Device::Mobile), os: "Android".into(), bot: "Robot".into(), ..Agent::default() };
    let place = Place { country: "FR".into(), city: "Lyon".into(), ..Place::default() };
    let facts = Facts {
        received_at: Wall::from_ms(SENT_AT + late_ms),
        private,
        custom: &["team".to_owned(), "plan".to_owned()],
        agent,
        place: &place,
        daily_viewer: &|day| format!("daily-{day}"),
    };
    record(batch, facts)
}

#[track_caller]
fn check(record: &Record, expect: &[(D, &str)]) {
    for &(dimension, value) in expect {
        assert_eq!(&record.views[0].dimensions[dimension], value, "{}", dimension.name());
    }
}

#[test]
fn dimensions_come_from_page_view_and_sender() {
    let mut whole = batch(WHOLE);
    whole.page.url = "https://Example.org/watch/1?secret=1#x".into();
    check(
        &record_of(whole, 0, false),
        &[
            (D::Video, "1234"),
            (D::Kind, "vod"),
            (D::Player, "video.js"),
            (D::Autoplay, "false"),
            (D::Domain, "example.org"),
            (D::Page, "/watch/1"),
            (D::ReferrerDomain, "news.example"),
            (D::Language, "en-US"),
            (D::UtmSource, "newsletter"),
            (D::Device, "mobile"),
            (D::Country, "FR"),
            (D::City, "Lyon"),
            (D::Custom1, ""),
            (D::Custom2, "pro"),
            (D::Source, "sdk"),
            (D::Sdk, "quartile-web/0.1.0"),
            (D::User, "user-42"),
            (D::DailyViewer, ""),
        ],
    );
}

#[test]
fn a_viewer_without_an_id_has_the_hash_of_the_day_in_the_view_id() {
    let mut nameless = batch(WHOLE);
    nameless.viewer.clear();
    check(&record_of(nameless.clone(), 0, false), &[(D::DailyViewer, "")]);
    nameless.user.clear();
    check(&record_of(nameless, 0, false), &[(D::DailyViewer, "daily-20717")]);
}

#[test]
fn only_a_batch_with_the_context_has_device_place_and_daily_viewer() {
    let least = batch(LEAST);
    check(&record_of(least.clone(), 0, false), &[(D::Device, ""), (D::Country, ""), (D::DailyViewer, "")]);
    let told = Batch { client: Some(Client::default()), ..least };
    check(
        &record_of(told, 0, false),
        &[(D::Device, "mobile"), (D::Country, "FR"), (D::DailyViewer, "daily-20717"), (D::Source, "api")],
    );
}

#[test]
fn a_bot_is_a_browser_with_the_sdk_and_no_program_that_writes_to_the_api() {
    let whole = batch(WHOLE);
    check(&record_of(whole.clone(), 0, false), &[(D::Bot, "Robot"), (D::Source, "sdk")]);
    let by_program = Batch { sdk: "my-player/3".into(), ..whole };
    check(&record_of(by_program, 0, false), &[(D::Bot, ""), (D::Source, "api")]);
}

#[test]
fn global_privacy_control_keeps_counts_and_drops_who() {
    let record = record_of(batch(WHOLE), 0, true);
    check(
        &record,
        &[(D::User, ""), (D::Viewer, ""), (D::Session, ""), (D::DailyViewer, ""), (D::City, ""), (D::Country, "FR")],
    );
    assert_eq!(record.views[0].slices[0].fields[Field::Plays], 1);
}

#[test]
fn a_referrer_from_the_same_host_is_none() {
    let mut whole = batch(WHOLE);
    whole.page.referrer = "https://EXAMPLE.org/home".into();
    check(&record_of(whole, 0, false), &[(D::ReferrerDomain, "")]);
}

#[test]
fn dates_are_moved_when_the_clocks_differ_by_more_than_five_seconds() {
    let start = |late_ms| {
        let record = record_of(batch(WHOLE), late_ms, false);
        (record.views[0].slices[0].at.as_ms(), record.views[0].events[0].at.as_ms())
    };
    let (at, day) = (1_790_000_000_000, 86_400_000);
    assert_eq!(start(5_000), (at, at));
    assert_eq!(start(-5_000), (at, at));
    assert_eq!(start(5_001), (at + 5_001, at + 5_001));
    assert_eq!(start(-day), (at - day, at - day));
}

#[test]
fn outcomes_are_dimensions_of_their_slice() {
    let (rows, events) = record_of(batch(WHOLE), 0, false).into_rows();
    assert_eq!((rows.len(), events.len()), (1, 9));
    let outcome = [D::StopReason, D::ErrorCode, D::ErrorPhase].map(|dimension| &rows[0].dimensions[dimension]);
    assert_eq!(outcome, ["closed", "networkError", "mid_stream"]);
    assert_eq!(&rows[0].dimensions[D::Video], "1234");
}

#[test]
fn a_view_without_items_leaves_nothing() {
    let mut empty = batch(LEAST);
    empty.views[0].slices.clear();
    assert_eq!(record_of(empty, 0, false).views, []);
}

#[test]
fn the_record_of_version_1_is_read_for_ever() {
    // It had no date of receipt yet.
    let record = Record { received_at: None, ..record_of(batch(WHOLE), 0, false) };
    assert_eq!(Record::decode(RECORD_V1.as_bytes()).unwrap(), record);
    assert_eq!(String::from_utf8(record.encode()).unwrap(), RECORD_V1.trim_end());
}

#[test]
fn one_slice_or_event_of_a_record_is_a_record() {
    let record = record_of(batch(WHOLE), 0, false);
    let view = &record.views[0];
    let slice = record.only_slice(view.id, view.slices[0].n).unwrap();
    assert_eq!((slice.items(), &slice.views[0].slices[0]), (1, &view.slices[0]));
    assert_eq!(slice.views[0].dimensions, view.dimensions);
    let event = record.only_event(view.id, view.events[0].seq).unwrap();
    assert_eq!((event.items(), &event.views[0].events[0]), (1, &view.events[0]));
    assert_eq!(record.only_slice(view.id, 99_999), None);
}

#[test]
fn what_later_versions_add_is_ignored_and_what_they_change_is_refused() {
    let later = RECORD_V1
        .replace(r#""v":1"#, r#""v":1,"colour":{"a":[1]}"#)
        .replace(r#""dims":{"#, r#""dims":{"mood":"good","#)
        .replace(r#""span_ms":"#, r#""jumps":3,"span_ms":"#)
        .replace(r#""type":"play""#, r#""type":"play","loud":true"#);
    assert_eq!(Record::decode(later.as_bytes()).unwrap(), Record::decode(RECORD_V1.as_bytes()).unwrap());
    let refused = |text: String| Record::decode(text.as_bytes()).unwrap_err().to_string();
    assert!(refused(RECORD_V1.replace(r#""v":1"#, r#""v":2"#)).contains("version 2"));
    assert!(refused(RECORD_V1.replace(r#""type":"play""#, r#""type":"leap""#)).contains("unknown_event_type"));
    assert!(refused(RECORD_V1.replace("01a0c4ee", "nonsense")).contains("id"));
    assert!(refused("nonsense".into()).contains("not a record"));
}

/// The largest number that is the same in every reader of JSON.
const LARGEST: u64 = 1 << 53;

fn any_date() -> impl Strategy<Value = i64> {
    0..253_402_300_800_000_i64
}

fn any_slice() -> impl Strategy<Value = Slice> {
    let stop = proptest::option::of(proptest::sample::select(StopReason::ALL));
    let phase = proptest::option::of(proptest::sample::select(ErrorPhase::ALL));
    let bits = (any::<u128>(), any::<u128>(), any::<u128>());
    let fields = btree_map(0..Field::ALL.len(), 0..LARGEST, 0..6);
    (0..100_u32, any_date(), 0..LARGEST, fields, bits, (stop, ".{0,8}", phase)).prop_map(
        |(n, at, span_ms, values, (watched, rewatched, active), (stop_reason, error_code, error_phase))| {
            let mut fields = Fields::default();
            values.into_iter().for_each(|(index, value)| fields[Field::ALL[index]] = value);
            Slice {
                n,
                at: Wall::from_ms(at),
                span_ms,
                fields,
                watched: Percents::from_bits(watched >> 28).unwrap(),
                rewatched: Percents::from_bits(rewatched >> 28).unwrap(),
                active: Minutes::from_bits(active >> 117).unwrap(),
                stop_reason,
                error_code,
                error_phase,
            }
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    let ladder = proptest::sample::select(Ladder::ALL);
    let error = (".{0,5}", ".{0,5}", any::<bool>(), proptest::sample::select(ErrorPhase::ALL));
    let kind = prop_oneof![
        Just(EventKind::Impression {}),
        Just(EventKind::PlayRequest {}),
        Just(EventKind::Play {}),
        Just(EventKind::Pause {}),
        Just(EventKind::Resume {}),
        Just(EventKind::End {}),
        (ladder, proptest::sample::select(&[25, 50, 75, 100][..]))
            .prop_map(|(ladder, percent)| EventKind::Quartile { ladder, percent: Percent::new(percent).unwrap() }),
        proptest::sample::select(StopReason::ALL).prop_map(|reason| EventKind::Stop { reason }),
        error.prop_map(|(code, message, fatal, phase): (String, String, bool, ErrorPhase)| EventKind::Error {
            code: Word::cut(&code),
            message: Text::cut(&message),
            fatal,
            phase,
        }),
    ];
    (0..100_000_u32, 0..100_000_u32, any_date(), proptest::option::of(0..LARGEST as i64), kind)
        .prop_map(|(seq, n, at, pos, kind)| Event { seq, n, at: Wall::from_ms(at), pos: pos.map(Media::from_ms), kind })
}

fn any_view() -> impl Strategy<Value = RecordView> {
    let dims = btree_map(0..D::ALL.len(), ".{1,6}", 0..10);
    (any::<[u8; 10]>(), dims, vec(any_slice(), 0..4), vec(any_event(), 0..4)).prop_map(
        |(random, values, slices, events)| {
            let mut dimensions = Dimensions::default();
            values.into_iter().for_each(|(index, value)| dimensions.set(D::ALL[index], value));
            RecordView { id: ViewId::new(Wall::from_ms(SENT_AT), random), dimensions, slices, events }
        },
    )
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written(views in vec(any_view(), 0..4), at in prop::option::of(0..1_i64 << 45)) {
        let received_at = at.map(Wall::from_ms);
        let record = Record { site: SiteId::new("demo").unwrap(), received_at, views };
        prop_assert_eq!(Record::decode(&record.encode()).unwrap(), record.clone());
        prop_assert_eq!(Record::count_items(&record.encode()), record.items());
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..200), at in 0..RECORD_V1.len(), byte: u8) {
        let _ = Record::decode(&bytes);
        let mut damaged = RECORD_V1.as_bytes().to_vec();
        damaged[at] = byte;
        let _ = Record::decode(&damaged);
    }
}
