//! `cargo xtask test`: every part of the product's tests, its formatting and its lints, in one run with one total.
//!
//! A part that fails does not stop the ones after it. Nothing is skipped in silence: a part that executed no test, or
//! whose preparation failed, counts as one failure. The very last line is `N passed, N failed`.

mod parts;
mod totals;

use crate::build::Prepared;
use crate::error::{Error, Result};
use crate::process::{run, shown, watch};
use crate::progress::{human, now};
use crate::workspace::Context;

pub use parts::NAMES;
use parts::{PARTS, Part};
use totals::Totals;

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The names of the wanted parts; empty means all.
    pub only: Vec<String>,
    /// Also what takes long.
    pub full: bool,
}

/// How a part ended.
#[derive(Debug)]
enum Outcome {
    /// It ran, whatever the result.
    Ran(Totals),
    /// What it needs is not part of every machine, and it is not among the tests that count.
    NotRun(&'static str),
}

/// Runs one part's tests and checks and counts them.
#[derive(Debug)]
struct Runner<'a> {
    context: &'a Context,
    full: bool,
    totals: Totals,
    failures: Vec<String>,
}

impl Runner<'_> {
    /// A command that passes or fails as a whole.
    fn check(&mut self, mut command: std::process::Command) {
        let passed = run(&mut command, self.context.progress.sink());
        self.totals += Totals::one(passed.is_ok());
        self.failures.extend(passed.err().map(|error| error.to_string()));
    }

    /// A check that these tools do themselves.
    fn examine(&mut self, examined: Result<()>) {
        self.totals += Totals::one(examined.is_ok());
        self.failures.extend(examined.err().map(|error| error.to_string()));
    }

    /// A check that failed before there was a command to run.
    fn fail(&mut self, what: String) {
        self.totals += Totals::one(false);
        self.failures.push(what);
    }

    /// A test runner, whose own count is taken. One that fails without counting a failure (it did not compile, it was
    /// ended by a signal) counts as one.
    fn suite(&mut self, mut command: std::process::Command) {
        let mut totals = Totals::default();
        if self.full {
            command.env("QUARTILE_TEST_FULL", "1").env("PROPTEST_CASES", "4096");
        }
        let status = watch(&mut command, |line| {
            totals.read_line(line);
            self.context.progress.say(line);
        });
        let problem = match status {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("`{}` ended with {status}", shown(&command))),
            Err(error) => Some(error.to_string()),
        };
        if problem.is_some() && totals.failed == 0 {
            totals.failed = 1;
        }
        self.totals += totals;
        self.failures.extend(problem);
    }
}

/// Runs the wanted parts; an error when anything failed.
pub fn run_all(context: &Context, options: &Options) -> Result<()> {
    let begun = now();
    let mut prepared = Prepared::default();
    let mut all = Totals::default();
    let mut summary = Vec::new();
    for part in PARTS.iter().filter(|part| is_wanted(part, options)) {
        context.progress.say(&format!("\n═══ {} ═══ {} ({} so far)", part.name, part.about, human(begun.elapsed())));
        let part_begun = now();
        let (outcome, failures) = run_part(context, part, options, &mut prepared);
        let outcome = insist(outcome, !options.only.is_empty());
        if let Outcome::Ran(totals) = outcome {
            all += totals;
        }
        summary.push(summary_line(part.name, &outcome, &human(part_begun.elapsed()), &failures));
    }
    context.progress.say(&format!("\n═══ summary ═══ {}", human(begun.elapsed())));
    summary.iter().for_each(|line| context.progress.say(line));
    context.progress.say(&format!("{} passed, {} failed", all.passed, all.failed));
    if all.failed == 0 { Ok(()) } else { Err(Error::new("")) }
}

/// Whether a part was asked for.
fn is_wanted(part: &Part, options: &Options) -> bool {
    options.only.is_empty() || options.only.iter().any(|name| name == part.name)
}

