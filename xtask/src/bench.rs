//! `cargo xtask bench`: how fast a part is. Each part has a benchmark of its own, which prints its figures.

use std::process::Command;

use crate::build::{Need, Prepared};
use crate::error::Result;
use crate::process::run;
use crate::progress::Sink;
use crate::workspace::Context;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a signal of a player costs.
    Tracker,
    /// What a playback costs its page.
    Sdk,
}

impl Part {
    /// The part of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "tracker" => Some(Self::Tracker),
            "sdk" => Some(Self::Sdk),
            _ => None,
        }
    }
}

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Of what.
    pub part: Part,
    /// For a program to read.
    pub json: bool,
    /// How often and how long, where that can be chosen: options of the benchmark itself.
    pub extent: Vec<String>,
}

/// Measures. What the benchmark prints on standard output is the result; the rest goes to standard error.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    let mut command = match options.part {
        Part::Tracker => context.cargo(&["bench", "--package", "quartile-tracker", "--bench", "signals", "--"]),
        Part::Sdk => sdk(context)?,
    };
    command.args(&options.extent);
    if options.json {
        command.arg("--json");
    }
    run(&mut command, Sink::Stdout)
}

/// A program of the browser tests, which needs what they need.
fn sdk(context: &Context) -> Result<Command> {
    Prepared::default().ensure_all(context, &[Need::Browser, Need::Collector])?;
    let mut command = context.program("node");
    command.args(["--import", "tsx", "bench/sdk.ts"]).current_dir(context.path("tests"));
    command.env("QUARTILE_BIN", context.collector_binary()?);
    Ok(command)
}
