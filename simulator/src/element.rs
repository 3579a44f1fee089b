//! A media element under simulated time. It plays exactly, knows what it played, and makes the events that a browser
//! makes, in that browser's order and as late as they come. One state machine, in one file.

use std::collections::VecDeque;

use fastrand::Rng;
use quartile_protocol::clock::{Media, Millis, Mono};
use quartile_protocol::field::Field;
use quartile_tracker::{Length, Signal, Snapshot};

use crate::browser::{Browser, MediaEvent, Moment};
use crate::truth::{CELL_MS, Motion, SHORTEST_STALL_MS, Scene, Truth};

/// How often a browser says `timeupdate` while playing.
const TIMEUPDATE_MS: Millis = 250;

/// A playhead that is found no further away may have come there by playing.
const NEAR_MS: Millis = 300;

/// While it stands still or the machine sleeps, nobody can say for how long it played at the end: for so long at most.
const LONGEST_STEP_MS: Millis = 2_500;

/// By then, the page has heard of a change of rate.
const RATE_MS: Millis = 100;

/// A video has so many frames a second, and one in so many is dropped.
const FRAMES_PER_SECOND: u64 = 25;
const FRAMES_PER_DROP: u64 = 60;

/// What an element did, and how it was when the browser told of it.
#[derive(Clone, Copy, Debug)]
pub struct Happening {
    /// When it was told.
    pub at: Mono,
    /// What a shell would make of it.
    pub signal: Signal<'static>,
    /// The element at that moment.
    pub seen: Snapshot,
}

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    now: Mono,
    pos_us: i64,
    length: Length,
    /// In thousandths.
    rate: i64,
    paused: bool,
    ended: bool,
    /// Where it was before the seek, and whether that may be over before it is told.
    origin_us: i64,
    sought_quickly: bool,
    looping: bool,
    autoplay: bool,
    muted: bool,
    volume: f64,
    ready: bool,
    /// Since when there is enough to play.
    could_play: Option<Mono>,
    /// Not moving although it should: until then, or until further notice.
    held: Option<Held>,
    /// The data that is awaited once the place is shown.
    starved_until: Option<Mono>,
    /// From one `timeupdate` to the next.
    step_ms: Millis,
    /// From the last to the next.
    interval_ms: Millis,
    /// Whether `timeupdate` comes at all.
    ticks: bool,
    next_tick: Mono,
    broken: bool,
    /// It is broken, and somebody is watching.
    missed: bool,
    browser: Browser,
    random: Rng,
    /// What the browser will tell, and when.
    told: VecDeque<(Mono, MediaEvent)>,
    /// Whether the page asked to be told of the next frame.
    awaits_frame: bool,
    /// Whether the stall that is going on was told.
    stall_told: bool,
    /// When the rate was last changed, and how many times as fast the one is as the other.
    rated: Option<(Mono, u64)>,
    /// How long the page does not see anything.
    blind_ms: Millis,
    /// When it was last taken to wait although it does not, and for how long it had waited by then.
    waited: Option<(Mono, Millis)>,
    /// When the machine last woke up.
    woke_at: Option<Mono>,
    /// How coarse the clock is that the page reads.
    clock_ms: Millis,
    /// Frames shown before the browser began to count anew.
    frames_before: u64,
    scene: Scene,
    truth: Truth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// The first frame, or more data, is awaited.
    Loading(Mono),
    Seeking(Mono),
    /// Going back to the beginning by itself.
    Restarting(Mono),
}

impl Element {
    /// An element that shows nothing yet.
    #[must_use]
    pub fn new(now: Mono) -> Self {
        Self {
            now,
            pos_us: 0,
            length: Length::Unknown,
            rate: 1000,
            paused: true,
            ended: false,
            origin_us: 0,
            sought_quickly: false,
            looping: false,
            autoplay: false,
            muted: false,
            volume: 1.0,
            ready: false,
            could_play: None,
            held: None,
            starved_until: None,
            step_ms: TIMEUPDATE_MS,
            interval_ms: TIMEUPDATE_MS,
            ticks: true,
            next_tick: now,
            broken: false,
            missed: false,
            browser: Browser::Plain,
            random: Rng::with_seed(0),
            told: VecDeque::new(),
            awaits_frame: false,
            stall_told: true,
            rated: None,
            blind_ms: 0,
            waited: None,
            woke_at: None,
            clock_ms: 1,
            frames_before: 0,
            scene: Scene::default(),
            truth: Truth::default(),
        }
    }

