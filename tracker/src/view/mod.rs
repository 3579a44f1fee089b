//! One view: what its player's signals mean, and what they count.
//!
//! Every signal leads to the same steps, in this order: a motion of the playhead is found; the rest of the time since
//! the last look goes to the state that lasted over it; the motion is counted; the slice is turned at its mark; the
//! signal's own news are noted; then the element's snapshot decides the new state. Because the snapshot decides, a lost
//! or doubled signal changes nothing.
//!
//! | module | decides |
//! |---|---|
//! | `state` | what the player is doing, and what a change of that means |
//! | `progress` | what of the content was watched |
//! | `stall` | when playback stalls and why |
//! | `seek` | which movements of the playhead are one seek |
//! | `subject` | what it is of, and how slices are told under their dimensions |
//! | `scene` | how it is watched: sound, visibility, rendition, frames, and the events of those |

mod progress;
mod scene;
mod seek;
mod stall;
mod state;
mod subject;

use quartile_protocol::batch::Offer;
use quartile_protocol::clock::{Media, Millis, Mono, Wall};
use quartile_protocol::encode::Json;
use quartile_protocol::event::{ErrorPhase, EventType, StopReason, cut};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::ViewId;
use quartile_protocol::limits;

use self::progress::Progress;
use self::scene::Scene;
use self::seek::Seeks;
use self::stall::Stall;
use self::state::{Start, State, Times, Wait};
pub use self::subject::{Subject, take_text};
use crate::delivery::SOON_MS;
use crate::ledger::{Dates, Ledger};
use crate::playhead::{Playhead, Put, Step};
use crate::signal::{Length, Snapshot, Told, What};

/// A view ends when nothing played for so long.
const IDLE_MS: Millis = 60 * 60_000;

/// A view lasts at most so long.
const LIFE_MS: Millis = 24 * 60 * 60_000;

/// While something is awaited, how often to look at least; a longer silence is a machine that slept.
const LOOK_MS: Millis = 10_000;
const SLEEP_MS: Millis = 15_000;

/// With `autoplay`, an element that could play and still does not after so long was refused.
const AUTOPLAY_MS: Millis = 1_000;

/// A fatal error is survived if the playhead moves within so long.
const SURVIVAL_MS: Millis = 10_000;

/// A `seeking` that is delivered when the seek is over belongs to a jump that was seen no longer ago.
const JUMP_MS: Millis = 250;

/// A view as it is now, for people who look on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its id.
    pub view: ViewId,
    /// What the player is doing.
    pub state: &'static str,
    /// What was counted so far.
    pub totals: Fields,
    /// How long each state lasted; together, as long as the view was looked at, less what was slept through.
    pub times_ms: Vec<(&'static str, Millis)>,
}

/// What the player was doing when its view grew too old.
#[derive(Clone, Copy)]
pub(crate) struct Heritage {
    state: State,
    start: Start,
    running: bool,
    over: bool,
}

#[derive(Debug)]
pub(crate) struct View {
    pub id: ViewId,
    /// The dimensions over time; the last are those of now.
    subjects: Vec<Subject>,
    ledger: Ledger,
    began: Mono,
    looked: Mono,
    last_played: Mono,
    state: State,
    start: Start,
    wait: Wait,
    /// Whether the viewer wants it to run, as last seen while the player was free to say.
    running: bool,
    /// Whether the viewer paused it and did not go on since.
    on_hold: bool,
    /// Whether the content came to its end and nothing played since.
    over: bool,
    /// When the element, which could play by itself, is found not to.
    autoplay_due: Mono,
    /// When the playhead is found not to have survived a fatal error.
    dead_at: Mono,
    playhead: Playhead,
    /// When the playhead was last found elsewhere than it can have come to by playing.
    jumped_at: Mono,
    /// The player began its content again by itself, and is seeking to its beginning.
    wrapping: bool,
    progress: Progress,
    seeks: Seeks,
    stall: Stall,
    scene: Scene,
    times: Times,
    /// Whether the page is hidden.
    hidden: bool,
}

