//! The binary `quartile`.

mod cli;

use std::process::ExitCode;

use mimalloc::MiMalloc;
use quartile_collector::chain;

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
