//! Lets the binary and its tests find the prebuilt DuckDB library.
fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if let (Ok(folder), true) =
        (std::env::var("CARGO_MANIFEST_DIR"), std::env::var_os("CARGO_FEATURE_DUCKDB").is_some())
    {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}/../.deps/duckdb");
    }
}
