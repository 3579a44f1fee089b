//! What the player is doing, and what a change of that means.

use quartile_protocol::clock::{Millis, Mono};
use quartile_protocol::event::{ErrorPhase, EventType};
use quartile_protocol::field::Field;

use super::View;
use super::stall::Stall;
use crate::signal::{Snapshot, Told, What};

/// Playback begins anew after the end if it begins no further in than this.
const BEGINNING_MS: i64 = 1_000;

/// What the player is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    Rebuffering(Stall),
    Ended,
    /// A fatal error.
    Failed,
}

const NAMES: [&str; State::COUNT] =
    ["idle", "requested", "starting", "playing", "paused", "seeking", "rebuffering", "ended", "failed"];

impl State {
    const COUNT: usize = 9;

    const fn index(&self) -> usize {
        match self {
            Self::Idle => 0,
            Self::Requested => 1,
            Self::Starting => 2,
            Self::Playing => 3,
            Self::Paused => 4,
            Self::Seeking => 5,
            Self::Rebuffering(_) => 6,
            Self::Ended => 7,
            Self::Failed => 8,
        }
    }

    /// For people.
    pub(crate) const fn name(&self) -> &'static str {
        NAMES[self.index()]
    }

    pub(super) const fn awaits_first_frame(&self) -> bool {
        matches!(self, Self::Requested | Self::Starting)
    }

    /// Whether a motion of the playhead would be playing.
    pub(super) const fn may_move(&self) -> bool {
        self.awaits_first_frame() || matches!(self, Self::Playing | Self::Rebuffering(_) | Self::Failed)
    }

    /// Whether somebody is watching, or waiting to.
    pub(super) const fn is_active(&self) -> bool {
        self.awaits_first_frame() || matches!(self, Self::Playing | Self::Rebuffering(_) | Self::Seeking)
    }
}

/// How long each state lasted: together, as long as the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times([Millis; State::COUNT]);

impl Times {
    /// `lasted` went to a state, and `moved` after it to playing.
    pub(super) fn spend(&mut self, state: &State, lasted: Millis, moved: Millis) {
        self.0[state.index()] += lasted;
        self.0[State::Playing.index()] += moved;
    }

    /// A stall that was noticed late takes what was taken for playing.
    pub(super) fn move_to_stall(&mut self, ms: Millis) {
        let playing = &mut self.0[State::Playing.index()];
        let taken = ms.min(*playing);
        *playing -= taken;
        self.0[6] += taken;
    }

    /// By the name of the state, in milliseconds.
    pub(crate) fn by_name(&self) -> [(&'static str, Millis); State::COUNT] {
        std::array::from_fn(|index| (NAMES[index], self.0[index]))
    }
}

/// How far the view is on its way to the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    NotAsked,
    /// Waited so long by now, and by the time that the first frame was shown, if it was.
    Asked {
        waited_ms: Millis,
        frame_ms: Option<Millis>,
    },
    Played,
}

impl Start {
    pub(super) fn wait(&mut self, ms: Millis) {
        if let Self::Asked { waited_ms, .. } = self {
            *waited_ms += ms;
        }
    }

    pub(super) fn frame(&mut self) {
        if let Self::Asked { waited_ms, frame_ms } = self {
            frame_ms.get_or_insert((*waited_ms).max(1));
        }
    }

    /// Nobody saw the start: a startup of 0 says that it was not measured.
    pub(super) fn join(&mut self) {
        if let Self::Asked { frame_ms, .. } = self {
            *frame_ms = Some(0);
        }
    }

    pub(super) const fn is_played(&self) -> bool {
        matches!(self, Self::Played)
    }

    pub(super) const fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }

    pub(super) const fn phase(&self) -> ErrorPhase {
        match self {
            Self::NotAsked => ErrorPhase::BeforePlay,
            Self::Asked { .. } => ErrorPhase::BeforeFirstFrame,
            Self::Played => ErrorPhase::MidStream,
        }
    }
}

