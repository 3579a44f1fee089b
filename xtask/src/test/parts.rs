//! The parts of the tests: a table of what each needs and how it is run.

use std::process::{Command, Stdio};

use crate::build::{Need, files_under};
use crate::crash;
use crate::licenses;
use crate::setup::WASM_TARGET;
use crate::test::Runner;
use crate::workspace::{Context, read_json};

/// One part of the tests.
#[derive(Debug)]
pub struct Part {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, for people.
    pub about: &'static str,
    /// What must be in place before.
    pub needs: &'static [Need],
    /// Runs it; a reason when it did not run and is not among the tests that count.
    pub run: fn(&mut Runner<'_>) -> Option<&'static str>,
}

/// The names of all parts, in order.
pub const NAMES: [&str; PARTS.len()] = {
    let mut names = [""; PARTS.len()];
    let mut index = 0;
    while index < PARTS.len() {
        names[index] = PARTS[index].name;
        index += 1;
    }
    names
};

/// All parts in the order they run: what is quick to fail comes first.
pub const PARTS: &[Part] = &[
    Part { name: "format", about: "is everything formatted?", needs: &[Need::Toolchain], run: format },
    Part { name: "tools", about: "these tools themselves", needs: &[], run: tools },
    Part { name: "protocol", about: "what travels", needs: &[], run: |runner| cargo_test(runner, "quartile-protocol") },
    Part {
        name: "tracker",
        about: "what the SDK decides",
        needs: &[],
        run: |runner| cargo_test(runner, "quartile-tracker"),
    },
    Part {
        name: "simulator",
        about: "viewers without a browser",
        needs: &[],
        run: |runner| cargo_test(runner, "quartile-simulator"),
    },
    Part {
        name: "sdk",
        about: "the tracker behind numbers, also compiled for browsers",
        needs: &[Need::Toolchain],
        run: sdk,
    },
    Part {
        name: "collector",
        about: "the collector with its store",
        needs: &[Need::Bundles, Need::DuckDb],
        run: collector,
    },
    Part {
        name: "nginx",
        about: "behind a proxy as behind a delivery network",
        needs: &[Need::Bundles, Need::DuckDb],
        run: nginx,
    },
    Part { name: "crash", about: "does it keep what it acknowledges?", needs: crash::NEEDS, run: crash_rounds },
    Part {
        name: "lint",
        about: "Clippy, the types of TypeScript, the notices of third parties",
        needs: &[Need::Bundles, Need::DuckDb],
        run: lint,
    },
    Part { name: "deny", about: "licences and sources of what we depend on", needs: &[], run: deny },
    Part { name: "npm", about: "the npm package", needs: &[Need::Bundles], run: npm },
    Part {
        name: "e2e",
        about: "a browser, a player, a collector",
        needs: &[Need::Browser, Need::Media, Need::Collector],
        run: e2e,
    },
    Part {
        name: "browsers",
        about: "players in browsers of three engines",
        needs: &[Need::Browser, Need::Engines, Need::Media, Need::Collector],
        run: browsers,
    },
];

/// The folders whose TypeScript is checked and tested, from the workspaces that the root `package.json` names.
fn npm_workspaces(context: &Context) -> Result<Vec<String>, String> {
    let manifest = read_json(&context.path("package.json")).map_err(|error| error.to_string())?;
    let names = manifest["workspaces"].as_array().ok_or("package.json names no workspaces")?;
    Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// `cargo test` of one package, every test program of it even if one fails.
fn test_command(context: &Context, package: &str) -> Command {
    context.cargo(&["test", "--package", package, "--no-fail-fast"])
}

fn cargo_test(runner: &mut Runner<'_>, package: &str) -> Option<&'static str> {
    let mut command = test_command(runner.context, package);
    command.arg("--all-features");
    runner.suite(command);
    None
}

fn format(runner: &mut Runner<'_>) -> Option<&'static str> {
    runner.check(runner.context.cargo(&["fmt", "--all", "--check"]));
    None
}

fn tools(runner: &mut Runner<'_>) -> Option<&'static str> {
    runner.suite(test_command(runner.context, "xtask"));
    None
}

/// The boundary has few tests of its own that need no browser; that it compiles for browsers is checked in any case.
fn sdk(runner: &mut Runner<'_>) -> Option<&'static str> {
    runner.check(runner.context.cargo(&["check", "--package", "quartile-sdk-wasm", "--target", WASM_TARGET]));
    runner.suite(test_command(runner.context, "quartile-sdk-wasm"));
    None
}

/// `--full` repeats the tests with DuckDB compiled from source, which takes over twenty minutes the first time.
fn collector(runner: &mut Runner<'_>) -> Option<&'static str> {
    runner.suite(test_command(runner.context, "quartile-collector"));
    if runner.full {
        let mut command = test_command(runner.context, "quartile-collector");
        command.args(["--features", "bundled"]);
        runner.suite(command);
    }
    None
}

/// Three rounds of the harness, which counts each as a test; `--full` has a hundred.
fn crash_rounds(runner: &mut Runner<'_>) -> Option<&'static str> {
    runner.suite(test_command(runner.context, crash::PACKAGE));
    let mut command = crash::harness(runner.context);
    command.args(["--rounds", if runner.full { "100" } else { "3" }]);
    runner.suite(command);
    None
}

fn lint(runner: &mut Runner<'_>) -> Option<&'static str> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    runner.check(runner.context.cargo(&arguments));
    match npm_workspaces(runner.context) {
        Ok(folders) => {
            for folder in folders {
                runner.check(runner.context.npm(&["run", "typecheck", "--workspace", &folder]));
            }
        }
        Err(error) => runner.fail(error),
    }
    runner.examine(licenses::check(runner.context));
    None
}

/// These tests are ignored by `cargo test`, because they need a program that is not of this project.
fn nginx(runner: &mut Runner<'_>) -> Option<&'static str> {
    let mut probe = Command::new("nginx");
    let installed = probe.arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !installed {
        return Some("nginx is not installed (Debian: `apt-get install nginx`)");
    }
    let mut command = test_command(runner.context, "quartile-collector");
    command.args(["--test", "nginx", "--", "--ignored"]);
    runner.suite(command);
    None
}

/// Advisories are left out: they need a database from outside the registries.
fn deny(runner: &mut Runner<'_>) -> Option<&'static str> {
    let mut probe = runner.context.cargo(&["deny", "--version"]);
    let installed = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !installed {
        return Some("cargo-deny is not installed (`cargo install cargo-deny`)");
    }
    runner.check(runner.context.cargo(&["deny", "check", "bans", "licenses", "sources"]));
    None
}

fn npm(runner: &mut Runner<'_>) -> Option<&'static str> {
    runner.suite(runner.context.npm(&["test", "--workspace", "npm"]));
    None
}

/// Every TypeScript file in `tests/specs` is a spec: a misnamed one cannot be left out by accident. Two at a time,
/// because each drives a browser.
fn e2e(runner: &mut Runner<'_>) -> Option<&'static str> {
    let folder = runner.context.path("tests");
    let mut specs: Vec<_> = files_under(&folder.join("specs"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "ts"))
        .collect();
    specs.sort();
    if specs.is_empty() {
        runner.fail("there is no spec in tests/specs".into());
        return None;
    }
    let mut command = runner.context.program("node");
    command.args(["--import", "tsx", "--test", "--test-reporter=spec", "--test-concurrency=2"]);
    command.args(specs).current_dir(folder);
    with_collector(runner, command);
    None
}

/// A sample of the matrix of engines, players and scenarios; `--full` has all of it, which takes up to an hour.
fn browsers(runner: &mut Runner<'_>) -> Option<&'static str> {
    let mut command = runner.context.program("node");
    command.args(["--import", "tsx", "matrix/main.ts"]).current_dir(runner.context.path("tests"));
    if runner.full {
        command.arg("--full");
    }
    with_collector(runner, command);
    None
}

/// A test runner that starts the collector that was built.
fn with_collector(runner: &mut Runner<'_>, mut command: Command) {
    match runner.context.collector_binary() {
        Ok(binary) => {
            command.env("QUARTILE_BIN", binary);
            runner.suite(command);
        }
        Err(error) => runner.fail(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{Progress, Sink};

    #[test]
    fn names_are_unique() {
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PARTS.len());
    }

    #[test]
    fn the_workspaces_of_npm_are_known() {
        let context = Context::find(Progress::new(Sink::Nowhere)).unwrap();
        let folders = npm_workspaces(&context).unwrap();
        assert!(folders.contains(&"npm".to_owned()) && folders.contains(&"tests".to_owned()), "{folders:?}");
    }
}
