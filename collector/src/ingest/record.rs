//! What the queue keeps of one batch, and how it is written down.
//!
//! A record is JSON of its own version, independent of the wire's. Dimensions are written once for each view. What this
//! version does not know in a record of its version is ignored; a record of a later version is refused and set aside by
//! whoever reads the queue.
//!
//! ```json
//! {"v":1,"site":"demo","views":[{"id":"…","dims":{"video":"1234"},
//!   "slices":[{"n":0,"at":1790000000000,"span_ms":10000,"fields":{"plays":1},"watched":"ff","stop_reason":"closed"}],
//!   "events":[{"seq":1,"n":0,"at":1790000000000,"type":"play","pos_ms":0}]}]}
//! ```

use std::collections::BTreeMap;

use quartile_protocol::bitmap::{Minutes, Percents};
use quartile_protocol::clock::{Media, Wall};
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::event::{ErrorPhase, Event, EventKind, Ladder, StopReason};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{IdError, SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use quartile_protocol::slice::Slice;
use serde::{Deserialize, Serialize};

/// The version that this code writes, and the latest that it reads.
const VERSION: u64 = 1;

/// What was accepted of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub site: SiteId,
    /// The views.
    pub views: Vec<RecordView>,
}

/// What was accepted of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// The view.
    pub id: ViewId,
    /// The dimensions that all its slices share; outcome dimensions are in the slices.
    pub dimensions: Dimensions,
    /// The slices, their dates by the collector's clock.
    pub slices: Vec<Slice>,
    /// The events, their dates by the collector's clock.
    pub events: Vec<Event>,
}

/// Why bytes are no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not JSON, or not of a record's shape.
    #[error("not a record: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a later version.
    #[error("a record of version {0}, which this version does not read")]
    Version(u64),
    /// An id that is none.
    #[error("a broken id: {0}")]
    Id(#[from] IdError),
    /// A word or a bitmap that this version does not know.
    #[error("{field} has an unknown value")]
    Value {
        /// Where it is.
        field: &'static str,
    },
}

impl RecordView {
    /// Whether there is nothing to keep of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slices.is_empty() && self.events.is_empty()
    }
}

impl Record {
    /// Slices and events in it.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.views.iter().map(|view| (view.slices.len() + view.events.len()) as u64).sum()
    }

    /// Writes it down.
    ///
    /// # Errors
    /// [`RecordError::Shape`], which no record is known to cause.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let views = self.views.iter().map(ViewText::of).collect();
        Ok(serde_json::to_vec(&RecordText { v: VERSION, site: self.site.as_str().into(), views })?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        /// Read first, so that a later version is told from nonsense.
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        let Version { v } = serde_json::from_slice(bytes)?;
        if v != VERSION {
            return Err(RecordError::Version(v));
        }
        let text: RecordText = serde_json::from_slice(bytes)?;
        let views = text.views.into_iter().map(ViewText::read).collect::<Result<_, _>>()?;
        Ok(Self { site: SiteId::new(&text.site)?, views })
    }

    /// The rows that a store takes.
    #[must_use]
    pub fn into_rows(self) -> (Vec<Row>, Vec<EventRow>) {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        for view in self.views {
            let (site, id) = (&self.site, view.id);
            rows.extend(view.slices.into_iter().map(|slice| row(site, id, &view.dimensions, slice)));
            events.extend(view.events.into_iter().map(|event| EventRow { site: site.clone(), view: id, event }));
        }
        (rows, events)
    }
}

fn row(site: &SiteId, view: ViewId, shared: &Dimensions, slice: Slice) -> Row {
    let mut dimensions = shared.clone();
    dimensions.set(Dimension::StopReason, slice.stop_reason.map_or("", StopReason::as_str));
    dimensions.set(Dimension::ErrorCode, slice.error_code);
    dimensions.set(Dimension::ErrorPhase, slice.error_phase.map_or("", ErrorPhase::as_str));
    Row {
        key: RowKey { site: site.clone(), view, n: slice.n },
        started_at: slice.at,
        span_ms: slice.span_ms,
        fields: slice.fields,
        watched: slice.watched,
        rewatched: slice.rewatched,
        active: slice.active,
        dimensions,
    }
}

#[derive(Serialize, Deserialize)]
struct RecordText {
    v: u64,
    site: String,
    views: Vec<ViewText>,
}

#[derive(Serialize, Deserialize)]
struct ViewText {
    id: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dims: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slices: Vec<SliceText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<EventText>,
}

#[derive(Serialize, Deserialize)]
struct SliceText {
    n: u32,
    at: i64,
    #[serde(default)]
    span_ms: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    watched: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rewatched: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    active: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stop_reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    error_code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    error_phase: String,
}

#[derive(Default, Serialize, Deserialize)]
struct EventText {
    seq: u32,
    n: u32,
    at: i64,
    r#type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pos_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    ladder: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fatal: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    phase: String,
}

