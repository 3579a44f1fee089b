//! `cargo xtask fuzz`: a search, guided by coverage, for bytes that break a promise ([`fuzz/src/lib.rs`] says which).
//!
//! libFuzzer with the compiler's own instrumentation, on the stable toolchain: `-C passes=sancov-module` is what
//! `cargo fuzz` sets as well. The address sanitizer, which needs a nightly one, would watch code that has no `unsafe`.
//!
//! [`fuzz/src/lib.rs`]: ../../fuzz/src/lib.rs

use std::path::Path;

use crate::build::{Need, Prepared};
use crate::error::{Error, Result};
use crate::process::run;
use crate::workspace::{Context, make_folder};

/// What can be fuzzed; each has a corpus in `fuzz/corpus`.
pub const TARGETS: &[&str] = &["decode", "agents", "headers", "queue"];

/// What makes the compiler count which branches are taken and what is compared.
const INSTRUMENTED: &str = "-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
    -C llvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// The triple is named so that build scripts are not instrumented, which could not be linked.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What to search, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// One target, or all.
    pub target: Option<&'static str>,
    /// Seconds for each.
    pub seconds: u64,
}

/// Reads the arguments after `fuzz`.
pub fn options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> std::result::Result<Options, String> {
    let mut options = Options { target: None, seconds: 30 };
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().and_then(|number| number.parse().ok());
            let number = number.filter(|number| (1..=86_400).contains(number));
            options.seconds = number.ok_or("--seconds needs a number from 1 to 86400")?;
            continue;
        }
        let target = TARGETS.iter().find(|target| **target == argument);
        options.target =
            Some(target.ok_or(format!("there is no target `{argument}`; there are: {}", TARGETS.join(", ")))?);
    }
    Ok(options)
}

/// Fuzzes; an error at the first finding, whose input is kept.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    Prepared::default().ensure(context, Need::Bundles)?;
    let folder = context.target_folder()?.join("fuzz");
    let mut build = context.cargo(&["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", TRIPLE]);
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", INSTRUMENTED);
    context.progress.step("Compiling with instrumentation", || run(&mut build, context.progress.sink()))?;
    let wanted = TARGETS.iter().filter(|target| options.target.is_none_or(|wanted| wanted == **target));
    for target in wanted {
        let what = format!("Fuzzing {target} for {} s", options.seconds);
        context.progress.step(&what, || search(context, &folder, target, options.seconds))?;
    }
    Ok(())
}

fn search(context: &Context, folder: &Path, target: &str, seconds: u64) -> Result<()> {
    // What is found on the way is kept beside the committed corpus and not in it.
    let (grown, findings) = (folder.join("corpus").join(target), folder.join("findings"));
    make_folder(&grown)?;
    make_folder(&findings)?;
    let binary = folder.join(TRIPLE).join("release").join(target);
    let mut command = context.program(&binary.to_string_lossy());
    command.arg(&grown).arg(context.path("fuzz/corpus").join(target)).args([
        &format!("-max_total_time={seconds}"),
        &format!("-artifact_prefix={}/{target}-", findings.display()),
        "-max_len=4096",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
        "-verbosity=0",
    ]);
    run(&mut command, context.progress.sink()).map_err(|error| {
        Error::new(format!("{error}: the input is in {}; give it a name in fuzz/corpus/{target}", findings.display()))
    })
}
