//! Slices as this harness knows them, apart from the product's own types: only what the wire says of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The state of a slice. It only ever grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How long it lasted.
    pub span_ms: u64,
    /// Played time in it.
    pub played_ms: u64,
    /// Seeks in it.
    pub seeks: u64,
    /// 1 when the play began in it.
    pub plays: u64,
    /// Percents of the content that were watched: their lower 64 bits are enough here.
    pub watched: u64,
}

/// A view and the number of a slice or an event within it.
pub type Key = (String, u32);

/// What viewers remember.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Notes {
    /// Each slice: the last state that was sent, and the last that was acknowledged.
    pub slices: Vec<(Key, State, Option<State>)>,
    /// Each event that was sent, and whether it was acknowledged.
    pub events: Vec<(Key, bool)>,
    /// Views of the video that the store refuses when it is told to.
    pub poisoned: Vec<String>,
    /// Requests that were answered with success.
    pub acknowledged: u64,
    /// Requests that were not answered so, broken off on purpose included.
    pub unacknowledged: u64,
}

/// The id of the video that a store refuses when it is told to.
pub const POISON: &str = "poison";

impl State {
    /// Lets it grow by a step of so many milliseconds.
    pub fn grow(&mut self, step_ms: u64, seeks: u64, percent: u32) {
        self.span_ms += step_ms;
        self.played_ms += step_ms - step_ms / 10;
        self.seeks += seeks;
        self.watched |= 1 << (percent % 64);
    }

    /// Whether this is at least what `other` is, in everything.
    pub fn covers(&self, other: &Self) -> bool {
        self.span_ms >= other.span_ms
            && self.played_ms >= other.played_ms
            && self.seeks >= other.seeks
            && self.plays >= other.plays
            && self.watched | other.watched == self.watched
    }

    /// As the wire has it.
    pub fn to_json(self, n: u32, at: u64) -> Value {
        json!({
            "n": n, "at": at, "span_ms": self.span_ms, "played_ms": self.played_ms, "seeks": self.seeks,
            "plays": self.plays, "watched": format!("{:025x}", self.watched),
        })
    }
}

impl Notes {
    /// Adds what another viewer remembers.
    pub fn add(&mut self, other: Self) {
        self.slices.extend(other.slices);
        self.events.extend(other.events);
        self.poisoned.extend(other.poisoned);
        self.acknowledged += other.acknowledged;
        self.unacknowledged += other.unacknowledged;
    }

    /// The slices by their keys.
    pub fn by_key(&self) -> BTreeMap<&Key, (State, Option<State>)> {
        self.slices.iter().map(|(key, sent, acknowledged)| (key, (*sent, *acknowledged))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_covers_what_it_grew_from_and_nothing_beyond() {
        let before = State { plays: 1, ..State::default() };
        let mut after = before;
        after.grow(1_000, 1, 70);
        assert!(after.covers(&before) && !before.covers(&after));
        assert_eq!(after, State { span_ms: 1_000, played_ms: 900, seeks: 1, plays: 1, watched: 1 << 6 });
    }
}
