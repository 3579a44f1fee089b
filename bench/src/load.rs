//! Sends requests over connections that stay open, one at a time on each.
//!
//! *Closed*: each connection sends again as soon as it has its answer, which finds the throughput. *Open*: requests
//! arrive at a rate whatever the answers do, and wait for a free connection; their latency counts from when they arrived,
//! so that a server that stalls is not asked less (coordinated omission).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{MissedTickBehavior, interval};

use super::Result;
use super::bodies::Request;

/// Arrivals that may wait for a connection; those beyond are not sent, and counted.
const WAITING: usize = 100_000;

/// How often arrivals are looked after; what it adds to a latency is at most this.
const TICK: Duration = Duration::from_millis(1);

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Outcome {
    latencies: Vec<Duration>,
    refused: u64,
    not_sent: u64,
    elapsed: Duration,
}

impl Outcome {
    /// The result: latencies in microseconds.
    pub fn into_json(mut self) -> Value {
        self.latencies.sort_unstable();
        let micros = |share: f64| {
            let last = self.latencies.len().saturating_sub(1);
            let index = (last as f64 * share).round() as usize;
            self.latencies.get(index).map_or(0, Duration::as_micros)
        };
        json!({
            "requests": self.latencies.len(),
            "seconds": self.elapsed.as_secs_f64(),
            "refused": self.refused,
            "not_sent": self.not_sent,
            "p50_us": micros(0.5) as u64,
            "p99_us": micros(0.99) as u64,
            "p999_us": micros(0.999) as u64,
        })
    }
}

/// Sends for so long; `rate` is that of an open load.
#[tokio::main(flavor = "current_thread")]
pub async fn run(
    to: SocketAddr,
    requests: Vec<Request>,
    connections: usize,
    time: Duration,
    rate: Option<u32>,
) -> Result<Outcome> {
    let numbers = Arc::new(AtomicU64::new(first_number()));
    let (arrivals, waiting) = channel(WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    let each = requests.len().div_ceil(connections).max(4);
    let mut ready = Vec::with_capacity(connections);
    for index in 0..connections {
        let own: Vec<_> = requests.iter().skip(index % requests.len()).take(each).cloned().collect();
        ready.push(Connection { stream: connect(to).await?, requests: own, numbers: Arc::clone(&numbers) });
    }
    // Not before everything is ready: what is due while connections are made would wait for them, not for the server.
    let begun = Instant::now();
    let source = || match rate {
        None => Source::Closed { until: begun + time },
        Some(_) => Source::Open(Arc::clone(&waiting)),
    };
    let tasks: Vec<_> = ready.into_iter().map(|connection| tokio::spawn(connection.work(source()))).collect();
    let not_sent = match rate {
        None => 0,
        Some(rate) => arrive(arrivals, rate, begun, time).await,
    };
    let mut outcome = Outcome { not_sent, ..Outcome::default() };
    for task in tasks {
        let (latencies, refused) = task.await??;
        outcome.latencies.extend(latencies);
        outcome.refused += refused;
    }
    outcome.elapsed = begun.elapsed();
    Ok(outcome)
}

/// Another run makes other views.
fn first_number() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (since_1970.as_millis() as u64) << 24
}

async fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Lets requests arrive evenly; gives how many found too many before them.
async fn arrive(arrivals: Sender<Instant>, rate: u32, begun: Instant, time: Duration) -> u64 {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut arrived, mut not_sent) = (0_u32, 0);
    while begun.elapsed() < time {
        ticks.tick().await;
        let due = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u32;
        while arrived < due {
            let at = begun + Duration::from_secs_f64(f64::from(arrived) / f64::from(rate));
            not_sent += u64::from(arrivals.try_send(at).is_err());
            arrived += 1;
        }
    }
    not_sent
}

/// When a connection sends.
enum Source {
    Closed { until: Instant },
    Open(Arc<Mutex<Receiver<Instant>>>),
}

impl Source {
    /// Since when the next request waits; `None` at the end.
    async fn next(&self) -> Option<Instant> {
        match self {
            Self::Closed { until } => Some(Instant::now()).filter(|now| now < until),
            Self::Open(waiting) => waiting.lock().await.recv().await,
        }
    }
}

struct Connection {
    stream: TcpStream,
    requests: Vec<Request>,
    numbers: Arc<AtomicU64>,
}

impl Connection {
    async fn work(mut self, source: Source) -> Result<(Vec<Duration>, u64)> {
        let (mut latencies, mut refused) = (Vec::new(), 0);
        let mut turn = 0;
        while let Some(since) = source.next().await {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let choice = turn % self.requests.len();
            turn += 1;
            let Self { stream, requests, .. } = &mut self;
            let accepted = tokio::time::timeout(PATIENCE, exchange(stream, requests[choice].of_view(number)))
                .await
                .map_err(|_| "an answer took too long")??;
            if accepted {
                latencies.push(since.elapsed());
            } else {
                refused += 1;
            }
        }
        Ok((latencies, refused))
    }
}

/// Sends a request and reads its answer; tells whether it was a success.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<bool> {
    stream.write_all(request).await?;
    let mut answer = [0; 4096];
    let mut length = 0;
    loop {
        let read = stream.read(&mut answer[length..]).await?;
        if read == 0 {
            return Err("the server closed the connection, or its answer is too long".into());
        }
        length += read;
        if is_whole(&answer[..length]) {
            return Ok(answer.starts_with(b"HTTP/1.1 2"));
        }
    }
}

/// Whether the head and as many bytes as it announces are there.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let lines = answer[..head].split(|&byte| byte == b'\n');
    let announced = lines.filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'));
    let length = announced
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .find_map(|(_, value)| value.trim().parse::<usize>().ok());
    answer.len() >= head + 4 + length.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_all_of_it_is_there() {
        assert!(is_whole(b"HTTP/1.1 204 No Content\r\n\r\n"));
        assert!(is_whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{"));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"));
    }

    #[test]
    fn latencies_are_ranked() {
        let latencies = (1..=1000).rev().map(Duration::from_micros).collect();
        let json = Outcome { latencies, ..Outcome::default() }.into_json();
        assert_eq!(
            (json["p50_us"].as_u64(), json["p99_us"].as_u64(), json["p999_us"].as_u64()),
            (Some(501), Some(990), Some(999))
        );
    }
}
