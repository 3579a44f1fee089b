//! One view: what its player's signals mean, and what they count.
//!
//! Every signal leads to the same steps, in this order: the time since the last look goes to the state that lasted
//! over it; a motion of the playhead is counted; the slice is turned at its mark; then the element's snapshot decides
//! the new state. Because the snapshot decides, a lost or doubled signal changes nothing.

use quartile_protocol::batch::{self, Offer, Player, Video};
use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::{Media, Millis, Mono, Now};
use quartile_protocol::event::{ErrorPhase, EventKind, StopReason};
use quartile_protocol::field::Field;
use quartile_protocol::id::ViewId;

use crate::ladder::{Ladders, Progress};
use crate::ledger::{DeliveryId, Ledger, Said};
use crate::playhead::{Playhead, Step};
use crate::ranges::Ranges;
use crate::signal::{Length, Signal, Snapshot};
use crate::size::{self, Room};

/// A view ends when nothing played for so long.
const IDLE_MS: Millis = 60 * 60_000;

/// While the first frame is awaited, how often to look at least; a longer silence is a machine that slept.
const WAIT_LOOK_MS: Millis = 10_000;
const WAIT_CAP_MS: Millis = 15_000;

/// What a view is of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub video: Video,
    pub player: Player,
    pub dims: Vec<(String, String)>,
}

/// What the player is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It stands still, and nobody paused it: nothing was asked of it yet, or its media is attached anew.
    Idle,
    /// Playback was asked for, and the first frame is awaited.
    Starting,
    Playing,
    /// By the viewer.
    Paused,
    Seeking,
    Ended,
    /// A fatal error.
    Failed,
}

/// How far the view is on its way to the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    NotAsked,
    /// Waited so long by now, and by the time that the first frame was shown, if it was.
    Asked {
        waited_ms: Millis,
        frame_ms: Option<Millis>,
    },
    Played,
}

#[derive(Debug)]
pub(crate) struct View {
    pub id: ViewId,
    pub subject: Subject,
    ledger: Ledger,
    phase: Phase,
    /// Whether the viewer wants it to run, as last seen while the player was free to say.
    running: bool,
    start: Start,
    shown: bool,
    length: Length,
    playhead: Playhead,
    once: Ranges,
    twice: Ranges,
    watched: Percents,
    rewatched: Percents,
    ladders: Ladders,
    on_ladder: bool,
    errored: bool,
    looked: Mono,
    last_played: Mono,
    important: bool,
}

impl View {
    pub(crate) fn new(id: ViewId, subject: Subject, now: Now) -> Self {
        Self {
            id,
            subject,
            ledger: Ledger::default(),
            phase: Phase::Idle,
            running: false,
            start: Start::NotAsked,
            shown: false,
            length: Length::Unknown,
            playhead: Playhead::default(),
            once: Ranges::default(),
            twice: Ranges::default(),
            watched: Percents::default(),
            rewatched: Percents::default(),
            ladders: Ladders::default(),
            on_ladder: false,
            errored: false,
            looked: now.mono,
            last_played: now.mono,
            important: false,
        }
    }

    /// Takes in what the player did.
    pub(crate) fn observe(&mut self, signal: Signal<'_>, seen: &Snapshot, hidden: bool, now: Now) {
        let step = self.move_playhead(signal, seen, hidden, now);
        let moved_ms = step.map_or(0, |step| now.mono.since(step.began));
        self.elapse(moved_ms, hidden, now);
        // What happened after the mark belongs to the next slice, however late it is noticed.
        let since = step.map_or(now.mono, |step| step.began);
        self.ledger.turn(since, self.phase == Phase::Starting);
        if let Some(step) = step {
            self.learn_length(seen.length, now);
            self.count(step, now);
        }
        self.ledger.turn(now.mono, self.phase == Phase::Starting);
        self.learn_length(seen.length, now);
        self.show(seen, now);
        match signal {
            Signal::FirstFrame => self.first_frame(),
            Signal::Failed { code, message, fatal } => self.fail(code, message, fatal, seen, now),
            Signal::Source(_) => self.phase = Phase::Idle,
            Signal::Observed | Signal::Paused | Signal::Seeking | Signal::Joined => {}
        }
        self.settle(signal, seen, now);
        if signal == Signal::Joined {
            self.join();
        }
    }

