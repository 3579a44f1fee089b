//! `cargo xtask bench`: how fast a part is, and how heavy. Progress goes to standard error, the result to standard output.

pub mod ingest;

use std::process::Command;

use crate::build::{Need, Prepared};
use crate::error::Result;
use crate::process::run;
use crate::progress::Sink;
use crate::workspace::Context;

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    /// What a signal of a player costs.
    Tracker {
        /// For a program to read.
        json: bool,
    },
    /// What a playback costs its page.
    Sdk {
        /// For a program to read.
        json: bool,
        /// How often and how long, in options of the benchmark itself.
        extent: Vec<String>,
    },
    /// What the collector takes in.
    Ingest(ingest::Options),
}

/// Measures.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    match options {
        Options::Tracker { json } => finish(tracker(context), *json),
        Options::Sdk { json, extent } => finish(sdk(context, extent)?, *json),
        Options::Ingest(options) => ingest::run_all(context, options),
    }
}

/// A benchmark that prints its result itself.
fn finish(mut benchmark: Command, json: bool) -> Result<()> {
    if json {
        benchmark.arg("--json");
    }
    run(&mut benchmark, Sink::Stdout)
}

fn tracker(context: &Context) -> Command {
    context.cargo(&["bench", "--package", "quartile-tracker", "--bench", "signals", "--"])
}

/// A program of the browser tests, which needs what they need.
fn sdk(context: &Context, extent: &[String]) -> Result<Command> {
    Prepared::default().ensure_all(context, &[Need::Browser, Need::Collector])?;
    let mut command = context.program("node");
    command.args(["--import", "tsx", "bench/sdk.ts"]).args(extent).current_dir(context.path("tests"));
    command.env("QUARTILE_BIN", context.collector_binary()?);
    Ok(command)
}

/// Reads the arguments after `bench` and the name of a part.
pub fn options<'a>(name: &str, rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    match name {
        "tracker" => tracker_options(rest),
        "sdk" => sdk_options(rest),
        "ingest" => ingest::options(rest).map(Options::Ingest),
        other => Err(format!("`{other}` is nothing that bench can measure")),
    }
}

fn tracker_options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    let mut json = false;
    for argument in rest {
        match argument {
            "--json" => json = true,
            other => return Err(format!("unexpected argument `{other}` of bench tracker")),
        }
    }
    Ok(Options::Tracker { json })
}

fn sdk_options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    let (mut json, mut extent) = (false, Vec::new());
    while let Some(argument) = rest.next() {
        match argument {
            "--json" => json = true,
            "--rounds" | "--seconds" => {
                let number = rest.next().and_then(|number| number.parse::<u32>().ok()).filter(|number| *number > 0);
                let number = number.ok_or_else(|| format!("{argument} needs a number above 0"))?;
                extent.extend([argument.to_owned(), number.to_string()]);
            }
            other => return Err(format!("unexpected argument `{other}` of bench sdk")),
        }
    }
    Ok(Options::Sdk { json, extent })
}
