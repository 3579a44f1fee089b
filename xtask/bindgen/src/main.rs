//! Makes of a compiled WebAssembly module what the SDK's loader can call.
//!
//! The loader passes numbers and a few texts, and calls the exports itself: the generated glue, with its classes,
//! finalisers and fallbacks, would be more than twice as large.
//!
//! A crate of its own, since what it builds on takes a minute to compile and `cargo xtask` itself should start in seconds.
//! The version of the generator is pinned to that of the library, so that the two cannot drift apart.
//!
//! `xtask-bindgen INPUT.wasm OUTPUT_FOLDER NAME` writes `NAME_bg.wasm`, which imports nothing, and `NAME_bg.wasm.d.ts`,
//! the types of its exports, beside the glue that is not used.

mod snip;

use std::path::Path;
use std::process::ExitCode;

use walrus::{Module, ModuleConfig};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, name] = arguments.as_slice() else {
        eprintln!("usage: xtask-bindgen INPUT.wasm OUTPUT_FOLDER NAME");
        return ExitCode::from(2);
    };
    match generate(input, output, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the module of `input` into the folder `output`; an error is one line with its causes.
fn generate(input: &str, output: &str, name: &str) -> Result<(), String> {
    let said = |error| format!("{input}: {error:#}");
    let mut compiled = Module::from_file(input).map_err(said)?;
    // The standard library claims features of later versions that nothing here uses; the glue would rely on them.
    compiled.customs.remove_raw("target_features");
    let mut bindgen = Bindgen::new();
    bindgen
        .bundler(true)
        .map_err(said)?
        .input_module(name, compiled)
        .out_name(name)
        .typescript(true)
        .demangle(false)
        .remove_producers_section(true)
        .generate(output)
        .map_err(said)?;
    let bound = Path::new(output).join(format!("{name}_bg.wasm"));
    let mut module = ModuleConfig::new().generate_name_section(false).parse_file(&bound).map_err(said)?;
    snip::snip(&mut module);
    walrus::passes::gc::run(&mut module);
    if let Some(import) = module.imports.iter().next() {
        return Err(format!("{input}: nobody provides the import {}", import.name));
    }
    module.emit_wasm_file(&bound).map_err(said)
}