impl View {
    pub(super) fn enter(&mut self, state: State) {
        match self.state {
            State::Seeking if !matches!(state, State::Seeking) => self.seeks.end(self.looked),
            State::Rebuffering(stall) if !matches!(state, State::Rebuffering(_)) => self.tell_stall(stall),
            _ => {}
        }
        self.state = state;
    }

    /// Reads the new state off the element.
    pub(super) fn settle(&mut self, told: &Told<'_>, seen: &Snapshot) {
        if matches!(self.state, State::Failed) {
            // The viewer asks for what is broken already.
            if !seen.paused && self.start.is_not_asked() {
                self.ask();
                self.fail_to_start();
            }
            return;
        }
        if seen.ended {
            self.end();
        } else if seen.seeking {
            self.seek(seen);
        } else if seen.paused {
            self.hold(told);
        } else {
            self.run(seen);
        }
    }

    fn end(&mut self) {
        let played_here = self.state.may_move() || matches!(self.state, State::Seeking);
        self.running = false;
        if matches!(self.state, State::Ended) || !self.start.is_played() {
            return;
        }
        self.reach_end(played_here);
        self.enter(State::Ended);
    }

    /// The content came to its end.
    pub(super) fn reach_end(&mut self, played_here: bool) {
        self.progress.climb(self.playhead.run_ms(), played_here, &mut self.ledger);
        self.ledger.count(Field::Ends);
        self.ledger.event(EventType::End);
        self.ledger.important = true;
    }

    fn seek(&mut self, seen: &Snapshot) {
        // A repeating player seeks to its beginning by itself, too.
        if self.wrapping {
            return;
        }
        // `play()` after the end moves the playhead to the beginning by itself.
        if matches!(self.state, State::Ended) && !seen.paused {
            return;
        }
        // Browsers and players pause of themselves during a seek: what the viewer wants shows afterwards.
        if !matches!(self.state, State::Idle) && !matches!(self.state, State::Seeking) {
            self.enter(State::Seeking);
        }
        if self.start.is_played() && matches!(self.state, State::Seeking) {
            self.seeks.begin(&mut self.ledger);
        }
    }

    fn hold(&mut self, told: &Told<'_>) {
        // What was paused during a seek shows when the seek is over.
        let by_viewer = matches!(told.what, What::Paused) || matches!(self.state, State::Seeking);
        if by_viewer && std::mem::replace(&mut self.running, false) && self.start.is_played() {
            self.on_hold = true;
            self.ledger.count(Field::Pauses);
            self.ledger.event(EventType::Pause);
        }
        let state = match (self.state, self.start) {
            // The end stays the end until something plays, wherever the viewer looks meanwhile.
            (State::Ended, _) => State::Ended,
            (_, Start::NotAsked) => State::Idle,
            _ if self.running => State::Idle,
            _ => State::Paused,
        };
        self.enter(state);
    }

    fn run(&mut self, seen: &Snapshot) {
        self.running = true;
        let was_on_hold = std::mem::take(&mut self.on_hold);
        match self.start {
            Start::NotAsked => self.ask(),
            Start::Played if matches!(self.state, State::Ended) => self.replay(),
            Start::Played if was_on_hold => {
                self.ledger.count(Field::Resumes);
                self.ledger.event(EventType::Resume);
            }
            Start::Asked { .. } | Start::Played => {}
        }
        match (self.start, self.state) {
            (Start::Played, State::Rebuffering(_)) => {}
            (Start::Played, _) => self.enter(State::Playing),
            _ if seen.ready => self.enter(State::Starting),
            _ => self.enter(State::Requested),
        }
    }

    fn ask(&mut self) {
        self.start = Start::Asked { waited_ms: 0, frame_ms: None };
        self.autoplay_due = Mono::NEVER;
        self.ledger.count(Field::PlayRequests);
        self.ledger.event(EventType::PlayRequest);
    }

    fn replay(&mut self) {
        if self.ledger.pos.is_some_and(|pos| pos.as_ms() <= BEGINNING_MS) {
            self.ledger.count(Field::Replays);
            self.ledger.event(EventType::Replay);
        }
    }
}
