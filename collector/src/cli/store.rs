//! `quartile store`: work on the embedded store while the collector is stopped.

use std::error::Error;

use clap::Subcommand;
use quartile_collector::clock::Clock;
use quartile_collector::config::Config;
use quartile_collector::queue::{self, DiskFs};
use quartile_collector::store::Store;
use quartile_collector::store::duckdb::{DuckDb, Options};

/// Work on the store.
#[derive(Subcommand)]
pub enum StoreCommand {
    /// Compute the sums by the hour anew, from which many reports are answered
    #[command(long_about = RECOMPUTE)]
    Recompute,
}

const RECOMPUTE: &str = "\
Computes the sums by the hour anew from the slices. The collector must be stopped.

They are kept by themselves, also when rows come late, and no report needs this: what is not computed is answered from \
slices. It is for when you do not believe them.";

/// Does it.
pub fn run(command: &StoreCommand, config: &Config) -> Result<(), Box<dyn Error>> {
    let StoreCommand::Recompute = command;
    // Whoever has the queue has the store.
    let _owned = queue::own(&DiskFs, &config.queue.dir)?;
    let store = DuckDb::open(&Options::new(config.store_path()), Clock::system().now())?;
    let buckets = store.settle().and_then(|()| store.recompute())?;
    store.close()?;
    println!("Sums of {buckets} hours are new.");
    Ok(())
}
