//! Whether the collector keeps what it acknowledges: simulated viewers post over real HTTP from several processes and
//! note what was acknowledged, while the collector is killed, stopped, starved of disk, and its files are damaged. Then
//! the notes are held against the store.
//!
//! | module | |
//! |---|---|
//! | [`state`] | slices as this harness knows them: what is sent, what was acknowledged |
//! | [`viewer`] | the child process that posts and takes notes |
//! | [`collector`] | the child process that collects: the product's own library around a store that can be told to fail |
//! | [`subject`] | such a process seen from outside: start, kill, starve, ask for metrics |
//! | [`damage`] | what is done to the files while nothing runs; reads the queue's format by itself |
//! | [`receiver`] | a further sink |
//! | [`round`] | one round: viewers, faults, verdict |
//! | [`verdict`] | the notes against the store |
//!
//! Everything stays on loopback and in a folder of its own, and ends only processes that it started.

mod collector;
mod damage;
mod receiver;
mod round;
mod state;
mod subject;
mod verdict;
mod viewer;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};

/// What every step returns.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a step failed, for a person to read.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Kills, starves and damages a collector, and sees whether it keeps what it acknowledged.
#[derive(Parser)]
struct Options {
    /// How many rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rounds: u64,
    /// The seed of the first round; the next ones count up
    #[arg(long)]
    seed: Option<u64>,
    /// Rounds at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=16))]
    jobs: u64,
    /// Tell what is done to the collector
    #[arg(long)]
    verbose: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is when it started itself.
#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Collector(collector::Options),
    #[command(hide = true)]
    Viewer(viewer::Options),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.role {
        Some(Role::Collector(options)) => collector::run(options),
        Some(Role::Viewer(options)) => viewer::run(options),
        None => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let first = options.seed.unwrap_or_else(|| now_ms() / 1_000 % 1_000_000_000);
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= options.rounds {
                        return;
                    }
                    if !one_round(first + number, options.verbose) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {} passed; {failed} failed", options.rounds - failed);
    if failed == 0 { Ok(()) } else { Err(format!("{failed} rounds failed").into()) }
}

fn one_round(seed: u64, verbose: bool) -> bool {
    let began = clock();
    let told = round::run(seed, verbose);
    let seconds = began.elapsed().as_secs_f64();
    match told {
        Ok(told) => println!("seed {seed}: ok in {seconds:.1} s; {told}"),
        Err((error, kept)) => {
            println!("seed {seed}: FAILED after {seconds:.1} s: {error}");
            println!("  again: cargo xtask crash --rounds 1 --seed {seed}; what it left: {}", shown(kept));
            return false;
        }
    }
    true
}

fn shown(kept: Option<PathBuf>) -> String {
    kept.map_or_else(|| "nothing".to_owned(), |path| path.display().to_string())
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "this harness measures real time, and this is where it reads it")]
pub fn clock() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "viewers have a clock, and this is where it is read")]
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
