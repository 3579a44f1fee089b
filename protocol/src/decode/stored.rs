//! Reading again what was once accepted and kept: by a queue, by a store.
//!
//! Shape and bounds are checked as for what comes from outside; dates and plausibility are not, because they were
//! judged when it was accepted.

use serde::de::{Deserialize, Deserializer, Error};

use super::item::{any_event, any_slice};
use super::json::Json;
use super::read::Read;
use crate::event::{Event, EventKind};
use crate::slice::Slice;

impl<'de> Deserialize<'de> for Slice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        kept(any_slice(Json::deserialize(deserializer)?))
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        kept(any_event(Json::deserialize(deserializer)?))
    }
}

impl EventKind {
    /// Reads the kind with this name and its details, as [`write`](Self::write) wrote them; `None` for what
    /// this version does not know.
    #[must_use]
    pub fn from_details(name: &str, details: &str) -> Option<Self> {
        let Ok(Json::Object(mut members)) = serde_json::from_str(details) else { return None };
        Self::read(name, &mut members).ok()?
    }
}

fn kept<T, E: Error>(read: Read<T>) -> Result<T, E> {
    read.map_err(|defect| E::custom(format_args!("{}: {}", defect.field.unwrap_or("item"), defect.code.as_str())))
}
