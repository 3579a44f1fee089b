//! Filters as conditions over rows.

use super::{Statement, value};
use crate::report::plan::{Filter, UNKNOWN};

/// Whether a pattern is found in a text.
pub const MATCHES: &str = "regexp_matches({text}, {pattern})";

/// The condition that a row passes the filter.
pub fn of(filter: &Filter, statement: &mut Statement) -> String {
    match filter {
        Filter::All(filters) => all(filters, " AND ", "TRUE", statement),
        Filter::Any(filters) => all(filters, " OR ", "FALSE", statement),
        Filter::Not(filter) => format!("(NOT {})", of(filter, statement)),
        Filter::Is(attribute, labels) => {
            let mut values: Vec<_> = labels.iter().map(|label| statement.bind_text(label)).collect();
            if labels.iter().any(|label| label == UNKNOWN) {
                values.push("''".into());
            }
            match values.is_empty() {
                true => "FALSE".into(),
                false => format!("({} IN ({}))", value(*attribute), values.join(", ")),
            }
        }
        Filter::Contains(attribute, texts) => {
            let contains = |text: &String| format!("contains({}, {})", value(*attribute), statement.bind_text(text));
            any(texts.iter().map(contains).collect())
        }
        Filter::Matches(attribute, patterns) => {
            let matches = |pattern: &String| {
                let pattern = statement.bind_text(pattern);
                MATCHES.replace("{text}", &value(*attribute)).replace("{pattern}", &pattern)
            };
            any(patterns.iter().map(matches).collect())
        }
    }
}

fn all(filters: &[Filter], operator: &str, none: &str, statement: &mut Statement) -> String {
    match filters {
        [] => none.to_owned(),
        _ => {
            let conditions: Vec<_> = filters.iter().map(|filter| of(filter, statement)).collect();
            format!("({})", conditions.join(operator))
        }
    }
}

fn any(conditions: Vec<String>) -> String {
    if conditions.is_empty() { "FALSE".into() } else { format!("({})", conditions.join(" OR ")) }
}