impl View {
    /// Of nothing, at no time. It is copied: to write every member would be longer.
    const BLANK: Self = Self {
        id: ViewId::from_bits(Wall::from_ms(0), 0),
        subjects: Vec::new(),
        ledger: Ledger::EMPTY,
        began: Mono::from_ms(0),
        looked: Mono::from_ms(0),
        last_played: Mono::from_ms(0),
        state: State::Idle,
        start: Start::NotAsked,
        wait: Wait { ms: 0, shown_ms: None },
        running: false,
        on_hold: false,
        over: false,
        autoplay_due: Mono::NEVER,
        dead_at: Mono::NEVER,
        playhead: Playhead::NOWHERE,
        jumped_at: Mono::NEVER,
        wrapping: false,
        progress: Progress::NONE,
        seeks: Seeks::NONE,
        stall: Stall::NONE,
        scene: Scene::UNSEEN,
        times: Times::NONE,
        hidden: false,
    };

    pub(crate) fn new(id: ViewId, subject: Subject, dates: Dates, now: Mono) -> Box<Self> {
        let mut view = Box::new(Self::BLANK);
        view.id = id;
        (view.began, view.looked, view.last_played) = (now, now, now);
        view.ledger.dates = dates;
        view.progress.believe(subject.kind());
        view.subjects.push(subject);
        view
    }

    /// What a view that goes on where this one grew too old takes over.
    pub(crate) const fn heritage(&self) -> Heritage {
        // A stall or a seek that goes on was begun in this view, and is told there.
        let state = match self.state {
            State::Rebuffering | State::Seeking => State::Playing,
            state => state,
        };
        Heritage { state, start: self.start, running: self.running, over: self.over }
    }

    /// Goes on where another view grew too old: neither shown nor played anew.
    pub(crate) fn inherit(&mut self, from: Heritage) {
        self.ledger.note(Field::Impressions);
        self.ledger.note(Field::Viewables);
        (self.state, self.start, self.running, self.over) = (from.state, from.start, from.running, from.over);
    }

    /// What the engine said of being live before this view began.
    pub(crate) const fn believe(&mut self, kind: Option<Offer>) {
        self.progress.believe(kind);
    }

    /// Takes in what the player did.
    pub(crate) fn observe(&mut self, told: &Told<'_>, seen: &Snapshot, hidden: bool, now: Mono) {
        self.ledger.look(seen.pos, now);
        self.hidden = hidden;
        self.wrap(told, seen);
        let step = self.move_playhead(told, seen);
        let step = step.as_ref();
        self.elapse(step);
        // What happened after the mark belongs to the next slice, however late it is noticed.
        let since = step.map_or(now, |step| step.began);
        self.ledger.turn(since, self.state.awaits_first_frame());
        if let Some(step) = step {
            self.learn_length(seen.length);
            self.count(step);
        }
        self.ledger.turn(now, self.state.awaits_first_frame());
        self.learn_length(seen.length);
        self.show(seen);
        self.hear(told, seen);
        self.settle(told, seen);
        if told.what == What::Joined {
            self.wait.skip();
        }
        self.watch_for_stall(told, seen);
        self.scene.look(seen, self.start == Start::Played, &mut self.ledger);
        self.give_up_hopes(seen);
    }

    /// Moves the playhead to where it is seen; gives the step if it played on to there.
    fn move_playhead(&mut self, told: &Told<'_>, seen: &Snapshot) -> Option<Step> {
        self.wrapping &= seen.seeking;
        let now = self.ledger.now;
        if now.since(self.jumped_at) > JUMP_MS {
            self.jumped_at = Mono::NEVER;
        }
        if self.playhead.jumps_to(seen.pos, self.state.may_move(), self.hidden, now) {
            self.jumped_at = now;
            self.seeks.note_origin(self.playhead.place());
        }
        let sought = seen.seeking || told.what == What::Seeking || self.state == State::Seeking;
        // A browser may show that it stands still before it says that this is the end.
        let moved = self.state.may_move() || self.running && seen.ended;
        if !moved || sought || told.what == What::Source {
            // A seek begins where the playhead was last seen.
            if self.jumped_at == Mono::NEVER {
                self.seeks.note_origin(self.playhead.place());
            }
            let by = if sought { Put::Seek } else { Put::Motion };
            self.playhead.put(seen.pos, seen.rate, by, now);
            return None;
        }
        self.playhead.step(seen.pos, seen.rate, self.hidden, now)
    }

