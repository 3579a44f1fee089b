//! Every refusal with its whole message, and answers from end to end over the referee's store.

use jiff::tz::TimeZone;
use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use serde_json::{Value, json};

use super::cursor::Cursor;
use super::dimension::Names;
use super::error::ReportError;
use super::named::{self, Situation};
use super::plan::Plan;
use super::query::Request;
use super::query::limits;
use super::special::{self, Asked};
use super::table::{Cell, Table};
use super::{Answer, answer, catalog, run};
use crate::store::cancel::Cancel;
use crate::store::memory::Memory;
use crate::store::{Store, StoreError};

/// 2026-11-23T12:00:00Z.
const NOON: i64 = 1_795_435_200_000;

fn ask(store: &Memory, query: &Value) -> Result<Answer, ReportError> {
    run(store, &serde_json::to_vec(query).unwrap(), Wall::from_ms(NOON))
}

/// A sound query with some fields replaced; `null` takes one away.
fn query(changes: &Value) -> Value {
    let mut query = json!({ "site": "demo", "metrics": ["plays"], "date_range": "7d" });
    for (name, value) in changes.as_object().unwrap() {
        query[name] = value.clone();
    }
    query
}

/// The refusal of a query as `status code at field: message`.
fn refused_body(body: &[u8]) -> String {
    let error = run(&Memory::default(), body, Wall::from_ms(NOON)).expect_err("must be refused");
    let body = serde_json::to_value(&error).unwrap();
    let text = |name: &str| body["error"][name].as_str().unwrap().to_owned();
    format!("{} {} at '{}': {}", error.status(), text("code"), text("field"), text("message"))
}

fn refused(changes: Value) -> String {
    refused_body(&serde_json::to_vec(&query(&changes)).unwrap())
}

/// The same without the list of what is allowed, which is checked once for each kind.
fn refused_briefly(changes: Value) -> String {
    refused(changes).split("; allowed: ").next().unwrap_or_default().to_owned()
}

#[test]
fn bodies() {
    insta::assert_snapshot!(refused_body(b"{"), @"400 invalid_json at '': the body is no JSON: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(refused_body(b"\xff"), @"400 invalid_json at '': the body is no JSON: expected value at line 1 column 1");
    insta::assert_snapshot!(refused_body(b"[]"), @"400 invalid_type at '': must be an object");
    insta::assert_snapshot!(refused_body(&vec![b' '; limits::BODY_BYTES + 1]), @"413 body_too_large at '': the body must have at most 65536 bytes");
    insta::assert_snapshot!(refused(json!({ "metric": [] })), @"400 unknown_field at 'metric': is not known here; allowed: site, metrics, date_range, dimensions, filters, order_by, pagination, timezone, include");
    insta::assert_snapshot!(refused(json!({ "include": { "total": true } })), @"400 unknown_field at 'include.total': is not known here; allowed: time_labels, totals, total_rows, comparison");
    insta::assert_snapshot!(refused(json!({ "include": { "time_labels": "yes" } })), @"400 invalid_type at 'include.time_labels': must be true or false");
}

#[test]
fn sites() {
    insta::assert_snapshot!(refused(json!({ "site": null })), @"400 missing_field at 'site': is missing");
    insta::assert_snapshot!(refused(json!({ "site": 7 })), @"400 invalid_type at 'site': must be a text");
    insta::assert_snapshot!(refused(json!({ "site": "" })), @"400 invalid_value at 'site': must have 1 to 64 characters");
    insta::assert_snapshot!(refused(json!({ "site": "a'b" })), @"400 invalid_value at 'site': may have only letters, digits, '.', '_' and '-'");
}

#[test]
fn metrics() {
    insta::assert_snapshot!(refused(json!({ "metrics": null })), @"400 missing_field at 'metrics': is missing");
    insta::assert_snapshot!(refused(json!({ "metrics": "plays" })), @"400 invalid_type at 'metrics': must be a list");
    insta::assert_snapshot!(refused(json!({ "metrics": [] })), @"400 invalid_value at 'metrics': must have at least 1 entry");
    insta::assert_snapshot!(refused(json!({ "metrics": ["plays", "plays"] })), @"400 invalid_value at 'metrics[1]': is named twice");
    insta::assert_snapshot!(refused(json!({ "metrics": vec!["plays"; limits::METRICS + 1] })), @"400 too_many at 'metrics': must have at most 50 entries");
    insta::assert_snapshot!(refused(json!({ "metrics": ["nonsense"] })), @r#"400 unknown_metric at 'metrics[0]': there is no metric "nonsense"; allowed: unique_viewers, sessions, minutes_viewed, avg_view_minutes, play_rate, completion_rate, avg_percent_watched, drop_off, engaged_rate, startup_ms_avg, startup_ms_p50, startup_ms_p75, startup_ms_p95, rebuffer_ratio, rebuffers_per_hour, views_with_rebuffer_rate, exits_before_start, exits_before_start_rate, start_failures_rate, playback_failures_rate, error_rate, avg_bitrate_kbps, dropped_frame_ratio, avg_live_latency_ms, avg_seek_ms, max_seek_ms, rendition_240, rendition_360, rendition_480, rendition_720, rendition_1080, rendition_1440, rendition_2160, rendition_other, concurrent_views, peak_concurrent_views, active_views, lost, gigabytes_delivered, views, impressions, viewables, play_requests, plays, autoplay_blocked, pauses, resumes, seeks, seek_ms, replays, loops, ends, stops, rebuffers, rebuffer_ms, played_ms, content_ms, wait_ms, paused_ms, engaged_ms, muted_ms, hidden_ms, fullscreen_ms, pip_ms, ad_ms, ads, errors, fatal_errors, start_failures, playback_failures, rebuffered, errored, ladder_plays, rendition_up, rendition_down, played_ms_240, played_ms_360, played_ms_480, played_ms_720, played_ms_1080, played_ms_1440, played_ms_2160, played_ms_other, frames, frames_dropped, bytes, rated_ms, latency_samples, interactions, shares, downloads, captions_on, reached_25, reached_50, reached_75, reached_100, position_25, position_50, position_75, position_100"#);
    insta::assert_snapshot!(refused_briefly(json!({ "metrics": ["x".repeat(150)] })), @r#"400 unknown_metric at 'metrics[0]': there is no metric "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…""#);
    insta::assert_snapshot!(refused(json!({ "metrics": ["x".repeat(limits::TEXT_BYTES + 1)] })), @"400 too_long at 'metrics[0]': must have at most 200 bytes");
}

#[test]
fn dimensions() {
    insta::assert_snapshot!(refused(json!({ "dimensions": ["nonsense"] })), @r#"400 unknown_dimension at 'dimensions[0]': there is no dimension "nonsense"; allowed: time:minute, time:hour, time:day, time:week, time:month, time:hour_of_day, time:day_of_week, video, video_title, series, category, kind, media, player, player_version, engine, protocol, device, device_vendor, device_model, os, os_version, browser, browser_version, country, region, city, isp, domain, page, referrer_domain, application, language, connection, autoplay, muted_start, user, cdn, utm_source, utm_medium, utm_campaign, bot, source, sdk, stop_reason, error_code, error_phase, viewer_kind"#);
    insta::assert_snapshot!(refused_briefly(json!({ "dimensions": ["viewer"] })), @r#"400 unknown_dimension at 'dimensions[0]': there is no dimension "viewer""#);
    insta::assert_snapshot!(refused_briefly(json!({ "dimensions": ["custom_1"] })), @r#"400 unknown_dimension at 'dimensions[0]': there is no dimension "custom_1""#);
    insta::assert_snapshot!(refused(json!({ "dimensions": ["os", "os"] })), @"400 invalid_value at 'dimensions[1]': is named twice");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["time:day", "time:hour"] })), @"400 not_together at 'dimensions[1]': only one dimension of time is allowed");
    insta::assert_snapshot!(refused(json!({ "dimensions": vec!["os"; limits::DIMENSIONS + 1] })), @"400 too_many at 'dimensions': must have at most 6 entries");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["time:hour"], "date_range": "5000d" })), @"400 too_many at 'dimensions': more than 11520 buckets of time: ask for a longer grain or a shorter range");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["stop_reason"] })), @"400 not_together at 'metrics[0]': plays cannot be divided by stop_reason, which is known in one slice of a view only; allowed with it: stops, errors, fatal_errors, start_failures, playback_failures");
    insta::assert_snapshot!(refused_briefly(json!({ "metrics": ["stops", "views"], "filters": [["is", "error_code", ["3"]]] })), @"400 not_together at 'metrics[1]': views cannot be divided by error_code, which is known in one slice of a view only; allowed with it: stops, errors, fatal_errors, start_failures, playback_failures");
}