    /// Gives the time since the last look, less the `moved_ms` in which the playhead moved at its end, to the state that
    /// lasted over it.
    fn elapse(&mut self, moved_ms: Millis, hidden: bool, now: Now) {
        let from = std::mem::replace(&mut self.looked, now.mono);
        let lasted = now.mono.since(from).saturating_sub(moved_ms).min(WAIT_CAP_MS);
        match (self.phase, &mut self.start) {
            (Phase::Starting, Start::Asked { waited_ms, .. }) if !hidden && lasted > 0 => {
                *waited_ms += lasted;
                let began = back(now, lasted + moved_ms);
                self.ledger.slice(began, now).fields[Field::WaitMs] += lasted;
            }
            (Phase::Paused, _) => self.ledger.idle(Field::PausedMs, from, now.mono),
            _ => {}
        }
    }

    /// Moves the playhead to where it is seen; gives the step if it played on to there.
    fn move_playhead(&mut self, signal: Signal<'_>, seen: &Snapshot, hidden: bool, now: Now) -> Option<Step> {
        let played_on = matches!(self.phase, Phase::Starting | Phase::Playing | Phase::Failed);
        if !played_on || seen.seeking || matches!(signal, Signal::Seeking | Signal::Source(_)) {
            self.playhead.put(seen.pos, seen.rate, now.mono);
            return None;
        }
        self.playhead.step(seen.pos, seen.rate, hidden, now.mono)
    }

    /// Counts a motion of the playhead.
    fn count(&mut self, step: Step, now: Now) {
        let began = back(now, now.mono.since(step.began));
        if let Start::Asked { waited_ms, frame_ms } = self.start {
            self.first_motion(step, frame_ms.unwrap_or(waited_ms.max(1)), began, now);
        }
        if self.phase == Phase::Failed {
            self.phase = Phase::Playing;
        }
        self.last_played = now.mono;
        let slice = self.ledger.slice(began, now);
        slice.fields[Field::PlayedMs] += step.played_ms;
        slice.fields[Field::ContentMs] += (step.to - step.from) as Millis;
        self.ledger.mark_active(began.wall);
        self.ledger.mark_active(now.wall.shifted(-1));
        if self.length != Length::Endless {
            let twice = &mut self.twice;
            self.once.add(step.from, step.to, |from, to| twice.add(from, to, |_, _| ()));
            self.mark_watched(step.from, step.to, now);
            self.climb(step.to, false, now);
        }
    }

    /// The playhead moved for the first time since playback was asked for: the play.
    fn first_motion(&mut self, step: Step, startup_ms: Millis, began: Now, now: Now) {
        self.start = Start::Played;
        self.phase = Phase::Playing;
        let slice = self.ledger.slice(began, now);
        slice.fields[Field::Plays] = 1;
        slice.fields[Field::StartupMs] = startup_ms;
        self.ledger.event(EventKind::Play, Some(step.from), began);
        self.learn_kind(now);
    }

    /// Writes the percents that are newly watched, within the part of the content that just changed.
    fn mark_watched(&mut self, from: Media, to: Media, now: Now) {
        let Length::Finite(duration) = self.length else { return };
        let watched = self.once.percents(from, to, duration).minus(self.watched);
        let rewatched = self.twice.percents(from, to, duration).minus(self.rewatched);
        if watched.is_empty() && rewatched.is_empty() {
            return;
        }
        self.watched = self.watched.union(watched);
        self.rewatched = self.rewatched.union(rewatched);
        let slice = self.ledger.slice(now, now);
        slice.watched = slice.watched.union(watched);
        slice.rewatched = slice.rewatched.union(rewatched);
    }

