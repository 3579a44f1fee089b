//! The command line.

use crate::bench;
use crate::demo;
use crate::fuzz;
use crate::test;

/// What the person who runs it is told.
pub const HELP: &str = "\
cargo xtask COMMAND: builds, tests and shows the product. Every command first puts in place what it needs.

  demo [--once] [--port N]   Start a collector with an empty store, serve an example page with a video, let 300
                             simulated viewers watch, print a report, and go on until Ctrl-C.
      --once                 Instead of going on, watch the example's clip in headless Chromium, wait for that viewing
                             to show up in the report, and end; fails when it does not.
      --port N               The collector's port (default 4600); the example page gets the next one.
  test [--only PART]... [--full]
                             Run all tests and lints, or some parts of them. Goes on after a failure; the last line is
                             `N passed, N failed`.
      --only PART            One of: PARTS
      --full                 Also what takes long (many more random cases, DuckDB compiled from source, every player in
                             every browser).
  crash [--rounds N] [--seed S] [--jobs N] [--verbose]
                             Kill, starve and damage a collector while simulated viewers post, and see whether it keeps
                             what it acknowledged (docs/reliability.md). A round takes some seconds; a failure prints
                             its seed.
  build                      Compile the SDK to WebAssembly, bundle the npm package, compile the collector.
  size [--json]              Measure what a page has to load against npm/size-budget.json. With --json, the last line
                             on standard output is the result and progress goes to standard error.
  fuzz [--seconds N] [TARGET]
                             Search, guided by coverage, for input that breaks something, N seconds (default 30) a target.
                             TARGET is one of: decode, agents, headers, queue.
  bench PART [--json]        Measure how fast a part is; `bench --help` tells the parts and what their figures mean.
  licenses                   Write the notices of third parties anew, after a change of dependencies.
  setup                      Only put in place what building and testing need: the WebAssembly target, npm packages,
                             the DuckDB library in .deps/duckdb, browsers, FFmpeg.
  help                       Show this.

A first change: `cargo xtask demo` to see it work, then `cargo xtask test --only PART` for the part you touch.
";

/// What the person is told who asks what can be measured.
pub const BENCH_HELP: &str = "\
cargo xtask bench PART [--json]: measures how fast a part is, in a release build.

  tracker   What each signal of a player costs the page that it plays on: nanoseconds and allocations, the median and the
            99th percentile of 4000 runs, on one core and without a browser. `timeupdate` is what happens four times a
            second in every view; it is to take less than 300 ns and to allocate nothing. The other lines are rarer:
            `request` is the one timeupdate in forty at which a request is written.
  sdk       What a playback of two minutes costs its page beyond what it costs without analytics, with Quartile and with
            mux-embed: time of the processor in the main thread, allocations, requests, bytes sent. The three play side by
            side, in a browser each, five times; it takes about a quarter of an hour.
      --rounds N, --seconds N    Other than five rounds of 120 seconds.
  ingest    What the collector takes in, beside a bare axum handler, nginx and Fastify: requests a second, latency, processor
            time, memory, and how many batches a second become rows (docs/reliability.md). The server has one core and the
            generator the other. `--rounds N` (default 3) and `--seconds N` (default 3) say how often and how long.

  --json    Print one object, alone on the last line of standard output; everything else goes to standard error. Of the
            tracker it has the members NAME_ns_p50, NAME_ns_p99, NAME_allocs and NAME_allocs_p99 for each line, of the SDK
            main_thread_ratio_to_mux, bytes_ratio_to_mux, requests and more.

A figure says something beside another one of the same machine in the same minute: measure both sides of a change, one
after the other and more than once, and compare. Nothing here passes or fails.
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Show the help.
    Help,
    /// Put in place what is needed.
    Setup,
    /// Build what ships.
    Build,
    /// Run tests.
    Test(test::Options),
    /// Show the product.
    Demo(demo::Options),
    /// Torture a collector.
    Crash(Vec<String>),
    /// Measure how fast a part is.
    Bench(bench::Options),
    /// Search for input that breaks something.
    Fuzz(fuzz::Options),
    /// Say what can be measured.
    BenchHelp,
    /// Write the notices of third parties.
    Licenses,
    /// Measure what ships.
    Size {
        /// For a program to read.
        json: bool,
    },
}

/// The help with the names of the parts of the tests.
pub fn help() -> String {
    HELP.replace("PARTS", &test::NAMES.join(", "))
}

/// Reads the arguments after the program's name; an error is what to tell the person.
pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let mut rest = arguments.iter().map(String::as_str);
    if arguments.iter().any(|argument| ["--help", "-h"].contains(&argument.as_str())) {
        return Ok(if rest.next() == Some("bench") { Command::BenchHelp } else { Command::Help });
    }
    let command = match rest.next() {
        None | Some("help") => Command::Help,
        Some("setup") => Command::Setup,
        Some("build") => Command::Build,
        Some("test") => Command::Test(test_options(&mut rest)?),
        Some("demo") => Command::Demo(demo_options(&mut rest)?),
        Some("crash") => Command::Crash(crash_options(&mut rest)?),
        Some("fuzz") => Command::Fuzz(fuzz::options(&mut rest)?),
        Some("bench") => bench_command(&mut rest)?,
        Some("licenses") => Command::Licenses,
        Some("size") => Command::Size { json: size_options(&mut rest)? },
        Some(other) => return Err(format!("there is no command `{other}`")),
    };
    match rest.next() {
        None => Ok(command),
        Some(extra) => Err(format!("unexpected argument `{extra}`")),
    }
}