#[test]
fn date_ranges() {
    insta::assert_snapshot!(refused(json!({ "date_range": null })), @"400 missing_field at 'date_range': is missing");
    insta::assert_snapshot!(refused(json!({ "date_range": "yesterday" })), @r#"400 invalid_date_range at 'date_range': must be "day", "7d" or any number of days, "month", "6mo" or any number of months, "year", "all", or two dates such as ["2026-11-01", "2026-11-23"]"#);
    insta::assert_snapshot!(refused(json!({ "date_range": ["2026-11-01"] })), @r#"400 invalid_date_range at 'date_range': must be "day", "7d" or any number of days, "month", "6mo" or any number of months, "year", "all", or two dates such as ["2026-11-01", "2026-11-23"]"#);
    insta::assert_snapshot!(refused(json!({ "date_range": ["2026-11-01", "2026-11-31"] })), @r#"400 invalid_date_range at 'date_range[1]': must be "day", "7d" or any number of days, "month", "6mo" or any number of months, "year", "all", or two dates such as ["2026-11-01", "2026-11-23"]"#);
    insta::assert_snapshot!(refused(json!({ "date_range": ["2026-11-02", "2026-11-01"] })), @"400 invalid_date_range at 'date_range': must end after it begins");
    insta::assert_snapshot!(refused(json!({ "date_range": ["1969-12-31", "2026-11-01"] })), @"400 invalid_date_range at 'date_range': must lie between the years 1970 and 9000");
    insta::assert_snapshot!(refused(json!({ "date_range": ["2026-11-02", "9999-12-31"] })), @"400 invalid_date_range at 'date_range': must lie between the years 1970 and 9000");
    insta::assert_snapshot!(refused(json!({ "timezone": "Europe/Atlantis" })), @r#"400 unknown_timezone at 'timezone': there is no timezone "Europe/Atlantis"; allowed: IANA names like Europe/Paris"#);
    insta::assert_snapshot!(refused(json!({ "timezone": "../../etc/passwd" })), @r#"400 unknown_timezone at 'timezone': there is no timezone "../../etc/passwd"; allowed: IANA names like Europe/Paris"#);
}

#[test]
fn filters() {
    insta::assert_snapshot!(refused(json!({ "filters": { "device": "tv" } })), @"400 invalid_type at 'filters': must be a list");
    insta::assert_snapshot!(refused(json!({ "filters": ["is", "device", ["tv"]] })), @"400 invalid_type at 'filters[0]': must be a list");
    insta::assert_snapshot!(refused(json!({ "filters": [["like", "device", ["tv"]]] })), @r#"400 unknown_operator at 'filters[0][0]': there is no operator "like"; allowed: is, is_not, contains, contains_not, matches, matches_not, and, or, not"#);
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "device"]] })), @"400 invalid_type at 'filters[0]': must have the shape [operator, dimension, [values]]");
    insta::assert_snapshot!(refused(json!({ "filters": [["not", "device", ["tv"]]] })), @"400 invalid_type at 'filters[0]': must have the shape [operator, filters]");
    insta::assert_snapshot!(refused(json!({ "filters": [[]] })), @"400 invalid_value at 'filters[0]': must have at least 1 entry");
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "device", []]] })), @"400 invalid_value at 'filters[0][2]': must have at least 1 entry");
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "device", "tv"]] })), @"400 invalid_type at 'filters[0][2]': must be a list");
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "device", [1]]] })), @"400 invalid_type at 'filters[0][2][0]': must be a text");
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "device", [""]]] })), @r#"400 invalid_value at 'filters[0][2][0]': must not be empty; an unknown value is "(unknown)""#);
    insta::assert_snapshot!(refused_briefly(json!({ "filters": [["is", "time:day", ["2026-11-01"]]] })), @r#"400 unknown_dimension at 'filters[0][1]': cannot filter by "time:day""#);
    insta::assert_snapshot!(refused(json!({ "filters": [["or", []]] })), @"400 invalid_value at 'filters[0][1]': must have at least 1 entry");
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "page", ["x".repeat(limits::VALUE_BYTES + 1)]]] })), @"400 too_long at 'filters[0][2][0]': must have at most 2000 bytes");
    insta::assert_snapshot!(refused(json!({ "filters": [["is", "page", vec!["x"; limits::FILTER_VALUES + 1]]] })), @"400 too_many at 'filters[0][2]': must have at most 200 entries");
}

