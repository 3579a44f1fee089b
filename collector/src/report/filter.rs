//! Filters: `["is", "device", ["tv"]]`, nested in `and`, `or` and `not`.

use super::dimension::{Attribute, Names};
use super::error::{Code, Refusal};
use super::json::{At, shortened};
use super::pattern;
use super::plan::{Filter, UNKNOWN};
use super::query::limits;

/// The operators, each with what it means.
pub const OPERATORS: &[(&str, &str)] = &[
    ("is", "the value is one of these"),
    ("is_not", "the value is none of these"),
    ("contains", "the value contains one of these texts, in this case of letters"),
    ("contains_not", "the value contains none of these texts, in this case of letters"),
    ("matches", "one of these regular expressions is found in the value"),
    ("matches_not", "none of these regular expressions is found in the value"),
    ("and", "all of these filters"),
    ("or", "at least one of these filters"),
    ("not", "not this filter"),
];

impl Filter {
    /// Every dimension that is named, some more than once.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().flat_map(Self::attributes).collect(),
            Self::Not(filter) => filter.attributes(),
            Self::Is(attribute, _) | Self::Contains(attribute, _) | Self::Matches(attribute, _) => vec![*attribute],
        }
    }
}

/// Reads a list of filters, all of which must hold.
///
/// # Errors
/// A refusal.
pub fn parse(at: &At<'_>, names: &Names) -> Result<Filter, Refusal> {
    let mut reader = Reader { left: limits::FILTERS, names };
    reader.filters(at, 0, 1).map(Filter::All)
}

/// Counts what it reads, because filters may lie within one another.
struct Reader<'a> {
    left: usize,
    names: &'a Names,
}

impl Reader<'_> {
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
            _ => self.comparison(operator, &parts)?,
        })
    }

    /// `[operator, dimension, values]`; one that ends in `not` is the opposite of the one without.
    fn comparison(&self, operator: &str, parts: &[At<'_>]) -> Result<Filter, Refusal> {
        let attribute = attribute(&parts[1], self.names)?;
        let values = values(&parts[2])?;
        let (plain, negated) = operator.strip_suffix("_not").map_or((operator, false), |plain| (plain, true));
        let filter = match plain {
            "is" => Filter::Is(attribute, values),
            "contains" => Filter::Contains(attribute, values),
            _ => Filter::Matches(attribute, patterns(&parts[2], &values)?),
        };
        Ok(if negated { Filter::Not(Box::new(filter)) } else { filter })
    }
}

fn patterns(at: &At<'_>, values: &[String]) -> Result<Vec<String>, Refusal> {
    let entries = at.list(1, limits::FILTER_VALUES)?;
    let read = |(at, value): (&At<'_>, &String)| {
        pattern::portable(value).map_err(|problem| at.refuse(Code::InvalidPattern, problem))
    };
    entries.iter().zip(values).map(read).collect()
}

/// A dimension to filter by. Times are filtered by the range of dates.
pub fn attribute(at: &At<'_>, names: &Names) -> Result<Attribute, Refusal> {
    let name = at.text(limits::TEXT_BYTES)?;
    names.find(name).ok_or_else(|| {
        let known: Vec<_> = names.all().map(|(_, name)| name).collect();
        let message = format!("cannot filter by \"{}\"; allowed: {}", shortened(name), known.join(", "));
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
