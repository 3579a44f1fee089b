//! What the queue keeps of one batch, and how it is written down.
//!
//! A record is JSON of its own version. Slices and events stand in it as on the wire; dimensions are written once for each view. What this
//! version does not know in a record of its version is ignored; a record of a later version is refused and set aside by
//! whoever reads the queue.
//!
//! ```json
//! {"v":1,"site":"demo","received_at":1790000000000,"views":[{"id":"…","dims":{"video":"1234"},
//!   "slices":[{"n":0,"at":1790000000000,"span_ms":10000,"plays":1,"watched":"ff","stop_reason":"closed"}],
//!   "events":[{"seq":1,"n":0,"at":1790000000000,"type":"play","pos_ms":0}]}]}
//! ```

use std::borrow::Cow;
use std::fmt;
use std::iter::repeat_n;

use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::{Dimension, Dimensions};
use quartile_protocol::encode::Json;
use quartile_protocol::event::{ErrorPhase, Event, StopReason};
use quartile_protocol::id::{IdError, SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};
use quartile_protocol::slice::Slice;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The version that this code writes, and the latest that it reads.
const VERSION: u64 = 1;

/// What was accepted of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub site: SiteId,
    /// When the collector took it in; earlier releases did not write it down.
    pub received_at: Option<Wall>,
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
}

impl RecordView {
    fn write(&self, json: &mut Json) {
        json.uuid("id", self.id.bits());
        json.object("dims", |json| {
            self.dimensions.known().for_each(|(dimension, value)| json.text(dimension.name(), value));
        });
        json.list("slices", self.slices.len(), |json, index| self.slices[index].write(json));
        json.list("events", self.events.len(), |json, index| self.events[index].write(json));
    }

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
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let room = 512 + 1_024 * self.views.len() + 128 * self.items() as usize;
        Json::bytes_of(room, |json| {
            json.number("v", VERSION as i64);
            json.text("site", self.site.as_str());
            json.known_number("received_at", self.received_at.and_then(|at| u64::try_from(at.as_ms()).ok()));
            json.list("views", self.views.len(), |json, index| self.views[index].write(json));
        })
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        /// Read where the whole cannot be, so that a later version is told from nonsense.
        #[derive(Deserialize)]
        struct Version {
            v: u64,
        }
        // Where all of it is UTF-8, no text in it is looked at again.
        let read = str::from_utf8(bytes).map_or_else(|_| serde_json::from_slice(bytes), serde_json::from_str);
        let text: RecordText = read.or_else(|error| {
            let Version { v } = serde_json::from_slice(bytes)?;
            Err(if v == VERSION { error.into() } else { RecordError::Version(v) })
        })?;
        if text.v != VERSION {
            return Err(RecordError::Version(text.v));
        }
        let views = text.views.into_iter().map(ViewText::read).collect::<Result<_, _>>()?;
        let received_at = text.received_at.map(Wall::from_ms);
        Ok(Self { site: SiteId::new(&text.site)?, received_at, views })
    }

    /// Slices and events in a record, without reading the rest of it; 0 when it is none.
    #[must_use]
    pub fn count_items(bytes: &[u8]) -> u64 {
        #[derive(Deserialize)]
        struct Counted {
            #[serde(default)]
            views: Vec<CountedView>,
        }
        #[derive(Deserialize)]
        struct CountedView {
            #[serde(default)]
            slices: Vec<IgnoredAny>,
            #[serde(default)]
            events: Vec<IgnoredAny>,
        }
        let counted: Option<Counted> = serde_json::from_slice(bytes).ok();
        counted
            .map_or(0, |counted| counted.views.iter().map(|view| (view.slices.len() + view.events.len()) as u64).sum())
    }

    /// The record of this one slice of it; `None` when it is not in it.
    #[must_use]
    pub fn only_slice(&self, id: ViewId, n: u32) -> Option<Self> {
        self.only(id, |view| {
            view.slices.retain(|slice| slice.n == n);
            view.events.clear();
        })
    }

    /// The record of this one event of it; `None` when it is not in it.
    #[must_use]
    pub fn only_event(&self, id: ViewId, seq: u32) -> Option<Self> {
        self.only(id, |view| {
            view.slices.clear();
            view.events.retain(|event| event.seq == seq);
        })
    }

    fn only(&self, id: ViewId, narrow: impl Fn(&mut RecordView)) -> Option<Self> {
        let mut only = self.clone();
        only.views.retain(|view| view.id == id);
        only.views.iter_mut().for_each(narrow);
        only.views.retain(|view| !view.is_empty());
        (!only.views.is_empty()).then_some(only)
    }

    /// The rows that a store takes.
    #[must_use]
    pub fn into_rows(self) -> (Vec<Row>, Vec<EventRow>) {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        for view in self.views {
            let (site, id) = (&self.site, view.id);
            // The last slice takes the dimensions along, and most views have one.
            let each = repeat_n(view.dimensions, view.slices.len());
            rows.extend(view.slices.into_iter().zip(each).map(|(slice, shared)| row(site, id, shared, slice)));
            events.extend(view.events.into_iter().map(|event| EventRow { site: site.clone(), view: id, event }));
        }
        (rows, events)
    }
}

fn row(site: &SiteId, view: ViewId, mut dimensions: Dimensions, slice: Slice) -> Row {
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

#[derive(Deserialize)]
struct RecordText {
    v: u64,
    site: String,
    received_at: Option<i64>,
    #[serde(default)]
    views: Vec<ViewText>,
}

#[derive(Deserialize)]
struct ViewText {
    id: String,
    #[serde(default)]
    dims: Known,
    #[serde(default)]
    slices: Vec<Slice>,
    #[serde(default)]
    events: Vec<Event>,
}

/// The dimensions that this version knows.
#[derive(Default)]
struct Known(Dimensions);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Known;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Known, A::Error> {
                let mut known = Dimensions::default();
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, Box<str>>()? {
                    if let Some(dimension) = Dimension::from_name(&name) {
                        known.set(dimension, value);
                    }
                }
                Ok(Known(known))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl ViewText {
    fn read(self) -> Result<RecordView, RecordError> {
        let Known(dimensions) = self.dims;
        Ok(RecordView { id: ViewId::parse(&self.id)?, dimensions, slices: self.slices, events: self.events })
    }
}