    /// Counts what a repeating player played up to its end, before it began again by itself: no `ended` tells of it.
    fn wrap(&mut self, told: &Told<'_>, seen: &Snapshot) {
        let (duration, Some(pos)) = (self.progress.duration(), seen.pos) else { return };
        let now = self.ledger.now;
        let playing = duration > 0 && seen.looping && self.start == Start::Played && self.state.may_move();
        if !playing || !self.playhead.may_wrap(pos, duration, told.what == What::Seeking, self.hidden, now) {
            return;
        }
        let end = Some(Media::from_ms(duration as i64));
        self.ledger.look(end, now);
        let step = self.playhead.step(end, seen.rate, self.hidden, now);
        self.elapse(step.as_ref());
        if let Some(step) = &step {
            self.count(step);
        }
        self.reach_end(true);
        self.ledger.count(Field::Loops);
        self.ledger.event(EventType::Loop);
        self.ledger.look(seen.pos, now);
        self.playhead.put(seen.pos, seen.rate, Put::Motion, now);
        self.wrapping = seen.seeking;
    }

    /// Gives the time since the last look, less that in which the playhead moved at its end, to the state that lasted
    /// over it.
    fn elapse(&mut self, step: Option<&Step>) {
        let now = self.ledger.now;
        let from = std::mem::replace(&mut self.looked, now);
        let moved_ms = step.map_or(0, |step| now.since(step.began.max(from)));
        let lasted = now.since(from) - moved_ms;
        let awake = lasted.min(SLEEP_MS);
        // Where nothing is awaited, nobody looks: only there a long silence is no sleep.
        self.times.spend(self.state, if self.state.is_active() { awake } else { lasted }, moved_ms);
        match self.state {
            State::Requested | State::Starting if !self.hidden && awake > 0 => {
                self.wait.ms += awake;
                let began = now - (awake + moved_ms);
                self.ledger.turn(began, true);
                self.ledger.slice_from(began).fields[Field::WaitMs] += awake;
            }
            State::Paused => self.ledger.idle(Field::PausedMs, from),
            State::Seeking => self.seeks.spend(awake, &mut self.ledger),
            State::Rebuffering => self.stall.spend(step.map_or(now, |step| step.began.min(now)), &mut self.ledger),
            _ => {}
        }
        self.scene.spend_ad(awake + moved_ms, self.running, &mut self.ledger);
    }

    /// Counts a motion of the playhead.
    fn count(&mut self, step: &Step) {
        let now = self.ledger.now;
        let began = step.began.min(now);
        if self.start == Start::Asked {
            self.first_motion(step.from, began);
        }
        if matches!(self.state, State::Failed | State::Rebuffering) {
            self.enter(State::Playing);
        }
        self.dead_at = Mono::NEVER;
        self.last_played = now;
        if self.scene.in_ad() {
            return;
        }
        let slice = self.ledger.slice_from(began);
        slice.fields[Field::PlayedMs] += step.played_ms;
        slice.fields[Field::ContentMs] += (step.to - step.from) as Millis;
        self.scene.play(slice, step.played_ms, self.hidden);
        self.ledger.mark_active(began);
        self.ledger.mark_active(now - 1);
        if !self.progress.is_endless() {
            self.progress.watch(step, self.playhead.run_ms(), &mut self.ledger);
        }
    }

    /// The playhead moved for the first time since playback was asked for: the play.
    fn first_motion(&mut self, from: Media, began: Mono) {
        self.start = Start::Played;
        self.enter(State::Playing);
        let slice = self.ledger.slice_from(began);
        slice.fields[Field::Plays] = 1;
        slice.fields[Field::StartupMs] = self.wait.startup_ms();
        let n = slice.n;
        self.ledger.event_in(n, EventType::Play, Some(from), began);
        self.ledger.due = self.ledger.due.min(self.ledger.now + SOON_MS);
        self.learn_kind();
    }

