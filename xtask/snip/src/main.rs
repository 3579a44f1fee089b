//! Takes out of a compiled WebAssembly module what a page never needs, before the optimiser sees it.
//!
//! A crate of its own, since what it builds on takes a while to compile and `cargo xtask` itself should start in seconds.
//!
//! - `xtask-snip code LINKED OUTPUT`: of a module as the linker leaves it, one that imports nothing, exports only what a
//!   loader calls, and has traps in place of panics; for the optimiser to shorten.
//! - `xtask-snip data LINKED OPTIMISED OUTPUT`: of what the optimiser made of it, one without the data that only panics
//!   needed; `LINKED` has to be linked with `--emit-relocs`.

mod data;
mod snip;

use std::process::ExitCode;

use walrus::{Module, ModuleConfig};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["code", linked, output] => shorten_code(linked, output),
        ["data", linked, optimised, output] => shorten_data(linked, optimised, output),
        _ => {
            eprintln!("usage: xtask-snip code LINKED OUTPUT\n       xtask-snip data LINKED OPTIMISED OUTPUT");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// An error is one line with its causes.
fn shorten_code(linked: &str, output: &str) -> Result<(), String> {
    let mut module = read(linked)?;
    // The notes of the linker do not hold for what is written.
    let notes: Vec<_> = module.customs.iter().map(|(_, section)| section.name().to_owned()).collect();
    for name in notes {
        module.customs.remove_raw(&name);
    }
    let data: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    for id in data {
        module.data.get_mut(id).name = None;
    }
    snip::snip(&mut module);
    walrus::passes::gc::run(&mut module);
    if let Some(import) = module.imports.iter().next() {
        return Err(format!("{linked}: nobody provides the import {}", import.name));
    }
    write(&mut module, output)
}

fn shorten_data(linked: &str, optimised: &str, output: &str) -> Result<(), String> {
    let notes = std::fs::read(linked).map_err(|error| format!("{linked}: {error}"))?;
    let layout = data::Layout::read(&notes).map_err(|error| format!("{linked}: {error}"))?;
    let mut module = read(optimised)?;
    data::sweep(&layout, &mut module);
    write(&mut module, output)
}

fn read(path: &str) -> Result<Module, String> {
    ModuleConfig::new().generate_producers_section(false).parse_file(path).map_err(|error| format!("{path}: {error:#}"))
}

fn write(module: &mut Module, path: &str) -> Result<(), String> {
    module.emit_wasm_file(path).map_err(|error| format!("{path}: {error:#}"))
}
