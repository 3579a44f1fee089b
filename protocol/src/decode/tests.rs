//! What comes from outside: the golden bodies of every released version, every refusal, and arbitrary bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::encode::Json;
use crate::field::{Field, Kind};

const WHOLE: &[u8] = include_bytes!("../../golden/v1/whole.json");
const EVENTS: &[u8] = include_bytes!("../../golden/v1/events.json");
const LEAST: &[u8] = include_bytes!("../../golden/v1/least.json");

fn decode(body: &[u8]) -> Result<Decoded, Problem> {
    Envelope::read(body)?.validate()
}

/// A small good body, changed by `change`.
fn body(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut body = json!({
        "v": 1, "site": "demo", "sent_at": 1_790_000_060_000_u64,
        "views": [{
            "id": "01a0c4ee-2c00-7000-8000-000000000001",
            "video": { "id": "1234" },
            "slices": [{ "n": 0, "at": 1_790_000_000_000_u64, "span_ms": 10_000, "plays": 1, "played_ms": 9_650 }],
            "events": [{ "seq": 0, "n": 0, "at": 1_790_000_000_000_u64, "type": "play" }],
        }],
    });
    change(&mut body);
    serde_json::to_vec(&body).unwrap()
}

/// Changes a good body and expects these rejections, as a reply would list them, and everything else accepted.
#[track_caller]
fn check_rejected(change: impl FnOnce(&mut Value), expect: Value) {
    let decoded = decode(&body(change)).unwrap();
    assert_eq!(serde_json::to_value(&decoded.rejected).unwrap(), expect);
    let accepted: usize = decoded.batch.views.iter().map(|view| view.slices.len() + view.events.len()).sum();
    let rejected: u64 = decoded.rejected.iter().map(|rejection| rejection.items).sum();
    assert_eq!(decoded.received, accepted as u64 + rejected);
}

/// Changes a good body and expects it to be refused as a whole.
#[track_caller]
fn check_refused(change: impl FnOnce(&mut Value), code: BodyCode, field: &'static str) {
    let problem = decode(&body(change)).unwrap_err();
    assert_eq!((problem.code, problem.field), (code, Some(field)), "{}", problem.message);
}

#[test]
fn the_whole_golden_body_is_read_and_written_back_as_it_is() {
    let decoded = decode(WHOLE).unwrap();
    assert_eq!(decoded.rejected, []);
    assert_eq!(decoded.received, 10);
    let written: Value = serde_json::from_str(&decoded.batch.to_json()).unwrap();
    assert_eq!(written, serde_json::from_slice::<Value>(WHOLE).unwrap());
}

#[test]
fn the_least_golden_body_is_read() {
    let decoded = decode(LEAST).unwrap();
    assert_eq!(decoded.batch.client, None, "it does not carry the context");
    assert_eq!(decoded.batch.views[0].slices[0].fields[Field::Plays], 1);
    assert_eq!(decoded.received, 1);
}

/// The document for people without our SDK says what is so.
#[test]
fn the_documented_request_is_accepted_and_every_word_is_documented() {
    let document = include_str!("../../../docs/wire.md");
    let example = document.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let decoded = decode(example.as_bytes()).unwrap();
    assert_eq!((decoded.rejected.len(), decoded.received), (0, 1));
    let words = Field::ALL.iter().map(|field| field.name());
    let words = words.chain(RejectCode::ALL.iter().map(|code| code.as_str()));
    let words = words.chain(BodyCode::ALL.iter().map(|code| code.as_str()));
    let words = words.chain(crate::event::StopReason::ALL.iter().map(|reason| reason.as_str()));
    for word in words.chain(crate::event::EventKind::NAMES.iter().copied()) {
        assert!(document.contains(&format!("`{word}`")), "docs/wire.md does not tell of `{word}`");
    }
    for field in Field::ALL {
        assert!(document.contains(field.doc()), "docs/wire.md tells something else of `{}`", field.name());
    }
}