    fn climb(&mut self, pos: Media, ended: bool, now: Now) {
        let Length::Finite(duration) = self.length else { return };
        let (ledger, important) = (&mut self.ledger, &mut self.important);
        let progress = Progress { duration, unique: self.once.total(), pos, run_ms: self.playhead.run_ms(), ended };
        self.ladders.climb(progress, |ladder, percent, field| {
            ledger.slice(now, now).fields[field] = 1;
            ledger.event(EventKind::Quartile { ladder, percent }, Some(pos), now);
            *important = true;
        });
    }

    /// A duration that becomes known, or another one: what was watched is looked at anew, and nothing is taken back.
    fn learn_length(&mut self, length: Length, now: Now) {
        if length == self.length || length == Length::Unknown {
            return;
        }
        self.length = length;
        if let Length::Finite(duration) = length {
            self.subject.video.duration_ms = Some(duration);
            self.mark_watched(Media::from_ms(0), Media::from_ms(duration as i64), now);
        }
        if self.start == Start::Played {
            self.learn_kind(now);
        }
    }

    /// Whether it is live is believed from the first progress on: before, players give any duration.
    fn learn_kind(&mut self, now: Now) {
        self.subject.video.kind = match self.length {
            Length::Unknown => return,
            Length::Finite(_) => Some(Offer::Vod),
            Length::Endless => Some(Offer::Live),
        };
        if self.length != Length::Endless && !self.on_ladder {
            self.on_ladder = true;
            self.ledger.slice(now, now).fields[Field::LadderPlays] = 1;
        }
    }

    fn show(&mut self, seen: &Snapshot, now: Now) {
        if seen.ready && !self.shown {
            self.shown = true;
            self.ledger.slice(now, now).fields[Field::Impressions] = 1;
            self.ledger.event(EventKind::Impression, None, now);
        }
    }

    fn first_frame(&mut self) {
        if let Start::Asked { waited_ms, frame_ms } = &mut self.start {
            frame_ms.get_or_insert((*waited_ms).max(1));
        }
    }

    /// Nobody saw the start: a startup of 0 says that it was not measured.
    fn join(&mut self) {
        if let Start::Asked { frame_ms, .. } = &mut self.start {
            *frame_ms = Some(0);
        }
    }

    fn fail(&mut self, code: &str, message: &str, fatal: bool, seen: &Snapshot, now: Now) {
        // What fails after the end, nobody misses.
        if self.phase == Phase::Ended && fatal {
            return;
        }
        let phase = match self.start {
            Start::NotAsked => ErrorPhase::BeforePlay,
            Start::Asked { .. } => ErrorPhase::BeforeFirstFrame,
            Start::Played => ErrorPhase::MidStream,
        };
        let first = !std::mem::replace(&mut self.errored, true);
        let slice = self.ledger.slice(now, now);
        slice.fields[Field::Errors] += 1;
        slice.fields[Field::Errored] |= u64::from(first);
        slice.fields[Field::FatalErrors] += u64::from(fatal);
        if fatal && phase != ErrorPhase::MidStream {
            slice.fields[Field::StartFailures] = 1;
        }
        if slice.error_code.is_empty() {
            slice.error_code = code.into();
            slice.error_phase = Some(phase);
        }
        let kind = EventKind::Error { code: code.into(), message: message.into(), fatal, phase };
        self.ledger.event(kind, seen.pos, now);
        if fatal {
            self.phase = Phase::Failed;
            self.important = true;
        }
    }

    /// Reads the new state off the element.
    fn settle(&mut self, signal: Signal<'_>, seen: &Snapshot, now: Now) {
        if self.phase == Phase::Failed {
            return;
        }
        if seen.ended {
            self.end(seen, now);
        } else if seen.seeking {
            // Browsers and players pause of themselves during a seek: what the viewer wants shows afterwards.
            if self.phase != Phase::Idle {
                self.phase = Phase::Seeking;
            }
        } else if seen.paused {
            self.hold(signal, seen, now);
        } else {
            self.run(seen, now);
        }
    }

