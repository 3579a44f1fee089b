//! What a query answers: cells in rows.

use serde::{Serialize, Serializer};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The value of a dimension.
    Text(String),
    /// A count or a sum of whole units.
    Integer(i128),
    /// Anything that was divided.
    Number(f64),
    /// No value: a ratio of nothing.
    Null,
}

impl Cell {
    /// The value of a dimension.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value of a metric, if it has one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Text(_) | Self::Null => None,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_u64(value),
                (_, Ok(value)) => serializer.serialize_i64(value),
                _ => serializer.serialize_f64(*value as f64),
            },
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Null => serializer.serialize_unit(),
        }
    }
}

/// Rows of cells: a plan's axes first, then its metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The rows, in the plan's order.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows there are on all pages together.
    pub groups: u64,
    /// What it was computed from: `slices`, or the aggregation.
    pub source: String,
}
