//! When playback stalls, and why.
//!
//! A stall begins at the last observed motion of the playhead, once the browser says `waiting`, or once nothing moved
//! for a second although it should and the next frame is missing. It ends when the playhead moves. Shorter than a
//! quarter of a second is none.

use quartile_protocol::clock::{Media, Millis, Mono};
use quartile_protocol::event::{Cause, EventType};
use quartile_protocol::field::Field;
use quartile_protocol::limits;

use super::state::State;
use super::{SLEEP_MS, View};
use crate::ledger::Ledger;
use crate::playhead::{Playhead, Put};
use crate::signal::{Snapshot, Told, What};

/// Without `waiting`, how long nothing must move; timers of hidden pages are throttled.
const PATIENCE_MS: Millis = 1_000;
const PATIENCE_HIDDEN_MS: Millis = 4_000;

/// What is shorter is no stall.
const SHORTEST_MS: Millis = 250;

/// What may be counted in a slice beyond the time that it is open: half of what is allowed for clocks.
const BEYOND_MS: Millis = limits::SPAN_SLACK_MS / 2;

/// The stall that is going on, or the last one.
#[derive(Debug)]
pub(crate) struct Stall {
    /// When the playhead last moved, less what was slept through since, and where.
    since: Mono,
    at: Mono,
    pos: Option<Media>,
    /// The number of the slice that it began in.
    n: u32,
    cause: Cause,
    /// How long it has been, as far as looks confirm it.
    lasted_ms: Millis,
    /// How much of that is counted already.
    counted_ms: Millis,
}

impl Stall {
    /// None yet.
    pub(super) const NONE: Self = Self {
        since: Mono::from_ms(0),
        at: Mono::from_ms(0),
        pos: None,
        n: 0,
        cause: Cause::Network,
        lasted_ms: 0,
        counted_ms: 0,
    };

    /// It went on until `until`, as a look shows.
    pub(super) fn spend(&mut self, until: Mono, ledger: &mut Ledger) {
        let passed = until.since(self.since + self.lasted_ms);
        let awake = passed.min(SLEEP_MS);
        // What was slept through is left out for good: the next look must not find it again.
        self.since = self.since + (passed - awake);
        self.lasted_ms += awake;
        self.count(until, ledger);
    }

    /// Counts what of it is not counted yet, up to `until`.
    fn count(&mut self, until: Mono, ledger: &mut Ledger) {
        let more = self.lasted_ms - self.counted_ms;
        if self.lasted_ms < SHORTEST_MS || more == 0 {
            return;
        }
        // A slice that something else opened since it began is not believed to hold much more than its own time.
        let more = more.min(ledger.open_for(ledger.now).saturating_add(BEYOND_MS));
        ledger.slice_from(until - more).fields[Field::RebufferMs] += more;
        if self.counted_ms == 0 {
            ledger.count(Field::Rebuffers);
            ledger.once(Field::Rebuffered);
        }
        self.counted_ms = self.lasted_ms;
    }

    /// It is over, and told as a whole.
    pub(super) fn tell(&self, ledger: &mut Ledger) {
        if self.counted_ms > 0 {
            let details = ledger.event_in(self.n, EventType::Rebuffer, self.pos, self.at);
            details.number("took_ms", self.counted_ms as i64);
            details.word("cause", Cause::WORDS, self.cause as usize);
        }
    }
}

/// Until when a playhead that stands still is given the benefit of the doubt.
pub(super) fn patience(playhead: &Playhead, hidden: bool) -> Mono {
    playhead.excused_at() + if hidden { PATIENCE_HIDDEN_MS } else { PATIENCE_MS }
}

impl View {
    /// Looks whether playback stalls.
    pub(super) fn watch_for_stall(&mut self, told: &Told<'_>, seen: &Snapshot) {
        if self.state != State::Playing {
            return;
        }
        let now = self.ledger.now;
        let overdue = now >= patience(&self.playhead, self.hidden);
        let may_stand = self.scene.in_ad() || seen.rate == 0.0;
        if !may_stand && (told.what == What::Waiting || overdue && seen.starved) {
            self.begin_stall();
        } else if overdue {
            // The element says that it has what it needs, or needs nothing: it is looked at again after as long.
            self.playhead.excuse(now);
        }
    }

    fn begin_stall(&mut self) {
        let now = self.ledger.now;
        let lasted_ms = now.since(self.playhead.moved_at()).min(SLEEP_MS);
        let cause = match self.playhead.put_by() {
            Put::Seek => Cause::Seek,
            Put::Rate => Cause::Rate,
            Put::Motion => Cause::Network,
        };
        let (at, pos, n) = (now - lasted_ms, self.ledger.pos, self.ledger.current());
        self.times.move_to_stall(lasted_ms);
        self.stall = Stall { since: at, at, pos, n, cause, lasted_ms, counted_ms: 0 };
        self.stall.count(now, &mut self.ledger);
        self.enter(State::Rebuffering);
    }
}
