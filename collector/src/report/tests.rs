//! Every refusal with its whole message, and answers from end to end over the referee's store.

use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{Row, RowKey};
use serde_json::{Value, json};

use super::error::ReportError;
use super::query::limits;
use super::{Answer, catalog, run};
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
    insta::assert_snapshot!(refused(json!({ "include": { "totals": true } })), @"400 unknown_field at 'include.totals': is not known here; allowed: time_labels");
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
    insta::assert_snapshot!(refused(json!({ "metrics": ["nonsense"] })), @r#"400 unknown_metric at 'metrics[0]': there is no metric "nonsense"; allowed: unique_viewers, sessions, minutes_viewed, avg_view_minutes, play_rate, completion_rate, avg_percent_watched, drop_off, engaged_rate, startup_ms_avg, rebuffer_ratio, rebuffers_per_hour, views_with_rebuffer_rate, start_failures_rate, playback_failures_rate, error_rate, avg_bitrate_kbps, dropped_frame_ratio, avg_live_latency_ms, avg_seek_ms, max_seek_ms, gigabytes_delivered, views, impressions, viewables, play_requests, plays, autoplay_blocked, pauses, resumes, seeks, seek_ms, replays, loops, ends, stops, rebuffers, rebuffer_ms, played_ms, content_ms, wait_ms, paused_ms, engaged_ms, muted_ms, hidden_ms, fullscreen_ms, pip_ms, ad_ms, ads, errors, fatal_errors, start_failures, playback_failures, rebuffered, errored, ladder_plays, rendition_up, rendition_down, played_ms_240, played_ms_360, played_ms_480, played_ms_720, played_ms_1080, played_ms_1440, played_ms_2160, played_ms_other, frames, frames_dropped, bytes, rated_ms, latency_samples, interactions, shares, downloads, captions_on, reached_25, reached_50, reached_75, reached_100, position_25, position_50, position_75, position_100"#);
    insta::assert_snapshot!(refused_briefly(json!({ "metrics": ["x".repeat(150)] })), @r#"400 unknown_metric at 'metrics[0]': there is no metric "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…""#);
    insta::assert_snapshot!(refused(json!({ "metrics": ["x".repeat(limits::TEXT_BYTES + 1)] })), @"400 too_long at 'metrics[0]': must have at most 200 bytes");
}

#[test]
fn dimensions() {
    insta::assert_snapshot!(refused(json!({ "dimensions": ["nonsense"] })), @r#"400 unknown_dimension at 'dimensions[0]': there is no dimension "nonsense"; allowed: time:hour, time:day, time:week, time:month, video, video_title, series, category, kind, media, player, player_version, engine, protocol, device, device_vendor, device_model, os, os_version, browser, browser_version, country, region, city, isp, domain, page, referrer_domain, application, language, connection, autoplay, muted_start, user, cdn, utm_source, utm_medium, utm_campaign, bot, source, sdk, stop_reason, error_code, error_phase"#);
    insta::assert_snapshot!(refused_briefly(json!({ "dimensions": ["viewer"] })), @r#"400 unknown_dimension at 'dimensions[0]': there is no dimension "viewer""#);
    insta::assert_snapshot!(refused_briefly(json!({ "dimensions": ["custom_1"] })), @r#"400 unknown_dimension at 'dimensions[0]': there is no dimension "custom_1""#);
    insta::assert_snapshot!(refused(json!({ "dimensions": ["os", "os"] })), @"400 invalid_value at 'dimensions[1]': is named twice");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["time:day", "time:hour"] })), @"400 not_together at 'dimensions[1]': only one dimension of time is allowed");
    insta::assert_snapshot!(refused(json!({ "dimensions": vec!["os"; limits::DIMENSIONS + 1] })), @"400 too_many at 'dimensions': must have at most 6 entries");
    insta::assert_snapshot!(refused(json!({ "dimensions": ["time:hour"], "date_range": "5000d" })), @"400 too_many at 'dimensions': more than 10000 buckets of time: ask for a longer grain or a shorter range");
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
    insta::assert_snapshot!(refused(json!({ "filters": [["matches", "device", ["tv"]]] })), @r#"400 unknown_operator at 'filters[0][0]': there is no operator "matches"; allowed: is, is_not, contains, contains_not, and, or, not"#);
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
    insta::assert_snapshot!(refused(json!({ "pagination": { "page": 1 } })), @"400 unknown_field at 'pagination.page': is not known here; allowed: limit, offset");
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

#[test]
fn an_answer_as_csv() {
    let query = query(&json!({ "metrics": ["plays", "play_rate"], "dimensions": ["device"] }));
    assert_eq!(ask(&audience(), &query).unwrap().to_csv(), "device,plays,play_rate\r\ntv,2,1\r\n(unknown),0,0\r\n");
}

#[test]
fn whatever_the_catalogue_names_can_be_asked_for() {
    let catalog = catalog::catalog();
    let names = |list: &str| -> Vec<String> {
        let entries = catalog[list].as_array().unwrap();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    for metric in names("metrics") {
        assert!(ask(&audience(), &query(&json!({ "metrics": [metric] }))).is_ok(), "{metric}");
    }
    for dimension in names("dimensions") {
        let changes = json!({ "metrics": ["stops"], "dimensions": [dimension] });
        assert!(ask(&audience(), &query(&changes)).is_ok(), "{dimension}");
    }
}
