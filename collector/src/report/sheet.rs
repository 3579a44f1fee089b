//! Answers as rows under names, for spreadsheets and for programs that read line by line.
//!
//! CSV is RFC 4180, and no text in it becomes a formula. NDJSON is one object a line.

use serde_json::{Map, Value, json};

use super::Answer;
use super::special::{Funnel, Realtime, Retention};
use super::table::Cell;

/// Rows under names.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a cell per column.
    pub rows: Vec<Vec<Cell>>,
}

impl Answer {
    /// The rows.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let columns = self.columns.iter().map(|column| column.name.clone()).collect();
        Sheet { columns, rows: self.rows.clone() }
    }

    /// The rows as [CSV](Sheet::csv).
    #[must_use]
    pub fn to_csv(&self) -> String {
        self.sheet().csv()
    }
}

fn sheet(columns: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> Sheet {
    Sheet { columns: columns.iter().map(ToString::to_string).collect(), rows: rows.collect() }
}

fn whole(value: i64) -> Cell {
    Cell::Integer(value.into())
}

fn share(value: Option<f64>) -> Cell {
    value.map_or(Cell::Null, Cell::Number)
}

impl Funnel {
    /// A row for each step.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let rows = self.steps.iter().map(|step| {
            vec![Cell::Text(step.name.into()), whole(step.count), share(step.of_first), share(step.of_previous)]
        });
        sheet(&["step", "count", "of_first", "of_previous"], rows)
    }
}

impl Retention {
    /// A row for each percent.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let row = |percent: &super::special::Percent| {
            vec![whole(percent.percent as i64), whole(percent.watched), whole(percent.watched_again)]
        };
        sheet(&["percent", "watched", "watched_again"], self.percents.iter().map(row))
    }
}

impl Realtime {
    /// A row for each minute.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let rows = self.minutes.iter().map(|minute| {
            vec![
                Cell::Text(minute.minute.clone()),
                whole(minute.concurrent_views),
                whole(minute.plays),
                Cell::Number(minute.minutes_viewed),
            ]
        });
        sheet(&["minute", "concurrent_views", "plays", "minutes_viewed"], rows)
    }
}

impl Sheet {
    /// The names and the rows, in lines ended by CR LF.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::new();
        line(&mut csv, self.columns.iter().map(|name| escaped(name)));
        for row in &self.rows {
            line(&mut csv, row.iter().map(written));
        }
        csv
    }

    /// An object a row, in lines ended by LF.
    #[must_use]
    pub fn ndjson(&self) -> String {
        let mut lines = String::new();
        for row in &self.rows {
            let object: Map<String, Value> =
                self.columns.iter().cloned().zip(row.iter().map(|cell| json!(cell))).collect();
            lines.push_str(&Value::from(object).to_string());
            lines.push('\n');
        }
        lines
    }
}

fn line(csv: &mut String, cells: impl Iterator<Item = String>) {
    csv.push_str(&cells.collect::<Vec<_>>().join(","));
    csv.push_str("\r\n");
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escaped(text),
        Cell::Integer(value) => value.to_string(),
        Cell::Number(value) => value.to_string(),
        Cell::Null => String::new(),
    }
}

/// Quotes what needs it. A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn escaped(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_or_another_cell() {
        for (text, expect) in [
            ("tv", "tv"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@cmd", "\"'@cmd\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(escaped(text), expect);
        }
    }

    #[test]
    fn a_line_is_an_object() {
        let cells = vec![Cell::Text("a\"\n".into()), Cell::Integer(7), Cell::Number(0.5), Cell::Null];
        let names = ["t", "i", "n", "0"].map(str::to_owned).to_vec();
        let lines = Sheet { columns: names, rows: vec![cells.clone(), cells] }.ndjson();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, vec![json!({ "t": "a\"\n", "i": 7, "n": 0.5, "0": null }); 2]);
    }
}
