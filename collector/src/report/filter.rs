//! Filters: `["is", "device", ["tv"]]`, nested in `and`, `or` and `not`.

use quartile_protocol::dimension::Dimension;

use super::error::{Code, Refusal};
use super::json::{At, shortened};
use super::plan::{Filter, UNKNOWN};
use super::query::{dimensions, limits};

/// The operators, each with what it means.
pub const OPERATORS: &[(&str, &str)] = &[
    ("is", "the value is one of these"),
    ("is_not", "the value is none of these"),
    ("contains", "the value contains one of these texts, in this case of letters"),
    ("contains_not", "the value contains none of these texts, in this case of letters"),
    ("and", "all of these filters"),
    ("or", "at least one of these filters"),
    ("not", "not this filter"),
];

impl Filter {
    /// Every dimension that is named, some more than once.
    #[must_use]
    pub fn dimensions(&self) -> Vec<Dimension> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().flat_map(Self::dimensions).collect(),
            Self::Not(filter) => filter.dimensions(),
            Self::Is(dimension, _) | Self::Contains(dimension, _) => vec![*dimension],
        }
    }
}

/// Reads a list of filters, all of which must hold.
///
/// # Errors
/// A refusal.
pub fn parse(at: &At<'_>) -> Result<Filter, Refusal> {
    let mut reader = Reader { left: limits::FILTERS };
    reader.filters(at, 0, 1).map(Filter::All)
}

/// Counts what it reads, because filters may lie within one another.
struct Reader {
    left: usize,
}

impl Reader {
    fn filters(&mut self, at: &At<'_>, min: usize, depth: usize) -> Result<Vec<Filter>, Refusal> {
        at.list(min, limits::FILTERS)?.iter().map(|at| self.filter(at, depth)).collect()
    }

    fn filter(&mut self, at: &At<'_>, depth: usize) -> Result<Filter, Refusal> {
        if depth > limits::FILTER_DEPTH {
            let message = format!("filters may lie within one another at most {} deep", limits::FILTER_DEPTH);
            return Err(at.refuse(Code::TooDeep, message));
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Err(at.refuse(Code::TooMany, format!("a query may have at most {} filters", limits::FILTERS)));
        };
        self.left = left;
        let parts = at.list(1, 3)?;
        let operator = parts[0].text(limits::TEXT_BYTES)?;
        let arguments = if matches!(operator, "and" | "or" | "not") { 1 } else { 2 };
        if !OPERATORS.iter().any(|(name, _)| *name == operator) {
            let names: Vec<_> = OPERATORS.iter().map(|(name, _)| *name).collect();
            let message = format!("there is no operator \"{}\"; allowed: {}", shortened(operator), names.join(", "));
            return Err(parts[0].refuse(Code::UnknownOperator, message));
        }
        if parts.len() != arguments + 1 {
            let shape = if arguments == 1 { "[operator, filters]" } else { "[operator, dimension, [values]]" };
            return Err(at.refuse(Code::InvalidType, format!("must have the shape {shape}")));
        }
        Ok(match operator {
            "and" => Filter::All(self.filters(&parts[1], 1, depth + 1)?),
            "or" => Filter::Any(self.filters(&parts[1], 1, depth + 1)?),
            "not" => Filter::Not(Box::new(self.filter(&parts[1], depth + 1)?)),
            "is" => Filter::Is(dimension(&parts[1])?, values(&parts[2])?),
            "is_not" => Filter::Not(Box::new(Filter::Is(dimension(&parts[1])?, values(&parts[2])?))),
            "contains" => Filter::Contains(dimension(&parts[1])?, values(&parts[2])?),
            _ => Filter::Not(Box::new(Filter::Contains(dimension(&parts[1])?, values(&parts[2])?))),
        })
    }
}

fn dimension(at: &At<'_>) -> Result<Dimension, Refusal> {
    let name = at.text(limits::TEXT_BYTES)?;
    dimensions().find(|dimension| dimension.name() == name).ok_or_else(|| {
        let names: Vec<_> = dimensions().map(Dimension::name).collect();
        let message = format!("cannot filter by \"{}\"; allowed: {}", shortened(name), names.join(", "));
        at.refuse(Code::UnknownDimension, message)
    })
}

fn values(at: &At<'_>) -> Result<Vec<String>, Refusal> {
    let value = |at: &At<'_>| match at.text(limits::VALUE_BYTES)? {
        "" => Err(at.refuse(Code::InvalidValue, format!("must not be empty; an unknown value is \"{UNKNOWN}\""))),
        text => Ok(text.to_owned()),
    };
    at.list(1, limits::FILTER_VALUES)?.iter().map(value).collect()
}
