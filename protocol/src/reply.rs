//! The answer to a batch. Every refusal has a code that stays the same for ever; the words around it may change.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::clock::{Millis, Wall};
use crate::names::names;

names! {
    /// Why one view, slice or event was not taken. Its neighbours are not affected.
    pub enum RejectCode {
        /// Not of the shape that the wire asks for: something missing, or of another type.
        Malformed = "malformed",
        /// A number that is negative, broken or beyond its bound.
        BadNumber = "bad_number",
        /// A text beyond its bound.
        TooLong = "too_long",
        /// A word that is not in the closed set that the wire allows there.
        UnknownValue = "unknown_value",
        /// More views, slices or events than one batch may carry.
        TooMany = "too_many",
        /// Not a UUID of version 7.
        BadViewId = "bad_view_id",
        /// The view began more than 30 days before the batch was sent, by the sender's own clock.
        ViewTooOld = "view_too_old",
        /// The view begins more than a day after the batch was sent, by the sender's own clock.
        ViewFromFuture = "view_from_future",
        /// An event of a type that this version does not know.
        UnknownEventType = "unknown_event_type",
        /// Numbers that cannot all be true of one slice.
        Implausible = "implausible",
    }
}

names! {
    /// Why a whole request was not taken.
    pub enum BodyCode {
        /// Not JSON, or not an object.
        Unreadable = "unreadable",
        /// A version of the wire that this collector does not speak.
        UnsupportedVersion = "unsupported_version",
        /// A field of the batch itself is missing, of another type or beyond its bound.
        BadField = "bad_field",
        /// No such site.
        UnknownSite = "unknown_site",
        /// The site does not allow this origin.
        ForbiddenOrigin = "forbidden_origin",
        /// Larger than a collector accepts, before or after decompression.
        TooLarge = "too_large",
        /// A `Content-Encoding` that a collector does not undo.
        UnsupportedEncoding = "unsupported_encoding",
        /// More requests in a minute than the site may send; come back later.
        TooManyRequests = "too_many_requests",
        /// More new views in a minute than the site may send; come back later.
        TooManyViews = "too_many_views",
        /// The queue is full or cannot write; come back later.
        QueueFull = "queue_full",
        /// The collector is going down or failed; come back later.
        Unavailable = "unavailable",
    }
}

impl BodyCode {
    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unreadable | Self::UnsupportedVersion | Self::BadField => 400,
            Self::UnknownSite => 401,
            Self::ForbiddenOrigin => 403,
            Self::TooLarge => 413,
            Self::UnsupportedEncoding => 415,
            Self::TooManyRequests | Self::TooManyViews => 429,
            Self::QueueFull | Self::Unavailable => 503,
        }
    }
}

/// Which item of a view was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The whole view, with all its slices and events.
    View,
    /// The slice at this index.
    Slice(u32),
    /// The event at this index.
    Event(u32),
}

/// One item that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Index of the view within the batch.
    pub view: u32,
    /// Which part of it.
    pub item: Item,
    /// Why.
    pub code: RejectCode,
    /// The field that is to blame, if one is.
    pub field: Option<&'static str>,
    /// How many slices and events are not taken with it.
    pub items: u64,
}

impl Serialize for Rejection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("view", &self.view)?;
        match self.item {
            Item::View => {}
            Item::Slice(index) => map.serialize_entry("slice", &index)?,
            Item::Event(index) => map.serialize_entry("event", &index)?,
        }
        map.serialize_entry("code", &self.code)?;
        if let Some(field) = self.field {
            map.serialize_entry("field", field)?;
        }
        map.end()
    }
}

/// The answer to a batch that was taken. It is given when what was accepted is on disk, and never before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// Slices and events accepted. A 200 without this field comes from somebody else and acknowledges nothing.
    pub accepted: u64,
    /// What was not.
    pub rejected: Vec<Rejection>,
    /// The collector's clock.
    pub server_time: Wall,
    /// Not to send before so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<Millis>,
}

/// The answer to a request that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Why, and what to do about it.
    pub error: Problem,
}

/// What was wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The stable code.
    pub code: BodyCode,
    /// For people.
    pub message: String,
    /// The field that is to blame, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
}
