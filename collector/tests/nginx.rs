//! Behind nginx as behind a delivery network, with the configuration of `examples/deploy`: addresses and countries are
//! right, and what anybody else says of them is not believed.
//!
//! They need the program nginx, so they are ignored by default; `cargo xtask test --only nginx` runs them.

#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use quartile_collector::app::Bounds;
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::id::ViewId;
use serde_json::json;
use support::{Answer, KeepAll, Running, batch, changed, request};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

const CONFIG: &str = r#"
    trusted_proxies = ["127.0.0.1"]
    auth = "none"
    [[sites]]
    id = "demo"
    origins = ["https://example.org"]
    [geo]
    headers = { address = "X-Real-IP", country = "X-Country" }
"#;

/// What a viewer may say to seem to be somewhere else.
const SPOOFED: &[(&str, &str)] =
    &[("X-Real-IP", "203.0.113.66"), ("X-Forwarded-For", "203.0.113.66"), ("X-Country", "US"), ("CF-IPCountry", "US")];

/// nginx at work, until this is let go of.
struct Nginx {
    address: SocketAddr,
    child: Child,
    _dir: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts nginx in front, with the example's file but for its addresses and folders.
fn in_front_of(collector: SocketAddr) -> Nginx {
    let dir = TempDir::new().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy/nginx.conf");
    let folder = dir.path().to_str().unwrap();
    let mut text = fs::read_to_string(example).unwrap();
    for (from, to) in [
        ("collector:8787", collector.to_string()),
        ("listen 8080", format!("listen {address}")),
        ("/tmp/", format!("{folder}/")),
        ("192.0.2.0/24 FR", "127.0.0.7 FR".into()),
        ("198.51.100.0/24 DE", "127.0.0.8 DE".into()),
        ("worker_processes auto;", "worker_processes 1; daemon off; master_process off;".into()),
    ] {
        assert!(text.contains(from), "the example has no `{from}`");
        text = text.replace(from, &to);
    }
    let file = dir.path().join("nginx.conf");
    fs::write(&file, text).unwrap();
    let mut command = Command::new("nginx");
    let child = command.arg("-e").arg("stderr").arg("-p").arg(dir.path()).arg("-c").arg(&file).spawn().unwrap();
    let nginx = Nginx { address, child, _dir: dir };
    for _ in 0..1_000 {
        if TcpStream::connect(address).is_ok() {
            return nginx;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nginx does not answer");
}

/// Posts from one of this machine's own addresses.
fn post_from(source: &str, to: SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let connecting = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    };
    let mut stream = Runtime::new().unwrap().block_on(connecting);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(&request("POST", "/v1/collect", headers, body)).unwrap();
    Answer::read(&mut stream)
}

/// A batch of today, so that its viewer has the hash of the day.
fn of_today(n: u8) -> Vec<u8> {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let id = ViewId::new(Wall::from_ms(now), [n; 10]).to_string();
    let today = changed(|batch| {
        batch["sent_at"] = json!(now);
        batch["views"][0]["id"] = json!(id);
        batch["views"][0]["video"]["id"] = json!(n.to_string());
        batch["views"][0]["slices"][0]["at"] = json!(now);
        batch["views"][0]["events"] = json!([]);
    });
    serde_json::to_vec(&today).unwrap()
}

/// Country and stand-in for the viewer, by the number of the view.
fn places(store: &Arc<KeepAll>) -> Vec<(String, String, String)> {
    let rows = store.rows.lock().unwrap();
    let told = |name, row: &quartile_protocol::row::Row| row.dimensions[name].to_owned();
    let mut places: Vec<_> = rows
        .values()
        .map(|row| (told(Dimension::Video, row), told(Dimension::Country, row), told(Dimension::DailyViewer, row)))
        .collect();
    places.sort();
    places
}

#[test]
#[ignore = "needs nginx: cargo xtask test --only nginx"]
fn what_nginx_tells_is_believed_and_what_viewers_tell_is_not() {
    let running = Running::with(CONFIG, Bounds::default());
    let nginx = in_front_of(running.address);
    let posts = [
        (1, "127.0.0.7", nginx.address, &[][..]),
        (2, "127.0.0.8", nginx.address, &[][..]),
        (3, "127.0.0.7", nginx.address, SPOOFED),
        (4, "127.0.0.9", nginx.address, SPOOFED),
        // Past nginx, from a peer that is no trusted proxy.
        (5, "127.0.0.9", running.address, SPOOFED),
    ];
    for (n, source, to, headers) in posts {
        let answer = post_from(source, to, headers, &of_today(n));
        assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1)), "{answer:?}");
    }
    running.wait_for_rows(posts.len());
    let places = places(&running.store);
    let countries: Vec<_> = places.iter().map(|(_, country, _)| country.as_str()).collect();
    assert_eq!(countries, ["FR", "DE", "FR", "", ""]);
    let viewers: Vec<_> = places.iter().map(|(.., viewer)| viewer.as_str()).collect();
    assert!(viewers.iter().all(|viewer| viewer.len() == 16), "{viewers:?}");
    assert_eq!(viewers[0], viewers[2], "the same address, whatever it says");
    assert_eq!(viewers[3], viewers[4], "the same address, through nginx and past it");
    assert!(viewers[0] != viewers[1] && viewers[0] != viewers[3], "{viewers:?}");
}

#[test]
#[ignore = "needs nginx: cargo xtask test --only nginx"]
fn answers_come_through_with_what_pages_need() {
    let running = Running::with(CONFIG, Bounds::default());
    let nginx = in_front_of(running.address);
    let body = serde_json::to_vec(&batch()).unwrap();
    let answer = post_from("127.0.0.1", nginx.address, &[("Origin", "https://example.org")], &body);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "https://example.org"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let refused = post_from("127.0.0.1", nginx.address, &[("Origin", "https://evil.example")], &body);
    assert_eq!(refused.refusal(), (403, "forbidden_origin".into()));
    // Connections to the collector are kept and used again.
    for _ in 0..50 {
        assert_eq!(post_from("127.0.0.1", nginx.address, &[], &body).status, 200);
    }
    let connections = running.metrics()["quartile_connections"];
    assert!(connections <= 4, "{connections}");
}
