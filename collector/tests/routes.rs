//! Everything beside collecting.

mod support;

use quartile_collector::access::token_hash;
use quartile_collector::app::Bounds;
use quartile_collector::config::hex;
use serde_json::json;
use support::{Answer, CONFIG, Running};

#[test]
fn the_sdk_is_served_to_any_page_and_kept_by_caches() {
    let running = Running::start();
    let first = running.request("GET", "/quartile.js", &[("Origin", "https://anywhere.example")], b"");
    assert_eq!(first.status, 200);
    assert_eq!(first.header("access-control-allow-origin"), "*");
    assert_eq!(first.header("cross-origin-resource-policy"), "cross-origin");
    assert!(first.header("content-type").starts_with("text/javascript"));
    assert!(first.header("cache-control").contains("max-age="));
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag.len() > 10);
    let again = running.request("GET", "/quartile.js", &[("If-None-Match", tag)], b"");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(running.request("GET", "/quartile.js", &[("If-None-Match", "\"old\"")], b"").status, 200);
}

#[test]
fn the_sdk_comes_compressed_to_who_takes_it_so() {
    let running = Running::start();
    let get = |accept: &str| running.request("GET", "/quartile.js", &[("Accept-Encoding", accept)], b"");
    let [plain, gzip, brotli] = ["", "gzip", "gzip, deflate, br, zstd"].map(get);
    for (answer, coding) in [(&plain, ""), (&gzip, "gzip"), (&brotli, "br")] {
        assert_eq!((answer.status, answer.header("content-encoding")), (200, coding));
        assert_eq!(answer.header("vary"), "Accept-Encoding");
    }
    let length = |answer: &Answer| answer.header("content-length").parse::<usize>().unwrap();
    assert!(length(&brotli) < length(&gzip) && length(&gzip) < length(&plain));
    let tags = [&plain, &gzip, &brotli].map(|answer| answer.header("etag").to_owned());
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "{tags:?}");
    let kept = [("Accept-Encoding", "br"), ("If-None-Match", tags[2].as_str())];
    let again = running.request("GET", "/quartile.js", &kept, b"");
    assert_eq!((again.status, again.header("content-encoding")), (304, ""));
    let other = [("Accept-Encoding", "br"), ("If-None-Match", tags[0].as_str())];
    assert_eq!(running.request("GET", "/quartile.js", &other, b"").status, 200, "each form has its own tag");
}

#[test]
fn an_address_that_stands_for_one_content_is_kept_for_ever() {
    let running = Running::start();
    let stable = running.request("GET", "/quartile.js", &[], b"");
    let path = stable.header("content-location");
    assert!(path.starts_with("/quartile-") && path.ends_with(".js"), "{path}");
    let lasting = running.request("GET", path, &[], b"");
    assert_eq!((lasting.status, &lasting.body), (200, &stable.body));
    assert_eq!(lasting.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(lasting.header("access-control-allow-origin"), "*");
    assert_eq!(running.request("GET", "/quartile-000000000000000000000000.js", &[], b"").status, 404);
}

#[test]
fn the_second_file_of_the_sdk_is_kept_as_long_as_it_is_asked_for_by_its_hash() {
    let running = Running::start();
    let plain = running.request("GET", "/quartile.core.js", &[("Origin", "https://anywhere.example")], b"");
    assert_eq!((plain.status, plain.header("access-control-allow-origin")), (200, "*"));
    assert!(plain.header("cache-control").contains("max-age=3600"));
    let hash = plain.header("etag").trim_matches('"');
    let named = running.request("GET", &format!("/quartile.core.js?{hash}"), &[], b"");
    assert_eq!((named.status, &named.body), (200, &plain.body));
    assert!(named.header("cache-control").contains("immutable"));
    assert_eq!(running.request("GET", "/quartile.core.js?of-another-version", &[], b"").refusal().0, 404);
    let script = running.request("GET", "/quartile.js", &[], b"");
    assert!(script.body.contains(&format!("quartile.core.js?{hash}")), "the script asks for another file");
}

#[test]
fn search_engines_are_told_that_nothing_is_theirs() {
    let running = Running::start();
    let robots = running.request("GET", "/robots.txt", &[], b"");
    assert_eq!((robots.status, robots.body.as_str()), (200, "User-agent: *\nDisallow: /\n"));
}

#[test]
fn every_answer_has_a_name_of_its_own() {
    let running = Running::start();
    let mut names: Vec<_> = ["/healthz", "/nothing", "/quartile.js", "/v1/collect"]
        .map(|path| running.request("GET", path, &[("X-Request-Id", "mine")], b"").header("x-request-id").to_owned())
        .into();
    assert!(names.iter().all(|name| name.len() == 16), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[test]
fn what_is_not_there_is_told_in_json() {
    let running = Running::start();
    assert_eq!(running.request("GET", "/nothing", &[], b"").refusal(), (404, "not_found".into()));
    let wrong = running.request("GET", "/v1/collect", &[], b"");
    assert_eq!(wrong.refusal(), (405, "method_not_allowed".into()));
    assert!(wrong.header("allow").contains("POST"));
    assert_eq!(wrong.header("x-content-type-options"), "nosniff");
}

#[test]
fn health_needs_no_token() {
    let running = Running::start();
    assert_eq!(running.request("GET", "/healthz", &[], b"").json(), json!({ "status": "ok" }));
    let ready = running.request("GET", "/readyz", &[], b"");
    assert_eq!((ready.status, ready.json()["store"].as_str()), (200, Some("ok")));
}

#[test]
fn reports_are_for_holders_of_a_token() {
    let hash = hex(&token_hash("a-long-enough-token"));
    let running = Running::with(&format!("{CONFIG}\n[auth]\ntokens = [\"{hash}\"]"), Bounds::default());
    for (method, path) in [("POST", "/v1/reports/query"), ("GET", "/v1/reports/catalog"), ("GET", "/metrics")] {
        for shown in ["", "Bearer wrong", "Basic a-long-enough-token"] {
            let answer = running.request(method, path, &[("Authorization", shown)], b"{}");
            assert_eq!(answer.refusal(), (401, "unauthorized".into()));
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    let right = [("Authorization", "Bearer a-long-enough-token")];
    assert_eq!(running.request("GET", "/v1/reports/catalog", &right, b"").status, 200);
    assert_eq!(running.request("GET", "/metrics", &right, b"").status, 200);
    let unknown = running.request("POST", "/v1/reports/query", &right, b"{\"nonsense\": 1}");
    assert_eq!(unknown.status, 400);
    let other = json!({ "site": "other", "metrics": ["plays"], "date_range": "7d" }).to_string();
    let other = running.request("POST", "/v1/reports/query", &right, other.as_bytes());
    assert_eq!((other.status, other.json()["error"]["field"].as_str()), (400, Some("site")));
}

#[test]
fn without_a_token_in_the_configuration_nobody_reads() {
    let running = Running::start();
    let answer = running.request("GET", "/v1/reports/catalog", &[("Authorization", "Bearer x")], b"");
    assert_eq!(answer.refusal(), (401, "unauthorized".into()));
    assert!(answer.body.contains("quartile token create"));
}