    fn end(&mut self, seen: &Snapshot, now: Now) {
        let played_here = matches!(self.phase, Phase::Playing | Phase::Seeking);
        self.running = false;
        if self.phase == Phase::Ended || self.start != Start::Played {
            return;
        }
        let at_end = seen.pos.unwrap_or_default();
        self.climb(at_end, played_here, now);
        self.phase = Phase::Ended;
        self.ledger.slice(now, now).fields[Field::Ends] += 1;
        self.ledger.event(EventKind::End, seen.pos, now);
        self.important = true;
    }

    fn hold(&mut self, signal: Signal<'_>, seen: &Snapshot, now: Now) {
        // What was paused during a seek shows when the seek is over.
        let by_viewer = signal == Signal::Paused || self.phase == Phase::Seeking;
        if by_viewer && std::mem::replace(&mut self.running, false) && self.start == Start::Played {
            self.ledger.slice(now, now).fields[Field::Pauses] += 1;
            self.ledger.event(EventKind::Pause, seen.pos, now);
        }
        self.phase = if self.running || self.start == Start::NotAsked { Phase::Idle } else { Phase::Paused };
    }

    fn run(&mut self, seen: &Snapshot, now: Now) {
        let was_running = std::mem::replace(&mut self.running, true);
        match self.start {
            Start::NotAsked => {
                self.start = Start::Asked { waited_ms: 0, frame_ms: None };
                self.ledger.slice(now, now).fields[Field::PlayRequests] = 1;
                self.ledger.event(EventKind::PlayRequest, seen.pos, now);
            }
            Start::Played if !was_running && self.phase != Phase::Ended => {
                self.ledger.slice(now, now).fields[Field::Resumes] += 1;
                self.ledger.event(EventKind::Resume, seen.pos, now);
            }
            Start::Asked { .. } | Start::Played => {}
        }
        self.phase = if self.start == Start::Played { Phase::Playing } else { Phase::Starting };
    }

    /// Whether nothing has happened in it yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.ledger.is_blank()
    }

    /// When to look at the player at the latest, if it does nothing.
    pub(crate) fn next_look(&self) -> Option<Mono> {
        (self.phase == Phase::Starting).then(|| self.looked + WAIT_LOOK_MS)
    }

    /// Whether nothing played for so long that another attempt is another view.
    pub(crate) fn is_idle(&self, now: Mono) -> bool {
        let playing = matches!(self.phase, Phase::Playing | Phase::Starting);
        !playing && now.since(self.last_played) >= IDLE_MS
    }

    /// Ends the view. Where its content had come to its end, that is the reason, whatever followed.
    pub(crate) fn stop(&mut self, reason: StopReason, now: Now) {
        let reason = match (self.phase, reason) {
            (Phase::Ended, StopReason::Closed | StopReason::Idle) => StopReason::Ended,
            (Phase::Failed, StopReason::Closed | StopReason::Idle) => StopReason::Error,
            _ => reason,
        };
        self.ledger.turn(now.mono, false);
        let slice = self.ledger.slice(now, now);
        slice.fields[Field::Stops] = 1;
        slice.stop_reason = Some(reason);
        self.ledger.event(EventKind::Stop { reason }, None, now);
        self.ledger.close();
        self.important = true;
    }

    /// Whether something important happened since the last call.
    pub(crate) fn take_importance(&mut self) -> bool {
        std::mem::take(&mut self.important)
    }

    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Takes what `wanted` asks for into the request `delivery`, as long as there is room.
    pub(crate) fn say(
        &mut self,
        delivery: DeliveryId,
        wanted: impl Fn(Said) -> bool,
        room: &mut Room,
    ) -> Option<batch::View> {
        let mut inner = room.reserve(size::of_subject(&self.subject));
        let (slices, events) = self.ledger.say(delivery, wanted, &mut inner);
        if slices.is_empty() && events.is_empty() {
            return None;
        }
        *room = inner;
        let Subject { video, player, dims } = self.subject.clone();
        Some(batch::View { id: self.id, video, player, dims, slices, events })
    }
}

/// The moment `ms` before `now`.
fn back(now: Now, ms: Millis) -> Now {
    Now { mono: Mono::from_ms(now.mono.as_ms().saturating_sub(ms)), wall: now.wall.shifted(-(ms as i64)) }
}