#[test]
fn filters_are_bounded_in_depth_and_number() {
    let leaf = json!(["is", "os", ["x"]]);
    let nested = |depth: usize| (1..depth).fold(leaf.clone(), |inner, _| json!(["not", inner]));
    let many = |count: usize| json!(["and", vec![leaf.clone(); count]]);
    assert!(ask(&Memory::default(), &query(&json!({ "filters": [nested(limits::FILTER_DEPTH)] }))).is_ok());
    assert!(ask(&Memory::default(), &query(&json!({ "filters": [many(limits::FILTERS - 1)] }))).is_ok());
    insta::assert_snapshot!(refused(json!({ "filters": [nested(limits::FILTER_DEPTH + 1)] })), @"400 too_deep at 'filters[0][1][1][1][1][1][1][1][1]': filters may lie within one another at most 8 deep");
    insta::assert_snapshot!(refused(json!({ "filters": [many(limits::FILTERS)] })), @"400 too_many at 'filters[0][1][99]': a query may have at most 100 filters");
    insta::assert_snapshot!(refused(json!({ "filters": vec![leaf.clone(); limits::FILTERS + 1] })), @"400 too_many at 'filters': must have at most 100 entries");
}

#[test]
fn order_and_pages() {
    insta::assert_snapshot!(refused(json!({ "order_by": ["plays"] })), @"400 invalid_type at 'order_by[0]': must be a list");
    insta::assert_snapshot!(refused(json!({ "order_by": [["views", "asc"]] })), @r#"400 invalid_value at 'order_by[0][0]': "views" is not asked for; allowed: the query's own dimensions and metrics: plays"#);
    insta::assert_snapshot!(refused(json!({ "order_by": [["plays", "up"]] })), @r#"400 invalid_value at 'order_by[0][1]': must be "asc" or "desc""#);
    insta::assert_snapshot!(refused(json!({ "dimensions": ["os"], "order_by": [["plays", "asc"], ["plays", "desc"]] })), @"400 invalid_value at 'order_by[1][0]': is named twice");
    insta::assert_snapshot!(refused(json!({ "pagination": { "limit": limits::ROWS + 1 } })), @"400 invalid_type at 'pagination.limit': must be a whole number from 0 to 10000");
    insta::assert_snapshot!(refused(json!({ "pagination": { "offset": -1 } })), @"400 invalid_type at 'pagination.offset': must be a whole number from 0 to 1000000");
    insta::assert_snapshot!(refused(json!({ "pagination": { "page": 1 } })), @"400 unknown_field at 'pagination.page': is not known here; allowed: limit, offset, cursor");
}

#[test]
fn a_store_that_fails_is_not_the_callers_fault() {
    let store = Memory::default();
    store.close().unwrap();
    let error = ask(&store, &query(&json!({}))).unwrap_err();
    assert_eq!(error.status(), 503);
    insta::assert_snapshot!(serde_json::to_string(&error).unwrap(), @r#"{"error":{"code":"store_unavailable","message":"the store cannot answer now; try again later","field":""}}"#);
    let error = ReportError::Store(StoreError::TooSlow);
    assert_eq!(error.status(), 503);
    insta::assert_snapshot!(serde_json::to_string(&error).unwrap(), @r#"{"error":{"code":"query_too_slow","message":"the query took too long; ask for a shorter range or fewer dimensions","field":""}}"#);
    let error = ReportError::Store(StoreError::Refused("a reason for the log".into()));
    assert_eq!(error.status(), 500);
    insta::assert_snapshot!(serde_json::to_string(&error).unwrap(), @r#"{"error":{"code":"internal","message":"the store could not answer this query","field":""}}"#);
}

/// A slice of a view: who, on what, how many hours before noon, and what was counted.
fn slice(n: u8, session: &str, device: &str, hours: i64, counted: &[(Field, u64)]) -> Row {
    let mut fields = Fields::default();
    for &(field, value) in counted {
        fields[field] = value;
    }
    let mut dimensions = Dimensions::default();
    dimensions.set(Dimension::Device, device);
    dimensions.set(Dimension::Session, session);
    let at = Wall::from_ms(NOON - hours * 3_600_000);
    Row {
        key: RowKey { site: SiteId::new("demo").unwrap(), view: ViewId::new(at, [n; 10]), n: 0 },
        started_at: at,
        span_ms: 300_000,
        fields,
        watched: Percents::from_bits(0b111).unwrap(),
        rewatched: Percents::default(),
        active: Default::default(),
        dimensions,
    }
}

fn audience() -> Memory {
    let store = Memory::default();
    let mut robot = slice(9, "r", "tv", 0, &[(Field::Impressions, 1), (Field::Plays, 1)]);
    robot.dimensions.set(Dimension::Bot, "robot");
    let watched = [(Field::Impressions, 1), (Field::Plays, 1), (Field::LadderPlays, 1), (Field::PlayedMs, 90_000)];
    let rows = [
        slice(1, "a", "tv", 0, &watched),
        slice(2, "a", "tv", 1, &watched),
        slice(3, "b", "", 30, &[(Field::Impressions, 1)]),
        robot,
    ];
    store.append(&rows, &[]).unwrap();
    store
}

#[test]
fn an_answer_says_what_was_understood() {
    let query = query(&json!({
        "metrics": ["plays", "play_rate", "minutes_viewed", "unique_viewers", "avg_percent_watched"],
        "dimensions": ["device"], "timezone": "Europe/Paris", "filters": [["is_not", "device", ["console"]]],
    }));
    insta::assert_snapshot!(serde_json::to_string_pretty(&ask(&audience(), &query).unwrap()).unwrap(), @r#"
    {
      "columns": [
        {
          "name": "device",
          "kind": "dimension"
        },
        {
          "name": "plays",
          "kind": "metric",
          "unit": "count"
        },
        {
          "name": "play_rate",
          "kind": "metric",
          "unit": "ratio"
        },
        {
          "name": "minutes_viewed",
          "kind": "metric",
          "unit": "minutes"
        },
        {
          "name": "unique_viewers",
          "kind": "metric",
          "unit": "count"
        },
        {
          "name": "avg_percent_watched",
          "kind": "metric",
          "unit": "ratio"
        }
      ],
      "rows": [
        [
          "tv",
          2,
          1.0,
          3.0,
          1,
          0.03
        ],
        [
          "(unknown)",
          0,
          0.0,
          0.0,
          1,
          null
        ]
      ],
      "query": {
        "site": "demo",
        "metrics": [
          "plays",
          "play_rate",
          "minutes_viewed",
          "unique_viewers",
          "avg_percent_watched"
        ],
        "date_range": [
          "2026-11-17T00:00:00+01:00",
          "2026-11-24T00:00:00+01:00"
        ],
        "dimensions": [
          "device"
        ],
        "filters": [
          [
            "is_not",
            "device",
            [
              "console"
            ]
          ]
        ],
        "order_by": [
          [
            "plays",
            "desc"
          ],
          [
            "device",
            "asc"
          ]
        ],
        "pagination": {
          "limit": 10000,
          "offset": 0
        },
        "timezone": "Europe/Paris"
      },
      "source": "slices"
    }
    "#);
}

#[test]
fn bots_are_left_out_unless_a_filter_names_them() {
    let plays = |filters: Value| {
        let query = query(&json!({ "filters": filters }));
        serde_json::to_value(ask(&audience(), &query).unwrap().rows).unwrap()
    };
    assert_eq!(plays(json!([])), json!([[2]]));
    assert_eq!(plays(json!([["is", "bot", ["robot"]]])), json!([[1]]));
    assert_eq!(plays(json!([["or", [["is", "device", ["tv"]], ["is_not", "bot", ["x"]]]]])), json!([[3]]));
}

#[test]
fn pages_do_not_overlap_and_miss_nothing() {
    let page = |offset: usize| {
        let changes = json!({ "dimensions": ["device", "time:hour"], "pagination": { "limit": 1, "offset": offset } });
        serde_json::to_value(ask(&audience(), &query(&changes)).unwrap().rows).unwrap()
    };
    insta::assert_snapshot!(json!([page(0), page(1), page(2), page(3)]), @r#"[[["(unknown)","2026-11-22T06:00:00+00:00",0]],[["tv","2026-11-23T11:00:00+00:00",1]],[["tv","2026-11-23T12:00:00+00:00",1]],[]]"#);
}

#[test]
fn time_labels_name_empty_buckets_too() {
    let changes = json!({ "dimensions": ["time:day"], "date_range": "day", "include": { "time_labels": true } });
    let answer = ask(&audience(), &query(&changes)).unwrap();
    assert_eq!(answer.time_labels, Some(vec!["2026-11-23".to_owned()]));
    let changes = json!({ "dimensions": ["time:hour"], "date_range": "day", "include": { "time_labels": true } });
    assert_eq!(ask(&audience(), &query(&changes)).unwrap().time_labels.unwrap().len(), 24);
}

#[test]
fn a_year_by_the_hour_can_be_asked_for() {
    let changes = json!({ "dimensions": ["time:hour"], "date_range": "366d" });
    assert!(ask(&audience(), &query(&changes)).is_ok());
}

fn rows(changes: &Value) -> Value {
    serde_json::to_value(ask(&audience(), &query(changes)).unwrap().rows).unwrap()
}

#[test]
fn patterns() {
    let plays = |pattern: &str| rows(&json!({ "filters": [["matches", "device", [pattern]]] }));
    assert_eq!(plays("^t.$"), json!([[2]]));
    assert_eq!(plays("^$"), json!([[0]]), "an unknown value is an empty text");
    assert_eq!(rows(&json!({ "filters": [["matches_not", "device", ["^t"]]] })), json!([[0]]));
    insta::assert_snapshot!(refused(json!({ "filters": [["matches", "device", ["ok", "("]]] })), @"400 invalid_pattern at 'filters[0][2][1]': is no regular expression: unclosed group");
    insta::assert_snapshot!(refused(json!({ "filters": [["matches", "device", ["(?i)tv"]]] })), @"400 invalid_pattern at 'filters[0][2][0]': may not have flags such as (?i)");
    insta::assert_snapshot!(refused(json!({ "filters": [["matches_not", "device", ["((a{999}){999}){9}"]]] })), @"400 invalid_pattern at 'filters[0][2][0]': is too large");
}

#[test]
fn what_only_a_minute_has_is_asked_by_the_minute() {
    insta::assert_snapshot!(refused(json!({ "metrics": ["plays", "concurrent_views"], "dimensions": ["time:hour"] })), @"400 not_together at 'metrics[1]': concurrent_views is of one minute; ask by time:minute, or for peak_concurrent_views");
    insta::assert_snapshot!(refused(json!({ "date_range": "9d", "dimensions": ["time:minute"] })), @"400 too_many at 'dimensions': more than 11520 buckets of time: ask for a longer grain or a shorter range");
    let changes = json!({ "metrics": ["concurrent_views", "plays"], "dimensions": ["time:minute"], "include": { "totals": true } });
    let answer = ask(&audience(), &query(&changes)).unwrap();
    assert_eq!(serde_json::to_value(answer.totals).unwrap(), json!([null, 2]));
}

/// A slice that opened half a minute before noon and played in that minute and in the second after it, for so long.
fn around_noon(played: u64) -> Memory {
    let mut row = slice(1, "a", "tv", 0, &[(Field::Views, 1), (Field::Plays, 1), (Field::PlayedMs, played)]);
    row.started_at = Wall::from_ms(NOON - 30_000);
    row.active = Minutes::from_bits(0b101).unwrap();
    let store = Memory::default();
    store.append(&[row], &[]).unwrap();
    store
}

#[test]
fn played_time_is_in_the_minutes_in_which_it_played() {
    let asked = |range: Value| {
        let changes = json!({
            "metrics": ["plays", "played_ms", "concurrent_views", "unique_viewers"], "dimensions": ["time:minute"],
            "date_range": range,
        });
        let rows = ask(&around_noon(60_001), &query(&changes)).unwrap().rows;
        serde_json::to_string(&rows).unwrap()
    };
    insta::assert_snapshot!(asked(json!("day")), @r#"[["2026-11-23T11:59:00+00:00",1,30000,1,1],["2026-11-23T12:01:00+00:00",0,30001,1,1]]"#);
    // Of what began before the range, only what is in it.
    insta::assert_snapshot!(asked(json!(["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"])), @r#"[["2026-11-23T12:01:00+00:00",0,30001,1,1]]"#);
    let changes = json!({
        "metrics": ["peak_concurrent_views", "active_views", "plays"],
        "date_range": ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"],
    });
    let rows = ask(&around_noon(60_001), &query(&changes)).unwrap().rows;
    assert_eq!(serde_json::to_value(rows).unwrap(), json!([[1, 1, 0]]));
}

#[test]
fn who_gave_up_and_who_was_lost() {
    let waited = |n: u8, minutes_ago: i64, fields: &[(Field, u64)]| {
        let mut row = slice(n, "a", "tv", 0, fields);
        row.started_at = Wall::from_ms(NOON - minutes_ago * 60_000);
        row.span_ms = 60_000;
        row
    };
    let asked = [(Field::Views, 1), (Field::PlayRequests, 1), (Field::WaitMs, 1_000)];
    let with = |field: Field| [asked[0], asked[1], asked[2], (field, 1)];
    let rows = [
        waited(1, 3, &asked),
        // Still waiting, perhaps; waited too briefly; played; failed; was blocked.
        waited(2, 2, &asked),
        waited(3, 3, &[asked[0], asked[1], (Field::WaitMs, 999)]),
        waited(4, 3, &with(Field::Plays)),
        waited(5, 3, &with(Field::StartFailures)),
        waited(6, 3, &with(Field::AutoplayBlocked)),
        // Silent for an hour; nearly; silent but stopped.
        waited(7, 61, &[(Field::Views, 1)]),
        waited(8, 60, &[(Field::Views, 1)]),
        waited(9, 70, &[(Field::Views, 1), (Field::Stops, 1)]),
    ];
    let store = Memory::default();
    store.append(&rows, &[]).unwrap();
    // A view that began long ago and still goes on is not lost.
    let mut on = waited(10, 300, &[(Field::Views, 1)]);
    store.append(std::slice::from_ref(&on), &[]).unwrap();
    on.key.n = 1;
    on.fields = Fields::default();
    on.started_at = Wall::from_ms(NOON - 120_000);
    store.append(&[on], &[]).unwrap();
    let changes = json!({ "metrics": ["exits_before_start", "exits_before_start_rate", "lost", "views"] });
    let rows = ask(&store, &query(&changes)).unwrap().rows;
    insta::assert_snapshot!(serde_json::to_string(&rows).unwrap(), @"[[1,0.16666666666666666,1,10]]");
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let store = Memory::default();
    let rows: Vec<_> = (0..20).map(|n| slice(n, "a", "tv", 0, &[(Field::StartupMs, u64::from(n) * 100)])).collect();
    store.append(&rows, &[]).unwrap();
    let changes = json!({ "metrics": ["startup_ms_p50", "startup_ms_p75", "startup_ms_p95", "startup_ms_avg"] });
    let rows = ask(&store, &query(&changes)).unwrap().rows;
    assert_eq!(serde_json::to_value(rows).unwrap(), json!([[1000, 1500, 1900, 1000.0]]));
}

#[test]
fn hours_of_the_day_and_days_of_the_week() {
    let changes = json!({ "dimensions": ["time:hour_of_day"], "timezone": "Asia/Kolkata", "metrics": ["impressions"] });
    assert_eq!(rows(&changes), json!([["11", 1], ["16", 1], ["17", 1]]));
    let changes =
        json!({ "dimensions": ["time:day_of_week"], "metrics": ["impressions"], "include": { "time_labels": true } });
    assert_eq!(rows(&changes), json!([["Monday", 2], ["Sunday", 1]]));
    assert_eq!(ask(&audience(), &query(&changes)).unwrap().time_labels.unwrap().len(), 7);
}

#[test]
fn viewers_by_how_they_are_known() {
    let store = Memory::default();
    let by = |n: u8, ids: &[(Dimension, &str)]| {
        let mut row = slice(n, "s", "tv", 0, &[(Field::Plays, 1)]);
        ids.iter().for_each(|&(id, text)| row.dimensions.set(id, text));
        row
    };
    let rows = [
        by(1, &[(Dimension::User, "u"), (Dimension::Viewer, "v")]),
        by(2, &[(Dimension::Viewer, "v"), (Dimension::DailyViewer, "d")]),
        by(3, &[(Dimension::DailyViewer, "d")]),
        by(4, &[]),
    ];
    store.append(&rows, &[]).unwrap();
    let changes = json!({ "dimensions": ["viewer_kind"], "filters": [["is_not", "viewer_kind", ["daily"]]] });
    let rows = ask(&store, &query(&changes)).unwrap().rows;
    assert_eq!(serde_json::to_value(rows).unwrap(), json!([["(unknown)", 1], ["known", 1], ["stored", 1]]));
}

#[test]
fn a_sites_own_dimensions_have_its_names() {
    let store = Memory::default();
    let mut row = slice(1, "a", "tv", 0, &[(Field::Plays, 1)]);
    row.dimensions.set(Dimension::Custom2, "gold");
    store.append(&[row], &[]).unwrap();
    let names = Names::new(&["plan".into(), "tier".into()]);
    let changes =
        json!({ "dimensions": ["tier"], "filters": [["is", "tier", ["gold"]]], "order_by": [["tier", "asc"]] });
    let request = Request::new(query(&changes)).unwrap();
    let answer =
        answer(&store, &request.query(names.clone()).unwrap(), Wall::from_ms(NOON), &Cancel::default()).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!((&answer["rows"], &answer["columns"][0]["name"]), (&json!([["gold", 1]]), &json!("tier")));
    assert_eq!(answer["query"]["dimensions"], json!(["tier"]));
    assert!(catalog::catalog(&names)["dimensions"].as_array().unwrap().iter().any(|entry| entry["name"] == "tier"));
    assert!(request.query(Names::default()).unwrap_err().message.starts_with("there is no dimension \"tier\""));
}

/// All rows of a query, page by page, each page made by another answer's cursor.
fn by_cursor(store: &Memory, changes: &Value, limit: usize) -> Vec<Vec<Cell>> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut asked = query(changes);
        asked["pagination"] = json!({ "limit": limit, "cursor": cursor });
        let page = ask(store, &asked).unwrap();
        assert!(page.rows.len() <= limit);
        all.extend(page.rows);
        match page.next_cursor {
            Some(next) => cursor = json!(next),
            None => return all,
        }
    }
}

#[test]
fn a_cursor_leads_through_every_row_once() {
    let store = audience();
    for order in [json!([]), json!([["play_rate", "asc"], ["time:hour", "desc"]]), json!([["device", "desc"]])] {
        let changes = json!({
            "metrics": ["play_rate", "minutes_viewed", "completion_rate", "plays"], "dimensions": ["device", "time:hour"],
            "order_by": order,
        });
        let whole = ask(&store, &query(&changes)).unwrap();
        assert_eq!((whole.rows.len(), whole.next_cursor.as_deref()), (3, None));
        for limit in 1..=3 {
            assert_eq!(by_cursor(&store, &changes, limit), whole.rows, "{order} by {limit}");
        }
    }
}

#[test]
fn a_cursor_goes_on_in_the_range_of_the_first_page() {
    let (store, changes) = (audience(), json!({ "dimensions": ["device"], "pagination": { "limit": 1 } }));
    let first = ask(&store, &query(&changes)).unwrap();
    let mut next = query(&changes);
    next["pagination"]["cursor"] = json!(first.next_cursor);
    let tomorrow = Wall::from_ms(NOON + 24 * 3_600_000);
    let second = run(&store, &serde_json::to_vec(&next).unwrap(), tomorrow).unwrap();
    assert_eq!(second.query.date_range, first.query.date_range);
}

#[test]
fn cursors() {
    let changes = json!({ "dimensions": ["device"], "pagination": { "limit": 1 } });
    let cursor = ask(&audience(), &query(&changes)).unwrap().next_cursor.unwrap();
    let with = |cursor: &str| json!({ "dimensions": ["device"], "pagination": { "cursor": cursor } });
    insta::assert_snapshot!(refused(with("nonsense")), @"400 invalid_cursor at 'pagination.cursor': must be the next_cursor of an answer, unchanged");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["os"], "pagination": { "cursor": cursor } })), @"400 invalid_cursor at 'pagination.cursor': is of another query: change nothing but the pagination");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["device"], "pagination": { "cursor": cursor, "offset": 1 } })), @"400 not_together at 'pagination.cursor': goes on where a page ended; leave out the offset");
    insta::assert_snapshot!(refused(with(&"x".repeat(limits::CURSOR_BYTES + 1))), @"400 too_long at 'pagination.cursor': must have at most 24576 bytes");
    let mut forged = Cursor::parse(&cursor).unwrap();
    forged.after[0] = Cell::Text("no number".into());
    insta::assert_snapshot!(refused(with(&forged.to_string())), @"400 invalid_cursor at 'pagination.cursor': must be the next_cursor of an answer, unchanged");
    forged.after.pop();
    insta::assert_snapshot!(refused(with(&forged.to_string())), @"400 invalid_cursor at 'pagination.cursor': must be the next_cursor of an answer, unchanged");
}

