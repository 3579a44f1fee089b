//! A media element under simulated time. It plays exactly, knows what it played, and makes the events that a browser
//! makes: `timeupdate` every 250 ms while playing, `seeking` and `seeked`, `pause` before `ended`.

use quartile_protocol::clock::{Media, Millis, Mono};
use quartile_tracker::{Length, Signal, Snapshot};

/// How often a browser says `timeupdate` while playing.
const TIMEUPDATE_MS: Millis = 250;

/// What an element did, and how it was at that moment.
#[derive(Clone, Copy, Debug)]
pub struct Happening {
    /// When.
    pub at: Mono,
    /// What a shell would make of it.
    pub signal: Signal<'static>,
    /// The element at that moment.
    pub seen: Snapshot,
}

/// What really happened, by construction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Time in which the playhead advanced.
    pub played_ms: Millis,
    /// Content passed in that time, in microseconds so that odd rates stay exact.
    pub content_us: u64,
    /// Time paused by the viewer after the first frame.
    pub paused_ms: Millis,
    /// How often each stretch of [`CELL_MS`] of the content was played through, for a content with a duration.
    pub cells: Vec<u8>,
    /// How often the end was reached.
    pub ends: u64,
    /// How often the player began again by itself.
    pub loops: u64,
    /// Seeks after the first frame; those closer than two seconds apart are one.
    pub seeks: u64,
    /// Time in them.
    pub seek_ms: Millis,
    /// Stalls after the first frame of at least a quarter of a second.
    pub rebuffers: u64,
    /// Time in them.
    pub rebuffer_ms: Millis,
    /// The lengths of all stalls, so that a test can tell which were close to not being one.
    pub stalls: Vec<Millis>,
    /// The stall that is going on, and when the last seek was over.
    stall_ms: Millis,
    last_seek: Option<Mono>,
}

/// What is shorter is no stall.
pub const SHORTEST_STALL_MS: Millis = 250;

/// The length of a stretch of the content that the truth tells apart.
pub const CELL_MS: i64 = 10;

impl Truth {
    /// Notes that the playhead went from `from_us` to `to_us`: cells count whose middle was passed.
    fn pass(&mut self, from_us: i64, to_us: i64) {
        let cell = |us: i64| (us / 1000 + CELL_MS / 2) / CELL_MS;
        for index in cell(from_us)..cell(to_us) {
            if let Some(times) = usize::try_from(index).ok().and_then(|index| self.cells.get_mut(index)) {
                *times = times.saturating_add(1);
            }
        }
    }

    fn end_stall(&mut self) {
        let lasted = std::mem::take(&mut self.stall_ms);
        if lasted > 0 {
            self.stalls.push(lasted);
        }
        if lasted >= SHORTEST_STALL_MS {
            self.rebuffers += 1;
            self.rebuffer_ms += lasted;
        }
    }

    fn begin_seek(&mut self, now: Mono) {
        self.end_stall();
        if self.played_ms > 0 {
            self.seeks += u64::from(self.last_seek.is_none_or(|last| now.since(last) >= 2_000));
            self.last_seek = Some(now);
        }
    }

