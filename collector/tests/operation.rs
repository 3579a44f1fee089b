//! The binary as an operator runs it: started, changed while it works, stopped.

#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::{Answer, CONFIG, batch, changed, request};
use tempfile::TempDir;

/// A collector as a process of its own.
struct Process {
    dir: TempDir,
    address: SocketAddr,
    child: Child,
    log: Receiver<String>,
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartile"));
    command.arg("--config").arg(config(dir)).env("QUARTILE_DATA_DIR", dir.join("data")).env_remove("QUARTILE_LOG");
    command
}

fn config(dir: &Path) -> PathBuf {
    dir.join("quartile.toml")
}

impl Process {
    fn start(text: &str) -> Self {
        let dir = TempDir::new().unwrap();
        fs::write(config(dir.path()), text).unwrap();
        let mut command = command(dir.path());
        command.env("QUARTILE_LISTEN", "127.0.0.1:0").env("QUARTILE_LOG_FORMAT", "json");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        let mut process = Self { dir, address: ([127, 0, 0, 1], 0).into(), child, log };
        let line = process.wait_for_log("listening on http://");
        let rest = line.split("http://").nth(1).unwrap();
        process.address = rest.split(' ').next().unwrap().parse().unwrap();
        process
    }

    /// The next line of the log with this in it.
    #[track_caller]
    fn wait_for_log(&self, text: &str) -> String {
        loop {
            let line =
                self.log.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no `{text}` in the log"));
            if line.contains(text) {
                return line;
            }
        }
    }

    fn quartile(&self, arguments: &[&str]) -> Output {
        command(self.dir.path()).args(arguments).output().unwrap()
    }

    fn send(&self, body: &Value) -> Answer {
        send(self.address, body)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(address: SocketAddr, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(&request(method, path, &[("Authorization", &format!("Bearer {token}"))], body)).unwrap();
    Answer::read(&mut stream)
}

fn send(address: SocketAddr, body: &Value) -> Answer {
    ask(address, "POST", "/v1/collect", "", &serde_json::to_vec(body).unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn sites_and_tokens_change_under_load_without_a_lost_request() {
    let process = Process::start(CONFIG);
    let of_new = changed(|batch| batch["site"] = json!("new"));
    assert_eq!(process.send(&of_new).refusal(), (401, "unknown_site".into()));
    let (done, address) = (&AtomicBool::new(false), process.address);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        assert_eq!(send(address, &batch()).status, 200);
                    }
                })
            })
            .collect();
        let added = process.quartile(&["site", "add", "new", "--origin", "https://new.example"]);
        assert!(added.status.success(), "{}", text(&added.stderr));
        process.wait_for_log("read again");
        assert_eq!(process.send(&of_new).status, 200);

        let made = process.quartile(&["token", "create", "--scope", "admin", "--every-site", "--name", "monitor"]);
        let made = text(&made.stdout);
        let token = made.split_whitespace().find(|word| word.starts_with("qt_")).unwrap();
        process.wait_for_log("read again");
        assert_eq!(ask(process.address, "GET", "/metrics", token, b"").status, 200);
        let listed: Value = serde_json::from_slice(&process.quartile(&["token", "list", "--json"]).stdout).unwrap();
        assert_eq!((&listed["tokens"][0]["name"], &listed["tokens"][0]["scope"]), (&json!("monitor"), &json!("admin")));
        let revoked = process.quartile(&["token", "revoke", listed["tokens"][0]["id"].as_str().unwrap()]);
        assert!(revoked.status.success());
        process.wait_for_log("read again");
        assert_eq!(ask(process.address, "GET", "/metrics", token, b"").status, 401);

        done.store(true, Ordering::Relaxed);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
    let listed: Value = serde_json::from_slice(&process.quartile(&["site", "list", "--json"]).stdout).unwrap();
    assert_eq!(listed["sites"].as_array().unwrap().len(), 2);
}

#[test]
fn a_change_with_a_mistake_changes_nothing_and_is_told_loudly() {
    let process = Process::start(CONFIG);
    fs::write(config(process.dir.path()), "[[sites]]\nid = \"other\"\norigins = [\"nonsense\"]\n").unwrap();
    let line = process.wait_for_log("STAY AS THEY WERE");
    assert!(line.contains("ERROR") && line.contains("line 3: sites[0].origins[0]"), "{line}");
    assert_eq!(process.send(&batch()).status, 200);
    fs::write(config(process.dir.path()), CONFIG.replace("demo", "other")).unwrap();
    process.wait_for_log("read again");
    assert_eq!(process.send(&batch()).refusal(), (401, "unknown_site".into()));
}

