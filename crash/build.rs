//! Lets this program and its tests find the prebuilt DuckDB library, as the collector's build script does for its own.

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let folder = env::var_os("DUCKDB_LIB_DIR").map_or_else(|| workspace.join(".deps/duckdb"), PathBuf::from);
    let folder =
        folder.canonicalize().map_err(|error| format!("{}: {error}: run `cargo xtask setup`", folder.display()))?;
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
    Ok(())
}