    /// Notes what a signal says of itself.
    fn hear(&mut self, told: &Told<'_>, seen: &Snapshot) {
        let now = self.ledger.now;
        match told.what {
            What::FirstFrame => self.wait.show(),
            What::Failed => self.fail(told.texts[0], told.texts[1], told.is_on()),
            // A MediaSource that is attached to what is broken already mends nothing.
            What::Source if self.is_broken_unasked() && told.texts[0].starts_with("blob:") && !seen.ready => {}
            What::Source => self.enter(State::Idle),
            What::CanPlayThrough => self.autoplay_due = now + AUTOPLAY_MS,
            What::AutoplayBlocked => self.block(),
            What::Viewable => {
                if self.ledger.once(Field::Viewables) {
                    self.ledger.event(EventType::Viewable);
                }
            }
            What::Live => {
                self.progress.believe(Some(told.offer()));
                self.learn_kind();
            }
            what => {
                if what == What::AdBreak {
                    // What plays in a break is not the content: its positions do not count.
                    self.playhead.put(seen.pos, seen.rate, Put::Motion, now);
                }
                self.scene.hear(told, &mut self.ledger);
            }
        }
    }

    /// A duration that becomes known, or another one: what was watched is looked at anew, and nothing is taken back.
    fn learn_length(&mut self, length: Length) {
        if self.progress.learn_length(length, &mut self.ledger) {
            self.learn_kind();
        }
    }

    /// Whether it is live is believed from the first progress on: before, players give any duration. A correction of what
    /// was believed begins a slice of its own.
    fn learn_kind(&mut self) {
        let Some(kind) = self.progress.offer().filter(|_| self.start == Start::Played) else { return };
        if self.subject().kind() != Some(kind) {
            self.describe_kind(kind);
        }
        if kind == Offer::Vod {
            self.ledger.once(Field::LadderPlays);
        }
    }

    fn show(&mut self, seen: &Snapshot) {
        if seen.ready && self.ledger.once(Field::Impressions) {
            self.tell_of_all(EventType::Impression);
        }
    }

    fn block(&mut self) {
        self.autoplay_due = Mono::NEVER;
        if self.start != Start::Played && self.ledger.once(Field::AutoplayBlocked) {
            self.tell_of_all(EventType::AutoplayBlocked);
        }
    }

    /// Notes an event that has no place in the content.
    fn tell_of_all(&mut self, kind: EventType) {
        self.ledger.event_in(self.ledger.current(), kind, None, self.ledger.now);
    }

    fn fail(&mut self, code: &str, message: &str, fatal: bool) {
        // What fails after the end, nobody misses; an engine and its element tell of one failure each for themselves.
        if fatal && (self.over || self.state == State::Failed) {
            return;
        }
        let (phase, code) = (self.start.phase(), cut(code, limits::WORD_BYTES));
        self.ledger.once(Field::Errored);
        self.ledger.count(Field::Errors);
        self.ledger.add(Field::FatalErrors, u64::from(fatal));
        let slice = self.ledger.slice();
        if slice.error_phase.is_none() {
            slice.error_code = code.into();
            slice.error_phase = Some(phase);
        }
        let details = self.ledger.event(EventType::Error);
        details.text("code", code);
        details.text("message", cut(message, limits::TITLE_BYTES));
        details.truth("fatal", Some(fatal));
        details.word("phase", ErrorPhase::WORDS, phase as usize);
        if fatal {
            self.dead_at = self.ledger.now + SURVIVAL_MS;
            self.enter(State::Failed);
            self.fail_to_start();
            self.ledger.due = self.ledger.now;
        }
    }

    /// Whether it failed before playback was asked for.
    fn is_broken_unasked(&self) -> bool {
        self.state == State::Failed && self.start == Start::NotAsked
    }