/// The document of definitions has a line for every field, with its unit, and for every event.
#[test]
fn every_field_and_every_event_is_defined() {
    let document = include_str!("../../../docs/metrics.md");
    for field in Field::ALL {
        let unit = match field.kind() {
            Kind::Flag => "0 or 1",
            Kind::Count(_) => "count",
            Kind::Time => "ms",
            Kind::Content => "ms of content",
            Kind::Sum(_) => "sum",
            Kind::Measured => "ms, measured",
        };
        let line = format!("\n| `{}` | {unit} | ", field.name());
        assert!(document.contains(&line), "docs/metrics.md does not define `{}` in {unit}", field.name());
    }
    for event in crate::event::EventKind::NAMES {
        assert!(
            document.contains(&format!("\n| `{event}` | ")),
            "docs/metrics.md does not tell when `{event}` happens"
        );
    }
    for reason in crate::event::StopReason::ALL {
        assert!(document.contains(&format!("\n| `{}` | ", reason.as_str())), "{reason:?}");
    }
}

#[test]
fn every_field_is_written_and_read() {
    for &field in Field::ALL {
        let mut decoded = decode(LEAST).unwrap();
        decoded.batch.views[0].slices[0].fields[field] = 1;
        let again = decode(decoded.batch.to_json().as_bytes()).unwrap();
        assert_eq!(again, decoded, "{}", field.name());
    }
}

#[test]
fn every_kind_of_event_is_written_and_read() {
    let golden: Value = serde_json::from_slice(EVENTS).unwrap();
    let body = body(|body| body["views"][0]["events"] = golden.clone());
    let decoded = decode(&body).unwrap();
    assert_eq!(decoded.rejected, []);
    let events = &decoded.batch.views[0].events;
    let written: Value = serde_json::from_str(&decoded.batch.to_json()).unwrap();
    assert_eq!(written["views"][0]["events"], golden);
    let names: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(names, crate::event::EventKind::NAMES, "the golden file has each kind once, in order");
    for event in events {
        let again = serde_json::from_str::<crate::event::Event>(&Json::object_of(|json| event.write(json))).unwrap();
        assert_eq!(again, *event);
        let details = Json::object_of(|json| event.kind.write(json));
        assert_eq!(crate::event::EventKind::from_details(event.kind.name(), &details).as_ref(), Some(&event.kind));
    }
}

#[test]
fn unknown_fields_are_ignored() {
    check_rejected(
        |body| {
            body["later"] = json!({ "deep": [1, { "a": null }] });
            body["views"][0]["slices"][0]["warp_ms"] = json!("soon");
        },
        json!([]),
    );
}

#[test]
fn broken_json_refuses_the_body() {
    for broken in [&b""[..], b"{", b"[]", b"null", b"\xff\xfe", &WHOLE[..WHOLE.len() / 2], b"{\"v\":1} x"] {
        assert_eq!(decode(broken).unwrap_err().code, BodyCode::Unreadable, "{}", String::from_utf8_lossy(broken));
    }
    let deep = "[".repeat(100_000);
    assert_eq!(decode(deep.as_bytes()).unwrap_err().code, BodyCode::Unreadable);
}

#[test]
fn the_batch_itself_must_be_sound() {
    check_refused(|body| body["v"] = json!(2), BodyCode::UnsupportedVersion, "v");
    check_refused(|body| body["v"] = Value::Null, BodyCode::UnsupportedVersion, "v");
    check_refused(|body| body["site"] = json!("no spaces"), BodyCode::BadField, "site");
    check_refused(|body| body["site"] = json!(7), BodyCode::BadField, "site");
    check_refused(|body| body["sent_at"] = json!(-1), BodyCode::BadField, "sent_at");
    check_refused(|body| body["sent_at"] = json!(1e300), BodyCode::BadField, "sent_at");
    check_refused(|body| body["session"] = json!("me"), BodyCode::BadField, "session");
    check_refused(|body| body["views"] = json!("none"), BodyCode::BadField, "views");
    check_refused(|body| body["page"] = json!([]), BodyCode::BadField, "page");
}

