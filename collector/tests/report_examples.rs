//! Every example of docs/reports.md, as it stands there.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::sync::Arc;

use quartile_collector::app::{self, Bounds};
use quartile_collector::clock::Clock;
use quartile_collector::config;
use support::Running;

/// One call of curl: a header, the path, the body.
struct Call {
    headers: Vec<(String, String)>,
    path: String,
    body: Option<String>,
}

/// The texts in single quotes of each command.
fn calls(document: &str) -> Vec<Call> {
    let blocks = document.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(|block| block.split("curl ").skip(1)).map(call).collect()
}

fn call(command: &str) -> Call {
    let mut call = Call { headers: Vec::new(), path: String::new(), body: None };
    let pieces: Vec<_> = command.split('\'').collect();
    for pair in pieces.chunks(2) {
        let [option, text] = pair else { continue };
        match option.trim() {
            "-d" => call.body = Some((*text).to_owned()),
            "-s -H" => {
                let (name, value) = text.split_once(": ").unwrap();
                call.headers.push((name.into(), value.into()));
            }
            _ => call.path = text.strip_prefix("http://127.0.0.1:8787").unwrap().into(),
        }
    }
    call
}

#[test]
fn every_example_is_answered() {
    let dir = tempfile::TempDir::new().unwrap();
    let folder = dir.path().to_str().unwrap().to_owned();
    let config = config::load(None, &|name| match name {
        "QUARTILE_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "QUARTILE_DATA_DIR" => Some(folder.clone()),
        _ => None,
    });
    let (config, clock) = (config.unwrap(), Clock::system());
    let settings = config.clone();
    let running =
        Running::of(dir, config, Bounds::default(), Arc::default(), move || app::open_store(&settings, &clock));
    let calls = calls(include_str!("../../docs/reports.md"));
    assert_eq!(calls.len(), 23);
    for call in calls {
        let headers: Vec<_> = call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let method = if call.body.is_some() { "POST" } else { "GET" };
        let answer = running.request(method, &call.path, &headers, call.body.unwrap_or_default().as_bytes());
        assert_eq!(answer.status, 200, "{}: {answer:?}", call.path);
    }
}
