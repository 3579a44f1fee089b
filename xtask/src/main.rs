//! `cargo xtask`: how this product is set up, built, tested, measured and shown. `cargo xtask help` lists the commands.
//!
//! It depends on nothing but std and serde_json, so that it compiles in seconds. `build` knows what must be in place
//! before what; `setup` and `wasm` put it in place; `test`, `demo`, `bench` and `size` use it.

mod args;
mod bench;
mod build;
mod crash;
mod demo;
mod error;
mod fuzz;
mod http;
mod licenses;
mod process;
mod progress;
mod setup;
mod size;
mod static_server;
mod test;
mod wasm;
mod workspace;

use std::process::ExitCode;

use args::Command;
use progress::{Progress, Sink};
use workspace::Context;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match args::parse(&arguments) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("error: {problem}\n`cargo xtask help` shows what there is.");
            return ExitCode::from(2);
        }
    };
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error.to_string();
            // A failed test run has said all there is to say, and its total must stay the last line.
            if !text.is_empty() {
                eprintln!("error: {text}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Carries out a command.
fn run(command: &Command) -> error::Result<()> {
    let sink = match command {
        Command::Size { json: true } | Command::Bench(_) => Sink::Stderr,
        _ => Sink::Stdout,
    };
    let context = Context::find(Progress::new(sink))?;
    match command {
        Command::Help => {
            print!("{}", args::help());
            Ok(())
        }
        Command::Setup => setup::run_all(&context),
        Command::Build => build::run_all(&context),
        Command::Test(options) => test::run_all(&context, options),
        Command::Demo(options) => demo::run_all(&context, options),
        Command::Crash(options) => crash::run_all(&context, options),
        Command::Fuzz(options) => fuzz::run_all(&context, options),
        Command::Bench(options) => bench::run_all(&context, options),
        Command::BenchHelp => {
            print!("{}", args::BENCH_HELP);
            Ok(())
        }
        Command::Licenses => licenses::write(&context),
        Command::Size { json } => size::run_all(&context, *json),
    }
}
