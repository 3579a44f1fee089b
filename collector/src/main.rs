//! The binary `quartile`.

mod cli;

use std::error::Error;
use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request takes some hundred small pieces of memory, of which many are let go of by another thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quartile: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error with what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
