//! Sends a simulated audience to a collector, over real HTTP.
//!
//! The viewers' clocks are simulated: they watched during the hours before now, and their requests arrive now, as those
//! of viewers who were offline do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use quartile_protocol::batch::Batch;
use quartile_protocol::clock::{Millis, Wall};
use quartile_protocol::id::SiteId;
use quartile_simulator::audience::Viewer;
use quartile_tracker::{Answer, Outcome};
use ureq::http::HeaderValue;

/// How many viewers are under way at once: each waits for the collector's disk most of the time.
const THREADS: u64 = 16;

/// Sends a simulated audience to a collector.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Options {
    /// The collector's address, such as http://127.0.0.1:4600
    #[arg(long)]
    collector: String,
    /// The site's key
    #[arg(long, default_value = "demo", value_parser = |text: &str| SiteId::new(text).map_err(|error| error.to_string()))]
    site: SiteId,
    /// How many viewers
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    viewers: u64,
    /// Over how many hours before now they watched
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=600))]
    hours: u64,
    /// The same seed is the same audience
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What became of the requests.
#[derive(Default)]
struct Counts {
    next_viewer: AtomicU64,
    acknowledged: AtomicU64,
    failed: AtomicU64,
}

fn main() -> std::process::ExitCode {
    let options = Options::parse();
    let counts = Counts::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| send_viewers(&options, &counts));
        }
    });
    let acknowledged = counts.acknowledged.into_inner();
    let failed = counts.failed.into_inner();
    println!("{} viewers, {acknowledged} requests acknowledged, {failed} failed", options.viewers);
    if failed > 0 { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
}

fn send_viewers(options: &Options, counts: &Counts) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .build()
        .into();
    loop {
        let number = counts.next_viewer.fetch_add(1, Ordering::Relaxed);
        if number >= options.viewers {
            return;
        }
        let viewer = Viewer::new(options.seed, number);
        let (acknowledged, failed) = send_viewer(options, number, viewer, agent.clone());
        counts.acknowledged.fetch_add(acknowledged, Ordering::Relaxed);
        counts.failed.fetch_add(failed, Ordering::Relaxed);
    }
}

/// Gives how many requests were acknowledged, and how many were not.
fn send_viewer(options: &Options, number: u64, mut viewer: Viewer, agent: ureq::Agent) -> (u64, u64) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let url = format!("{}/v1/collect", options.collector.trim_end_matches('/'));
    let who = viewer.clone();
    let network = Box::new(move |batch: &Batch, _| {
        let answer = post(&agent, &url, &who, batch);
        let _ = sender.send(answer.outcome == Outcome::Acknowledged);
        Some((20, answer))
    });
    viewer.watch(&options.site, opened_at(options, number), network);
    let (acknowledged, failed): (Vec<_>, Vec<_>) = receiver.try_iter().partition(|&acknowledged| acknowledged);
    (acknowledged.len() as u64, failed.len() as u64)
}

/// Evenly spread, and early enough that every viewing is over by now.
fn opened_at(options: &Options, number: u64) -> Wall {
    let hours = options.hours as i64 * 3_600_000;
    let latest = now().shifted(-(Viewer::longest() as i64));
    latest.shifted(-(hours * number as i64 / options.viewers as i64))
}

fn post(agent: &ureq::Agent, url: &str, viewer: &Viewer, batch: &Batch) -> Answer {
    let batch = Batch { sent_at: now(), ..batch.clone() };
    let body = batch.to_json().into_bytes();
    // Networks send names in UTF-8, which is not ASCII.
    let region = HeaderValue::from_bytes(viewer.region.as_bytes()).unwrap_or(HeaderValue::from_static(""));
    let request = agent
        .post(url)
        .header("Content-Type", "text/plain")
        .header("User-Agent", viewer.user_agent)
        .header("CF-Connecting-IP", &viewer.address)
        .header("CF-IPCountry", viewer.country)
        .header("CF-Region", region);
    let Ok(mut response) = request.send(&body) else { return Answer::LATER };
    let status = response.status().as_u16();
    let reply: serde_json::Value =
        response.body_mut().read_to_vec().ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let wait: Millis = reply["retry_after_ms"].as_u64().unwrap_or_default();
    match status {
        200 if reply["accepted"].is_u64() => Answer { wait, ..Answer::ACKNOWLEDGED },
        400..=428 | 430..=499 => Answer::REFUSED,
        _ => Answer::later(wait),
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell's clock")]
fn now() -> Wall {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Wall::from_ms(since_1970.as_millis() as i64)
}
