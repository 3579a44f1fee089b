//! The interface of reports as OpenAPI 3.1, from the tables that the code runs on.

use serde_json::{Map, Value, json};

use super::dimension::Names;
use super::error::Code;
use super::filter::OPERATORS;
use super::metric::Metric;
use super::named;
use super::parameters;
use super::query::{AxisName, FIELDS, INCLUDE, PAGINATION, limits};
use super::range::ALLOWED;
use super::special;

/// One path.
struct Place {
    path: &'static str,
    doc: &'static str,
    /// The parameters of a `GET`.
    parameters: &'static [(&'static str, &'static str)],
    /// The body of a `POST`, if there is one.
    body: Option<&'static str>,
    /// What it answers.
    answer: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        path: "/v1/reports/query",
        doc: "Metrics by dimensions.",
        parameters: parameters::QUERY,
        body: Some("Query"),
        answer: "Answer",
    },
    Place {
        path: "/v1/reports/funnel",
        doc: "Requested, played, a quarter, half, three quarters, all of it watched.",
        parameters: parameters::SPECIAL,
        body: Some("Special"),
        answer: "Funnel",
    },
    Place {
        path: "/v1/reports/retention",
        doc: "For each percent of the content, how many views watched it, and how many again.",
        parameters: parameters::SPECIAL,
        body: Some("Special"),
        answer: "Retention",
    },
    Place {
        path: "/v1/reports/realtime",
        doc: "Who is watching now, and the last half hour by the minute. Again every 5 s, for an hour, for who accepts \
              text/event-stream.",
        parameters: parameters::SPECIAL,
        body: Some("Special"),
        answer: "Realtime",
    },
    Place {
        path: "/v1/reports/timeline",
        doc: "The events of one view. Takes a token with the scope `export`.",
        parameters: parameters::TIMELINE,
        body: None,
        answer: "Timeline",
    },
    Place {
        path: "/v1/reports/named/{report}",
        doc: "A saved report with all its parts.",
        parameters: parameters::NAMED,
        body: Some("Named"),
        answer: "Report",
    },
    Place {
        path: "/v1/reports/named/{report}/{part}",
        doc: "One part of a saved report; unlike the whole, in any format.",
        parameters: parameters::NAMED,
        body: Some("Named"),
        answer: "Report",
    },
    Place {
        path: "/v1/reports/catalog",
        doc: "What can be asked for.",
        parameters: parameters::CATALOG,
        body: None,
        answer: "Catalog",
    },
    Place { path: "/v1/reports/openapi.json", doc: "This document.", parameters: &[], body: None, answer: "Catalog" },
];

/// The document.
#[must_use]
pub fn document() -> Value {
    let paths: Map<_, _> = PLACES.iter().map(|place| (place.path.to_owned(), operations(place))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quartile reports",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What was watched, by whom, where, on what, and how well it played.",
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas(),
        },
    })
}

fn operations(place: &Place) -> Value {
    let mut operations = json!({ "get": operation(place, None) });
    if let Some(body) = place.body {
        operations["post"] = operation(place, Some(body));
    }
    operations
}

fn operation(place: &Place, body: Option<&str>) -> Value {
    let segments = place.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = segments
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name) }))
        .collect();
    let mut operation = json!({ "summary": place.doc, "responses": responses(place.answer) });
    match body {
        None => parameters.extend(place.parameters.iter().map(|(name, doc)| {
            let required = matches!(*name, "view" | "metrics") || (*name == "site" && place.answer != "Catalog");
            json!({
                "name": name, "in": "query", "required": required, "description": doc, "schema": { "type": "string" },
            })
        })),
        Some(body) => {
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": reference(body) } } });
        }
    }
    operation["parameters"] = json!(parameters);
    operation
}

