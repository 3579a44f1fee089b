//! What the player is doing, and what a change of that means.

use quartile_protocol::clock::{Millis, Mono};
use quartile_protocol::encode::Words;
use quartile_protocol::event::{ErrorPhase, EventType};
use quartile_protocol::field::Field;

use super::View;
use crate::signal::{Snapshot, Told, What};

/// Playback begins anew after the end if it begins no further in than this.
const BEGINNING_MS: i64 = 1_000;

/// What the player is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// It stands still, and nobody paused it: nothing was asked of it yet, or its media is attached anew.
    Idle,
    /// Playback was asked for, and nothing is known of the content yet.
    Requested,
    /// The first frame is awaited.
    Starting,
    Playing,
    /// By the viewer.
    Paused,
    Seeking,
    Rebuffering,
    Ended,
    /// A fatal error.
    Failed,
}

/// With a NUL after each.
const NAMES: &str = "idle\0requested\0starting\0playing\0paused\0seeking\0rebuffering\0ended\0failed\0";

impl State {
    const COUNT: usize = 9;

    /// The names of all states, as the encoder takes them.
    pub(crate) const WORDS: Words = Words(NAMES);

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        NAMES.split('\0').nth(self as usize).unwrap_or_default()
    }

    pub(super) const fn awaits_first_frame(self) -> bool {
        matches!(self, Self::Requested | Self::Starting)
    }

    /// Whether a motion of the playhead would be playing.
    pub(super) const fn may_move(self) -> bool {
        self.awaits_first_frame() || matches!(self, Self::Playing | Self::Rebuffering | Self::Failed)
    }

    /// Whether somebody is watching, or waiting to.
    pub(super) const fn is_active(self) -> bool {
        self.awaits_first_frame() || matches!(self, Self::Playing | Self::Rebuffering | Self::Seeking)
    }
}

/// How long each state lasted: together, as long as the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times([Millis; State::COUNT]);

impl Times {
    /// No time has passed.
    pub(super) const NONE: Self = Self([0; State::COUNT]);

    /// `lasted` went to a state, and `moved` after it to playing.
    pub(super) fn spend(&mut self, state: State, lasted: Millis, moved: Millis) {
        self.0[state as usize] += lasted;
        self.0[State::Playing as usize] += moved;
    }

    /// A stall that was noticed late takes what was taken for playing.
    pub(super) fn move_to_stall(&mut self, ms: Millis) {
        let playing = &mut self.0[State::Playing as usize];
        let taken = ms.min(*playing);
        *playing -= taken;
        self.0[State::Rebuffering as usize] += taken;
    }

    /// By the name of the state, in milliseconds.
    pub(crate) fn by_name(&self) -> [(&'static str, Millis); State::COUNT] {
        let mut names = NAMES.split('\0');
        std::array::from_fn(|index| (names.next().unwrap_or_default(), self.0[index]))
    }
}

/// How far the view is on its way to the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    NotAsked,
    Asked,
    Played,
}

impl Start {
    pub(super) const fn phase(self) -> ErrorPhase {
        match self {
            Self::NotAsked => ErrorPhase::BeforePlay,
            Self::Asked => ErrorPhase::BeforeFirstFrame,
            Self::Played => ErrorPhase::MidStream,
        }
    }
}

/// The wait for the first frame.
#[derive(Debug)]
pub(crate) struct Wait {
    /// So long by now.
    pub ms: Millis,
    /// So long it was when the frame was shown; 0 where nobody saw the start.
    pub shown_ms: Option<Millis>,
}

impl Wait {
    /// The frame is shown.
    pub(super) fn show(&mut self) {
        self.shown_ms.get_or_insert(self.ms.max(1));
    }

    /// Nobody saw the start: a startup of 0 says that it was not measured.
    pub(super) const fn skip(&mut self) {
        self.shown_ms = Some(0);
    }

    /// How long the start took, as the playhead moves now.
    pub(super) fn startup_ms(&self) -> Millis {
        self.shown_ms.unwrap_or(self.ms.max(1))
    }
}

impl View {
    pub(super) fn enter(&mut self, state: State) {
        let before = std::mem::replace(&mut self.state, state);
        if before != state {
            match before {
                State::Seeking => self.seeks.end(self.looked),
                State::Rebuffering => self.stall.tell(&mut self.ledger),
                _ => {}
            }
        }
    }

