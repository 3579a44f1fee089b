//! The two ladders of quartiles: how much was watched, and how far the playhead came while playing.

use quartile_protocol::clock::{Media, Millis};
use quartile_protocol::event::{EventType, Ladder};
use quartile_protocol::field::Field;

use crate::ledger::Ledger;

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

/// Notes each rung that is passed; each once in a view, lower ones first.
pub(crate) fn climb(at: Progress, ledger: &mut Ledger) {
    if at.duration == 0 {
        return;
    }
    for (percent, watched, position) in RUNGS {
        if at.is_watched(percent) {
            pass(Ladder::Watched, percent, watched, ledger);
        }
        if at.is_position(percent) {
            pass(Ladder::Position, percent, position, ledger);
        }
    }
}

fn pass(ladder: Ladder, percent: u8, field: Field, ledger: &mut Ledger) {
    if ledger.once(field) {
        let details = ledger.event(EventType::Quartile);
        details.word("ladder", Ladder::WORDS, ladder as usize);
        details.number("percent", percent.into());
    }
}

impl Progress {
    const fn is_watched(&self, percent: u8) -> bool {
        let threshold = match percent {
            // The last moments of a file are often never shown: all of it is a little less than all.
            100 if self.ended => 97,
            100 => 99,
            percent => percent,
        };
        self.unique * 100 >= self.duration * threshold as u64
    }

    const fn is_position(&self, percent: u8) -> bool {
        self.run_ms >= SETTLED_MS
            && (self.ended || self.pos.as_ms() >= (self.duration * percent as u64).div_ceil(100) as i64)
    }
}
