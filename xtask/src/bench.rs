//! `cargo xtask bench`: how fast a part is. Each part has a benchmark of its own, which prints its figures.

use crate::error::Result;
use crate::process::run;
use crate::progress::Sink;
use crate::workspace::Context;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a signal of a player costs.
    Tracker,
}

impl Part {
    /// The part of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        (name == "tracker").then_some(Self::Tracker)
    }
}

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Of what.
    pub part: Part,
    /// For a program to read.
    pub json: bool,
}

/// Measures. What the benchmark prints on standard output is the result; the rest goes to standard error.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    let mut command = match options.part {
        Part::Tracker => context.cargo(&["bench", "--package", "quartile-tracker", "--bench", "signals", "--"]),
    };
    if options.json {
        command.arg("--json");
    }
    run(&mut command, Sink::Stdout)
}
