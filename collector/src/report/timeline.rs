//! What happened in one view, event by event.

use jiff::tz::TimeZone;
use quartile_protocol::clock::Media;
use quartile_protocol::encode::Json;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::EventRow;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::{Code, Refusal, ReportError};
use super::sheet::Sheet;
use super::table::Cell;
use super::text;
use crate::store::Store;

/// The events of a view.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// The site.
    pub site: String,
    /// The view.
    pub view: String,
    /// In the order in which they happened; none of a view that is not known.
    pub events: Vec<Happened>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happened {
    /// Its number within the view.
    pub seq: u32,
    /// The slice that it happened in.
    pub n: u32,
    /// When.
    pub at: String,
    /// What.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where in the content, if known.
    pub pos_ms: Option<i64>,
    /// The details that this type has.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

/// Reads the id of a view.
///
/// # Errors
/// A refusal.
pub fn view(text: Option<&str>) -> Result<ViewId, Refusal> {
    let refuse = |code, message: &str| Refusal { code, message: message.into(), field: "view".into() };
    let text = text.ok_or_else(|| refuse(Code::MissingField, "is missing"))?;
    ViewId::parse(text).map_err(|_| refuse(Code::InvalidValue, "must be the id of a view, a UUID"))
}

/// The events of a view, with dates in a timezone.
///
/// # Errors
/// [`ReportError`].
pub fn timeline(store: &dyn Store, site: &SiteId, view: ViewId, timezone: &TimeZone) -> Result<Timeline, ReportError> {
    let mut rows = store.timeline(site, view)?;
    rows.sort_by_key(|row| (row.event.at, row.event.seq));
    let events = rows.iter().map(|row| happened(row, timezone)).collect::<Result<_, ReportError>>()?;
    Ok(Timeline { site: site.to_string(), view: view.to_string(), events })
}

fn happened(row: &EventRow, timezone: &TimeZone) -> Result<Happened, ReportError> {
    let event = &row.event;
    let details = serde_json::from_str(&Json::object_of(|json| event.kind.write(json))).unwrap_or_default();
    Ok(Happened {
        seq: event.seq,
        n: event.n,
        at: text(event.at, timezone)?,
        kind: event.kind.name(),
        pos_ms: event.pos.map(Media::as_ms),
        details,
    })
}

impl Timeline {
    /// A row for each event, its details as JSON.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let row = |event: &Happened| {
            vec![
                Cell::Integer(event.seq.into()),
                Cell::Text(event.at.clone()),
                Cell::Text(event.kind.into()),
                event.pos_ms.map_or(Cell::Null, |pos| Cell::Integer(pos.into())),
                Cell::Text(json!(event.details).to_string()),
            ]
        };
        let columns = ["seq", "at", "type", "pos_ms", "details"].map(str::to_owned).to_vec();
        Sheet { columns, rows: self.events.iter().map(row).collect() }
    }
}
