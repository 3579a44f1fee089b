//! Whose address it was is nowhere afterwards: in no file, no log line and no answer.
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use quartile_collector::app::Bounds;
use quartile_collector::clock::Clock;
use quartile_protocol::dimension::Dimension;
use serde_json::{Value, json};
use support::{Running, changed};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Every place where a sender's address can come from, each with one of its own.
const V4: &str = "198.51.100.77";
const V6: &str = "2001:db8:5eed:c0de:feed:face:cafe:77";
const PORT: &str = "45678";

const CONFIG: &str = r#"
    trusted_proxies = ["127.0.0.1"]
    auth = "none"
    [[sites]]
    id = "demo"
    origins = ["https://example.org"]
    dimensions = ["plan"]
    [archive]
    [[sinks]]
    name = "nowhere"
    kind = "http"
    url = "http://127.0.0.1:9/"
    rows = "as_received"
    [geo]
    headers = "PRESET"
"#;

/// All that was logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The ways in which an address can be written down: as text and as bytes in either order. Four bytes would be found by
/// chance in a large file, so those of IPv4 are looked for together with what IPv6 puts before them.
fn traces() -> Vec<(String, Vec<u8>)> {
    let mut traces = Vec::new();
    for text in [V4, V6] {
        let address: IpAddr = text.parse().unwrap();
        let octets = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let reversed: Vec<u8> = octets.into_iter().rev().collect();
        let hex: String = octets.iter().map(|byte| format!("{byte:02x}")).collect();
        traces.push((format!("{text} as text"), text.as_bytes().to_vec()));
        traces.push((format!("{text} as bytes"), octets.to_vec()));
        traces.push((format!("{text} as bytes in reverse"), reversed));
        traces.push((format!("{text} as digits"), hex.into_bytes()));
    }
    traces.push(("the port".into(), PORT.as_bytes().to_vec()));
    traces
}

#[track_caller]
fn assert_clean(place: &str, bytes: &[u8]) {
    for (what, trace) in traces() {
        let found = bytes.windows(trace.len()).any(|window| window == trace);
        assert!(!found, "{place} has {what}");
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_under(&path)) } else { files.push(path) }
    }
    files
}

/// The small good batch, as if it was sent now: only views of today and yesterday have a daily viewer.
fn batch_of_today() -> Value {
    let now = Clock::system().now().as_ms();
    changed(|batch| {
        batch["sent_at"] = json!(now);
        let digits = format!("{now:012x}");
        batch["views"][0]["id"] = json!(format!("{}-{}-7000-8000-000000000001", &digits[..8], &digits[8..]));
        batch["views"][0]["slices"][0]["at"] = json!(now - 60_000);
    })
}

/// Sends as seen through a delivery network: good batches, bad ones, and what is no batch at all.
fn send_everything(collector: &Running, preset: &str) {
    let v4_and_port = format!("{V4}:{PORT}");
    let edgescape = "country_code=FR,city=LYON,asnum=64496";
    let headers: &[(&str, &str)] = match preset {
        "cloudflare" => &[("CF-Connecting-IP", V6), ("X-Forwarded-For", V4), ("CF-IPCountry", "FR")],
        "cloudfront" => &[("CloudFront-Viewer-Address", &v4_and_port), ("X-Forwarded-For", V6)],
        "akamai" => &[("True-Client-IP", V4), ("X-Akamai-Edgescape", edgescape), ("X-Forwarded-For", V6)],
        _ => &[("X-Vercel-Forwarded-For", V6), ("X-Forwarded-For", V4)],
    };
    let good = batch_of_today();
    let mut implausible = good.clone();
    implausible["views"][0]["slices"][0]["played_ms"] = json!(99_999_999);
    let bodies = [good.to_string(), implausible.to_string(), "nonsense".to_owned(), "{}".to_owned()];
    for body in &bodies {
        for (method, path) in [("POST", "/v1/collect"), ("POST", "/v1/reports/query"), ("GET", "/v1/reports/catalog")] {
            let answer = collector.request(method, path, headers, body.as_bytes());
            assert_clean(path, format!("{answer:?}").as_bytes());
        }
    }
    // Heads that the server itself refuses.
    for head in [format!("GET /{V4} HTTP/1.1\r\nbad header {V6}\r\n\r\n"), format!("\0{V4}\r\n\r\n")] {
        let answer = collector.raw(head.as_bytes());
        assert_clean("an answer to nonsense", format!("{answer:?}").as_bytes());
    }
}

fn is_salt(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with("salts"))
}

#[test]
fn a_salt_whose_time_is_over_is_destroyed_when_the_collector_looks_after_itself() {
    let dir = TempDir::new().unwrap();
    let salts = dir.path().join("salts");
    fs::create_dir(&salts).unwrap();
    let today = Clock::system().now().as_ms() / 86_400_000;
    let [over, yesterday] = [today - 3, today - 1].map(|day| salts.join(day.to_string()));
    for path in [&over, &yesterday] {
        fs::write(path, [7; 16]).unwrap();
    }
    let collector = Running::in_folder(dir, support::CONFIG, Bounds::default(), Arc::default());
    while over.exists() {
        thread::sleep(Duration::from_millis(10));
    }
    let _dir = collector.stop();
    assert!(yesterday.exists(), "views that began before midnight are still under way");
}

/// One test, because there is one log in a process.
#[test]
fn the_address_is_in_no_file_no_log_line_and_no_answer() {
    let log = Log::default();
    let everything = EnvFilter::new("trace");
    tracing_subscriber::fmt().with_env_filter(everything).with_ansi(false).with_writer(log.clone()).init();
    for preset in ["cloudflare", "cloudfront", "akamai", "vercel"] {
        let collector = Running::in_folder(
            TempDir::new().unwrap(),
            &CONFIG.replace("PRESET", preset),
            Bounds::default(),
            Arc::default(),
        );
        send_everything(&collector, preset);
        collector.wait_for_rows(1);
        for path in ["/metrics", "/readyz", "/healthz"] {
            assert_clean(path, format!("{:?}", collector.request("GET", path, &[], b"")).as_bytes());
        }
        let (dir, store) = collector.stop();
        for row in store.rows.lock().unwrap().values() {
            assert_eq!(row.dimensions[Dimension::DailyViewer].len(), 16, "the address was known, and hashed");
            assert_clean("a row", format!("{row:?}").as_bytes());
        }
        let files = files_under(dir.path());
        assert!(files.iter().any(|path| path.extension().is_some_and(|end| end == "seg")), "{files:?}");
        let salt = fs::read(files.iter().find(|path| is_salt(path)).unwrap()).unwrap();
        for path in files.iter().filter(|path| !is_salt(path)) {
            let content = fs::read(path).unwrap();
            assert!(!content.windows(salt.len()).any(|window| window == salt), "{} has the salt", path.display());
            assert_clean(&path.display().to_string(), &content);
        }
    }
    let log = log.0.lock().unwrap();
    assert!(!log.is_empty(), "something was logged");
    assert_clean("the log", &log);
}
