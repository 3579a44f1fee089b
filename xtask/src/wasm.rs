//! The SDK from Rust to what the npm package inlines, in five steps: compile, take out what is not needed, optimise, take
//! out the data that is not needed then, and translate the result to JavaScript as well.
//!
//! `npm/generated/quartile.wasm` is then the optimised module, which imports nothing, and `translated.js` is the same for
//! pages that allow no WebAssembly.
//!
//! The module is built for the first version of WebAssembly and three small additions to it, which every browser has had
//! since 2021: it is smaller so.

use std::path::{Path, PathBuf};

use crate::error::{Doing, Error, Result};
use crate::process::run;
use crate::setup::WASM_TARGET;
use crate::workspace::{Context, make_folder, read_text};

/// Where the results go, for the npm package to read.
const OUTPUT: &str = "npm/generated";

/// What the npm package reads.
const MODULE: &str = "quartile.wasm";
const TRANSLATED: &str = "translated.js";
const RESULTS: [&str; 2] = [MODULE, TRANSLATED];

/// What LLVM and the standard library use even when asked for the first version, so the optimiser must accept it.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The first run: what LLVM left nested is made flat, and optimised twice.
const SHRINK: &[&str] = &["--flatten", "--rereloop", "-Oz", "-Oz", "--debuginfo"];

/// The last run, which also takes out what is not needed any more.
const STRIP: &[&str] = &["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"];

/// Instructions that the translator to JavaScript does not know, in those of the first version.
const OLDEN: &[&str] = &["--llvm-nontrapping-fptoint-lowering", "--signext-lowering", "-Oz"];

/// Brings `npm/generated/` up to date; quick when the compiled module has not changed.
pub fn build(context: &Context) -> Result<()> {
    let sink = context.progress.sink();
    let compiled = context.progress.step("Compiling the SDK to WebAssembly", || compile(context))?;
    let stamp = stamp_of(context, &compiled)?;
    let output = context.path(OUTPUT);
    if is_current(&output, &stamp) {
        context.progress.ready("WebAssembly module");
        return Ok(());
    }
    let scratch = compiled.with_file_name("quartile-generated");
    make_folder(&scratch)?;
    let file = |name: &str| scratch.join(name);
    let snip = |what: &str, inputs: &[&Path], output: &Path| {
        let mut command = context.cargo(&["run", "--quiet", "--package", "xtask-snip", "--", what]);
        run(command.args(inputs).arg(output), sink)
    };
    let binaryen = |tool: &str, options: &[&str], input: &Path, output: &Path| {
        let mut command = context.program(&format!("node_modules/.bin/{tool}"));
        run(command.args(options).args(FEATURES).arg(input).arg("-o").arg(output), sink)
    };
    context.progress.step("Taking out what is not needed", || snip("code", &[&compiled], &file("snipped.wasm")))?;
    context.progress.step("Shrinking the module", || {
        binaryen("wasm-opt", SHRINK, &file("snipped.wasm"), &file("shrunk.wasm"))?;
        snip("data", &[&compiled, &file("shrunk.wasm")], &file("swept.wasm"))?;
        binaryen("wasm-opt", STRIP, &file("swept.wasm"), &file(MODULE))
    })?;
    context.progress.step("Translating it to JavaScript", || {
        binaryen("wasm-opt", OLDEN, &file(MODULE), &file("olden.wasm"))?;
        binaryen("wasm2js", &["-Oz"], &file("olden.wasm"), &file(TRANSLATED))
    })?;
    hand_over(&scratch, &output, &stamp)
}

/// For the first version of WebAssembly, and without the home folder of whoever builds it in what ships.
fn rust_flags() -> String {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let hidden = home.map(|home| format!(" --remap-path-prefix={home}=cargo")).unwrap_or_default();
    let features = "+bulk-memory,+sign-ext,+nontrapping-fptoint";
    format!("-C target-cpu=mvp -C target-feature={features} -C link-arg=--emit-relocs{hidden}")
}

/// Compiles the SDK and returns the path of the module.
fn compile(context: &Context) -> Result<PathBuf> {
    let arguments = ["build", "--package", "quartile-sdk-wasm", "--profile", "wasm", "--target", WASM_TARGET];
    run(context.cargo(&arguments).env("RUSTFLAGS", rust_flags()), context.progress.sink())?;
    let module = context.target_folder()?.join(WASM_TARGET).join("wasm/quartile_sdk_wasm.wasm");
    if module.is_file() { Ok(module) } else { Err(Error::new(format!("cargo made no {}", module.display()))) }
}

/// What the results depend on, as a line of text: the module, the optimiser's options and the versions of the tools.
fn stamp_of(context: &Context, compiled: &Path) -> Result<String> {
    let module = std::fs::read(compiled).doing(|| format!("reading {}", compiled.display()))?;
    let tools = [
        read_text(&context.path("xtask/snip/src/main.rs"))?,
        read_text(&context.path("xtask/snip/src/snip.rs"))?,
        read_text(&context.path("xtask/snip/src/data.rs"))?,
        read_text(&context.path("node_modules/binaryen/package.json"))?,
        read_text(&context.path("Cargo.toml"))?,
        include_str!("wasm.rs").to_owned(),
    ];
    Ok(format!("{} {:016x} {:016x}\n", module.len(), fnv(&module), fnv(tools.concat().as_bytes())))
}

/// The 64-bit FNV-1a hash: enough to notice a change.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Whether the results were made from exactly what `stamp` says and are all there.
fn is_current(output: &Path, stamp: &str) -> bool {
    let whole = RESULTS.iter().all(|name| output.join(name).is_file());
    whole && std::fs::read_to_string(output.join("stamp")).is_ok_and(|written| written == stamp)
}

/// Copies the results to where the npm package reads them; the stamp last, so that an interruption is noticed.
fn hand_over(scratch: &Path, output: &Path, stamp: &str) -> Result<()> {
    let doing = || format!("writing {}", output.display());
    if output.exists() {
        std::fs::remove_dir_all(output).doing(doing)?;
    }
    make_folder(output)?;
    for name in RESULTS {
        std::fs::copy(scratch.join(name), output.join(name)).doing(doing)?;
    }
    std::fs::write(output.join("stamp"), stamp).doing(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn results_are_current_only_when_whole_and_of_the_same_stamp() {
        let folder = std::env::temp_dir().join(format!("xtask-wasm-{}", std::process::id()));
        let (scratch, output) = (folder.join("scratch"), folder.join("output"));
        std::fs::create_dir_all(&scratch).unwrap();
        for name in RESULTS {
            std::fs::write(scratch.join(name), name).unwrap();
        }
        assert!(!is_current(&output, "1"));
        hand_over(&scratch, &output, "1").unwrap();
        assert!(is_current(&output, "1"));
        assert!(!is_current(&output, "2"));
        std::fs::remove_file(output.join(TRANSLATED)).unwrap();
        assert!(!is_current(&output, "1"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