/// Prepares and runs one part.
fn run_part(context: &Context, part: &Part, options: &Options, prepared: &mut Prepared) -> (Outcome, Vec<String>) {
    if let Err(error) = prepared.ensure_all(context, part.needs) {
        context.progress.say(&format!("cannot run: {error}"));
        return (Outcome::Ran(Totals::one(false)), vec![format!("cannot run: {error}")]);
    }
    let mut runner = Runner { context, full: options.full, totals: Totals::default(), failures: Vec::new() };
    if let Some(reason) = (part.run)(&mut runner) {
        context.progress.say(&format!("not run: {reason}"));
        return (Outcome::NotRun(reason), Vec::new());
    }
    if runner.totals.executed() == 0 {
        runner.fail("no test was executed".into());
    }
    (Outcome::Ran(runner.totals), runner.failures)
}

/// What was asked for by name must run.
fn insist(outcome: Outcome, by_name: bool) -> Outcome {
    match outcome {
        Outcome::NotRun(_) if by_name => Outcome::Ran(Totals::one(false)),
        other => other,
    }
}

/// One part in the summary, with what went wrong below it.
fn summary_line(name: &str, outcome: &Outcome, time: &str, failures: &[String]) -> String {
    let line = match outcome {
        Outcome::Ran(Totals { passed, failed }) => {
            let mark = if *failed == 0 { '✓' } else { '✗' };
            format!("{mark} {name:<10} {passed:>5} passed {failed:>4} failed   {time}")
        }
        Outcome::NotRun(reason) => format!("– {name:<10} not run: {reason}"),
    };
    failures.iter().fold(line, |line, failure| format!("{line}\n      {failure}"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::progress::{Progress, Sink};

    fn with_runner(work: impl FnOnce(&mut Runner<'_>)) -> (Totals, Vec<String>) {
        let context = Context::find(Progress::new(Sink::Nowhere)).unwrap();
        let mut runner = Runner { context: &context, full: false, totals: Totals::default(), failures: Vec::new() };
        work(&mut runner);
        (runner.totals, runner.failures)
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn counted_failures_are_not_counted_twice() {
        let (totals, failures) = with_runner(|runner| {
            runner.suite(shell("echo 'test result: FAILED. 4 passed; 2 failed; 0 ignored'; exit 101"));
        });
        assert_eq!(totals, Totals { passed: 4, failed: 2 });
        assert_eq!(failures.len(), 1);
    }

    #[test]
    fn a_runner_that_dies_uncounted_is_one_failure() {
        let (totals, _) = with_runner(|runner| {
            runner.suite(shell("echo 'test result: ok. 4 passed; 0 failed'; exit 1"));
        });
        assert_eq!(totals, Totals { passed: 4, failed: 1 });
        let (totals, failures) = with_runner(|runner| runner.suite(Command::new("/nowhere/to/be/found")));
        assert_eq!(totals, Totals { passed: 0, failed: 1 });
        assert!(failures[0].starts_with("starting found"), "{failures:?}");
    }

    #[test]
    fn a_check_counts_as_one() {
        let (totals, _) = with_runner(|runner| {
            runner.check(shell("exit 0"));
            runner.check(shell("exit 1"));
        });
        assert_eq!(totals, Totals { passed: 1, failed: 1 });
    }

    #[test]
    fn a_part_without_a_test_fails() {
        let context = Context::find(Progress::new(Sink::Nowhere)).unwrap();
        let part = Part { name: "empty", about: "", needs: &[], run: |_| None };
        let (outcome, failures) = run_part(&context, &part, &Options::default(), &mut Prepared::default());
        assert!(matches!(outcome, Outcome::Ran(Totals { passed: 0, failed: 1 })));
        assert_eq!(failures, ["no test was executed"]);
    }

    #[test]
    fn a_part_that_cannot_run_counts_only_when_it_was_asked_for() {
        assert!(matches!(insist(Outcome::NotRun("absent"), false), Outcome::NotRun(_)));
        assert!(matches!(insist(Outcome::NotRun("absent"), true), Outcome::Ran(Totals { passed: 0, failed: 1 })));
    }
}
