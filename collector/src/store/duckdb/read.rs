//! What DuckDB answers, as values of ours.

use ::duckdb::types::{Value, ValueRef};
use ::duckdb::{Connection, Row as Record, params_from_iter};
use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::{Media, Wall};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};

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
        table.groups = record.get::<_, i64>(columns)?.unsigned_abs();
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

/// Keys in one statement.
const KEYS: usize = 500;

/// The merged slices with these keys, or all of the site, by key.
///
/// # Errors
/// What DuckDB says.
pub fn rows(
    connection: &Connection,
    slices: &Shape,
    site: &SiteId,
    keys: Option<&[(ViewId, u32)]>,
) -> ::duckdb::Result<Vec<Row>> {
    let Some(keys) = keys else { return rows_of(connection, slices, site, &[]) };
    let mut rows = Vec::with_capacity(keys.len());
    for keys in keys.chunks(KEYS) {
        rows.extend(rows_of(connection, slices, site, keys)?);
    }
    Ok(rows)
}

/// Without keys, all.
fn rows_of(
    connection: &Connection,
    slices: &Shape,
    site: &SiteId,
    keys: &[(ViewId, u32)],
) -> ::duckdb::Result<Vec<Row>> {
    let names: Vec<_> = slices.columns().map(|column| column.name).collect();
    let key = |index: usize| format!("(CAST(${} AS UUID), CAST(${} AS UINTEGER))", 2 * index + 2, 2 * index + 3);
    let wanted = match keys.len() {
        0 => String::new(),
        count => format!("WHERE (\"view\", n) IN ({})", (0..count).map(key).collect::<Vec<_>>().join(", ")),
    };
    let sql = format!("SELECT * FROM ({}) {wanted} ORDER BY \"view\", n", slices.current(&names));
    let mut values = vec![Value::Text(site.as_str().into())];
    values.extend(keys.iter().flat_map(|&(view, n)| [Value::Text(view.to_string()), Value::UInt(n)]));
    let mut prepared = connection.prepare(&sql)?;
    let mut records = prepared.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(record) = records.next()? {
        rows.push(row(record, site)?);
    }
    Ok(rows)
}

/// A record of all columns.
fn row(record: &Record<'_>, site: &SiteId) -> ::duckdb::Result<Row> {
    let number = |name: &str| record.get::<_, u64>(name);
    let bits = |low: &str, high: &str| -> ::duckdb::Result<u128> {
        Ok(u128::from(number(high)?) << 64 | u128::from(number(low)?))
    };
    let broken = |name: &str| ::duckdb::Error::InvalidColumnName(name.to_owned());
    let mut fields = Fields::default();
    for &field in Field::ALL {
        fields[field] = number(field.name())?;
    }
    let mut dimensions = Dimensions::default();
    for &dimension in Dimension::ALL {
        dimensions.set(dimension, record.get::<_, String>(dimension.name())?);
    }
    let view = ViewId::parse(&record.get::<_, String>("view")?).map_err(|_| broken("view"))?;
    let percents = |low, high| Percents::from_bits(bits(low, high)?).map_err(|_| broken(low));
    Ok(Row {
        key: RowKey { site: site.clone(), view, n: record.get("n")? },
        started_at: Wall::from_ms(record.get("started_at")?),
        span_ms: number("span_ms")?,
        fields,
        watched: percents("watched_lo", "watched_hi")?,
        rewatched: percents("rewatched_lo", "rewatched_hi")?,
        active: Minutes::from_bits(number("active")?.into()).map_err(|_| broken("active"))?,
        dimensions,
    })
}

const EVENT: &[&str] = &["seq", "happened_at", "n", "kind", "pos_ms", "details"];

/// The events of a view, or of the whole site, by view and number.
///
/// # Errors
/// What DuckDB says.
pub fn timeline(
    connection: &Connection,
    events: &Shape,
    site: &SiteId,
    view: Option<ViewId>,
) -> ::duckdb::Result<Vec<EventRow>> {
    let wanted: Vec<_> = EVENT.iter().chain(&["view"]).copied().collect();
    let only = if view.is_some() { "WHERE \"view\" = CAST($2 AS UUID)" } else { "" };
    let sql = format!(
        "SELECT {}, \"view\" FROM ({}) {only} ORDER BY \"view\", seq",
        EVENT.join(", "),
        events.current(&wanted)
    );
    let mut values = vec![Value::Text(site.as_str().into())];
    values.extend(view.map(|view| Value::Text(view.to_string())));
    let mut prepared = connection.prepare(&sql)?;
    let mut records = prepared.query(params_from_iter(values))?;
    let mut events = Vec::new();
    while let Some(record) = records.next()? {
        let view = record.get::<_, String>(EVENT.len())?;
        let view = ViewId::parse(&view).map_err(|_| ::duckdb::Error::InvalidColumnName(view))?;
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
