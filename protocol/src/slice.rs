//! A slice: the state of one view between two marks of the clock.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::bitmap::{Minutes, Percents};
use crate::clock::{Millis, Wall};
use crate::event::{ErrorPhase, StopReason};
use crate::field::Fields;

/// What happened in a view from [`at`](Self::at) on, until the next mark of five minutes or a change of dimension.
///
/// It is said again whenever it has grown. Absent fields are the least element: 0, no bits, the empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The slice's number within its view, from 0.
    pub n: u32,
    /// When the slice opened, by the sender's clock.
    pub at: Wall,
    /// How long it has lasted so far.
    pub span_ms: Millis,
    /// What was counted.
    pub fields: Fields,
    /// The percents of the content of which at least half was watched.
    pub watched: Percents,
    /// The percents of the content of which at least half was watched twice.
    pub rewatched: Percents,
    /// The minutes, from the minute of `at`, in which the playhead moved.
    pub active: Minutes,
    /// How the view ended, if it ended in this slice.
    pub stop_reason: Option<StopReason>,
    /// The code of this slice's error; empty without one.
    pub error_code: String,
    /// When this slice's error struck.
    pub error_phase: Option<ErrorPhase>,
}

impl Serialize for Slice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("n", &self.n)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("span_ms", &self.span_ms)?;
        for (field, value) in self.fields.set() {
            map.serialize_entry(field.name(), &value)?;
        }
        for (name, bits) in [("watched", self.watched), ("rewatched", self.rewatched)] {
            if !bits.is_empty() {
                map.serialize_entry(name, &bits)?;
            }
        }
        if !self.active.is_empty() {
            map.serialize_entry("active", &self.active)?;
        }
        if let Some(reason) = self.stop_reason {
            map.serialize_entry("stop_reason", reason.as_str())?;
        }
        if !self.error_code.is_empty() {
            map.serialize_entry("error_code", &self.error_code)?;
        }
        if let Some(phase) = self.error_phase {
            map.serialize_entry("error_phase", phase.as_str())?;
        }
        map.end()
    }
}
