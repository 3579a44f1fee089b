//! What the collector is built around and what may be missing: the DuckDB library, the SDK's bundle, the user-agent
//! patterns. Each absence stops the build with the command that cures it.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    if env::var_os("CARGO_FEATURE_DUCKDB").is_some() && env::var_os("CARGO_FEATURE_BUNDLED").is_none() {
        link_duckdb(&root)?;
    }
    for name in ["quartile.js", "quartile.core.js"] {
        let bundle = root.join("npm/dist").join(name);
        require(&bundle, "cargo xtask build")?;
        compress(&fs::read(&bundle)?, name)?;
    }
    let notices = root.join("collector/THIRD-PARTY-NOTICES");
    require(&notices, "cargo xtask licenses")?;
    gzip(&fs::read(&notices)?, "THIRD-PARTY-NOTICES")?;
    user_agent_patterns(&root)
}

/// Writes what is served often in the codings that browsers understand, as small as they can be.
fn compress(bytes: &[u8], name: &str) -> Result<(), Box<dyn Error>> {
    gzip(bytes, name)?;
    let mut brotli = Vec::new();
    let settings = BrotliEncoderParams { quality: 11, size_hint: bytes.len(), ..BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut brotli, &settings)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join(format!("{name}.br")), brotli)?;
    Ok(())
}

fn gzip(bytes: &[u8], name: &str) -> Result<(), Box<dyn Error>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join(format!("{name}.gz")), gzip.finish()?)?;
    Ok(())
}

/// Stops the build, saying what to run, where `path` is missing; asks for a new build when it changes.
fn require(path: &Path, command: &str) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.exists() { Ok(()) } else { Err(format!("{} is missing: run `{command}`", path.display()).into()) }
}

/// Lets the binary and the tests find the prebuilt library wherever they are started from.
fn link_duckdb(root: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let folder = env::var_os("DUCKDB_LIB_DIR").map_or_else(|| root.join(".deps/duckdb"), PathBuf::from);
    let library = if env::var("CARGO_CFG_TARGET_OS")? == "macos" { "libduckdb.dylib" } else { "libduckdb.so" };
    require(&folder.join(library), "cargo xtask setup")?;
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.canonicalize()?.display());
    Ok(())
}

/// Turns the patterns of the npm package `uap-core` (Apache-2.0) from YAML into JSON, which is read faster at start and
/// needs no further crate in the binary.
fn user_agent_patterns(root: &Path) -> Result<(), Box<dyn Error>> {
    let source = root.join("node_modules/uap-core/regexes.yaml");
    require(&source, "cargo xtask setup")?;
    let documents = YamlLoader::load_from_str(&fs::read_to_string(&source)?)?;
    let document = documents.first().ok_or("uap-core/regexes.yaml is empty")?;
    let target = PathBuf::from(env::var("OUT_DIR")?).join("user_agents.json");
    fs::write(target, serde_json::to_vec(&json(document)?)?)?;
    Ok(())
}

fn json(yaml: &Yaml) -> Result<Value, Box<dyn Error>> {
    Ok(match yaml {
        Yaml::Array(list) => Value::Array(list.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Hash(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                let name = name.as_str().ok_or("uap-core/regexes.yaml has a name that is no text")?;
                object.insert(name.to_owned(), json(value)?);
            }
            Value::Object(object)
        }
        // Replacements such as `10` are texts to whoever reads the patterns.
        Yaml::String(text) | Yaml::Real(text) => Value::String(text.clone()),
        Yaml::Integer(number) => Value::String(number.to_string()),
        other => return Err(format!("uap-core/regexes.yaml has {other:?}, which is not expected there").into()),
    })
}