fn path_schema(name: &str) -> Value {
    match name {
        "report" => json!({ "enum": named::ALL.iter().map(|report| report.name).collect::<Vec<_>>() }),
        _ => json!({ "type": "string" }),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn responses(answer: &str) -> Value {
    let refusal = |doc: &str| json!({ "description": doc, "content": { "application/json": { "schema": reference("Refusal") } } });
    let mut content = json!({ "application/json": { "schema": reference(answer) } });
    if answer != "Catalog" {
        content["text/csv"] = json!({ "schema": { "type": "string" } });
        content["application/x-ndjson"] = json!({ "schema": { "type": "string" } });
    }
    if answer == "Realtime" {
        content["text/event-stream"] = json!({ "schema": { "type": "string" } });
    }
    json!({
        "200": { "description": "The answer.", "content": content },
        "400": refusal("What was asked cannot be answered as it is; the field, what is wrong and what is allowed."),
        "401": refusal("No token, or none that is known."),
        "403": refusal("A token for less, or for other sites."),
        "404": refusal("There is no such report."),
        "406": refusal("It is not given in this format."),
        "413": refusal("What was asked is too long."),
        "503": refusal("Too much at once, too slow, or the store cannot answer now."),
    })
}

fn texts<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": names.collect::<Vec<_>>() })
}

fn schemas() -> Value {
    let cell = json!({ "type": ["string", "number", "null"] });
    let row = json!({ "type": "array", "items": cell });
    let range = json!({ "type": "array", "items": { "type": "string", "format": "date-time" } });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    json!({
        "Query": request(FIELDS, &["site", "metrics", "date_range"]),
        "Special": request(special::FIELDS, &["site"]),
        "Named": request(named::FIELDS, &["site"]),
        "Filter": {
            "description": operators(),
            "type": "array",
            "prefixItems": [texts(OPERATORS.iter().map(|(name, _)| *name))],
        },
        "Answer": object(json!({
            "columns": list(object(json!({
                "name": { "type": "string" }, "kind": { "enum": ["dimension", "metric"] }, "unit": { "type": "string" },
            }))),
            "rows": list(row.clone()),
            "totals": row,
            "total_rows": { "type": "integer" },
            "comparison": object(json!({
                "date_range": range, "rows": list(json!({ "type": ["array", "null"] })),
                "change": list(json!({ "type": ["array", "null"] })), "totals": row,
            })),
            "next_cursor": { "type": "string" },
            "query": { "type": "object" },
            "time_labels": list(json!({ "type": "string" })),
            "source": { "type": "string" },
        })),
        "Funnel": object(json!({
            "date_range": range, "ladder_plays": { "type": "integer" },
            "steps": list(object(json!({
                "name": texts(special::STEPS.into_iter()), "count": { "type": "integer" },
                "of_first": { "type": ["number", "null"] }, "of_previous": { "type": ["number", "null"] },
            }))),
        })),
        "Retention": object(json!({
            "date_range": range, "ladder_plays": { "type": "integer" },
            "percents": list(object(json!({
                "percent": { "type": "integer" }, "watched": { "type": "integer" }, "watched_again": { "type": "integer" },
            }))),
        })),
        "Realtime": object(json!({
            "at": { "type": "string", "format": "date-time" }, "watching_now": { "type": "integer" },
            "minutes": list(object(json!({
                "minute": { "type": "string" }, "concurrent_views": { "type": "integer" },
                "plays": { "type": "integer" }, "minutes_viewed": { "type": "number" },
            }))),
        })),
        "Timeline": object(json!({
            "site": { "type": "string" }, "view": { "type": "string" },
            "events": list(object(json!({
                "seq": { "type": "integer" }, "n": { "type": "integer" }, "at": { "type": "string" },
                "type": { "type": "string" }, "pos_ms": { "type": ["integer", "null"] },
            }))),
        })),
        "Report": object(json!({
            "report": { "type": "string" },
            "parts": list(object(json!({ "name": { "type": "string" }, "answer": { "type": "object" } }))),
        })),
        "Catalog": { "type": "object" },
        "Refusal": object(json!({
            "error": object(json!({
                "code": texts(Code::ALL.iter().map(|code| code.as_str()).chain(OTHER_CODES.iter().copied())),
                "message": { "type": "string" }, "field": { "type": "string" },
            })),
        })),
    })
}

/// The codes of refusals that are not the query's fault.
const OTHER_CODES: &[&str] =
    &["unauthorized", "forbidden", "not_acceptable", "unavailable", "store_unavailable", "query_too_slow", "internal"];

fn operators() -> String {
    let lines = OPERATORS.iter().map(|(name, doc)| format!("`{name}`: {doc}"));
    format!("[operator, dimension, [values]], or [operator, filters]. {}.", lines.collect::<Vec<_>>().join("; "))
}

/// A request body with these fields.
fn request(fields: &[&str], required: &[&str]) -> Value {
    let properties: Map<_, _> = fields.iter().map(|name| ((*name).to_owned(), field(name))).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn field(name: &str) -> Value {
    let names = Names::default();
    let strings =
        |names: &[&str]| -> Map<String, Value> { names.iter().map(|name| ((*name).to_owned(), json!({}))).collect() };
    match name {
        "metrics" => json!({
            "type": "array", "minItems": 1, "maxItems": limits::METRICS,
            "items": texts(Metric::all().iter().map(|metric| metric.name)),
        }),
        "dimensions" => json!({
            "type": "array", "maxItems": limits::DIMENSIONS, "description": "A site's own dimensions as well.",
            "examples": [AxisName::all(&names).map(|(_, name)| name).collect::<Vec<_>>()], "items": { "type": "string" },
        }),
        "date_range" => json!({ "description": ALLOWED, "type": ["string", "array"] }),
        "filters" => json!({ "type": "array", "maxItems": limits::FILTERS, "items": reference("Filter") }),
        "order_by" => json!({ "type": "array", "items": { "type": "array", "minItems": 2, "maxItems": 2 } }),
        "pagination" => json!({ "type": "object", "properties": strings(PAGINATION), "additionalProperties": false }),
        "include" => json!({ "type": "object", "properties": strings(INCLUDE), "additionalProperties": false }),
        "limit" => json!({ "type": "integer", "minimum": 0, "maximum": limits::ROWS }),
        "comparison" => json!({ "type": ["string", "array"] }),
        _ => json!({ "type": "string" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in it.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_body_and_parameter_in_it_is_understood() {
        let document = document();
        let of = |body: &str| -> Vec<String> {
            let properties = &document["components"]["schemas"][body]["properties"];
            properties.as_object().unwrap().keys().cloned().collect()
        };
        let sorted = |fields: &[&str]| {
            let mut fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
            fields.sort();
            fields
        };
        assert_eq!(of("Query"), sorted(FIELDS));
        assert_eq!(of("Special"), sorted(special::FIELDS));
        assert_eq!(of("Named"), sorted(named::FIELDS));
    }
}
