//! A collector on a port of its own, spoken to over raw sockets, with a store that shows what it was given.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use quartile_collector::app::{Bounds, Collector, StoreOpenError};
use quartile_collector::clock::Clock;
use quartile_collector::config::{self, Config};
use quartile_collector::report::plan::Plan;
use quartile_collector::report::table::Table;
use quartile_collector::store::cancel::Cancel;
use quartile_collector::store::{Store, StoreError};
use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub const CONFIG: &str = r#"
    [[sites]]
    id = "demo"
    origins = ["https://example.org"]
    dimensions = ["plan"]
"#;

/// A video id that [`KeepAll`] refuses for good.
pub const POISON: &str = "poison";

/// Keeps merged rows in memory, and fails on request.
#[derive(Default)]
pub struct KeepAll {
    pub rows: Mutex<BTreeMap<RowKey, Row>>,
    pub events: Mutex<BTreeMap<(SiteId, ViewId, u32), EventRow>>,
    pub is_down: AtomicBool,
    /// Whether it works on a query until nobody waits for it any more.
    pub is_slow: AtomicBool,
    /// Queries that it works on.
    pub queries: AtomicUsize,
}

impl Store for KeepAll {
    fn append(&self, rows: &[Row], events: &[EventRow]) -> Result<(), StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("down".into()));
        }
        let video = quartile_protocol::dimension::Dimension::Video;
        if rows.iter().any(|row| &row.dimensions[video] == POISON) {
            return Err(StoreError::Refused("poison".into()));
        }
        let mut kept = self.rows.lock().unwrap();
        for row in rows {
            kept.entry(row.key.clone()).and_modify(|known| known.join(row)).or_insert_with(|| row.clone());
        }
        let mut kept = self.events.lock().unwrap();
        for event in events {
            kept.insert((event.site.clone(), event.view, event.event.seq), event.clone());
        }
        Ok(())
    }

    fn mark(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
        let kept = self.rows.lock().unwrap();
        let wanted = keys.iter().map(|&(view, n)| RowKey { site: site.clone(), view, n });
        Ok(wanted.filter_map(|key| kept.get(&key).cloned()).collect())
    }

    fn query(&self, _: &Plan, cancel: &Cancel) -> Result<Table, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        for _ in 0..1_000 {
            if cancel.is_cancelled() || !self.is_slow.load(Ordering::SeqCst) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.queries.fetch_sub(1, Ordering::SeqCst);
        Err(StoreError::Unavailable("answers nothing".into()))
    }

    fn earliest(&self, _: &SiteId) -> Result<Option<Wall>, StoreError> {
        Ok(None)
    }

    fn timeline(&self, _: &SiteId, _: ViewId) -> Result<Vec<EventRow>, StoreError> {
        Ok(Vec::new())
    }

    fn forget(&self, site: &SiteId, before: i64) -> Result<u64, StoreError> {
        let mut kept = self.rows.lock().unwrap();
        let all = kept.len();
        kept.retain(|key, _| key.site != *site || key.view.day() >= before);
        Ok((all - kept.len()) as u64)
    }

    fn maintain(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn ready(&self) -> Result<(), StoreError> {
        if self.is_down.load(Ordering::SeqCst) { Err(StoreError::Unavailable("down".into())) } else { Ok(()) }
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A collector at work.
pub struct Running {
    pub address: SocketAddr,
    pub store: Arc<KeepAll>,
    pub dir: TempDir,
    runtime: Runtime,
    collector: Option<Collector>,
}

impl Running {
    pub fn start() -> Self {
        Self::with(CONFIG, Bounds::default())
    }

    pub fn with(text: &str, bounds: Bounds) -> Self {
        Self::in_folder(TempDir::new().unwrap(), text, bounds, Arc::default())
    }

    pub fn in_folder(dir: TempDir, text: &str, bounds: Bounds, store: Arc<KeepAll>) -> Self {
        let folder = dir.path().to_str().unwrap().to_owned();
        let env = |name: &str| match name {
            "QUARTILE_LISTEN" => Some("127.0.0.1:0".to_owned()),
            "QUARTILE_DATA_DIR" => Some(folder.clone()),
            "QUARTILE_FORWARD_DELAY_MS" => Some("10".to_owned()),
            _ => None,
        };
        let config = config::parse(text, &env).unwrap();
        let kept = Arc::clone(&store);
        Self::of(dir, config, bounds, store, move || Ok(Arc::clone(&kept) as Arc<dyn Store>))
    }

    pub fn of(
        dir: TempDir,
        config: Config,
        bounds: Bounds,
        store: Arc<KeepAll>,
        open_store: impl Fn() -> Result<Arc<dyn Store>, StoreOpenError> + Send + Sync + 'static,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let starting = Collector::start(config, Clock::system(), bounds, open_store);
        let collector = runtime.block_on(starting).unwrap();
        Self { address: collector.address(), store, dir, runtime, collector: Some(collector) }
    }

    /// Stops the collector and gives back what outlives it.
    pub fn stop(mut self) -> (TempDir, Arc<KeepAll>) {
        let collector = self.collector.take().unwrap();
        self.runtime.block_on(collector.stop());
        (self.dir, self.store)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends these bytes and reads one answer.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A server that has heard enough may close before all is written; its answer is read all the same.
        let _ = stream.write_all(request);
        Answer::read(&mut stream)
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.raw(&request(method, path, headers, body))
    }

    /// Posts a batch as a page does.
    pub fn collect(&self, body: &[u8]) -> Answer {
        self.request("POST", "/v1/collect", &[("Content-Type", "text/plain")], body)
    }

    pub fn collect_json(&self, body: &Value) -> Answer {
        self.collect(&serde_json::to_vec(body).unwrap())
    }

    /// The samples of a scrape, by name and labels.
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        let scrape = self.request("GET", "/metrics", &[], b"");
        assert_eq!(scrape.status, 200, "{scrape:?}");
        let lines = scrape.body.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name.into(), value.parse().unwrap()))
            .collect()
    }

    /// Waits until these metrics are so; what is not told is 0.
    #[track_caller]
    pub fn wait_for_metrics(&self, expected: &[(&str, u64)]) {
        let is_so = |metrics: &BTreeMap<String, u64>| {
            expected.iter().all(|(name, value)| metrics.get(*name).copied().unwrap_or_default() == *value)
        };
        for _ in 0..1_000 {
            if is_so(&self.metrics()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{expected:?} is not so: {:?}", self.metrics());
    }

    /// Waits until the store has as many slices.
    pub fn wait_for_rows(&self, count: usize) {
        for _ in 0..1_000 {
            if self.store.rows.lock().unwrap().len() >= count {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the store has {} rows instead of {count}", self.store.rows.lock().unwrap().len());
    }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// One HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            if let Some(answer) = Self::parse(&bytes) {
                return answer;
            }
            match stream.read(&mut buffer) {
                Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
                ended => panic!("no answer: {ended:?} after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let pairs = lines.filter_map(|line| line.split_once(':'));
        let headers: BTreeMap<_, _> =
            pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        let has_body = !matches!(status, 204 | 304);
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        (!has_body || body.len() >= length).then(|| Self { status, headers, body: body.to_owned() })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The status and the code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// A small good batch.
pub fn batch() -> Value {
    json!({
        "v": 1, "site": "demo", "sent_at": 1_790_000_060_000_u64, "sdk": "quartile-web/0.1.0",
        "client": {},
        "views": [{
            "id": "01a0c4ee-2c00-7000-8000-000000000001",
            "video": { "id": "1234" },
            "dims": { "plan": "pro" },
            "slices": [{ "n": 0, "at": 1_790_000_000_000_u64, "span_ms": 10_000, "plays": 1, "played_ms": 9_650 }],
            "events": [{ "seq": 0, "n": 0, "at": 1_790_000_000_000_u64, "type": "play" }],
        }],
    })
}

/// The small good batch, changed.
pub fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut batch = batch();
    change(&mut batch);
    batch
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
