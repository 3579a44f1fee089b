//! `cargo xtask bench`: how fast and how heavy it is.

pub mod ingest;

use crate::error::Result;
use crate::workspace::Context;

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    /// What the collector takes in.
    Ingest(ingest::Options),
}

impl Options {
    /// Whether the result is for a program to read.
    pub fn json(&self) -> bool {
        match self {
            Self::Ingest(options) => options.json,
        }
    }
}

/// Measures.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    match options {
        Options::Ingest(options) => ingest::run_all(context, options),
    }
}

/// Reads the arguments after `bench`.
pub fn options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    match rest.next() {
        Some("ingest") => ingest::options(rest).map(Options::Ingest),
        Some(other) => Err(format!("there is no bench `{other}`; there is: ingest")),
        None => Err("bench needs the name of one: ingest".to_owned()),
    }
}
