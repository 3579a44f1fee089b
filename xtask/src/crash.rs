//! `cargo xtask crash`: does the collector keep what it acknowledges, whatever is done to it?

use std::process::Command;

use crate::build::{Need, Prepared};
use crate::error::Result;
use crate::process::run;
use crate::workspace::Context;

/// The package of the harness.
pub const PACKAGE: &str = "quartile-crash";

/// What the harness needs: it is linked with the collector.
pub const NEEDS: &[Need] = &[Need::Bundles, Need::DuckDb];

/// Runs the harness with these options.
pub fn run_all(context: &Context, options: &[String]) -> Result<()> {
    Prepared::default().ensure_all(context, NEEDS)?;
    let mut command = harness(context);
    run(command.args(options), context.progress.sink())
}

/// The harness, compiled if it is not.
pub fn harness(context: &Context) -> Command {
    context.cargo(&["run", "--quiet", "--package", PACKAGE, "--"])
}
