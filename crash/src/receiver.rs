//! What a further sink gets: a small HTTP server that takes lines, and now and then does not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fastrand::Rng;
use flate2::read::GzDecoder;
use quartile_collector::sink::http::signature;
use serde_json::Value;

use crate::Result;
use crate::state::{Key, State};

/// What requests are signed with.
pub const SECRET: &str = "known to both";

/// How long a request may take to arrive: its sender may be held in the middle of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server at work.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stopped: AtomicBool,
    /// The largest state of each slice that came, or what was wrong.
    slices: Mutex<std::result::Result<BTreeMap<Key, State>, String>>,
}

impl Shared {
    fn new() -> Self {
        Self { stopped: AtomicBool::new(false), slices: Mutex::new(Ok(BTreeMap::new())) }
    }
}

impl Receiver {
    /// Listens on a port of its own.
    pub fn start(seed: u64) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, shared) = (listener.local_addr()?, Arc::new(Shared::new()));
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(&listener, &of_thread, &mut Rng::with_seed(seed)));
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// The largest state of each slice that came.
    pub fn slices(&self) -> Result<BTreeMap<Key, State>> {
        Ok(self.shared.slices.lock().unwrap_or_else(PoisonError::into_inner).clone()?)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes it; when nobody listens any more it has ended.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, shared: &Shared, random: &mut Rng) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        // A sender that was killed, or held for too long, is no sender.
        let Some((mut stream, signed, body)) = stream.ok().and_then(take) else { continue };
        let away = random.u8(..) < 32;
        if !away {
            let mut slices = shared.slices.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(known) = &mut *slices
                && let Err(error) = enter(known, &signed, &body)
            {
                *slices = Err(format!("the sink got something wrong: {error}"));
            }
        }
        let status = if away { "503 Later" } else { "204 Taken" };
        let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// A request with its signature and body.
fn take(stream: TcpStream) -> Option<(TcpStream, String, Vec<u8>)> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(&stream);
    let (mut length, mut signed) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "quartile-signature" => value.clone_into(&mut signed),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((stream, signed, body))
}

fn enter(slices: &mut BTreeMap<Key, State>, signed: &str, body: &[u8]) -> Result<()> {
    let (time, mac) = signed.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).ok_or("no signature")?;
    if mac != signature(SECRET, time.parse()?, body) {
        return Err("a wrong signature".into());
    }
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text)?;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line["type"] == "slice" {
            let key = (line["view"].as_str().unwrap_or_default().to_owned(), number(&line, "n") as u32);
            let state = state(&line)?;
            let known = slices.entry(key).or_insert(state);
            if state.covers(known) {
                *known = state;
            }
        }
    }
    Ok(())
}

fn state(line: &Value) -> Result<State> {
    let watched = line["watched"].as_str().filter(|digits| !digits.is_empty()).unwrap_or("0");
    Ok(State {
        span_ms: number(line, "span_ms"),
        played_ms: number(line, "played_ms"),
        seeks: number(line, "seeks"),
        plays: number(line, "plays"),
        watched: u128::from_str_radix(watched, 16)? as u64,
    })
}

fn number(line: &Value, name: &str) -> u64 {
    line[name].as_u64().unwrap_or_default()
}