    /// Reads the new state off the element.
    pub(super) fn settle(&mut self, told: &Told<'_>, seen: &Snapshot) {
        if self.state == State::Failed {
            // The viewer asks for what is broken already.
            if !seen.paused && self.start == Start::NotAsked {
                self.ask();
                self.fail_to_start();
            }
            return;
        }
        if seen.ended {
            self.end();
        } else if seen.seeking && (seen.paused || self.start == Start::Played) {
            // A look that came before the event found it standing still, nobody knew why.
            if told.what == What::Paused && seen.paused && self.state == State::Idle {
                self.hold(told);
            }
            self.seek(seen);
        } else {
            if told.what == What::Seeking && self.jumped_at != Mono::NEVER {
                self.jump(seen);
            }
            if seen.paused {
                self.hold(told);
            } else {
                self.run(seen);
            }
        }
    }

    /// A seek that is over before its event is delivered: the element never said that it seeks.
    fn jump(&mut self, seen: &Snapshot) {
        self.jumped_at = Mono::NEVER;
        let replays = self.over && !seen.paused;
        if self.start == Start::Played && self.state != State::Seeking && !replays {
            self.seeks.begin(&mut self.ledger);
            self.seeks.end(self.ledger.now);
        }
    }

    fn end(&mut self) {
        let played_here = std::mem::take(&mut self.running);
        if self.state == State::Ended || self.start != Start::Played {
            return;
        }
        self.reach_end(played_here);
        self.enter(State::Ended);
        self.over = true;
    }

    /// The content came to its end.
    pub(super) fn reach_end(&mut self, played_here: bool) {
        self.progress.climb(self.playhead.run_ms(), played_here, &mut self.ledger);
        self.ledger.count(Field::Ends);
        self.ledger.event(EventType::End);
        self.ledger.due = self.ledger.now;
    }

    fn seek(&mut self, seen: &Snapshot) {
        // A repeating player seeks to its beginning by itself, too.
        if self.wrapping {
            return;
        }
        // `play()` after the end moves the playhead to the beginning by itself.
        if self.state == State::Ended && !seen.paused {
            return;
        }
        // Browsers and players pause of themselves during a seek: what the viewer wants shows afterwards.
        if self.state != State::Idle && self.state != State::Seeking {
            self.enter(State::Seeking);
        }
        if self.start == Start::Played && self.state == State::Seeking {
            self.seeks.begin(&mut self.ledger);
        }
    }

    fn hold(&mut self, told: &Told<'_>) {
        // What was paused during a seek shows when the seek is over.
        let by_viewer = told.what == What::Paused || self.state == State::Seeking;
        if by_viewer && std::mem::replace(&mut self.running, false) && self.start == Start::Played {
            self.on_hold = true;
            self.ledger.count(Field::Pauses);
            self.ledger.event(EventType::Pause);
        }
        let state = match (self.state, self.start) {
            // The end stays the end until something plays, wherever the viewer looks meanwhile.
            _ if self.over => State::Ended,
            (_, Start::NotAsked) => State::Idle,
            _ if self.running => State::Idle,
            _ => State::Paused,
        };
        self.enter(state);
    }

    fn run(&mut self, seen: &Snapshot) {
        self.running = true;
        let was_on_hold = std::mem::take(&mut self.on_hold);
        let was_over = std::mem::take(&mut self.over);
        match self.start {
            Start::NotAsked => self.ask(),
            Start::Played if was_over => self.replay(),
            Start::Played if was_on_hold => {
                self.ledger.count(Field::Resumes);
                self.ledger.event(EventType::Resume);
            }
            Start::Asked | Start::Played => {}
        }
        match (self.start, self.state) {
            (Start::Played, State::Rebuffering) => {}
            (Start::Played, _) => self.enter(State::Playing),
            _ if seen.ready => self.enter(State::Starting),
            _ => self.enter(State::Requested),
        }
    }

    fn ask(&mut self) {
        self.start = Start::Asked;
        self.autoplay_due = Mono::NEVER;
        self.ledger.count(Field::PlayRequests);
        self.ledger.event(EventType::PlayRequest);
    }

    fn replay(&mut self) {
        self.jumped_at = Mono::NEVER;
        if self.ledger.pos.is_some_and(|pos| pos.as_ms() <= BEGINNING_MS) {
            self.ledger.count(Field::Replays);
            self.ledger.event(EventType::Replay);
        }
    }
}
