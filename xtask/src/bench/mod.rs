//! `cargo xtask bench`: how fast a part is, and how heavy. Progress goes to standard error, the result to standard output.

pub mod ingest;

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
    /// What the collector takes in.
    Ingest(ingest::Options),
}

/// Measures.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    match options {
        Options::Tracker { json } => tracker(context, *json),
        Options::Ingest(options) => ingest::run_all(context, options),
    }
}

/// The benchmark of the package prints the result itself.
fn tracker(context: &Context, json: bool) -> Result<()> {
    let mut command = context.cargo(&["bench", "--package", "quartile-tracker", "--bench", "signals", "--"]);
    if json {
        command.arg("--json");
    }
    run(&mut command, Sink::Stdout)
}

/// Reads the arguments after `bench` and the name of a part.
pub fn options<'a>(name: &str, rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    match name {
        "tracker" => tracker_options(rest),
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
