//! Rows as lines of JSON.

use quartile_protocol::dimension::Dimension;
use quartile_protocol::encode::Json;
use quartile_protocol::row::{EventRow, Row};

/// A slice as one line, without its end. What is the least element is left out.
#[must_use]
pub fn slice(row: &Row) -> String {
    Json::object_of(|json| {
        json.text("type", "slice");
        json.text("site", row.key.site.as_str());
        json.text("view", &row.key.view.to_string());
        json.number("n", i64::from(row.key.n));
        json.number("at", row.started_at.as_ms());
        json.number("span_ms", i64::try_from(row.span_ms).unwrap_or(i64::MAX));
        for (field, value) in row.fields.set() {
            json.number(field.name(), i64::try_from(value).unwrap_or(i64::MAX));
        }
        json.bits("watched", row.watched.bits());
        json.bits("rewatched", row.rewatched.bits());
        json.bits("active", row.active.bits());
        json.object("dims", |json| {
            row.dimensions.known().for_each(|(dimension, value): (Dimension, &str)| json.text(dimension.name(), value));
        });
    })
}

/// An event as one line, without its end.
#[must_use]
pub fn event(row: &EventRow) -> String {
    Json::object_of(|json| {
        json.text("type", "event");
        json.text("site", row.site.as_str());
        json.text("view", &row.view.to_string());
        json.object("event", |json| row.event.write(json));
    })
}
