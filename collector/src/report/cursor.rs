//! Where a page ended, so that the next one begins behind it: not at a number of rows, which move while more comes in.
//!
//! A cursor holds the values of the last row in every criterion of the order, the instants that a relative range was
//! resolved to, and which query it is of. It is opaque to who carries it; carried unchanged, every row whose values
//! stayed the same comes exactly once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quartile_protocol::clock::Wall;
use serde::{Deserialize, Serialize};

use super::bucket::Buckets;
use super::plan::{Axis, Plan};
use super::table::Cell;

/// Where a page ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The query.
    pub fingerprint: u64,
    /// The range of all pages.
    pub range: std::ops::Range<Wall>,
    /// When the first page was asked for.
    pub now: Wall,
    /// The values of the last row, one for each criterion of the order.
    pub after: Vec<Cell>,
}

/// A value without loss: of numbers, the bits.
#[derive(Serialize, Deserialize)]
enum Value {
    #[serde(rename = "t")]
    Text(String),
    #[serde(rename = "i")]
    Integer(String),
    #[serde(rename = "n")]
    Number(u64),
    #[serde(rename = "0")]
    Null,
}

#[derive(Serialize, Deserialize)]
struct Written {
    q: u64,
    r: [i64; 2],
    n: i64,
    a: Vec<Value>,
}

impl Cursor {
    /// The cursor behind the last of these rows, if there is one.
    #[must_use]
    pub fn behind(rows: &[Vec<Cell>], plan: &Plan, fingerprint: u64) -> Option<Self> {
        let last = rows.last()?;
        let value = |column: usize| match (&last[column], plan.axes.get(column)) {
            (Cell::Text(label), Some(Axis::Time(buckets))) => index_of(buckets, label),
            (cell, _) => cell.clone(),
        };
        let after = plan.order.iter().map(|order| value(order.column)).collect();
        Some(Self { fingerprint, range: plan.range.clone(), now: plan.now, after })
    }

    /// Whether its values can be those of a row of the plan.
    #[must_use]
    pub fn fits(&self, plan: &Plan) -> bool {
        let fits = |(column, cell): (usize, &Cell)| match plan.axes.get(column) {
            Some(Axis::Time(buckets)) => {
                matches!(cell, Cell::Integer(index) if (0..buckets.labels().len() as i128).contains(index))
            }
            Some(Axis::Dimension(_)) => matches!(cell, Cell::Text(_)),
            None => match cell {
                Cell::Null => true,
                Cell::Integer(_) => plan.metrics[column - plan.axes.len()].is_whole(),
                Cell::Number(_) => !plan.metrics[column - plan.axes.len()].is_whole(),
                Cell::Text(_) => false,
            },
        };
        self.after.len() == plan.order.len() && plan.order.iter().map(|order| order.column).zip(&self.after).all(fits)
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let written: Written = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let cell = |value: Value| {
            Some(match value {
                Value::Text(text) => Cell::Text(text),
                Value::Integer(digits) => Cell::Integer(digits.parse().ok()?),
                Value::Number(bits) => Cell::Number(f64::from_bits(bits)),
                Value::Null => Cell::Null,
            })
        };
        Some(Self {
            fingerprint: written.q,
            range: Wall::from_ms(written.r[0])..Wall::from_ms(written.r[1]),
            now: Wall::from_ms(written.n),
            after: written.a.into_iter().map(cell).collect::<Option<_>>()?,
        })
    }
}

fn index_of(buckets: &Buckets, label: &str) -> Cell {
    let index = buckets.labels().iter().position(|known| known == label);
    index.map_or(Cell::Null, |index| Cell::Integer(index as i128))
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |cell: &Cell| match cell {
            Cell::Text(text) => Value::Text(text.clone()),
            Cell::Integer(value) => Value::Integer(value.to_string()),
            Cell::Number(value) => Value::Number(value.to_bits()),
            Cell::Null => Value::Null,
        };
        let written = Written {
            q: self.fingerprint,
            r: [self.range.start.as_ms(), self.range.end.as_ms()],
            n: self.now.as_ms(),
            a: self.after.iter().map(value).collect(),
        };
        let json = serde_json::to_vec(&written).map_err(|_| std::fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let after = vec![
            Cell::Text("é\0\"".into()),
            Cell::Integer(i128::MAX),
            Cell::Integer(-1),
            Cell::Number(0.1 + 0.2),
            Cell::Number(f64::MIN_POSITIVE),
            Cell::Null,
        ];
        let range = Wall::from_ms(-1)..Wall::from_ms(i64::MAX);
        let cursor = Cursor { fingerprint: u64::MAX, range, now: Wall::from_ms(7), after };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", "x", "e30", "!!", "bm90IGpzb24"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
