//! What of the content was watched: parts, percents, quartiles.

use quartile_protocol::batch::Offer;
use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::{Media, Millis};

use crate::ladder;
use crate::ledger::Ledger;
use crate::playhead::Step;
use crate::ranges::{Ranges, percent_at};
use crate::signal::Length;

#[derive(Debug)]
pub(crate) struct Progress {
    /// As the element says.
    length: Length,
    /// What the page or the engine says of being live.
    kind: Option<Offer>,
    once: Ranges,
    twice: Ranges,
    watched: Percents,
    rewatched: Percents,
}

impl Progress {
    /// Nothing was watched yet.
    pub(super) const NONE: Self = Self {
        length: Length::Unknown,
        kind: None,
        once: Ranges::EMPTY,
        twice: Ranges::EMPTY,
        watched: Percents::NONE,
        rewatched: Percents::NONE,
    };

    /// How long the content is, if it has a duration that is known; else 0.
    pub(super) const fn duration(&self) -> Millis {
        if let Length::Finite(duration) = self.length() { duration } else { 0 }
    }

    pub(super) const fn is_endless(&self) -> bool {
        matches!(self.length(), Length::Endless)
    }

    /// How long the content is; players of live streams give all kinds of durations, so who knows better is believed first.
    const fn length(&self) -> Length {
        match (self.kind, self.length) {
            (Some(Offer::Live), _) => Length::Endless,
            (Some(Offer::Vod), Length::Endless) => Length::Unknown,
            (_, length) => length,
        }
    }

    /// The page or the engine says whether it is live; the last word counts.
    pub(super) const fn believe(&mut self, kind: Option<Offer>) {
        if kind.is_some() {
            self.kind = kind;
        }
    }

    /// Live or on demand, as far as it is known.
    pub(super) const fn offer(&self) -> Option<Offer> {
        match self.length() {
            Length::Unknown => None,
            Length::Finite(_) => Some(Offer::Vod),
            Length::Endless => Some(Offer::Live),
        }
    }

    /// Takes in a duration; gives whether it is another one. What was watched is looked at anew, and nothing is taken
    /// back.
    pub(super) fn learn_length(&mut self, length: Length, ledger: &mut Ledger) -> bool {
        if length == self.length || length == Length::Unknown {
            return false;
        }
        self.length = length;
        self.mark(Media::from_ms(0), Media::from_ms(self.duration() as i64), ledger);
        true
    }

    /// A part of the content was watched.
    pub(super) fn watch(&mut self, step: &Step, run_ms: Millis, ledger: &mut Ledger) {
        self.once.add(step.from, step.to, Some(&mut self.twice));
        self.mark(step.from, step.to, ledger);
        self.climb(run_ms, false, ledger);
    }

    /// Writes the percents that are newly watched, within the part of the content that just changed.
    fn mark(&mut self, from: Media, to: Media, ledger: &mut Ledger) {
        let duration = self.duration();
        if duration == 0 {
            return;
        }
        let from = from.as_ms().clamp(0, duration as i64) as u64;
        for percent in from * 100 / duration..u64::from(Percents::MEMBERS) {
            if percent_at(percent, duration) > to {
                return;
            }
            if self.once.has_percent(percent, duration) && self.watched.insert(percent as u32) {
                ledger.slice().watched.insert(percent as u32);
            }
            if self.twice.has_percent(percent, duration) && self.rewatched.insert(percent as u32) {
                ledger.slice().rewatched.insert(percent as u32);
            }
        }
    }

    /// Notes the quartiles that are passed here, having played for `run_ms` on the way.
    pub(super) fn climb(&mut self, run_ms: Millis, ended: bool, ledger: &mut Ledger) {
        let (duration, pos) = (self.duration(), ledger.pos.unwrap_or_default());
        ladder::climb(ladder::Progress { duration, unique: self.once.total(), pos, run_ms, ended }, ledger);
    }
}