    /// How much of the content was played at least `times` times.
    #[must_use]
    pub fn covered_ms(&self, times: u8) -> Millis {
        self.cells.iter().filter(|&&count| count >= times).count() as Millis * CELL_MS as Millis
    }
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
    looping: bool,
    autoplay: bool,
    muted: bool,
    volume: f64,
    ready: bool,
    /// Not moving although it should: until then, or until further notice.
    held: Option<Held>,
    /// From one `timeupdate` to the next.
    step_ms: Millis,
    next_timeupdate: Mono,
    broken: bool,
    truth: Truth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// The first frame, or more data, is awaited.
    Loading(Mono),
    Seeking(Mono),
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
            looping: false,
            autoplay: false,
            muted: false,
            volume: 1.0,
            ready: false,
            held: None,
            step_ms: TIMEUPDATE_MS,
            next_timeupdate: now,
            broken: false,
            truth: Truth::default(),
        }
    }

    /// What really happened so far.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
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

    /// The metadata is there.
    pub fn load(&mut self, length: Length) -> Happening {
        self.length = length;
        if let Length::Finite(ms) = length {
            self.truth.cells.resize((ms as i64 / CELL_MS) as usize, 0);
        }
        self.ready = true;
        self.happens(Signal::Observed)
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
    pub fn set_sound(&mut self, muted: bool, volume: f64) -> Happening {
        (self.muted, self.volume) = (muted, volume);
        self.happens(Signal::Observed)
    }

    /// Says `timeupdate` at other intervals from now on.
    pub fn set_step(&mut self, step_ms: Millis) {
        self.step_ms = step_ms;
    }

    /// Playback is asked for; the first frame comes after `wait_ms`.
    pub fn play(&mut self, wait_ms: Millis) -> Happening {
        if !self.paused {
            return self.happens(Signal::Observed);
        }
        if self.ended {
            self.pos_us = 0;
            self.ended = false;
        }
        self.paused = false;
        if self.is_seeking() {
            return self.happens(Signal::Observed);
        }
        self.held = (wait_ms > 0).then(|| Held::Loading(self.now + wait_ms));
        self.next_timeupdate = self.now + wait_ms + self.step_ms;
        self.happens(if wait_ms > 0 { Signal::Waiting } else { Signal::Observed })
    }

    /// The viewer pauses.
    pub fn pause(&mut self) -> Happening {
        self.paused = true;
        self.truth.end_stall();
        self.happens(Signal::Paused)
    }

    /// The viewer seeks; the element shows the new place after `took_ms`.
    pub fn seek(&mut self, to: Media, took_ms: Millis) -> Happening {
        self.truth.begin_seek(self.now);
        self.pos_us = to.as_ms() * 1000;
        self.ended = false;
        self.held = Some(Held::Seeking(self.now + took_ms));
        self.next_timeupdate = self.now + took_ms + self.step_ms;
        self.happens(Signal::Seeking)
    }

    /// The data runs out for `lasts_ms`.
    pub fn stall(&mut self, lasts_ms: Millis) -> Happening {
        if self.is_seeking() || self.ended {
            return self.happens(Signal::Observed);
        }
        self.held = Some(Held::Loading(self.now + lasts_ms));
        self.next_timeupdate = self.now + lasts_ms + self.step_ms;
        self.happens(Signal::Waiting)
    }

    /// The rate changes, given in thousandths of normal speed.
    pub fn set_rate(&mut self, thousandths: u32) -> Happening {
        self.rate = i64::from(thousandths);
        self.happens(Signal::Observed)
    }

    /// Playback fails for good: the element stands still, and still says that it is not paused.
    pub fn break_down(&mut self) {
        self.broken = true;
    }

    /// The page is left: what goes on is over.
    pub fn note_left(&mut self, left: bool) {
        if left {
            self.truth.end_stall();
        }
    }

    /// Time goes on up to `until` without the element, as in a page that is kept in the back/forward cache.
    pub fn sleep(&mut self, until: Mono) {
        self.now = self.now.max(until);
        self.next_timeupdate = self.next_timeupdate.max(until);
    }

    /// Time goes on up to `until`; gives what happened on the way.
    pub fn advance(&mut self, until: Mono, mut happened: impl FnMut(Happening)) {
        while let Some((at, next)) = self.next().filter(|&(at, _)| at <= until) {
            self.flow(at);
            if let Some(signal) = self.reach(next) {
                happened(self.happens(signal));
            }
        }
        self.flow(until);
    }

    /// When something happens next of itself.
    #[must_use]
    pub fn next_at(&self) -> Option<Mono> {
        self.next().map(|(at, _)| at)
    }

    fn is_seeking(&self) -> bool {
        matches!(self.held, Some(Held::Seeking(_)))
    }

    fn is_moving(&self) -> bool {
        !self.paused && !self.ended && !self.broken && self.held.is_none()
    }

    /// Lets time pass without anything happening.
    fn flow(&mut self, to: Mono) {
        let passed = to.since(self.now);
        if self.is_seeking() && self.truth.played_ms > 0 {
            self.truth.seek_ms += passed;
            self.truth.last_seek = Some(to);
        } else if matches!(self.held, Some(Held::Loading(_))) && !self.paused && self.truth.played_ms > 0 {
            self.truth.stall_ms += passed;
        }
        if self.is_moving() && passed > 0 {
            self.truth.end_stall();
            let from_us = self.pos_us;
            self.pos_us += passed as i64 * self.rate;
            self.truth.played_ms += passed;
            self.truth.content_us += passed * self.rate as u64;
            self.truth.pass(from_us, self.pos_us);
        } else if self.paused && !self.ended && !self.is_seeking() && self.truth.played_ms > 0 {
            self.truth.paused_ms += passed;
        }
        self.now = self.now.max(to);
    }

    fn next(&self) -> Option<(Mono, Next)> {
        let held = self.held.map(|held| match held {
            Held::Loading(until) => (until, Next::Loaded),
            Held::Seeking(until) => (until, Next::Sought),
        });
        let moving = self.is_moving();
        let end = self.end().filter(|_| moving).map(|at| (at, Next::End));
        let update = moving.then_some((self.next_timeupdate.max(self.now), Next::TimeUpdate));
        [held, end, update].into_iter().flatten().min_by_key(|&(at, _)| at)
    }

    /// When the content will be over.
    fn end(&self) -> Option<Mono> {
        let Length::Finite(length) = self.length else { return None };
        let left_us = length as i64 * 1000 - self.pos_us;
        Some(self.now + (left_us.max(0) as u64).div_ceil(self.rate as u64))
    }

    fn reach(&mut self, next: Next) -> Option<Signal<'static>> {
        match next {
            Next::TimeUpdate => {
                self.next_timeupdate = self.now + self.step_ms;
                Some(Signal::Observed)
            }
            Next::Loaded => {
                self.held = None;
                Some(Signal::FirstFrame)
            }
            Next::Sought => {
                self.held = None;
                Some(Signal::Observed)
            }
            Next::End if self.looping => {
                self.truth.ends += 1;
                self.truth.loops += 1;
                self.pos_us = 0;
                Some(Signal::Seeking)
            }
            Next::End => {
                if let Length::Finite(length) = self.length {
                    self.pos_us = length as i64 * 1000;
                }
                (self.ended, self.paused) = (true, true);
                self.truth.ends += 1;
                self.truth.end_stall();
                Some(Signal::Paused)
            }
        }
    }

    fn happens(&self, signal: Signal<'static>) -> Happening {
        Happening { at: self.now, signal, seen: self.snapshot() }
    }
}

/// What comes next of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    TimeUpdate,
    Loaded,
    Sought,
    End,
}
