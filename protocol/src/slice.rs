//! A slice: the state of one view between two marks of the clock.

use crate::bitmap::{Minutes, Percents};
use crate::clock::{Millis, Wall};
use crate::encode::Json;
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

/// What somebody who was told of a slice knows of it; nothing, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    fields: Fields,
    watched: Percents,
    rewatched: Percents,
    active: Minutes,
    stopped: bool,
    errored: bool,
}

impl Slice {
    /// What somebody knows who is told of it now.
    #[must_use]
    pub const fn known(&self) -> Known {
        Known {
            fields: self.fields,
            watched: self.watched,
            rewatched: self.rewatched,
            active: self.active,
            stopped: self.stop_reason.is_some(),
            errored: self.error_phase.is_some(),
        }
    }

    /// Writes it as an object, as on the wire.
    pub fn write(&self, json: &mut Json) {
        #[cfg(feature = "decode")]
        self.write_around(&Known::default(), json, |json| self.fields.write(json));
        #[cfg(not(feature = "decode"))]
        self.write_news(&Known::default(), json);
    }

    /// Writes what of it is not known yet, and always its identity: joined with what is known, that is the whole.
    pub fn write_news(&self, known: &Known, json: &mut Json) {
        self.write_around(known, json, |json| self.fields.write_news(&known.fields, json));
    }

    #[inline(always)]
    fn write_around(&self, known: &Known, json: &mut Json, fields: impl FnOnce(&mut Json)) {
        json.number("n", i64::from(self.n));
        json.number("at", self.at.as_ms());
        json.number("span_ms", self.span_ms as i64);
        fields(json);
        json.bits("watched", self.watched.minus(known.watched).bits());
        json.bits("rewatched", self.rewatched.minus(known.rewatched).bits());
        json.bits("active", self.active.minus(known.active).bits());
        if !known.stopped
            && let Some(reason) = self.stop_reason
        {
            json.word("stop_reason", StopReason::WORDS, reason as usize);
        }
        if !known.errored {
            json.text("error_code", &self.error_code);
            if let Some(phase) = self.error_phase {
                json.word("error_phase", ErrorPhase::WORDS, phase as usize);
            }
        }
    }
}
