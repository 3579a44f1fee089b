//! `cargo xtask size`: what a page has to load, against the budget in `npm/size-budget.json`.

use serde_json::Value;

use crate::build::{Need, Prepared};
use crate::error::{Doing, Error, Result};
use crate::process::capture;
use crate::workspace::Context;

/// What ships and how large it may be.
const BUDGET: &str = "npm/size-budget.json";

/// One file that ships, in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
    budget: u64,
}

/// Builds and measures; as a table, or as one line of JSON on standard output. An error when a file is over its budget.
pub fn run_all(context: &Context, json: bool) -> Result<()> {
    Prepared::default().ensure(context, Need::Bundles)?;
    let measured = capture(context.program("node").args(["xtask/size.mjs", BUDGET]))?;
    let entries = parse(measured.trim())?;
    if json {
        println!("{}", measured.trim());
    } else {
        print!("\n{}", table(&entries));
    }
    let over: Vec<String> = entries.iter().filter_map(excess).collect();
    if over.is_empty() { Ok(()) } else { Err(Error::new(over.join("\n"))) }
}

/// The entries in what the measuring script printed.
fn parse(text: &str) -> Result<Vec<Entry>> {
    let measured: Value = serde_json::from_str(text).doing(|| "reading the measured sizes".into())?;
    let entry = |value: &Value| {
        let number = |key: &str| value[key].as_u64();
        Some(Entry {
            name: value["name"].as_str()?.to_owned(),
            raw: number("raw")?,
            gzip: number("gzip")?,
            brotli: number("brotli")?,
            budget: number("budget")?,
        })
    };
    let entries: Option<Vec<Entry>> = measured["entries"].as_array().and_then(|all| all.iter().map(entry).collect());
    entries
        .filter(|entries| !entries.is_empty())
        .ok_or_else(|| Error::new(format!("{BUDGET} names no entry, or one without name, file and brotli: {text}")))
}

/// Says by how much an entry is too large, if it is.
fn excess(entry: &Entry) -> Option<String> {
    let over = entry.brotli.checked_sub(entry.budget).filter(|over| *over > 0)?;
    Some(format!("{} is {over} bytes over its budget of {} bytes (brotli)", entry.name, entry.budget))
}

/// The entries as a table for people.
fn table(entries: &[Entry]) -> String {
    let mut text =
        format!("{:<20} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "bytes", "raw", "gzip", "brotli", "budget", "left");
    for Entry { name, raw, gzip, brotli, budget } in entries {
        let left = i128::from(*budget) - i128::from(*brotli);
        text += &format!("{name:<20} {raw:>9} {gzip:>9} {brotli:>9} {budget:>9} {left:>9}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(brotli: u64, budget: u64) -> Entry {
        Entry { name: "quartile".into(), raw: 40_000, gzip: 18_000, brotli, budget }
    }

    #[test]
    fn sizes_are_read_from_the_script() {
        let text = r#"{"entries":[{"name":"quartile","raw":40000,"gzip":18000,"brotli":15000,"budget":16000}]}"#;
        assert_eq!(parse(text).unwrap(), [entry(15_000, 16_000)]);
        assert!(parse(r#"{"entries":[]}"#).is_err());
        assert!(parse(r#"{"entries":[{"name":"quartile","raw":1}]}"#).is_err());
    }

    #[test]
    fn only_what_is_over_budget_fails() {
        assert_eq!(excess(&entry(16_000, 16_000)), None);
        assert_eq!(
            excess(&entry(16_001, 16_000)).as_deref(),
            Some("quartile is 1 bytes over its budget of 16000 bytes (brotli)")
        );
    }

    #[test]
    fn the_table_shows_what_is_left() {
        assert!(table(&[entry(15_000, 16_000)]).ends_with("    15000     16000      1000\n"));
    }
}
