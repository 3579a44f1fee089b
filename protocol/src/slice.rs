//! A slice: the state of one view between two marks of the clock.

use crate::bitmap::{Minutes, Percents};
use crate::clock::{Millis, Wall};
use crate::encode::Value;
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

impl Slice {
    pub(crate) fn value(&self) -> Value<'_> {
        let bits = |hex: String| if hex.is_empty() { Value::Absent } else { Value::Owned(hex) };
        let mut members = vec![("n", self.n.into()), ("at", self.at.as_ms().into()), ("span_ms", self.span_ms.into())];
        members.extend(self.fields.set().map(|(field, value)| (field.name(), value.into())));
        members.extend([
            ("watched", bits(self.watched.to_hex())),
            ("rewatched", bits(self.rewatched.to_hex())),
            ("active", bits(self.active.to_hex())),
            ("stop_reason", self.stop_reason.map(StopReason::as_str).into()),
            ("error_code", Value::known(&self.error_code)),
            ("error_phase", self.error_phase.map(ErrorPhase::as_str).into()),
        ]);
        Value::Object(members)
    }
}