/// Reads a word of a closed set; the empty text is none.
fn word<T>(text: &str, field: &'static str, read: fn(&str) -> Option<T>) -> Result<Option<T>, RecordError> {
    if text.is_empty() {
        return Ok(None);
    }
    read(text).map(Some).ok_or(RecordError::Value { field })
}

fn needed<T>(value: Option<T>, field: &'static str) -> Result<T, RecordError> {
    value.ok_or(RecordError::Value { field })
}

fn hexadecimal(bits: u128) -> String {
    if bits == 0 { String::new() } else { format!("{bits:x}") }
}

impl ViewText {
    fn of(view: &RecordView) -> Self {
        Self {
            id: view.id.to_string(),
            dims: view.dimensions.known().map(|(dimension, value)| (dimension.name().into(), value.into())).collect(),
            slices: view.slices.iter().map(SliceText::of).collect(),
            events: view.events.iter().map(EventText::of).collect(),
        }
    }

    fn read(self) -> Result<RecordView, RecordError> {
        let mut dimensions = Dimensions::default();
        for (name, value) in self.dims {
            if let Some(dimension) = Dimension::from_name(&name) {
                dimensions.set(dimension, value);
            }
        }
        Ok(RecordView {
            id: ViewId::parse(&self.id)?,
            dimensions,
            slices: self.slices.into_iter().map(SliceText::read).collect::<Result<_, _>>()?,
            events: self.events.into_iter().map(EventText::read).collect::<Result<_, _>>()?,
        })
    }
}

impl SliceText {
    fn of(slice: &Slice) -> Self {
        Self {
            n: slice.n,
            at: slice.at.as_ms(),
            span_ms: slice.span_ms,
            fields: slice.fields.set().map(|(field, value)| (field.name().into(), value)).collect(),
            watched: hexadecimal(slice.watched.bits()),
            rewatched: hexadecimal(slice.rewatched.bits()),
            active: hexadecimal(slice.active.bits()),
            stop_reason: slice.stop_reason.map_or("", StopReason::as_str).into(),
            error_code: slice.error_code.clone(),
            error_phase: slice.error_phase.map_or("", ErrorPhase::as_str).into(),
        }
    }

    fn read(self) -> Result<Slice, RecordError> {
        let mut fields = Fields::default();
        for (name, value) in self.fields {
            if let Some(field) = Field::from_name(&name) {
                fields[field] = value;
            }
        }
        let bad = |field| move |_| RecordError::Value { field };
        Ok(Slice {
            n: self.n,
            at: Wall::from_ms(self.at),
            span_ms: self.span_ms,
            fields,
            watched: Percents::parse(&self.watched).map_err(bad("watched"))?,
            rewatched: Percents::parse(&self.rewatched).map_err(bad("rewatched"))?,
            active: Minutes::parse(&self.active).map_err(bad("active"))?,
            stop_reason: word(&self.stop_reason, "stop_reason", StopReason::from_name)?,
            error_code: self.error_code,
            error_phase: word(&self.error_phase, "error_phase", ErrorPhase::from_name)?,
        })
    }
}

impl EventText {
    fn of(event: &Event) -> Self {
        let text = Self {
            seq: event.seq,
            n: event.n,
            at: event.at.as_ms(),
            r#type: event.kind.name().into(),
            pos_ms: event.pos.map(Media::as_ms),
            ..Self::default()
        };
        match &event.kind {
            EventKind::Quartile { ladder, percent } => {
                Self { ladder: ladder.as_str().into(), percent: Some(*percent), ..text }
            }
            EventKind::Stop { reason } => Self { reason: reason.as_str().into(), ..text },
            EventKind::Error { code, message, fatal, phase } => Self {
                code: code.clone(),
                message: message.clone(),
                fatal: *fatal,
                phase: phase.as_str().into(),
                ..text
            },
            _ => text,
        }
    }

    fn read(self) -> Result<Event, RecordError> {
        Ok(Event {
            seq: self.seq,
            n: self.n,
            at: Wall::from_ms(self.at),
            pos: self.pos_ms.map(Media::from_ms),
            kind: self.kind()?,
        })
    }

    fn kind(self) -> Result<EventKind, RecordError> {
        Ok(match self.r#type.as_str() {
            "impression" => EventKind::Impression,
            "play_request" => EventKind::PlayRequest,
            "play" => EventKind::Play,
            "pause" => EventKind::Pause,
            "resume" => EventKind::Resume,
            "end" => EventKind::End,
            "quartile" => EventKind::Quartile {
                ladder: needed(word(&self.ladder, "ladder", Ladder::from_name)?, "ladder")?,
                percent: needed(self.percent, "percent")?,
            },
            "stop" => {
                EventKind::Stop { reason: needed(word(&self.reason, "reason", StopReason::from_name)?, "reason")? }
            }
            "error" => EventKind::Error {
                phase: needed(word(&self.phase, "phase", ErrorPhase::from_name)?, "phase")?,
                code: self.code,
                message: self.message,
                fatal: self.fatal,
            },
            _ => return Err(RecordError::Value { field: "type" }),
        })
    }
}
