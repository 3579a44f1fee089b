//! A request as the parameters of an address, for browsers and spreadsheets: the same request as a body, said shorter.
//!
//! `?site=demo&metrics=plays,minutes_viewed&dimensions=country&date_range=7d&filter=device:tv|console`

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::error::{Code, Refusal};
use super::json::shortened;
use super::query::limits;

/// The parameters of a query with what they mean.
pub const QUERY: &[(&str, &str)] = &[
    ("site", "the site"),
    ("metrics", "metrics, with commas between them"),
    ("dimensions", "dimensions, with commas between them"),
    ("date_range", "a range such as `7d`, or two dates with a comma between them"),
    ("filter", "`dimension:value`, or `dimension!:value` for all but it; `|` stands between values. May come again"),
    ("filters", "filters in JSON, as in a body"),
    ("order_by", "columns, each with `:asc` or `:desc`, with commas between them"),
    ("limit", "rows at most"),
    ("offset", "rows left out before"),
    ("cursor", "the `next_cursor` of the answer before"),
    ("timezone", "an IANA name"),
    ("include", "`time_labels`, `totals`, `total_rows`, with commas between them"),
    ("comparison", "`previous_period`, `year_before`, or two dates with a comma between them"),
    FORMAT,
];

/// The parameters of a named report.
pub const NAMED: &[(&str, &str)] = &[
    ("site", "the site"),
    ("date_range", "a range such as `7d`, or two dates with a comma between them; 30 days without it"),
    ("filter", "`dimension:value`, or `dimension!:value` for all but it; `|` stands between values. May come again"),
    ("filters", "filters in JSON, as in a body"),
    ("limit", "rows of each table at most"),
    ("timezone", "an IANA name"),
    ("comparison", "`previous_period`, `year_before`, or two dates with a comma between them"),
    FORMAT,
];

/// The parameters of a special report.
pub const SPECIAL: &[(&str, &str)] = &[
    ("site", "the site"),
    ("date_range", "a range such as `7d`, or two dates with a comma between them; 30 days without it"),
    ("filter", "`dimension:value`, or `dimension!:value` for all but it; `|` stands between values. May come again"),
    ("filters", "filters in JSON, as in a body"),
    ("timezone", "an IANA name"),
    FORMAT,
];

/// The parameters of the timeline of a view.
pub const TIMELINE: &[(&str, &str)] = &[("site", "the site"), ("view", "the id of the view"), FORMAT];

/// The parameters of the catalog.
pub const CATALOG: &[(&str, &str)] = &[("site", "a site, whose own dimensions are named, too")];

const FORMAT: (&str, &str) = ("format", "`json`, `csv` or `ndjson`; without it the header `Accept` says");

/// Parameters by their names; only `filter` may come more than once.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads what stands behind the question mark, where these parameters are allowed.
    ///
    /// # Errors
    /// A refusal.
    pub fn parse(text: &str, allowed: &[(&str, &str)]) -> Result<Self, Refusal> {
        if text.len() > limits::BODY_BYTES {
            let message = format!("the parameters must have at most {} bytes", limits::BODY_BYTES);
            return Err(Refusal { code: Code::BodyTooLarge, message, field: String::new() });
        }
        let mut parameters = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let refuse = |code, message| Refusal { code, message, field: shortened(&name) };
            if !allowed.iter().any(|(known, _)| *known == name) {
                let names: Vec<_> = allowed.iter().map(|(name, _)| *name).collect();
                return Err(refuse(Code::UnknownField, format!("is not known here; allowed: {}", names.join(", "))));
            }
            if name != "filter" && parameters.get(&name).is_some() {
                return Err(refuse(Code::InvalidValue, "is there twice".into()));
            }
            parameters.0.push((name, value));
        }
        Ok(parameters)
    }

    /// The value of a parameter; an empty one is as good as none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The body of a query.
    ///
    /// # Errors
    /// A refusal.
    pub fn query(&self) -> Result<Value, Refusal> {
        let mut body = self.common()?;
        for name in ["metrics", "dimensions"] {
            self.put(&mut body, name, list);
        }
        self.put(&mut body, "order_by", |text| list_of(text, |pair| json!(split_at_last(pair, "desc"))));
        let mut pagination = Map::new();
        self.put(&mut pagination, "limit", number);
        self.put(&mut pagination, "offset", number);
        self.put(&mut pagination, "cursor", |text| json!(text));
        body.insert("pagination".into(), pagination.into());
        let names = self.get("include").unwrap_or_default();
        let mut include: Map<_, _> =
            names.split(',').filter(|name| !name.is_empty()).map(|name| (name.to_owned(), json!(true))).collect();
        self.put(&mut include, "comparison", one_or_two);
        body.insert("include".into(), include.into());
        Ok(body.into())
    }

    /// The body of a named or special report.
    ///
    /// # Errors
    /// A refusal.
    pub fn report(&self) -> Result<Value, Refusal> {
        let mut body = self.common()?;
        self.put(&mut body, "limit", number);
        self.put(&mut body, "comparison", one_or_two);
        Ok(body.into())
    }

    fn common(&self) -> Result<Map<String, Value>, Refusal> {
        let mut body = Map::new();
        for name in ["site", "timezone"] {
            self.put(&mut body, name, |text| json!(text));
        }
        self.put(&mut body, "date_range", one_or_two);
        let filters = self.filters()?;
        if !filters.is_null() {
            body.insert("filters".into(), filters);
        }
        Ok(body)
    }

    /// The short filters, and those in JSON.
    fn filters(&self) -> Result<Value, Refusal> {
        let refuse = |code, message, field: &str| Refusal { code, message, field: field.into() };
        let mut filters = match self.get("filters") {
            None => Vec::new(),
            Some(text) => match serde_json::from_str(text) {
                Ok(Value::Array(filters)) => filters,
                Ok(_) => return Err(refuse(Code::InvalidType, "must be a list".into(), "filters")),
                Err(error) => return Err(refuse(Code::InvalidJson, format!("is no JSON: {error}"), "filters")),
            },
        };
        for (_, text) in self.0.iter().filter(|(name, value)| name == "filter" && !value.is_empty()) {
            let Some((dimension, values)) = text.split_once(':') else {
                let message = "must be dimension:value, or dimension!:value".into();
                return Err(refuse(Code::InvalidValue, message, "filter"));
            };
            let (dimension, operator) =
                dimension.strip_suffix('!').map_or((dimension, "is"), |dimension| (dimension, "is_not"));
            filters.push(json!([operator, dimension, values.split('|').collect::<Vec<_>>()]));
        }
        Ok(if filters.is_empty() { Value::Null } else { filters.into() })
    }

    fn put(&self, body: &mut Map<String, Value>, name: &str, read: impl FnOnce(&str) -> Value) {
        if let Some(text) = self.get(name) {
            body.insert(name.into(), read(text));
        }
    }
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| Refusal {
        code: Code::InvalidValue,
        message: "the parameters must be UTF-8, percent-encoded".into(),
        field: String::new(),
    })
}

