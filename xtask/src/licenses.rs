//! `cargo xtask licenses`: the notices of what others wrote and the binary contains, in `collector/THIRD-PARTY-NOTICES`.
//! They come from what cargo knows of the collector's dependencies and from the files that these bring along; nothing is
//! asked of the network. The file is committed, so that building the collector needs no tools, and the lints hold it
//! against the dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Doing, Error, Result};
use crate::process::capture;
use crate::workspace::{Context, read_text};

/// Where the notices are, for `quartile licenses`.
const NOTICES: &str = "collector/THIRD-PARTY-NOTICES";

/// What release binaries run on. Other systems have fewer parts, or others that are like these.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// What is in the binary and no crate: its name, its licence, and where its text is.
const OTHERS: &[(&str, &str, &str)] = &[
    ("DuckDB", "MIT", "node_modules/@duckdb/node-bindings-linux-x64/LICENSE"),
    ("uap-core (patterns of user agents)", "Apache-2.0", "node_modules/uap-core/LICENSE"),
];

/// The text of C code within a crate, by the crate's name.
const WITHIN: &[(&str, &str)] = &[("zstd-sys", "zstd/LICENSE")];

/// One part of the binary.
struct Part {
    name: String,
    licence: String,
    texts: Vec<String>,
}

/// Writes the notices.
pub fn write(context: &Context) -> Result<()> {
    let path = context.path(NOTICES);
    fs::write(&path, notices(context)?).doing(|| format!("writing {}", path.display()))
}

/// An error when the notices are not those of the dependencies as they are.
pub fn check(context: &Context) -> Result<()> {
    if notices(context)? == read_text(&context.path(NOTICES))? {
        return Ok(());
    }
    Err(Error::new(format!("{NOTICES} is not up to date: run `cargo xtask licenses`")))
}

fn notices(context: &Context) -> Result<String> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM];
    let metadata = capture(&mut context.cargo(&arguments))?;
    let metadata: Value =
        serde_json::from_str(&metadata).doing(|| "reading what cargo tells of dependencies".into())?;
    let mut parts = Vec::new();
    for &(name, licence, file) in OTHERS {
        parts.push(Part { name: name.into(), licence: licence.into(), texts: vec![read_text(&context.path(file))?] });
    }
    let compiled = compiled_in(&metadata, "quartile-collector")?;
    for package in list(&metadata["packages"]) {
        // Our own have no source.
        if compiled.contains(text(&package["id"])) && !package["source"].is_null() {
            parts.push(crate_part(package)?);
        }
    }
    Ok(rendered(&parts))
}

/// The ids of all packages that `root` is compiled with: neither what only builds it nor what only tests it.
fn compiled_in<'a>(metadata: &'a Value, root: &str) -> Result<BTreeSet<&'a str>> {
    let packages = list(&metadata["packages"]);
    let root = packages.iter().find(|package| package["name"] == root);
    let root = root.ok_or_else(|| Error::new("cargo does not know the collector"))?;
    let nodes: BTreeMap<_, _> =
        list(&metadata["resolve"]["nodes"]).iter().map(|node| (text(&node["id"]), node)).collect();
    let (mut found, mut open) = (BTreeSet::new(), vec![text(&root["id"])]);
    while let Some(id) = open.pop() {
        if found.insert(id)
            && let Some(node) = nodes.get(id)
        {
            let is_compiled = |dep: &&Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            open.extend(list(&node["deps"]).iter().filter(is_compiled).map(|dep| text(&dep["pkg"])));
        }
    }
    Ok(found)
}

fn crate_part(package: &Value) -> Result<Part> {
    let folder = Path::new(text(&package["manifest_path"])).parent().unwrap_or(Path::new("")).to_owned();
    let name = text(&package["name"]);
    let mut files = licence_files(&folder)?;
    files.extend(WITHIN.iter().filter(|(within, _)| *within == name).map(|(_, file)| folder.join(file)));
    let texts = files.iter().map(|file| read_text(file)).collect::<Result<_>>()?;
    let licence = package["license"].as_str().unwrap_or("see its text").to_owned();
    Ok(Part { name: format!("{name} {}", text(&package["version"])), licence, texts })
}

/// The files with licences and notices; of several licences to choose from, MIT.
fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).doing(|| format!("reading {}", folder.display()))?;
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let begins = |name: &str, beginnings: &[&str]| beginnings.iter().any(|with| name.to_uppercase().starts_with(with));
    let licences: Vec<_> = names.iter().filter(|name| begins(name, &["LICEN", "COPYING", "UNLICENSE"])).collect();
    let mit = licences.iter().find(|name| name.to_uppercase().contains("MIT"));
    let chosen = mit.map_or(licences.clone(), |mit| vec![*mit]);
    let notices = names.iter().filter(|name| begins(name, &["NOTICE"]));
    Ok(chosen.into_iter().chain(notices).map(|name| folder.join(name)).filter(|path| path.is_file()).collect())
}

/// A list of the parts, and every text once, under the names of those it is of.
fn rendered(parts: &[Part]) -> String {
    let mut out = "Quartile contains these works of others.\n\n".to_owned();
    let mut texts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for part in parts {
        out.push_str(&format!("{}: {}\n", part.name, part.licence));
        for text in &part.texts {
            let lines: Vec<_> = text.lines().map(str::trim_end).collect();
            texts.entry(lines.join("\n").trim().to_owned()).or_default().push(&part.name);
        }
    }
    let mut by_names: Vec<_> = texts.into_iter().map(|(text, names)| (names.join(", "), text)).collect();
    by_names.sort();
    for (names, text) in by_names {
        out.push_str(&format!("\n{}\n{names}\n\n{text}\n", "=".repeat(80)));
    }
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_builds_or_tests_is_left_out() {
        let dep = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [{ "name": "root", "id": "r" }],
            "resolve": { "nodes": [
                { "id": "r", "deps": [dep("a", Value::Null), dep("b", json!("build")), dep("d", json!("dev"))] },
                { "id": "a", "deps": [dep("c", Value::Null), dep("a", Value::Null)] },
            ] },
        });
        let found: Vec<_> = compiled_in(&metadata, "root").unwrap().into_iter().collect();
        assert_eq!(found, ["a", "c", "r"]);
        assert!(compiled_in(&metadata, "other").is_err());
    }

    #[test]
    fn a_text_that_several_share_is_there_once() {
        let part = |name: &str, text: &str| Part { name: name.into(), licence: "MIT".into(), texts: vec![text.into()] };
        let text = rendered(&[part("one 1", "Do.\r\n"), part("two 2", "Do.\n\n"), part("three 3", "Do not.")]);
        assert_eq!(text.matches("Do.").count(), 1);
        assert!(text.contains("one 1, two 2\n\nDo.") && text.contains("three 3: MIT"), "{text}");
    }
}
