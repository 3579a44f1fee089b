//! When playback stalls, and why.
//!
//! A stall begins at the last observed motion of the playhead, once the browser says `waiting`, or once nothing moved
//! for a second although it should and the next frame is missing. It ends when the playhead moves. Shorter than a
//! quarter of a second is none.

use quartile_protocol::clock::{Media, Millis, Mono};
use quartile_protocol::event::{Cause, EventType};
use quartile_protocol::field::Field;

use super::state::State;
use super::{SLEEP_MS, View};
use crate::playhead::{Playhead, Put, Step};
use crate::signal::{Snapshot, Told, What};

/// Without `waiting`, how long nothing must move; timers of hidden pages are throttled.
const PATIENCE_MS: Millis = 1_000;
const PATIENCE_HIDDEN_MS: Millis = 4_000;

/// What is shorter is no stall.
const SHORTEST_MS: Millis = 250;

/// A stall that is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stall {
    /// When the playhead last moved, and where.
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

/// Until when a playhead that stands still is given the benefit of the doubt.
pub(super) fn patience(playhead: &Playhead, hidden: bool) -> Mono {
    playhead.excused_at() + if hidden { PATIENCE_HIDDEN_MS } else { PATIENCE_MS }
}

impl View {
    /// Looks whether playback stalls.
    pub(super) fn watch_for_stall(&mut self, told: &Told<'_>, seen: &Snapshot) {
        if !matches!(self.state, State::Playing) || self.scene.in_ad() || seen.rate == 0.0 {
            return;
        }
        let now = self.ledger.now;
        let overdue = now >= patience(&self.playhead, self.hidden);
        if matches!(told.what, What::Waiting) || overdue && seen.starved {
            self.begin_stall();
        } else if overdue {
            // The element says that it has what it needs: it is looked at again after as long.
            self.playhead.excuse(now);
        }
    }

    fn begin_stall(&mut self) {
        let (now, pos) = (self.ledger.now, self.ledger.pos);
        let since = self.playhead.moved_at();
        let lasted_ms = now.since(since).min(SLEEP_MS);
        let cause = match self.playhead.put_by() {
            Put::Seek => Cause::Seek,
            Put::Rate => Cause::Rate,
            Put::Motion => Cause::Network,
        };
        let at = now - lasted_ms;
        let n = self.ledger.current();
        self.times.move_to_stall(lasted_ms);
        let stall = Stall { since, at, pos, n, cause, lasted_ms, counted_ms: 0 };
        let stall = self.count_stall(stall, now);
        self.enter(State::Rebuffering(stall));
    }

    /// The stall went on since the last look; it is over if the playhead moved.
    pub(super) fn spend_stall(&mut self, stall: Stall, step: Option<&Step>) {
        let end = step.map_or(self.ledger.now, |step| step.began);
        let awake = end.since(stall.since + stall.lasted_ms).min(SLEEP_MS);
        let stall = Stall { lasted_ms: stall.lasted_ms + awake, ..stall };
        let stall = self.count_stall(stall, end.min(self.ledger.now));
        self.state = State::Rebuffering(stall);
    }

    /// Counts what of the stall is not counted yet, up to `until`.
    fn count_stall(&mut self, stall: Stall, until: Mono) -> Stall {
        let more = stall.lasted_ms - stall.counted_ms;
        if stall.lasted_ms < SHORTEST_MS || more == 0 {
            return stall;
        }
        self.ledger.slice_from(until - more).fields[Field::RebufferMs] += more;
        if stall.counted_ms == 0 {
            self.ledger.count(Field::Rebuffers);
            self.ledger.once(Field::Rebuffered);
        }
        Stall { counted_ms: stall.lasted_ms, ..stall }
    }

    /// A stall is over: it is told as a whole.
    pub(super) fn tell_stall(&mut self, stall: Stall) {
        if stall.counted_ms > 0 {
            let details = self.ledger.event_in(stall.n, EventType::Rebuffer, stall.pos, stall.at);
            details.number("took_ms", stall.counted_ms as i64);
            details.text("cause", stall.cause.as_str());
        }
    }
}