fn list(text: &str) -> Value {
    list_of(text, |entry| json!(entry))
}

fn list_of(text: &str, entry: impl Fn(&str) -> Value) -> Value {
    text.split(',').map(entry).collect()
}

/// A name that may hold colons, and what is behind the last one.
fn split_at_last<'a>(text: &'a str, default: &'a str) -> [&'a str; 2] {
    match text.rsplit_once(':') {
        Some((name, direction @ ("asc" | "desc"))) => [name, direction],
        _ => [text, default],
    }
}

fn one_or_two(text: &str) -> Value {
    if text.contains(',') { list(text) } else { json!(text) }
}

/// What is no number is refused where numbers are read, with what is allowed there.
fn number(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_say_what_a_body_says() {
        let text = "site=demo&metrics=plays,minutes_viewed&dimensions=time:day,country&date_range=2026-11-01,2026-11-02\
                    &filter=device:tv|console&filter=page!:%2Fa%20b+c&filters=[[%22is%22,%22os%22,[%22x%22]]]\
                    &order_by=plays:desc,time:day,country:asc&limit=5&offset=2&timezone=Europe/Paris\
                    &include=totals,time_labels&comparison=previous_period&cursor=";
        let body = Parameters::parse(text, QUERY).unwrap().query().unwrap();
        assert_eq!(
            body,
            json!({
                "site": "demo", "metrics": ["plays", "minutes_viewed"], "dimensions": ["time:day", "country"],
                "date_range": ["2026-11-01", "2026-11-02"], "timezone": "Europe/Paris",
                "filters": [["is", "os", ["x"]], ["is", "device", ["tv", "console"]], ["is_not", "page", ["/a b c"]]],
                "order_by": [["plays", "desc"], ["time:day", "desc"], ["country", "asc"]],
                "pagination": { "limit": 5, "offset": 2 },
                "include": { "totals": true, "time_labels": true, "comparison": "previous_period" },
            })
        );
        let body = Parameters::parse("site=demo&limit=x&comparison=a,b", NAMED).unwrap().report().unwrap();
        assert_eq!(body, json!({ "site": "demo", "limit": "x", "comparison": ["a", "b"] }));
    }

    #[test]
    fn parameters_that_cannot_be_read_are_refused() {
        let refused = |text: &str| {
            let read = Parameters::parse(text, QUERY).and_then(|parameters| parameters.query());
            let refusal = read.unwrap_err();
            format!("{} at '{}': {}", refusal.code.as_str(), refusal.field, refusal.message)
        };
        insta::assert_snapshot!(refused("site=a&site=b"), @"invalid_value at 'site': is there twice");
        insta::assert_snapshot!(refused("metric=plays"), @"unknown_field at 'metric': is not known here; allowed: site, metrics, dimensions, date_range, filter, filters, order_by, limit, offset, cursor, timezone, include, comparison, format");
        insta::assert_snapshot!(refused("filter=device"), @"invalid_value at 'filter': must be dimension:value, or dimension!:value");
        insta::assert_snapshot!(refused("filters=["), @"invalid_json at 'filters': is no JSON: EOF while parsing a list at line 1 column 1");
        insta::assert_snapshot!(refused("filters={}"), @"invalid_type at 'filters': must be a list");
        insta::assert_snapshot!(refused("site=%ff"), @"invalid_value at '': the parameters must be UTF-8, percent-encoded");
        insta::assert_snapshot!(refused(&"&".repeat(limits::BODY_BYTES + 1)), @"body_too_large at '': the parameters must have at most 65536 bytes");
        assert!(Parameters::parse(&"&".repeat(limits::BODY_BYTES), QUERY).is_ok());
    }
}