#[test]
fn a_hang_up_reads_them_again_even_if_nothing_changed() {
    let process = Process::start(CONFIG);
    process.signal(Signal::HUP);
    process.wait_for_log("read again");
    assert_eq!(process.send(&batch()).status, 200);
}

#[test]
fn stopping_finishes_what_is_at_work_and_takes_nothing_new() {
    let mut process = Process::start(CONFIG);
    let whole = request("POST", "/v1/collect", &[], &serde_json::to_vec(&batch()).unwrap());
    let mut at_work = TcpStream::connect(process.address).unwrap();
    at_work.write_all(&whole[..whole.len() - 1]).unwrap();
    // Its head was read once another request after it was answered.
    assert_eq!(process.send(&batch()).status, 200);
    process.signal(Signal::TERM);
    process.wait_for_log("stopping");
    while TcpStream::connect(process.address).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    at_work.write_all(&whole[whole.len() - 1..]).unwrap();
    assert_eq!(Answer::read(&mut at_work).status, 200);
    process.wait_for_log("stopped");
    assert!(process.child.wait().unwrap().success());
}

#[test]
fn requests_are_named_in_the_log_and_in_their_answers() {
    let dir = TempDir::new().unwrap();
    fs::write(config(dir.path()), CONFIG).unwrap();
    let mut command = command(dir.path());
    command.env("QUARTILE_LISTEN", "127.0.0.1:0").env("QUARTILE_LOG", "debug").env("QUARTILE_LOG_FORMAT", "json");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listening = lines.find(|line| line.contains("listening on http://")).unwrap();
    let address = listening.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let answer = ask(address, "POST", "/v1/collect?secret=1", "", b"nonsense");
    assert_eq!(answer.status, 400);
    let id = answer.header("x-request-id");
    assert_eq!(id.len(), 16);
    let line = lines.find(|line| line.contains("a batch was refused")).unwrap();
    let entry: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&entry["span"]["id"], &entry["fields"]["code"]), (&json!(id), &json!("unreadable")));
    assert!(!line.contains("secret") && !line.contains("127.0.0.1"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn check_tells_all_that_would_keep_it_from_working() {
    let dir = TempDir::new().unwrap();
    let (data, listener) = (dir.path().join("data"), TcpListener::bind("127.0.0.1:0").unwrap());
    let places = dir.path().join("places.mmdb");
    fs::write(&places, "no places").unwrap();
    let geo = format!("{CONFIG}\n[geo]\nmmdb = {:?}", places.to_str().unwrap());
    fs::write(config(dir.path()), geo).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("tokens.json"), "{").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let checked = command(dir.path()).arg("check").env("QUARTILE_LISTEN", &taken).output().unwrap();
    let told = text(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1));
    let faults: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("!!  ")).map(|line| &line[..7]).collect();
    assert_eq!(faults, ["port   ", "places ", "reports"], "{told}");

    fs::write(config(dir.path()), CONFIG).unwrap();
    fs::remove_file(data.join("tokens.json")).unwrap();
    let checked = command(dir.path()).arg("check").env("QUARTILE_LISTEN", "127.0.0.1:0").output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked.stdout));

    // A folder that cannot be made, also for root.
    let checked = command(dir.path()).arg("check").env("QUARTILE_DATA_DIR", "/proc/none").output().unwrap();
    assert!(text(&checked.stdout).contains("!!  data"), "{}", text(&checked.stdout));
}

#[test]
fn a_token_for_a_site_that_is_not_there_is_not_made() {
    let dir = TempDir::new().unwrap();
    fs::write(config(dir.path()), CONFIG).unwrap();
    let refused = command(dir.path()).args(["token", "create", "--site", "nowhere"]).output().unwrap();
    assert!(!refused.status.success() && text(&refused.stderr).contains("nowhere"));
    assert!(!dir.path().join("data/tokens.json").exists());
    let unsaid = command(dir.path()).args(["token", "create"]).output().unwrap();
    assert_eq!(unsaid.status.code(), Some(2), "for which sites must be said");
}

#[test]
fn the_notices_of_others_are_in_the_binary() {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_quartile")).arg("licenses").stdout(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success());
    for name in ["axum", "tokio", "DuckDB", "uap-core"] {
        assert!(told.contains(name), "{name}");
    }
}
