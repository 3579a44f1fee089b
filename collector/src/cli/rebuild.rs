//! `quartile rebuild` and `quartile queue replay`: the store from what is kept.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use quartile_collector::app;
use quartile_collector::clock::Clock;
use quartile_collector::config::Config;
use quartile_collector::forward::delivery::Delivery;
use quartile_collector::forward::feed::{self, Fed};
use quartile_collector::forward::letters::DeadLetters;
use quartile_collector::forward::progress::Progress;
use quartile_collector::forward::replay::{self, Replayed};
use quartile_collector::queue::{self, DiskFs};
use quartile_collector::rebuild;
use quartile_collector::store::Store;
use serde_json::json;

use super::queue::Output;

pub const ABOUT: &str = "\
Makes the store anew from everything that queue and archive still hold, then puts it in the place of the old one, which \
is kept beside it under a name that ends in `.replaced-` and the time. The collector must be stopped.

How far back it goes is how far back the archive goes: `[archive]` in the configuration. Merged rows are the same as \
before, because a store only ever merges copies. Until the last moment nothing of the old store is touched; a rebuild \
that was killed is begun again.";

pub const REPLAY: &str = "\
Forwards again. The collector must be stopped.

  dead-letters  what the store refused, or could not be read: after an update, or after you repaired the files. Letters \
that are taken are removed, others stay. Ends with status 1 when some stay.
  archive       everything that queue and archive hold, into the store as it is. What is there already stays the same.";

/// What to forward again.
#[derive(Args)]
pub struct Replay {
    /// From where
    source: Source,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    DeadLetters,
    Archive,
}

/// Letters are left; which ones was said already.
#[derive(Debug, thiserror::Error)]
#[error("some dead letters are still refused")]
struct StillRefused;

/// Makes the store anew.
pub fn run(config: &Config, output: &Output) -> Result<(), Box<dyn Error>> {
    let rebuilt = rebuild::offline(config, Clock::system().now(), &mut tell)?;
    finish_progress();
    let fed = rebuilt.fed;
    if output.json {
        let replaced = rebuilt.replaced.map(|path| path.display().to_string());
        let told = json!({ "fed": fed_as_json(&fed), "dead_letters": rebuilt.dead_letters, "replaced": replaced });
        println!("{told}");
        return Ok(());
    }
    println!("The store is new: {}.", fed_as_text(&fed));
    if rebuilt.dead_letters > 0 {
        println!("{} rows can never be stored and are dead letters.", rebuilt.dead_letters);
    }
    if let Some(replaced) = rebuilt.replaced {
        println!("The old one is {}; remove it when you are content.", replaced.display());
    }
    Ok(())
}

/// Forwards again.
pub fn replay(config: &Config, replay: &Replay) -> Result<(), Box<dyn Error>> {
    let _owned = queue::own(&DiskFs, &config.queue.dir)?;
    let store = app::open_store(config, &Clock::system()).map_err(|error| error.to_string())?;
    let letters = DeadLetters::new(config.dead_letters());
    let told = match replay.source {
        Source::DeadLetters => replay::dead_letters(&letters, &*store).map_err(Box::from).and_then(|replayed| {
            tell_letters(&replayed, &replay.output)?;
            if replayed.refused.is_empty() { Ok(()) } else { Err(StillRefused.into()) }
        }),
        Source::Archive => replay_archive(config, Arc::clone(&store), letters, &replay.output),
    };
    store.close()?;
    told
}

fn replay_archive(
    config: &Config,
    store: Arc<dyn Store>,
    letters: DeadLetters,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let files = feed::segments(config)?;
    let delivery = Delivery::new(store, letters, Arc::new(Progress::default()));
    let archive = config.archive.as_ref().map(|archive| archive.dir.as_path());
    let fed = feed::feed(&files, archive, &mut |records| delivery.deliver(records).map(|_| ()), &mut tell)?;
    finish_progress();
    if output.json {
        println!("{}", json!({ "fed": fed_as_json(&fed) }));
    } else {
        println!("Forwarded again: {}.", fed_as_text(&fed));
    }
    Ok(())
}

fn tell_letters(replayed: &Replayed, output: &Output) -> Result<(), Box<dyn Error>> {
    if output.json {
        println!("{}", serde_json::to_string(replayed)?);
        return Ok(());
    }
    println!("{} dead letters taken, {} still refused", replayed.taken, replayed.refused.len());
    for (file, reason) in &replayed.refused {
        println!("  {file}: {reason}");
    }
    Ok(())
}

fn fed_as_text(fed: &Fed) -> String {
    let mut text = format!("{} records of {} segments", fed.records, fed.segments);
    if fed.lost_records > 0 || fed.damaged_bytes > 0 {
        text.push_str(&format!("; {} records are missing, {} bytes damaged", fed.lost_records, fed.damaged_bytes));
    }
    text
}

fn fed_as_json(fed: &Fed) -> serde_json::Value {
    json!({
        "records": fed.records,
        "segments": fed.segments,
        "lost_records": fed.lost_records,
        "damaged_bytes": fed.damaged_bytes,
    })
}

/// Tells progress: on one line at a terminal, on some twenty lines in a log. Nobody to read it is no reason to stop.
fn tell(fed: &Fed) {
    let mut out = std::io::stderr();
    let text = format!("{} of {} segments, {} records", fed.segments, fed.of_segments, fed.records);
    if out.is_terminal() {
        let _ = write!(out, "\r{text}");
    } else if fed.segments.is_multiple_of(fed.of_segments.div_ceil(20).max(1)) {
        let _ = writeln!(out, "{text}");
    }
}

fn finish_progress() {
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
}
