//! The moving parts of `cargo xtask bench ingest`, which starts them, pins them to cores and reads what they print.
//!
//! | module | |
//! |---|---|
//! | [`bodies`] | requests as simulated viewers make them, with as many events as wanted |
//! | [`load`] | sends them: as fast as answers come, or at a rate whatever the answers do |
//! | [`bare`] | what a collector is measured against: a handler that reads the body and answers |
//!
//! Everything stays on loopback and is bounded in time and number.
// A benchmark is the shell that reads the clock.
#![allow(clippy::disallowed_methods, reason = "this measures real time")]

mod bare;
mod bodies;
mod load;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// What every step returns.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Sends load to a collector on this machine, or stands in for one.
#[derive(Parser)]
enum Role {
    /// Send load; the last line of standard output is the result in JSON
    Load(LoadOptions),
    /// Serve a handler that reads the body and answers; the first line of standard output is its address
    Bare,
}

#[derive(Parser)]
struct LoadOptions {
    /// The collector
    #[arg(long)]
    to: SocketAddr,
    /// Events in a batch
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=500))]
    events: u32,
    /// For how long
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Connections
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    connections: u32,
    #[command(subcommand)]
    pace: Pace,
}

#[derive(Clone, Copy, Subcommand)]
enum Pace {
    /// Each connection sends again as soon as it has its answer
    Closed,
    /// Requests arrive at a rate; latency counts from when one should have been sent
    Open {
        /// Requests a second
        rate: u32,
    },
}

fn main() -> ExitCode {
    let done = match Role::parse() {
        Role::Bare => bare::serve(),
        Role::Load(options) => load(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load(options: &LoadOptions) -> Result<()> {
    if !options.to.ip().is_loopback() {
        return Err(format!("{} is another machine: load goes to this one alone", options.to).into());
    }
    let requests = bodies::requests(options.to, options.events as usize)?;
    let seconds = Duration::from_secs(options.seconds);
    let rate = match options.pace {
        Pace::Closed => None,
        Pace::Open { rate } => Some(rate),
    };
    let outcome = load::run(options.to, requests, options.connections as usize, seconds, rate)?;
    println!("{}", outcome.into_json());
    Ok(())
}