    /// A fatal error before the first frame, once playback was asked for.
    fn fail_to_start(&mut self) {
        if self.start.phase() == ErrorPhase::BeforeFirstFrame && self.ledger.once(Field::StartFailures) {
            self.dead_at = Mono::NEVER;
        }
    }

    /// What did not come in time: the survival of an error, playback by itself, another part of a seek.
    fn give_up_hopes(&mut self, seen: &Snapshot) {
        let now = self.ledger.now;
        if now >= self.dead_at {
            self.die();
        }
        if now >= self.autoplay_due {
            self.autoplay_due = Mono::NEVER;
            if seen.autoplay && seen.paused && self.start == Start::NotAsked {
                self.block();
            }
        }
        self.seeks.finish(false, &mut self.ledger);
    }

    /// The playhead did not survive a fatal error after the first frame.
    fn die(&mut self) {
        if std::mem::replace(&mut self.dead_at, Mono::NEVER) != Mono::NEVER && self.start == Start::Played {
            self.ledger.count(Field::PlaybackFailures);
        }
    }

    /// The state for people who look on.
    pub(crate) fn inspect(&self) -> Inspection {
        Inspection {
            view: self.id,
            state: self.state.name(),
            totals: self.ledger.totals(),
            times_ms: self.times.by_name().to_vec(),
        }
    }

    /// Writes the same, but for the times.
    pub(crate) fn write(&self, json: &mut Json) {
        json.uuid("view", self.id.bits());
        json.word("state", State::WORDS, self.state as usize);
        self.ledger.totals().write_news(&Fields::NONE, json);
    }

    /// Whether nothing has happened in it yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.ledger.is_blank()
    }

    /// When to look at the player at the latest, if it does nothing.
    pub(crate) fn next_look(&self) -> Mono {
        let look = match self.state {
            State::Requested | State::Starting | State::Seeking | State::Rebuffering => self.looked + LOOK_MS,
            // A look that has come and found nothing is not asked for again at once.
            State::Playing => stall::patience(&self.playhead, self.hidden),
            _ => Mono::NEVER,
        };
        look.min(self.dead_at).min(self.autoplay_due).min(self.seeks.over_at())
    }

    /// The page was hidden or shown.
    pub(crate) fn see_page(&mut self, visible: bool, now: Mono) {
        self.ledger.look(self.playhead.place(), now);
        self.hidden = !visible;
        if self.start == Start::Played && self.state != State::Ended {
            self.ledger.event(EventType::Visibility).truth("visible", Some(visible));
        }
    }

    /// Whether nothing played for so long that another attempt is another view.
    pub(crate) fn is_idle(&self, now: Mono) -> bool {
        !self.state.is_active() && now.since(self.last_played) >= IDLE_MS
    }

    /// Whether the view has become too old to go on.
    pub(crate) fn is_too_old(&self, now: Mono) -> bool {
        now.since(self.began) >= LIFE_MS
    }

    /// Ends the view. Where its content had come to its end, or it failed, that is the reason, whatever followed.
    pub(crate) fn stop(&mut self, reason: StopReason, now: Mono) {
        self.ledger.look(None, now);
        let reason = match (self.state, reason) {
            (_, StopReason::Closed | StopReason::Idle) if self.over => StopReason::Ended,
            (State::Failed, StopReason::Closed | StopReason::Idle) => StopReason::Error,
            _ => reason,
        };
        self.die();
        self.enter(State::Idle);
        self.seeks.finish(true, &mut self.ledger);
        self.ledger.turn(now, false);
        self.ledger.count(Field::Stops);
        self.ledger.slice().stop_reason = Some(reason);
        self.ledger.event(EventType::Stop).word("reason", StopReason::WORDS, reason as usize);
        self.ledger.close();
        self.ledger.due = self.ledger.now;
    }

    /// When what happened since the last call is to be sent; never if nothing hurries.
    pub(crate) const fn take_due(&mut self) -> Mono {
        std::mem::replace(&mut self.ledger.due, Mono::NEVER)
    }

    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
