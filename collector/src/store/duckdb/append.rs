//! Rows as columns, handed to DuckDB in batches.

use std::collections::HashMap;
use std::sync::Arc;

use ::duckdb::Connection;
use ::duckdb::arrow::array::{
    ArrayRef, FixedSizeBinaryArray, Int32Array, Int64Array, StringArray, UInt32Array, UInt64Array,
};
use ::duckdb::arrow::buffer::Buffer;
use ::duckdb::arrow::datatypes::{Field as ArrowField, Schema};
use ::duckdb::arrow::record_batch::RecordBatch;
use quartile_protocol::clock::Media;
use quartile_protocol::dimension::Dimension;
use quartile_protocol::encode::Json;
use quartile_protocol::field::Field;
use quartile_protocol::id::ViewId;
use quartile_protocol::row::{EventRow, Row};

use super::schema::Shape;

/// Rows per batch: bounds what is held twice.
const BATCH_ROWS: usize = 8_192;

/// In which order the hot table has the columns of its shape; `None` where it has others besides, as a later version may
/// leave it. To name the columns costs as much as to append some hundred rows.
#[derive(Debug)]
pub struct Order(Option<Vec<usize>>);

impl Order {
    /// That of the table as it is.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn of(connection: &Connection, shape: &Shape) -> ::duckdb::Result<Self> {
        let sql = "SELECT column_name FROM duckdb_columns() WHERE table_name = $1 ORDER BY column_index";
        let mut statement = connection.prepare(sql)?;
        let names = statement.query_map([shape.hot], |record| record.get::<_, String>(0))?;
        let place = |name: String| shape.columns().position(|column| column.name == name);
        let places = names.map(|name| Ok(place(name?))).collect::<::duckdb::Result<Vec<_>>>()?;
        Ok(Self(places.into_iter().collect()))
    }
}

/// Appends slices to the hot table.
///
/// # Errors
/// What DuckDB says.
pub fn slices(connection: &Connection, shape: &Shape, order: &Order, rows: &[Row]) -> ::duckdb::Result<()> {
    append(connection, shape, order, rows, slice_columns)
}

/// Appends events to the hot table.
///
/// # Errors
/// What DuckDB says.
pub fn events(connection: &Connection, shape: &Shape, order: &Order, rows: &[EventRow]) -> ::duckdb::Result<()> {
    append(connection, shape, order, rows, event_columns)
}

fn append<R>(
    connection: &Connection,
    shape: &Shape,
    Order(order): &Order,
    rows: &[R],
    columns: impl Fn(&[R]) -> Vec<ArrayRef>,
) -> ::duckdb::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = shape.columns().map(|column| column.name).collect();
    let mut appender = match order {
        Some(_) => connection.appender(shape.hot)?,
        None => connection.appender_with_columns(shape.hot, &names)?,
    };
    let names = in_order(order.as_deref(), names);
    for rows in rows.chunks(BATCH_ROWS) {
        appender.append_record_batch(batch(&names, in_order(order.as_deref(), columns(rows)))?)?;
    }
    appender.flush()
}

fn in_order<T: Clone>(order: Option<&[usize]>, columns: Vec<T>) -> Vec<T> {
    match order {
        Some(order) => order.iter().map(|&place| columns[place].clone()).collect(),
        None => columns,
    }
}

fn batch(names: &[&str], columns: Vec<ArrayRef>) -> ::duckdb::Result<RecordBatch> {
    let field = |(name, column): (&&str, &ArrayRef)| {
        let field = ArrowField::new(*name, column.data_type().clone(), true);
        match column.data_type() {
            // Without this a UUID would be taken for a blob.
            ::duckdb::arrow::datatypes::DataType::FixedSizeBinary(_) => {
                field.with_metadata(HashMap::from([("ARROW:extension:name".into(), "arrow.uuid".into())]))
            }
            _ => field,
        }
    };
    let schema = Schema::new(names.iter().zip(&columns).map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns)
        .map_err(|error| ::duckdb::Error::ToSqlConversionFailure(Box::new(error)))
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn small_numbers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(values))
}

fn dates(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn views(values: impl Iterator<Item = ViewId>) -> ArrayRef {
    let bytes: Vec<u8> = values.flat_map(|view| view.as_uuid().into_bytes()).collect();
    Arc::new(FixedSizeBinaryArray::new(16, Buffer::from_vec(bytes), None))
}

fn days(values: impl Iterator<Item = ViewId>) -> ArrayRef {
    // 48 bits of milliseconds are less than 3.3 million days.
    Arc::new(Int32Array::from_iter_values(values.map(|view| i32::try_from(view.day()).unwrap_or(i32::MAX))))
}

/// In the order of [`super::schema::slices`].
fn slice_columns(rows: &[Row]) -> Vec<ArrayRef> {
    let mut columns = vec![
        texts(rows.iter().map(|row| row.key.site.as_str())),
        views(rows.iter().map(|row| row.key.view)),
        small_numbers(rows.iter().map(|row| row.key.n)),
        days(rows.iter().map(|row| row.key.view)),
        dates(rows.iter().map(|row| row.started_at.as_ms())),
        numbers(rows.iter().map(|row| row.span_ms)),
    ];
    columns.extend(Field::ALL.iter().map(|&field| numbers(rows.iter().map(move |row| row.fields[field]))));
    let (low, high) = (|bits: u128| bits as u64, |bits: u128| (bits >> 64) as u64);
    columns.extend([
        numbers(rows.iter().map(|row| low(row.watched.bits()))),
        numbers(rows.iter().map(|row| high(row.watched.bits()))),
        numbers(rows.iter().map(|row| low(row.rewatched.bits()))),
        numbers(rows.iter().map(|row| high(row.rewatched.bits()))),
        numbers(rows.iter().map(|row| low(row.active.bits()))),
    ]);
    columns
        .extend(Dimension::ALL.iter().map(|&dimension| texts(rows.iter().map(move |row| &row.dimensions[dimension]))));
    columns
}

/// In the order of [`super::schema::events`].
fn event_columns(rows: &[EventRow]) -> Vec<ArrayRef> {
    let details: Vec<_> = rows.iter().map(|row| Json::object_of(|json| row.event.kind.write(json))).collect();
    let positions = rows.iter().map(|row| row.event.pos.map(Media::as_ms));
    vec![
        texts(rows.iter().map(|row| row.site.as_str())),
        views(rows.iter().map(|row| row.view)),
        small_numbers(rows.iter().map(|row| row.event.seq)),
        days(rows.iter().map(|row| row.view)),
        dates(rows.iter().map(|row| row.event.at.as_ms())),
        small_numbers(rows.iter().map(|row| row.event.n)),
        texts(rows.iter().map(|row| row.event.kind.name())),
        Arc::new(positions.collect::<Int64Array>()),
        texts(details.iter().map(String::as_str)),
    ]
}