fn test_options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<test::Options, String> {
    let mut options = test::Options::default();
    while let Some(argument) = rest.next() {
        match argument {
            "--full" => options.full = true,
            "--only" => {
                let part = rest.next().ok_or("--only needs the name of a part")?;
                if !test::NAMES.contains(&part) {
                    return Err(format!("there is no part `{part}`; there are: {}", test::NAMES.join(", ")));
                }
                options.only.push(part.to_owned());
            }
            other => return Err(format!("unexpected argument `{other}` of test")),
        }
    }
    Ok(options)
}

fn demo_options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<demo::Options, String> {
    let mut options = demo::Options::default();
    while let Some(argument) = rest.next() {
        match argument {
            "--once" => options.once = true,
            "--port" => {
                let port = rest.next().ok_or("--port needs a number")?;
                let number = port.parse().ok().filter(|number| (1..u16::MAX).contains(number));
                options.port = Some(number.ok_or_else(|| format!("`{port}` is no port from 1 to 65534"))?);
            }
            other => return Err(format!("unexpected argument `{other}` of demo")),
        }
    }
    Ok(options)
}

/// The options of the harness, which has the same.
fn crash_options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut options = Vec::new();
    while let Some(argument) = rest.next() {
        match argument {
            "--verbose" => options.push(argument.to_owned()),
            "--rounds" | "--seed" | "--jobs" => {
                let number = rest.next().and_then(|number| number.parse::<u64>().ok());
                let number = number.ok_or_else(|| format!("{argument} needs a number"))?;
                options.extend([argument.to_owned(), number.to_string()]);
            }
            other => return Err(format!("unexpected argument `{other}` of crash")),
        }
    }
    Ok(options)
}

fn bench_command<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<Command, String> {
    match rest.next() {
        Some("help") => Ok(Command::BenchHelp),
        Some(name) => bench::options(name, rest).map(Command::Bench),
        None => Err("bench needs the name of what to measure".to_owned()),
    }
}

fn size_options<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Result<bool, String> {
    match rest.next() {
        None => Ok(false),
        Some("--json") => Ok(true),
        Some(other) => Err(format!("unexpected argument `{other}` of size")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_and_their_options_are_read() {
        assert_eq!(parsed(""), Ok(Command::Help));
        assert_eq!(parsed("setup"), Ok(Command::Setup));
        assert_eq!(parsed("licenses"), Ok(Command::Licenses));
        assert_eq!(parsed("size --json"), Ok(Command::Size { json: true }));
        assert_eq!(
            parsed("test --only protocol --full --only e2e"),
            Ok(Command::Test(test::Options { only: vec!["protocol".into(), "e2e".into()], full: true }))
        );
        assert_eq!(
            parsed("demo --once --port 5000"),
            Ok(Command::Demo(demo::Options { once: true, port: Some(5000) }))
        );
        let tracker = |json| Ok(Command::Bench(bench::Options::Tracker { json }));
        let sdk = bench::Options::Sdk {
            json: true,
            extent: ["--rounds", "2", "--seconds", "30"].map(str::to_owned).to_vec(),
        };
        assert_eq!(parsed("bench sdk --rounds 2 --json --seconds 30"), Ok(Command::Bench(sdk)));
        assert_eq!((parsed("bench tracker"), parsed("bench tracker --json")), (tracker(false), tracker(true)));
        assert_eq!(parsed("bench --help"), Ok(Command::BenchHelp));
        assert_eq!(parsed("test --full --help"), Ok(Command::Help));
        let ingest = bench::ingest::Options { json: true, rounds: 20, seconds: 60 };
        let ingest = Command::Bench(bench::Options::Ingest(ingest));
        assert_eq!(parsed("bench ingest --json --rounds 20 --seconds 60"), Ok(ingest));
        let one = fuzz::Options { target: Some("queue"), seconds: 86_400 };
        assert_eq!(parsed("fuzz --seconds 86400 queue"), Ok(Command::Fuzz(one)));
        let options = ["--rounds", "7", "--seed", "42"].map(str::to_owned).to_vec();
        assert_eq!(parsed("crash --rounds 7 --seed 42"), Ok(Command::Crash(options)));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [
            ("deploy", "`deploy`"),
            ("setup now", "`now`"),
            ("test --only", "--only needs"),
            ("test --only everything", "`everything`"),
            ("test --fast", "`--fast`"),
            ("demo --port", "--port needs"),
            ("demo --port 65535", "`65535`"),
            ("demo --port 0", "`0`"),
            ("crash --rounds", "--rounds needs"),
            ("crash --seed x", "--seed needs"),
            ("crash --gently", "`--gently`"),
            ("bench", "bench needs"),
            ("bench everything", "`everything`"),
            ("bench tracker sdk", "`sdk`"),
            ("bench ingest --rounds 21", "up to 20"),
            ("bench ingest --seconds 0", "up to 60"),
            ("bench ingest --fast", "`--fast`"),
            ("fuzz everything", "`everything`"),
            ("fuzz --seconds 86401", "86400"),
            ("bench tracker --rounds 2", "`--rounds`"),
            ("bench sdk --seconds 0", "--seconds needs"),
            ("size --xml", "`--xml`"),
            ("size --json more", "`more`"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(named), "{line}: {error}");
        }
    }

    #[test]
    fn the_help_names_every_part() {
        for name in test::NAMES {
            assert!(help().contains(name), "{name}");
        }
    }
}
