//! What DuckDB answers, as values of ours.

use ::duckdb::types::{Value, ValueRef};
use ::duckdb::{Connection, Row as Record, params_from_iter};
use quartile_protocol::clock::{Media, Wall};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::EventRow;

use super::render::Statement;
use super::schema::Shape;
use crate::report::plan::{Axis, Plan};
use crate::report::table::{Cell, Table};

/// Runs the statement that the plan was rendered to.
///
/// # Errors
/// What DuckDB says.
pub fn table(connection: &Connection, plan: &Plan, statement: &Statement) -> ::duckdb::Result<Table> {
    let mut prepared = connection.prepare(&statement.sql)?;
    let mut records = prepared.query(params_from_iter(&statement.values))?;
    let columns = plan.axes.len() + plan.metrics.len();
    let mut table = Table::default();
    while let Some(record) = records.next()? {
        let cells = (0..columns).map(|column| cell(record, column, plan.axes.get(column)));
        table.rows.push(cells.collect::<::duckdb::Result<_>>()?);
    }
    Ok(table)
}

fn cell(record: &Record<'_>, column: usize, axis: Option<&Axis>) -> ::duckdb::Result<Cell> {
    if let Some(Axis::Time(buckets)) = axis {
        let index: u32 = record.get(column)?;
        let label = buckets.labels().get(index as usize);
        return label.cloned().map(Cell::Text).ok_or(::duckdb::Error::InvalidColumnIndex(column));
    }
    Ok(match record.get_ref(column)? {
        ValueRef::Null => Cell::Null,
        ValueRef::HugeInt(value) => Cell::Integer(value),
        ValueRef::Double(value) => Cell::Number(value),
        _ => Cell::Text(record.get(column)?),
    })
}

/// The earliest start of the site's slices. That of a merged slice is the earliest of its copies, so none is merged.
///
/// # Errors
/// What DuckDB says.
pub fn earliest(connection: &Connection, slices: &Shape, site: &SiteId) -> ::duckdb::Result<Option<Wall>> {
    let [hot, settled] = slices.tables();
    let starts = |table: &str| format!("SELECT started_at FROM {table} WHERE site = $1");
    let sql = format!("SELECT min(started_at) FROM ({} UNION ALL {})", starts(hot), starts(settled));
    let start: Option<i64> = connection.query_row(&sql, [site.as_str()], |record| record.get(0))?;
    Ok(start.map(Wall::from_ms))
}

const EVENT: &[&str] = &["seq", "happened_at", "n", "kind", "pos_ms", "details"];

/// The events of a view in their order.
///
/// # Errors
/// What DuckDB says.
pub fn timeline(
    connection: &Connection,
    events: &Shape,
    site: &SiteId,
    view: ViewId,
) -> ::duckdb::Result<Vec<EventRow>> {
    let wanted: Vec<_> = EVENT.iter().chain(&["view"]).copied().collect();
    let sql = format!(
        "SELECT {} FROM ({}) WHERE \"view\" = CAST($2 AS UUID) ORDER BY seq",
        EVENT.join(", "),
        events.current(&wanted)
    );
    let values = [Value::Text(site.as_str().into()), Value::Text(view.to_string())];
    let mut prepared = connection.prepare(&sql)?;
    let mut records = prepared.query(params_from_iter(values))?;
    let mut events = Vec::new();
    while let Some(record) = records.next()? {
        // A kind that a later version stored is left out.
        if let Some(event) = event(record)? {
            events.push(EventRow { site: site.clone(), view, event });
        }
    }
    Ok(events)
}

/// In the order of [`EVENT`].
fn event(record: &Record<'_>) -> ::duckdb::Result<Option<Event>> {
    let (kind, details): (String, String) = (record.get(3)?, record.get(5)?);
    let Some(kind) = EventKind::from_details(&kind, &details) else { return Ok(None) };
    let pos: Option<i64> = record.get(4)?;
    Ok(Some(Event {
        seq: record.get(0)?,
        n: record.get(2)?,
        at: Wall::from_ms(record.get(1)?),
        pos: pos.map(Media::from_ms),
        kind,
    }))
}
