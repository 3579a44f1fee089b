//! The two ladders of quartiles: how much was watched, and how far the playhead came while playing.

use quartile_protocol::clock::{Media, Millis};
use quartile_protocol::event::Ladder;
use quartile_protocol::field::Field;

/// The rungs: percent, and the field of each ladder.
const RUNGS: [(u8, Field, Field); 4] = [
    (25, Field::Reached25, Field::Position25),
    (50, Field::Reached50, Field::Position50),
    (75, Field::Reached75, Field::Position75),
    (100, Field::Reached100, Field::Position100),
];

/// The playhead must play for so long at a place before it counts as a position.
const SETTLED_MS: Millis = 1_000;

/// What a ladder looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The duration of the content.
    pub duration: Millis,
    /// How much of it was watched, each part once.
    pub unique: Millis,
    /// Where the playhead is.
    pub pos: Media,
    /// How long it has played since it was last put somewhere.
    pub run_ms: Millis,
    /// Whether it plays up to the very end here.
    pub ended: bool,
}

/// The rungs passed so far; each is passed once in a view.
#[derive(Debug, Default)]
pub(crate) struct Ladders {
    watched: u8,
    position: u8,
}

impl Ladders {
    /// Gives each rung that is newly passed to `passed`, lower ones first.
    pub(crate) fn climb(&mut self, at: Progress, mut passed: impl FnMut(Ladder, u8, Field)) {
        if at.duration == 0 {
            return;
        }
        for (rung, &(percent, watched, position)) in RUNGS.iter().enumerate() {
            let bit = 1 << rung;
            if self.watched & bit == 0 && is_watched(at, percent) {
                self.watched |= bit;
                passed(Ladder::Watched, percent, watched);
            }
            if self.position & bit == 0 && is_position(at, percent) {
                self.position |= bit;
                passed(Ladder::Position, percent, position);
            }
        }
    }
}

const fn is_watched(at: Progress, percent: u8) -> bool {
    let threshold = match percent {
        // The last moments of a file are often never shown: all of it is a little less than all.
        100 if at.ended => 97,
        100 => 99,
        percent => percent,
    };
    at.unique * 100 >= at.duration * threshold as u64
}

const fn is_position(at: Progress, percent: u8) -> bool {
    at.run_ms >= SETTLED_MS && (at.ended || at.pos.as_ms() * 100 >= at.duration as i64 * percent as i64)
}