#[test]
fn totals_and_the_number_of_rows_are_of_all_pages() {
    let changes = json!({
        "metrics": ["impressions", "unique_viewers", "play_rate"], "dimensions": ["device"],
        "pagination": { "limit": 1 }, "include": { "totals": true, "total_rows": true },
    });
    let answer = serde_json::to_value(ask(&audience(), &query(&changes)).unwrap()).unwrap();
    assert_eq!(answer["rows"].as_array().unwrap().len(), 1);
    assert_eq!((&answer["totals"], &answer["total_rows"]), (&json!([3, 2, 2.0 / 3.0]), &json!(2)));
}

#[test]
fn another_period_beside() {
    let changes = json!({
        "metrics": ["impressions", "minutes_viewed"], "dimensions": ["device"], "date_range": "day",
        "include": { "comparison": "previous_period", "totals": true },
    });
    let answer = serde_json::to_value(ask(&audience(), &query(&changes)).unwrap()).unwrap();
    assert_eq!(answer["rows"], json!([["tv", 2, 3.0]]));
    assert_eq!(
        answer["comparison"],
        json!({
            "date_range": ["2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00"],
            "rows": [null], "change": [null], "totals": [1, 0.0],
        })
    );
    let changes = json!({
        "metrics": ["impressions"], "dimensions": ["time:day"], "date_range": "day",
        "include": { "comparison": ["2026-11-22", "2026-11-22"] },
    });
    let answer = serde_json::to_value(ask(&audience(), &query(&changes)).unwrap()).unwrap();
    assert_eq!(answer["comparison"]["rows"], json!([[1]]), "the first day with the first day");
    assert_eq!(answer["comparison"]["change"], json!([[1.0]]));
    insta::assert_snapshot!(refused(json!({ "include": { "comparison": "yesterday" } })), @r#"400 invalid_value at 'include.comparison': must be "previous_period", "year_before", or two dates such as ["2026-11-01", "2026-11-23"]"#);
    insta::assert_snapshot!(refused(json!({ "include": { "comparison": ["2026-11-22", "2026-11-21"] } })), @"400 invalid_date_range at 'include.comparison': must end after it begins");
    insta::assert_snapshot!(refused(json!({ "include": { "comparison": ["2026-11-22", "soon"] } })), @r#"400 invalid_date_range at 'include.comparison[1]': must be "previous_period", "year_before", or two dates such as ["2026-11-01", "2026-11-23"]"#);
    insta::assert_snapshot!(refused(json!({ "date_range": "year", "include": { "comparison": ["1960-01-01", "1961-01-01"] } })), @"400 invalid_date_range at 'include.comparison': must lie between the years 1970 and 9000");
}

#[test]
fn more_groups_than_anybody_may_ask_for_are_refused() {
    /// Says that it has so many groups.
    struct Many(u64);
    impl Store for Many {
        fn append(&self, _: &[Row], _: &[EventRow]) -> Result<(), StoreError> {
            Ok(())
        }
        fn mark(&self, _: u64) -> Result<(), StoreError> {
            Ok(())
        }
        fn rows(&self, _: &SiteId, _: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
            Ok(Vec::new())
        }
        fn query(&self, _: &Plan, _: &Cancel) -> Result<Table, StoreError> {
            Ok(Table { groups: self.0, ..Table::default() })
        }
        fn earliest(&self, _: &SiteId) -> Result<Option<Wall>, StoreError> {
            Ok(None)
        }
        fn timeline(&self, _: &SiteId, _: ViewId) -> Result<Vec<EventRow>, StoreError> {
            Ok(Vec::new())
        }
        fn forget(&self, _: &SiteId, _: i64) -> Result<u64, StoreError> {
            Ok(0)
        }
        fn maintain(&self) -> Result<(), StoreError> {
            Ok(())
        }
        fn ready(&self) -> Result<(), StoreError> {
            Ok(())
        }
        fn close(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }
    let body = serde_json::to_vec(&query(&json!({ "dimensions": ["page"] }))).unwrap();
    let ask = |groups: usize| run(&Many(groups as u64), &body, Wall::from_ms(NOON));
    assert!(ask(limits::GROUPS).is_ok());
    insta::assert_snapshot!(ask(limits::GROUPS + 1).unwrap_err().to_string(), @"dimensions: there are 1000001 combinations of these values, and at most 1000000 are answered: leave out a dimension, filter, or ask for a shorter range");
}

fn situation<'a>(request: &'a Request, names: &'a Names, cancel: &'a Cancel) -> Situation<'a> {
    static UTC: TimeZone = TimeZone::UTC;
    Situation { request, names, timezone: &UTC, now: Wall::from_ms(NOON), cancel }
}

fn named_report(name: &str, part: Option<&str>, body: Value) -> Result<Value, ReportError> {
    let (request, names, cancel) = (Request::new(body)?, Names::new(&["plan".into()]), Cancel::default());
    let asked = situation(&request, &names, &cancel);
    let report = named::report(&audience(), named::find(name)?, part, &asked)?;
    Ok(serde_json::to_value(report).unwrap())
}

#[test]
fn every_named_report_answers_and_its_parts_one_by_one() {
    for report in named::ALL {
        let whole = named_report(report.name, None, json!({ "site": "demo" })).unwrap();
        let names: Vec<_> = whole["parts"].as_array().unwrap().iter().map(|part| part["name"].clone()).collect();
        if report.name == "custom" {
            assert_eq!(names, ["plan"]);
            continue;
        }
        assert_eq!(names.len(), report.parts.len(), "{}", report.name);
        for (index, part) in report.parts.iter().enumerate() {
            let one = named_report(report.name, Some(part.name), json!({ "site": "demo" })).unwrap();
            assert_eq!(one["parts"][0], whole["parts"][index]);
        }
    }
}

#[test]
fn a_named_report_takes_a_range_filters_and_another_period() {
    let body = json!({
        "site": "demo", "date_range": "day", "filters": [["is", "device", ["tv"]]], "comparison": "previous_period", "limit": 1,
    });
    let answer = named_report("devices", Some("devices"), body).unwrap();
    let answer = &answer["parts"][0]["answer"];
    assert_eq!((&answer["rows"][0][0], &answer["rows"][0][1]), (&json!("tv"), &json!(2)));
    assert_eq!(answer["comparison"]["rows"], json!([null]));
    let grain = |range: &str| {
        let body = json!({ "site": "demo", "date_range": range });
        named_report("overview", Some("over_time"), body).unwrap()["parts"][0]["answer"]["query"]["dimensions"][0]
            .clone()
    };
    let grains = ["day", "30d", "12mo", "60mo"].map(grain);
    assert_eq!(grains, ["time:hour", "time:day", "time:week", "time:month"]);
    let message = |name, part, body| named_report(name, part, body).unwrap_err().to_string();
    insta::assert_snapshot!(message("nonsense", None, json!({ "site": "demo" })), @r#"report: there is no report "nonsense"; allowed: overview, top_videos, audience_map, devices, systems, sources, engagement, realtime, quality, errors, live, players, custom"#);
    insta::assert_snapshot!(message("live", Some("nonsense"), json!({ "site": "demo" })), @"part: live has no such part; allowed: totals, over_time, videos");
    insta::assert_snapshot!(message("live", None, json!({ "site": "demo", "metrics": [] })), @"metrics: is not known here; allowed: site, date_range, filters, timezone, limit, comparison");
    insta::assert_snapshot!(message("live", None, json!({ "site": "demo", "limit": -1 })), @"pagination.limit: must be a whole number from 0 to 10000");
    insta::assert_snapshot!(message("live", None, json!({ "site": "demo", "filters": "x" })), @"filters: must be a list");
}

#[test]
fn a_funnel_has_shares_of_the_first_and_of_the_step_before() {
    let store = Memory::default();
    let came = |n: u8, steps: usize| {
        let fields = [Field::PlayRequests, Field::Plays, Field::Reached25, Field::Reached50].map(|field| (field, 1));
        slice(n, "s", "tv", 0, &fields[..steps])
    };
    store.append(&[came(1, 1), came(2, 2), came(3, 4), came(4, 4)], &[]).unwrap();
    let asked = Asked::new(&Request::new(json!({ "site": "demo" })).unwrap(), Names::default()).unwrap();
    let funnel = special::funnel(&store, &asked, Wall::from_ms(NOON), &Cancel::default()).unwrap();
    let steps: Vec<_> =
        funnel.steps.iter().map(|step| (step.name, step.count, step.of_first, step.of_previous)).collect();
    assert_eq!(steps[0], ("play_requests", 4, Some(1.0), None));
    assert_eq!(steps[1], ("plays", 3, Some(0.75), Some(0.75)));
    assert_eq!(steps[3], ("reached_50", 2, Some(0.5), Some(1.0)));
    assert_eq!(steps[5], ("reached_100", 0, Some(0.0), None));
}

#[test]
fn retention_counts_each_percent_by_itself() {
    let asked = Asked::new(&Request::new(json!({ "site": "demo" })).unwrap(), Names::default()).unwrap();
    let retention = special::retention(&audience(), &asked, Wall::from_ms(NOON), &Cancel::default()).unwrap();
    let watched: Vec<_> = retention.percents.iter().map(|percent| percent.watched).collect();
    assert_eq!(watched, [[3; 3].as_slice(), &[0; 97]].concat());
    assert_eq!((retention.ladder_plays, retention.percents[99].percent), (2, 99));
}

#[test]
fn realtime_names_every_minute_and_who_is_there_now() {
    let asked = Asked::new(&Request::new(json!({ "site": "demo" })).unwrap(), Names::default()).unwrap();
    let at = |ms: i64| {
        special::realtime(&around_noon(60_000), &asked, Wall::from_ms(NOON + ms), &Cancel::default()).unwrap()
    };
    let now = at(90_000);
    assert_eq!((now.watching_now, now.minutes.len()), (1, 30));
    let minutes: Vec<_> = now.minutes.iter().map(|minute| (minute.concurrent_views, minute.plays)).collect();
    assert_eq!(minutes[27..], [(1, 1), (0, 0), (1, 0)]);
    assert_eq!(now.minutes[29].minute, "2026-11-23T12:01:00+00:00");
    assert_eq!(at(179_999).watching_now, 1, "it was there a minute ago");
    assert_eq!(at(180_000).watching_now, 0);
}

#[test]
fn an_answer_as_csv() {
    let query = query(&json!({ "metrics": ["plays", "play_rate"], "dimensions": ["device"] }));
    assert_eq!(ask(&audience(), &query).unwrap().to_csv(), "device,plays,play_rate\r\ntv,2,1\r\n(unknown),0,0\r\n");
}

#[test]
fn whatever_the_catalogue_names_can_be_asked_for() {
    let catalog = catalog::catalog(&Names::default());
    let names = |list: &str| -> Vec<String> {
        let entries = catalog[list].as_array().unwrap();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    for metric in names("metrics") {
        let changes = json!({ "metrics": [metric], "dimensions": ["time:minute"] });
        assert!(ask(&audience(), &query(&changes)).is_ok(), "{metric}");
    }
    for dimension in names("dimensions") {
        let changes = json!({ "metrics": ["stops"], "dimensions": [dimension] });
        assert!(ask(&audience(), &query(&changes)).is_ok(), "{dimension}");
    }
}