#[test]
fn texts_are_taken_up_to_their_bound_and_no_further() {
    let of = |length: usize| json!("x".repeat(length));
    check_rejected(|body| body["page"] = json!({ "url": of(limits::URL_BYTES) }), json!([]));
    check_refused(|body| body["page"] = json!({ "url": of(limits::URL_BYTES + 1) }), BodyCode::BadField, "page.url");
    check_rejected(|body| body["viewer"] = of(limits::ID_BYTES), json!([]));
    check_refused(|body| body["viewer"] = of(limits::ID_BYTES + 1), BodyCode::BadField, "viewer");
    check_rejected(|body| body["views"][0]["video"]["title"] = of(limits::TITLE_BYTES), json!([]));
    check_rejected(
        |body| body["views"][0]["video"]["title"] = of(limits::TITLE_BYTES + 1),
        json!([{ "view": 0, "code": "too_long", "field": "video.title" }]),
    );
    check_rejected(
        |body| body["views"][0]["slices"][0]["error_code"] = of(limits::WORD_BYTES + 1),
        json!([{ "view": 0, "slice": 0, "code": "too_long", "field": "error_code" }]),
    );
}

#[test]
fn a_bad_slice_or_event_costs_no_other() {
    let slice = |field: &str, value: Value, code: &str| {
        check_rejected(
            |body| {
                let mut bad = body["views"][0]["slices"][0].clone();
                bad[field] = value;
                body["views"][0]["slices"].as_array_mut().unwrap().insert(0, bad);
            },
            json!([{ "view": 0, "slice": 0, "code": code, "field": field }]),
        );
    };
    slice("n", json!(-1), "bad_number");
    slice("n", json!(100_001), "bad_number");
    slice("n", Value::Null, "malformed");
    slice("at", json!("yesterday"), "malformed");
    slice("at", json!(0), "implausible");
    slice("played_ms", json!(-5), "bad_number");
    slice("played_ms", json!(1.5), "bad_number");
    slice("played_ms", json!(1e30), "bad_number");
    slice("played_ms", json!("many"), "malformed");
    slice("watched", json!("1f_"), "bad_number");
    slice("watched", json!("f".repeat(26)), "bad_number");
    slice("stop_reason", json!("bored"), "unknown_value");
    for (field, value, code) in [
        ("type", json!("teleport"), "unknown_event_type"),
        ("type", json!(3), "malformed"),
        ("seq", json!(0.5), "bad_number"),
        ("pos_ms", json!(-1), "bad_number"),
    ] {
        check_rejected(
            |body| body["views"][0]["events"][0][field] = value,
            json!([{ "view": 0, "event": 0, "code": code, "field": field }]),
        );
    }
    check_rejected(
        |body| body["views"][0]["events"][0] = json!({ "seq": 1, "n": 0, "at": 1_790_000_000_000_u64, "type": "quartile", "ladder": "watched", "percent": 30 }),
        json!([{ "view": 0, "event": 0, "code": "bad_number", "field": "percent" }]),
    );
}

#[test]
fn an_implausible_slice_is_refused_at_one_past_what_its_span_allows() {
    let played = |ms: u64| move |body: &mut Value| body["views"][0]["slices"][0]["played_ms"] = json!(ms);
    check_rejected(played(12_000), json!([]));
    check_rejected(played(12_001), json!([{ "view": 0, "slice": 0, "code": "implausible", "field": "played_ms" }]));
    let span = |ms: u64| move |body: &mut Value| body["views"][0]["slices"][0]["span_ms"] = json!(ms);
    check_rejected(span(600_000), json!([]));
    check_rejected(span(600_001), json!([{ "view": 0, "slice": 0, "code": "implausible", "field": "span_ms" }]));
}

#[test]
fn a_view_is_judged_by_its_age_on_the_senders_clock() {
    const DAY: i64 = 86_400_000;
    let id_at = |ms: i64| {
        move |body: &mut Value| {
            body["views"][0]["id"] = json!(crate::id::ViewId::new(Wall::from_ms(ms), [1; 10]).to_string());
        }
    };
    let sent = 1_790_000_060_000;
    check_rejected(id_at(sent - 30 * DAY), json!([]));
    check_rejected(id_at(sent - 30 * DAY - 1), json!([{ "view": 0, "code": "view_too_old", "field": "id" }]));
    check_rejected(id_at(sent + DAY), json!([]));
    check_rejected(id_at(sent + DAY + 1), json!([{ "view": 0, "code": "view_from_future", "field": "id" }]));
    check_rejected(
        |body| body["views"][0]["id"] = json!("1f0e9a52-7c4b-4a0e-9d53-0b6f2f1f8a11"),
        json!([{ "view": 0, "code": "bad_view_id", "field": "id" }]),
    );
}