    /// The element of another browser; how late each event comes depends on the seed.
    #[must_use]
    pub fn of(self, browser: Browser, seed: u64) -> Self {
        Self { browser, random: Rng::with_seed(seed), ..self }
    }

    /// What really happened so far.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// For what the page and the engine know beside the element.
    pub(crate) fn truth_mut(&mut self) -> &mut Truth {
        &mut self.truth
    }

    /// How it is watched.
    #[must_use]
    pub const fn scene(&self) -> &Scene {
        &self.scene
    }

    /// It is watched in another way from now on.
    pub(crate) fn set_scene(&mut self, scene: Scene) {
        // What was played since the last look is taken for played in either way.
        self.truth.doubt_played(self.look_ms(), self.rate as u64);
        if scene.ad != self.scene.ad {
            self.truth.end_run();
        }
        self.scene = scene;
    }

    /// What a script of the page would read.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            pos: Some(Media::from_ms(self.pos_us / 1000)),
            length: self.length,
            rate: self.rate as f64 / 1000.0,
            paused: self.paused,
            ended: self.ended,
            seeking: self.is_seeking(),
            ready: self.ready,
            starved: self.held.is_some(),
            looping: self.looping,
            autoplay: self.autoplay,
            muted: self.muted,
            volume: self.volume,
        }
    }

    /// The frames that were due and that were dropped since the browser began to count, as a shell reads them.
    #[must_use]
    pub fn frames(&self) -> (u64, u64) {
        let shown = self.truth.fields[Field::PlayedMs] * FRAMES_PER_SECOND / 1000 - self.frames_before;
        (shown, shown / FRAMES_PER_DROP)
    }

    /// The browser begins to count frames anew, as some do when the media is attached again.
    pub(crate) fn forget_frames(&mut self) {
        self.frames_before += self.frames().0;
    }

    /// The metadata is there, or the duration becomes another one.
    pub fn load(&mut self, length: Length) {
        let moment = if self.ready { Moment::Length } else { Moment::Loaded };
        self.length = length;
        if let Length::Finite(ms) = length {
            self.truth.cells.resize((ms as i64 / CELL_MS) as usize, 0);
            self.truth.learn_length(ms);
        }
        self.ready = true;
        // The plain one does not say so.
        self.could_play = self.could_play.or((self.browser != Browser::Plain).then_some(self.now));
        self.truth.once(Field::Impressions);
        self.tell(moment);
    }

    /// Repeats without an end.
    pub fn set_looping(&mut self, looping: bool) {
        self.looping = looping;
    }

    /// Is to start by itself.
    pub fn set_autoplay(&mut self, autoplay: bool) {
        self.autoplay = autoplay;
    }

    /// The viewer changes the sound.
    pub fn set_sound(&mut self, muted: bool, volume: f64) {
        (self.muted, self.volume) = (muted, volume);
        self.set_scene(Scene { silent: muted || volume <= 0.0, ..self.scene });
        self.tell(Moment::Sound);
    }

    /// Says `timeupdate` at other intervals from now on.
    pub fn set_step(&mut self, step_ms: Millis) {
        self.step_ms = step_ms;
    }

    /// Whether `timeupdate` comes at all: some browsers stop it in hidden pages.
    pub(crate) fn set_ticking(&mut self, ticks: bool) {
        self.ticks = ticks;
        self.next_tick = self.now + self.interval();
    }

    /// Playback is asked for; the first frame comes after `wait_ms`.
    pub fn play(&mut self, wait_ms: Millis) {
        if !self.paused {
            return;
        }
        self.awaits_frame = self.browser != Browser::Plain && !self.scene.hidden;
        let again = std::mem::take(&mut self.ended);
        self.paused = false;
        if again {
            self.pos_us = 0;
        }
        self.see_wish();
        if self.is_seeking() {
            self.truth.play_seeking(self.now, self.lateness_ms());
            return self.tell_only(MediaEvent::Play);
        }
        let restart_ms = self.browser.restart_ms(false);
        let starved = wait_ms > 0;
        if again && restart_ms > 0 {
            self.starved_until = starved.then(|| self.now + restart_ms + wait_ms);
            self.held = Some(Held::Restarting(self.now + restart_ms));
            return self.tell(Moment::Replay);
        }
        self.held = starved.then(|| Held::Loading(self.now + wait_ms));
        self.stall_told = true;
        self.next_tick = self.now + wait_ms + self.interval();
        self.tell(if starved { Moment::PlayStarved } else { Moment::Play });
    }

    /// The viewer pauses.
    pub fn pause(&mut self) {
        if std::mem::replace(&mut self.paused, true) {
            return;
        }
        self.doubt_waiting();
        self.end_stall();
        self.see_wish();
        self.tell(Moment::Pause);
    }

    /// The viewer seeks; the element shows the new place after `took_ms`.
    pub fn seek(&mut self, to: Media, took_ms: Millis) {
        self.doubt_waiting();
        self.end_stall();
        if self.is_moving() {
            self.truth.doubt_played(self.look_ms(), self.rate as u64);
        }
        let look_ms = self.look_ms();
        if !self.is_seeking() {
            self.origin_us = self.pos_us;
        }
        // A quick seek is seen by where it leads, if it leads far enough; else it may be taken for playing.
        let away_ms = (to.as_ms() * 1000 - self.origin_us).unsigned_abs() / 1000;
        let unseen = self.held.is_some() || self.woke_at.is_some_and(|at| self.now.since(at) <= look_ms);
        let still_ms = if unseen { LONGEST_STEP_MS } else { 2 * look_ms };
        let near = away_ms <= NEAR_MS + still_ms * self.rate as u64 / 1000;
        if took_ms <= self.lateness_ms() && (near || !self.truth.has_played()) {
            self.truth.doubt(Field::Seeks, 1);
            self.truth.overstated_ms += NEAR_MS + still_ms;
            if self.held.is_some() {
                self.truth.doubt(Field::Rebuffers, 1);
                [Field::RebufferMs, Field::WaitMs, Field::StartupMs]
                    .into_iter()
                    .for_each(|field| self.truth.doubt(field, still_ms));
            }
        }
        self.sought_quickly = took_ms <= self.lateness_ms();
        self.truth.begin_seek(self.now, look_ms, self.lateness_ms());
        self.truth.doubt(Field::SeekMs, 2 * look_ms);
        self.truth.doubt(Field::SeekMaxMs, 2 * look_ms);
        self.pos_us = to.as_ms() * 1000;
        self.ended = false;
        self.starved_until = None;
        self.held = Some(Held::Seeking(self.now + took_ms));
        self.next_tick = self.now + took_ms + self.interval();
        self.tell(if self.paused { Moment::SeekPaused } else { Moment::Seek });
    }

    /// The data runs out for `lasts_ms`; `told` if the browser says so.
    pub fn stall(&mut self, lasts_ms: Millis, told: bool) {
        if self.is_seeking() || self.ended {
            return;
        }
        let moving = self.is_moving();
        self.doubt_waiting();
        let look_ms = self.look_ms();
        self.truth.doubt_start(look_ms);
        // What waits already is not told to wait.
        if moving || self.browser == Browser::Plain {
            self.stall_told = told;
        }
        self.held = Some(Held::Loading(self.now + lasts_ms));
        self.next_tick = self.now + lasts_ms + self.interval();
        match (moving || self.browser == Browser::Plain, told) {
            (true, true) => self.tell(Moment::Starved),
            (true, false) => self.tell(Moment::StarvedSilently),
            (false, _) => {}
        }
    }

    /// The rate changes, given in thousandths of normal speed.
    pub fn set_rate(&mut self, thousandths: u32) {
        let before = std::mem::replace(&mut self.rate, i64::from(thousandths));
        if before != self.rate {
            self.truth.end_run();
            let (slower, faster) = (before.min(self.rate), before.max(self.rate));
            self.truth.doubt_played(self.look_ms(), faster as u64);
            let times = (faster / slower) as u64;
            self.rated = Some((self.now, times));
            self.truth.overstated_ms += self.lateness_ms() * times;
        }
        self.tell(Moment::Rate);
    }

    /// Playback fails; after a fatal error that it does not survive the element stands still, and still says that it is
    /// not paused.
    pub fn fail(&mut self, fatal: bool, survives: bool) {
        if fatal {
            self.doubt_waiting();
            self.end_stall();
        }
        let missed = self.truth.fail(fatal, self.now, self.lateness_ms());
        self.broken |= fatal && !survives;
        self.missed |= self.broken && missed;
    }

    /// The page is left: what goes on is over.
    pub fn note_left(&mut self) {
        self.doubt_waiting();
        self.end_stall();
        self.truth.leave(self.now, self.lateness_ms());
    }

    /// The machine sleeps until then.
    pub(crate) fn sleep_through(&mut self, until: Mono) {
        self.doubt_seek();
        let active = !self.paused && !self.missed;
        self.truth.sleep(until.since(self.now), active, self.now, self.lateness_ms());
        self.sleep(until);
        self.woke_at = Some(self.now);
    }

    /// Time goes on up to `until` without the element, as in a page that is kept in the back/forward cache.
    pub fn sleep(&mut self, until: Mono) {
        self.now = self.now.max(until);
        self.next_tick = self.next_tick.max(until);
    }

    /// The page does not look for `ms`.
    pub(crate) fn set_blind(&mut self, ms: Millis) {
        self.truth.blur(self.now, self.lateness_ms());
        self.blind_ms = ms;
        self.truth.doubt_times(ms);
        if ms > 0 {
            self.doubt_seek();
            // A stall that began shortly before is taken to last.
            if self.held.is_some() {
                self.truth.doubt(Field::Rebuffers, 1);
                self.truth.doubt(Field::RebufferMs, SHORTEST_STALL_MS + self.look_ms());
            }
            let rated = self.rated.take_if(|(at, _)| self.now.since(*at) <= RATE_MS);
            self.truth.overstated_ms += ms * rated.map_or(1, |(_, times)| times);
            self.doubt_waiting();
        }
        let look_ms = self.look_ms();
        self.truth.doubt_played(look_ms, self.rate as u64);
    }

    /// The element is taken to wait until it is seen to move.
    pub(crate) fn note_waiting(&mut self) {
        self.waited = Some((self.now, self.truth.stalls_for_ms()));
    }

    /// What the browser called waiting is taken for a stall, if what ends it comes before a motion is seen; what was too
    /// short to be one is a part of it then.
    fn doubt_waiting(&mut self) {
        let look_ms = self.look_ms();
        if let Some((_, waited_ms)) = self.waited.take_if(|(at, _)| self.now.since(*at) <= look_ms) {
            let short_ms = if waited_ms < SHORTEST_STALL_MS { waited_ms } else { 0 };
            self.truth.doubt(Field::Rebuffers, 1);
            self.truth.doubt(Field::RebufferMs, look_ms + short_ms);
        }
    }

    /// A seek whose end nobody sees may be taken for one with the next.
    fn doubt_seek(&mut self) {
        if self.is_seeking() {
            self.truth.doubt(Field::Seeks, 1);
            self.truth.doubt(Field::SeekMaxMs, self.truth.fields[Field::SeekMs]);
        }
    }

    /// The page reads a clock that shows only every so many milliseconds.
    pub(crate) fn set_clock(&mut self, ms: Millis) {
        self.clock_ms = ms;
    }

    /// Time goes on up to `until`; gives what was told on the way.
    pub fn advance(&mut self, until: Mono, mut happened: impl FnMut(Happening)) {
        loop {
            let next = self.next().filter(|&(at, _)| at <= until);
            let told = self.told.front().map(|&(at, _)| at).filter(|&at| at <= until);
            match (next, told) {
                (next, Some(at)) if next.is_none_or(|(before, _)| at <= before) => {
                    self.flow(at);
                    if let Some((at, event)) = self.told.pop_front()
                        && let Some(signal) = event.signal()
                    {
                        happened(Happening { at: self.now.max(at), signal, seen: self.snapshot() });
                    }
                }
                (Some((at, next)), _) => {
                    self.flow(at);
                    self.reach(next);
                }
                _ => break,
            }
        }
        self.flow(until);
    }

    /// When something happens next of itself.
    #[must_use]
    pub fn next_at(&self) -> Option<Mono> {
        let told = self.told.front().map(|&(at, _)| at);
        self.next().map(|(at, _)| at).into_iter().chain(told).min()
    }

    /// How long it may take until a tracker sees what is not told of: an interval between two `timeupdate`s, an event
    /// that comes late; in a hidden page without either, the tracker's own timer, which is throttled.
    #[must_use]
    pub fn look_ms(&self) -> Millis {
        let step = self.step_ms + self.browser.tick_jitter_ms();
        let interval = step.max(self.interval_ms) + self.browser.lateness_ms();
        let timer = if self.scene.hidden { 5_200 } else { 1_100 };
        let longest = if self.ticks { interval } else { timer };
        longest + self.blind_ms + self.clock_ms
    }

    /// How late the page may hear of what an event tells.
    fn lateness_ms(&self) -> Millis {
        2 * self.browser.lateness_ms() + self.browser.restart_ms(false) + self.blind_ms
    }

    /// Whether the playhead is being put elsewhere.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        matches!(self.held, Some(Held::Seeking(_) | Held::Restarting(_)))
    }

    /// Whether the playhead moves.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        !self.paused && !self.ended && !self.broken && self.held.is_none() && self.ready
    }

    /// How long it plays on until its end; `None` if it does not.
    #[must_use]
    pub fn left_ms(&self) -> Option<Millis> {
        self.end().filter(|_| self.is_moving()).map(|at| at.since(self.now))
    }

    fn end_stall(&mut self) {
        // What is told is known as soon as the page hears of it.
        let told_ms = self.lateness_ms() + 2 * self.clock_ms;
        let look_ms = if self.stall_told { told_ms } else { self.look_ms() };
        self.truth.end_stall(look_ms, self.scene.hidden, self.stall_told, self.rate as u64);
    }

    fn see_wish(&mut self) {
        // What the viewer wants while the element seeks shows when that is over, but for the very first wish to play.
        let asks = !self.paused && !self.truth.has_played();
        if self.missed || self.is_seeking() && !asks {
            return;
        }
        let lateness_ms = self.lateness_ms();
        self.truth.see_wish(self.paused, self.pos_us, self.now, lateness_ms);
        let look_ms = self.look_ms();
        self.truth.doubt(Field::PausedMs, look_ms);
        self.truth.doubt_played(look_ms, self.rate as u64);
    }

    /// Lets time pass without anything happening.
    fn flow(&mut self, to: Mono) {
        let passed = to.since(self.now);
        self.now = self.now.max(to);
        if passed == 0 {
            return;
        }
        if self.is_moving() {
            let from_us = self.pos_us;
            self.pos_us += passed as i64 * self.rate;
            let motion = Motion {
                passed_ms: passed,
                from_us,
                to_us: self.pos_us,
                length_ms: if let Length::Finite(ms) = self.length { Some(ms) } else { None },
                look_ms: self.look_ms(),
            };
            // A stall that was not told of ends here.
            self.end_stall();
            self.truth.advance(motion, &self.scene, self.now);
            return;
        }
        if let Some(since) = self.could_play.filter(|_| self.autoplay && self.paused) {
            self.truth.refuse(self.now.since(since));
        }
        if self.missed {
            return;
        }
        let awaits = !self.paused && !self.truth.has_played();
        match self.held {
            _ if awaits && !self.scene.hidden => self.truth.wait(passed),
            Some(Held::Seeking(_)) => self.truth.seek(passed, self.now),
            Some(Held::Loading(_)) if !self.paused && self.truth.has_played() => self.truth.stall(passed),
            _ if self.paused && !self.is_seeking() => self.truth.hold(passed),
            _ => {}
        }
    }

    fn next(&self) -> Option<(Mono, Next)> {
        let held = self.held.map(|held| match held {
            Held::Loading(until) => (until, Next::Loaded),
            Held::Seeking(until) => (until, Next::Sought),
            Held::Restarting(until) => (until, Next::Restarted),
        });
        let moving = self.is_moving();
        let end = self.end().filter(|_| moving).map(|at| (at, Next::End));
        let tick = (moving && self.ticks).then_some((self.next_tick.max(self.now), Next::Tick));
        [held, end, tick].into_iter().flatten().min_by_key(|&(at, _)| at)
    }

    /// When the content will be over.
    fn end(&self) -> Option<Mono> {
        let Length::Finite(length) = self.length else { return None };
        let left_us = length as i64 * 1000 - self.pos_us;
        Some(self.now + (left_us.max(0) as u64).div_ceil(self.rate as u64))
    }

    fn reach(&mut self, next: Next) {
        match next {
            Next::Tick => {
                self.next_tick = self.now + self.interval();
                self.tell(Moment::Tick);
            }
            Next::Loaded => {
                self.held = None;
                // The stall goes on for who does not see the playhead move again.
                self.note_waiting();
                self.tell(if self.paused { Moment::FedPaused } else { Moment::Fed });
                self.present_frame();
            }
            Next::Sought => self.arrive(),
            Next::Restarted => {
                self.held = self.starved_until.take().map(Held::Loading);
                self.stall_told = self.held.is_none();
                self.next_tick = self.now + self.interval();
                self.see_wish();
                self.note_waiting();
                self.tell(if self.held.is_some() { Moment::SoughtStarved } else { Moment::Sought });
                self.present_frame();
            }
            Next::End if self.looping => self.repeat(),
            Next::End => {
                if let Length::Finite(length) = self.length {
                    self.pos_us = length as i64 * 1000;
                }
                (self.ended, self.paused) = (true, true);
                let look_ms = self.look_ms();
                self.truth.end(false, look_ms, self.now, self.lateness_ms());
                self.tell(Moment::End);
            }
        }
    }

    fn arrive(&mut self) {
        self.held = None;
        self.see_wish();
        // It may be told only now that the element waited for a quick seek.
        if std::mem::take(&mut self.sought_quickly) {
            self.note_waiting();
        }
        self.tell(if self.paused { Moment::SoughtPaused } else { Moment::Sought });
        self.present_frame();
    }

    /// A repeating element begins again.
    fn repeat(&mut self) {
        let look_ms = self.look_ms();
        // What goes round within two looks cannot be told from what stood still or jumped; nor can what nobody tells of.
        let round_ms = self.length_ms().unwrap_or(0) * 1000 / self.rate as u64;
        if round_ms <= 2 * look_ms || !self.ticks || self.blind_ms > 0 {
            [Field::Loops, Field::Ends, Field::Seeks].into_iter().for_each(|field| self.truth.doubt(field, 1));
        }
        self.truth.end(true, look_ms, self.now, self.lateness_ms());
        self.truth.doubt_played(look_ms, self.rate as u64);
        self.pos_us = 0;
        let restart_ms = self.browser.restart_ms(true);
        self.held = (restart_ms > 0).then(|| Held::Restarting(self.now + restart_ms));
        self.tell(Moment::Loop);
    }

    fn length_ms(&self) -> Option<Millis> {
        if let Length::Finite(ms) = self.length { Some(ms) } else { None }
    }

    fn interval(&mut self) -> Millis {
        self.interval_ms = match self.browser.tick_jitter_ms() {
            0 => self.step_ms,
            most => self.step_ms + self.random.u64(0..=most),
        };
        self.interval_ms
    }

    /// The browser will tell of a moment.
    fn tell(&mut self, moment: Moment) {
        for &event in self.browser.tells(moment) {
            self.tell_only(event);
        }
    }

    /// Events keep their order, however late they are.
    fn tell_only(&mut self, event: MediaEvent) {
        let at = self.now + self.browser.delay(&mut self.random);
        let at = self.told.back().map_or(at, |&(last, _)| at.max(last));
        self.told.push_back((at, event));
    }

    /// A frame is shown, of which the page asked to be told. Hidden pages show none.
    fn present_frame(&mut self) {
        if self.awaits_frame && !self.scene.hidden {
            self.awaits_frame = false;
            self.truth.show_frame();
            self.tell_only(MediaEvent::Frame);
        }
    }
}

/// What comes next of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Tick,
    Loaded,
    Sought,
    Restarted,
    End,
}
