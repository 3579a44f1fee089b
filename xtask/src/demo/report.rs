//! Reading a report and showing it: an answer is `{"columns": [{"name": …}, …], "rows": [[…], …]}`, with the
//! dimensions in front of the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::Value;

use crate::demo::contract;
use crate::error::{Doing, Error, Result};
use crate::http::post_json;

/// The cells of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Plays of one video, and how many of them were watched to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewings {
    /// How often it was played.
    pub plays: u64,
    /// How often its end was reached.
    pub completed: u64,
}

impl Report {
    /// Asks the collector.
    pub fn ask(collector: SocketAddr, query: &Value) -> Result<Self> {
        let answer = post_json(collector, contract::QUERY, &query.to_string())?;
        if answer.status != 200 {
            return Err(Error::new(format!("{query} was answered with {}: {}", answer.status, answer.body)));
        }
        Self::parse(&answer.body)
    }

    /// Reads an answer.
    fn parse(body: &str) -> Result<Self> {
        let answer: Value = serde_json::from_str(body).doing(|| "reading a report".into())?;
        let read = || {
            let name = |column: &Value| column["name"].as_str().map(str::to_owned);
            let columns: Vec<String> = answer["columns"].as_array()?.iter().map(name).collect::<Option<_>>()?;
            let cells = |row: &Value| row.as_array().filter(|row| row.len() == columns.len()).cloned();
            let rows = answer["rows"].as_array()?.iter().map(cells).collect::<Option<_>>()?;
            Some(Self { columns, rows })
        };
        read().ok_or_else(|| Error::new(format!("the report has not the expected columns and rows: {body}")))
    }

    /// How often a video was viewed, from a report of videos.
    pub fn viewings_of(&self, video: &str) -> Result<Viewings> {
        let (name, plays, completed) = (self.index("video")?, self.index("plays")?, self.index("reached_100")?);
        let row = self.rows.iter().find(|row| row[name] == video);
        Ok(row.map_or(Viewings::default(), |row| Viewings {
            plays: row[plays].as_u64().unwrap_or(0),
            completed: row[completed].as_u64().unwrap_or(0),
        }))
    }

    /// Where a column is.
    fn index(&self, name: &str) -> Result<usize> {
        let found = self.columns.iter().position(|column| column == name);
        found.ok_or_else(|| Error::new(format!("the report has no column {name}, only {}", self.columns.join(", "))))
    }

    /// All plays of a report of plays.
    pub fn plays(&self) -> Result<u64> {
        let plays = self.index("plays")?;
        Ok(self.rows.iter().filter_map(|row| row[plays].as_u64()).sum())
    }

    /// Plays by country, one in a row, and device, one in a column; those with the most plays first.
    pub fn table(&self) -> Result<String> {
        let (device, country, plays) = (self.index("device")?, self.index("country")?, self.index("plays")?);
        let mut cells: BTreeMap<(String, String), u64> = BTreeMap::new();
        for row in &self.rows {
            let key = (label(&row[country]), label(&row[device]));
            *cells.entry(key).or_default() += row[plays].as_u64().unwrap_or(0);
        }
        let countries = by_plays(&cells, |key| &key.0);
        let devices = by_plays(&cells, |key| &key.1);
        let mut text = line("plays", devices.iter().map(|(name, _)| name.clone()), "all");
        for (country, all) in &countries {
            let cell =
                |device: &String| cells.get(&(country.clone(), device.clone())).map_or(String::new(), u64::to_string);
            text += &line(country, devices.iter().map(|(device, _)| cell(device)), &all.to_string());
        }
        let all: u64 = cells.values().sum();
        text += &line("all", devices.iter().map(|(_, plays)| plays.to_string()), &all.to_string());
        Ok(text)
    }
}

/// A value as people read it. Escape sequences that came from outside must not reach the terminal.
fn label(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text: String = text.chars().filter(|character| !character.is_control()).take(20).collect();
    if text.is_empty() || text == "null" { "(unknown)".into() } else { text }
}

/// The names that `part` takes from the keys, with the sum of their plays, most plays first.
fn by_plays(
    cells: &BTreeMap<(String, String), u64>,
    part: impl Fn(&(String, String)) -> &String,
) -> Vec<(String, u64)> {
    let names: BTreeSet<&String> = cells.keys().map(&part).collect();
    let sum = |name: &String| cells.iter().filter(|(key, _)| part(key) == name).map(|(_, plays)| plays).sum();
    let mut sums: Vec<(String, u64)> = names.into_iter().map(|name| (name.clone(), sum(name))).collect();
    sums.sort_by_key(|(_, plays)| std::cmp::Reverse(*plays));
    sums
}

/// A row of the table.
fn line(first: &str, middle: impl Iterator<Item = String>, last: &str) -> String {
    let middle: String = middle.map(|cell| format!("{cell:>12}")).collect();
    format!("{first:<20}{middle}{last:>12}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYS: &str = r#"{"columns":[{"name":"device"},{"name":"country"},{"name":"plays"}],
        "rows":[["mobile","FR",3],["desktop","FR",1],["desktop","DE",9],["","DE",1],["desktop","\u001b[2J",2]],"other":1}"#;

    #[test]
    fn plays_are_shown_by_country_and_device() {
        let report = Report::parse(PLAYS).unwrap();
        assert_eq!(report.plays().unwrap(), 16);
        let expected = "\
plays                    desktop      mobile   (unknown)         all
DE                             9                       1          10
FR                             1           3                       4
[2J                            2                                   2
all                           12           3           1          16
";
        assert_eq!(report.table().unwrap(), expected);
    }

    #[test]
    fn the_viewings_of_one_video_are_found() {
        let body = r#"{"columns":[{"name":"video"},{"name":"plays"},{"name":"reached_100"}],"rows":[["a",5,2],["clip-8s",2,1]]}"#;
        let report = Report::parse(body).unwrap();
        assert_eq!(report.viewings_of("clip-8s").unwrap(), Viewings { plays: 2, completed: 1 });
        assert_eq!(report.viewings_of("other").unwrap(), Viewings::default());
    }

    #[test]
    fn another_shape_is_an_error_that_shows_it() {
        for body in ["{}", r#"{"columns":[{"name":"plays"}],"rows":[[1,2]]}"#, r#"{"columns":["plays"],"rows":[]}"#] {
            assert!(Report::parse(body).unwrap_err().to_string().contains(body));
        }
        assert!(Report::parse("<html>").is_err());
        let error = Report::parse(PLAYS).unwrap().viewings_of("a").unwrap_err().to_string();
        assert_eq!(error, "the report has no column video, only device, country, plays");
    }
}