#[test]
fn a_television_in_1970_is_believed() {
    check_rejected(
        |body| {
            body["sent_at"] = json!(60_000);
            body["views"][0]["id"] = json!(crate::id::ViewId::new(Wall::from_ms(5), [1; 10]).to_string());
            body["views"][0]["slices"][0]["at"] = json!(5);
            body["views"][0]["events"][0]["at"] = json!(5);
        },
        json!([]),
    );
}

#[test]
fn a_batch_carries_so_many_views_slices_and_events_and_no_more() {
    let repeat = |list: &str, count: usize| {
        let list = list.to_owned();
        move |body: &mut Value| {
            let items = body["views"][0][&list].as_array_mut().unwrap();
            let item = items[0].clone();
            items.resize(count, item);
        }
    };
    check_rejected(repeat("slices", limits::SLICES), json!([]));
    check_rejected(
        repeat("slices", limits::SLICES + 1),
        json!([{ "view": 0, "slice": limits::SLICES, "code": "too_many" }]),
    );
    check_rejected(repeat("events", limits::EVENTS), json!([]));
    check_rejected(
        repeat("events", limits::EVENTS + 1),
        json!([{ "view": 0, "event": limits::EVENTS, "code": "too_many" }]),
    );
    let views = |count: usize| {
        move |body: &mut Value| {
            let view = body["views"][0].clone();
            body["views"].as_array_mut().unwrap().resize(count, view);
        }
    };
    check_rejected(views(limits::VIEWS), json!([]));
    check_rejected(views(limits::VIEWS + 2), json!([{ "view": limits::VIEWS, "code": "too_many", "field": "views" }]));
    check_rejected(
        |body| {
            for name in 0..=limits::CUSTOM_NAMES {
                body["views"][0]["dims"][name.to_string()] = json!("x");
            }
        },
        json!([{ "view": 0, "code": "too_many", "field": "dims" }]),
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn no_damage_to_a_good_body_panics(at in 0..WHOLE.len(), byte: u8, cut in 0..WHOLE.len()) {
        let mut damaged = WHOLE.to_vec();
        damaged[at] = byte;
        let _ = decode(&damaged);
        let _ = decode(&WHOLE[..cut]);
    }

    /// Any value in any place: the body is read, and every item ends as accepted or rejected.
    #[test]
    fn no_value_in_a_wrong_place_panics_or_loses_count(place in 0..LEAVES.len(), value in 0..ODD.len()) {
        let odd: Value = serde_json::from_str(ODD[value]).unwrap();
        let mut body: Value = serde_json::from_slice(WHOLE).unwrap();
        *body.pointer_mut(LEAVES[place]).unwrap() = odd;
        if let Ok(decoded) = decode(&serde_json::to_vec(&body).unwrap()) {
            let accepted: usize = decoded.batch.views.iter().map(|view| view.slices.len() + view.events.len()).sum();
            let rejected: u64 = decoded.rejected.iter().map(|rejection| rejection.items).sum();
            prop_assert_eq!(decoded.received, accepted as u64 + rejected);
        }
    }
}

const ODD: &[&str] =
    &["null", "-1", "1e308", "18446744073709551615", "true", "\"\"", "\"\\u0000\"", "[]", "{}", "[[1]]"];

const LEAVES: &[&str] = &[
    "/v",
    "/site",
    "/sent_at",
    "/sdk",
    "/session",
    "/viewer",
    "/page",
    "/page/url",
    "/client",
    "/client/mobile",
    "/views",
    "/views/0",
    "/views/0/id",
    "/views/0/video",
    "/views/0/video/kind",
    "/views/0/video/duration_ms",
    "/views/0/player",
    "/views/0/player/autoplay",
    "/views/0/dims",
    "/views/0/dims/plan",
    "/views/0/slices",
    "/views/0/slices/0",
    "/views/0/slices/0/n",
    "/views/0/slices/0/at",
    "/views/0/slices/0/span_ms",
    "/views/0/slices/0/played_ms",
    "/views/0/slices/0/watched",
    "/views/0/slices/0/stop_reason",
    "/views/0/events",
    "/views/0/events/5",
    "/views/0/events/5/percent",
    "/views/0/events/6/phase",
    "/discarded",
    "/discarded/queue_full",
];
