//! An answer as CSV (RFC 4180), safe to open in a spreadsheet.

use super::Answer;
use super::table::Cell;

impl Answer {
    /// The columns' names and the rows, in lines ended by CR LF.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        line(&mut csv, self.columns.iter().map(|column| escaped(&column.name)));
        for row in &self.rows {
            line(&mut csv, row.iter().map(written));
        }
        csv
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
}
