//! What really happened in a viewing, by construction, and how far a tracker may be off.
//!
//! A tracker sees an element only when it looks: at an event, or when its timer rings. What happens between two looks
//! shows at the next one. So a count may be off by one for each thing that came within one look of a threshold, a time
//! by one look for each moment that no event tells of at once, and everything else must be exact. Both stand here, in
//! [`Truth::fields`] and [`Truth::doubts`].
//!
//! It is one state machine with many small steps, and stays in one file.

use quartile_protocol::clock::{Millis, Mono};
use quartile_protocol::field::{Field, Fields};
use quartile_tracker::Rendition;

/// What is shorter is no stall.
pub const SHORTEST_STALL_MS: Millis = 250;

/// The length of a stretch of the content that the truth tells apart.
pub const CELL_MS: i64 = 10;

/// Stretches of the longest film, of 20 minutes.
const MOST_CELLS: usize = 120_000;

/// Times that go on while nobody looks.
const TIMES: &[Field] = &[
    Field::SeekMs,
    Field::SeekMaxMs,
    Field::RebufferMs,
    Field::WaitMs,
    Field::StartupMs,
    Field::PausedMs,
    Field::AdMs,
];

/// Longer than anything that lasts.
const UNKNOWN_MS: Millis = 3_600_000;

/// More than a viewer does before the page sees the first motion.
const UNSEEN: u64 = 10;

/// A longer silence is noticed as a machine that slept.
const LONGEST_SILENCE_MS: Millis = 15_000;

/// Seeks closer than this are one.
const SEEKS_APART_MS: Millis = 2_000;

/// So long the playhead must play before its place counts as a position.
const SETTLED_MS: Millis = 1_000;

/// A fatal error is survived if the playhead moves within so long.
const SURVIVAL_MS: Millis = 10_000;

/// An element that is to start by itself and does not for so long was refused.
const AUTOPLAY_MS: Millis = 1_000;

/// Playback begins anew after the end if it begins no further in than this.
const BEGINNING_MS: i64 = 1_000;

/// At the highest speed, nobody sees what is nearer to a place than this.
const BOUNDARY_US: u64 = 800_000;

const POSITIONS: [Field; 4] = [Field::Position25, Field::Position50, Field::Position75, Field::Position100];

/// How it is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scene {
    /// The page is hidden.
    pub hidden: bool,
    /// The player fills the screen.
    pub fullscreen: bool,
    /// The picture is in a window of its own.
    pub pip: bool,
    /// Nothing can be heard.
    pub silent: bool,
    /// An advertisement is shown in place of the content.
    pub ad: bool,
    /// What the engine shows.
    pub rendition: Rendition,
}

impl Scene {
    /// The parts of the played time that time played now belongs to.
    fn parts(&self) -> impl Iterator<Item = Field> {
        let applies = [
            (self.silent, Field::MutedMs),
            (self.hidden, Field::HiddenMs),
            (!self.silent && (!self.hidden || self.pip), Field::EngagedMs),
            (self.fullscreen, Field::FullscreenMs),
            (self.pip, Field::PipMs),
            (self.rendition.bitrate_kbps.is_some(), Field::RatedMs),
            (true, height_class(self.rendition.height)),
        ];
        applies.into_iter().filter(|&(applies, _)| applies).map(|(_, field)| field)
    }
}

const fn height_class(height: Option<u64>) -> Field {
    const CLASSES: [(u64, Field); 7] = [
        (240, Field::PlayedMs240),
        (360, Field::PlayedMs360),
        (480, Field::PlayedMs480),
        (720, Field::PlayedMs720),
        (1080, Field::PlayedMs1080),
        (1440, Field::PlayedMs1440),
        (2160, Field::PlayedMs2160),
    ];
    let mut index = 0;
    while index < CLASSES.len() {
        if let Some(height) = height
            && height > 0
            && height <= CLASSES[index].0
        {
            return CLASSES[index].1;
        }
        index += 1;
    }
    Field::PlayedMsOther
}

/// What really happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// What a tracker that misses nothing would count in the whole view.
    pub fields: Fields,
    /// By how much a tracker may be off.
    pub doubts: Fields,
    /// How often each stretch of [`CELL_MS`] of the content was played through, for a content with a duration.
    pub cells: Vec<u8>,
    /// Everything that was slept through, in milliseconds: no tracker can tell all of it.
    pub slept_ms: Millis,
    /// By how much played time may be overstated, because a change of speed is told late.
    pub overstated_ms: Millis,
    content_us: u64,
    /// The stall that is going on, and the seek.
    stall_ms: Millis,
    seek_ms: Millis,
    last_seek: Option<Mono>,
    /// For how long the playhead has moved without a jump, and how long nobody looked meanwhile.
    run_ms: Millis,
    run_look_ms: Millis,
    farthest_us: i64,
    failed_at: Option<Mono>,
    rungs: [Rung; 4],
    /// When the viewer last wanted one thing and then another before anybody looked, and a seek that began just then.
    toggled_at: Option<Mono>,
    seek_covered: bool,
    /// When the end was last reached.
    ended_at: Option<Mono>,
    /// When the last seek began.
    sought_at: Mono,
    /// Whether the last wish was to play again after the end.
    replays: bool,
    /// A pause that nobody may have seen as one.
    hold_covered: bool,
    /// A wish that nobody may have seen, because a seek followed at once.
    wish_covered: bool,
    covered_until: Mono,
    /// The viewer's wish, as it shows while the element is not seeking.
    wish: Wish,
    wished_at: Mono,
}

/// What the viewer asked of the player last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// Nothing yet.
    Nothing,
    Play,
    Pause,
    /// Nothing since the end.
    Ended,
}

impl Default for Truth {
    fn default() -> Self {
        Self {
            fields: Fields::default(),
            doubts: Fields::default(),
            cells: Vec::new(),
            slept_ms: 0,
            overstated_ms: 0,
            content_us: 0,
            stall_ms: 0,
            seek_ms: 0,
            last_seek: None,
            run_ms: 0,
            run_look_ms: 0,
            farthest_us: 0,
            failed_at: None,
            rungs: [Rung::default(); 4],
            toggled_at: None,
            seek_covered: false,
            ended_at: None,
            sought_at: Mono::default(),
            replays: false,
            hold_covered: false,
            wish_covered: false,
            covered_until: Mono::default(),
            wish: Wish::Nothing,
            wished_at: Mono::default(),
        }
    }
}

/// A motion of the playhead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Motion {
    pub passed_ms: Millis,
    /// From here in the content, in microseconds, …
    pub from_us: i64,
    /// … to here.
    pub to_us: i64,
    /// The end of the content, in milliseconds, if it has one.
    pub length_ms: Option<Millis>,
    /// How long a tracker may not look.
    pub look_ms: Millis,
}

impl Truth {
    /// Whether the first frame was shown and the playhead moved.
    #[must_use]
    pub fn has_played(&self) -> bool {
        self.fields[Field::Plays] > 0
    }

    /// Counts something that a player or the page says outright.
    pub fn count(&mut self, field: Field, more: u64) {
        self.fields[field] += more;
    }

    /// Notes something that is true at most once in a view.
    pub(crate) fn once(&mut self, field: Field) {
        self.fields[field] = 1;
    }

    /// A tracker may be off by so much.
    pub(crate) fn doubt(&mut self, field: Field, by: u64) {
        self.doubts[field] = self.doubts[field].saturating_add(by);
    }

    /// The played time is not told of for `ms` at `rate` thousandths of normal speed.
    pub(crate) fn doubt_played(&mut self, ms: Millis, rate: u64) {
        self.doubt(Field::PlayedMs, ms);
        self.doubt(Field::ContentMs, ms * rate.div_ceil(1000).max(1));
    }

    /// The playhead moved.
    pub(crate) fn advance(&mut self, motion: Motion, scene: &Scene, now: Mono) {
        self.survive(Mono::from_ms(now.as_ms() - motion.passed_ms));
        let Motion { passed_ms, from_us, to_us, .. } = motion;
        if scene.ad {
            self.count(Field::AdMs, passed_ms);
            return;
        }
        self.show_frame();
        self.once(Field::Plays);
        self.count(Field::PlayedMs, passed_ms);
        self.content_us += (to_us - from_us) as u64;
        self.fields[Field::ContentMs] = self.content_us / 1000;
        for part in scene.parts() {
            self.count(part, passed_ms);
        }
        self.count(Field::BitrateMs, passed_ms * scene.rendition.bitrate_kbps.unwrap_or(0));
        self.run_ms += passed_ms;
        self.pass(from_us, to_us);
        self.climb(motion);
    }

    /// Notes that the playhead went from `from_us` to `to_us`: cells count whose middle was passed.
    fn pass(&mut self, from_us: i64, to_us: i64) {
        let cell = |us: i64| (us / 1000 + CELL_MS / 2) / CELL_MS;
        let last = usize::try_from(cell(to_us)).unwrap_or(usize::MAX);
        // The duration of a film may become known late; live streams have places beyond any film.
        if last > self.cells.len() && last <= MOST_CELLS {
            self.cells.resize(last, 0);
        }
        for index in cell(from_us)..cell(to_us) {
            if let Some(times) = usize::try_from(index).ok().and_then(|index| self.cells.get_mut(index)) {
                *times = times.saturating_add(1);
            }
        }
    }

    /// Notes how far the playhead came while playing, having run for long enough.
    fn climb(&mut self, motion: Motion) {
        self.run_look_ms = self.run_look_ms.max(motion.look_ms);
        if self.run_ms + motion.look_ms >= SETTLED_MS {
            self.farthest_us = self.farthest_us.max(motion.to_us);
        }
        let Some(length) = motion.length_ms else { return };
        let rate = (motion.to_us - motion.from_us) / motion.passed_ms.max(1) as i64;
        for (rung, percent) in self.rungs.iter_mut().zip([25, 50, 75, 100]) {
            let beyond_us = motion.to_us - length as i64 * percent * 10;
            let settled = self.run_ms as i64 - SETTLED_MS as i64;
            rung.see(beyond_us.div_euclid(rate.max(1)).min(settled), self.run_look_ms as i64);
        }
    }

    /// The duration becomes known: the places that were passed before show only when it plays on.
    pub(crate) fn learn_length(&mut self, length_ms: Millis) {
        for (rung, percent) in self.rungs.iter_mut().zip([25, 50, 75, 100]) {
            rung.near |= self.farthest_us > 0 && self.farthest_us >= length_ms as i64 * percent * 10;
        }
    }

    /// Nothing moves, and should.
    pub(crate) fn stall(&mut self, ms: Millis) {
        self.stall_ms += ms;
    }

    /// How long the stall that is going on has been.
    pub(crate) const fn stalls_for_ms(&self) -> Millis {
        self.stall_ms
    }

    /// The stall is over. One that the browser does not tell of is noticed only by its length.
    pub(crate) fn end_stall(&mut self, look_ms: Millis, hidden: bool, told: bool, rate: u64) {
        let lasted = std::mem::take(&mut self.stall_ms);
        if lasted == 0 {
            return;
        }
        let patience = match (told, hidden) {
            (true, _) => 0,
            (false, false) => 1_000,
            (false, true) => 4_000,
        };
        if lasted >= SHORTEST_STALL_MS {
            self.count(Field::Rebuffers, 1);
            self.once(Field::Rebuffered);
            self.count(Field::RebufferMs, lasted);
        }
        let near = lasted.abs_diff(SHORTEST_STALL_MS) <= look_ms;
        // The first look finds what was played until it began; a change of speed meanwhile puts it off once more.
        let unseen = lasted >= SHORTEST_STALL_MS && lasted <= 3 * patience + look_ms;
        if near || unseen {
            self.doubt(Field::Rebuffers, 1);
            self.doubt(Field::RebufferMs, lasted);
        }
        // A stall begins where the playhead was last seen to move, or when the speed last changed.
        self.doubt(Field::RebufferMs, look_ms + 3 * patience);
        self.doubt_played(look_ms, rate);
    }

    /// A seek begins.
    pub(crate) fn begin_seek(&mut self, now: Mono, look_ms: Millis, lateness_ms: Millis) {
        self.end_run();
        self.wish_covered |= now.since(self.wished_at) <= lateness_ms || now <= self.covered_until;
        if !self.has_played() {
            return;
        }
        let replays = self.replays && now.since(self.wished_at) <= lateness_ms;
        self.doubt(Field::Replays, u64::from(replays));
        let goes_on = self.seek_covered && self.last_seek == Some(now);
        self.doubt_end(now, lateness_ms);
        self.seek_covered = goes_on || replays || self.toggled_at.is_some_and(|at| now.since(at) <= lateness_ms);
        self.doubt(Field::Seeks, u64::from(self.seek_covered));
        let apart = self.last_seek.map(|last| now.since(last));
        if apart.is_none_or(|apart| apart >= SEEKS_APART_MS) {
            self.count(Field::Seeks, 1);
            self.seek_ms = 0;
        }
        if apart.is_some_and(|apart| apart.abs_diff(SEEKS_APART_MS) <= look_ms) {
            self.doubt(Field::Seeks, 1);
            self.doubt(Field::SeekMaxMs, self.fields[Field::SeekMs]);
        }
        if self.doubt_start(look_ms) {
            [Field::Seeks, Field::Pauses, Field::Resumes].into_iter().for_each(|field| self.doubt(field, UNSEEN));
        }
        (self.last_seek, self.sought_at) = (Some(now), now);
    }

    /// Nobody may have seen the first motion: what follows is taken for a wait for it.
    pub(crate) fn doubt_start(&mut self, look_ms: Millis) -> bool {
        let unseen = self.has_played() && self.fields[Field::PlayedMs] <= look_ms;
        if unseen {
            self.doubt_times(UNKNOWN_MS);
            self.doubt(Field::Rebuffers, 1);
        }
        unseen
    }

    /// What is done just when the end is reached may hide it.
    fn doubt_end(&mut self, now: Mono, lateness_ms: Millis) {
        if self.ended_at.is_some_and(|at| now.since(at) <= lateness_ms) {
            [Field::Ends, Field::Loops, Field::Replays].into_iter().for_each(|field| self.doubt(field, 1));
        }
    }

    /// When the end was last reached.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Mono> {
        self.ended_at
    }

    /// The viewer plays while the element seeks: after the end, that looks like the seek of a replay.
    pub(crate) fn play_seeking(&mut self, now: Mono, lateness_ms: Millis) {
        if self.wish == Wish::Ended && now.since(self.sought_at) <= lateness_ms && !self.seek_covered {
            self.seek_covered = true;
            self.doubt(Field::Seeks, 1);
        }
    }

    /// The element goes on seeking.
    pub(crate) fn seek(&mut self, ms: Millis, now: Mono) {
        if self.has_played() {
            self.count(Field::SeekMs, ms);
            self.seek_ms += ms;
            self.fields[Field::SeekMaxMs] = self.fields[Field::SeekMaxMs].max(self.seek_ms);
            self.last_seek = Some(now);
            if self.seek_covered {
                self.doubt(Field::SeekMs, ms);
                self.doubt(Field::SeekMaxMs, ms);
            }
        }
    }

    /// Another speed: what was the longest run is over.
    pub(crate) fn end_run(&mut self) {
        (self.run_ms, self.run_look_ms) = (0, 0);
    }

    /// It could play by itself for so long, and is to, and does not.
    pub(crate) fn refuse(&mut self, for_ms: Millis) {
        if self.wish == Wish::Nothing && for_ms >= AUTOPLAY_MS {
            self.once(Field::AutoplayBlocked);
        }
    }

    /// The first frame is awaited.
    pub(crate) fn wait(&mut self, ms: Millis) {
        self.count(Field::WaitMs, ms);
    }

    /// The first frame is shown.
    pub(crate) fn show_frame(&mut self) {
        if self.fields[Field::StartupMs] == 0 {
            self.fields[Field::StartupMs] = self.fields[Field::WaitMs].max(1);
        }
    }

    /// Paused by the viewer.
    pub(crate) fn hold(&mut self, ms: Millis) {
        if self.wish == Wish::Pause {
            self.count(Field::PausedMs, ms);
            self.doubt(Field::PausedMs, if self.hold_covered { ms } else { 0 });
        }
    }

    /// What the viewer wants shows: the element is not seeking.
    pub(crate) fn see_wish(&mut self, paused: bool, pos_us: i64, now: Mono, lateness_ms: Millis) {
        if std::mem::take(&mut self.wish_covered) {
            self.covered_until = now + lateness_ms;
        }
        let covered = now <= self.covered_until;
        let before = self.wish;
        let wish = match (before, paused) {
            (_, false) => Wish::Play,
            (Wish::Play, true) => Wish::Pause,
            (before, true) => before,
        };
        if wish == before {
            return;
        }
        self.doubt_end(now, lateness_ms);
        let wished_at = std::mem::replace(&mut self.wished_at, now);
        let quick = now.since(wished_at) <= lateness_ms;
        self.wish = wish;
        let beginning_us = BEGINNING_MS * 1000;
        if before == Wish::Ended && pos_us.abs_diff(beginning_us) <= BOUNDARY_US {
            self.doubt(Field::Replays, 1);
        }
        match (before, wish) {
            (Wish::Nothing, _) => self.once(Field::PlayRequests),
            (Wish::Ended, _) if pos_us <= beginning_us => self.count(Field::Replays, 1),
            (Wish::Pause, _) if self.has_played() => self.count(Field::Resumes, 1),
            (_, Wish::Pause) if self.has_played() => self.count(Field::Pauses, 1),
            _ => {}
        }
        // A seek of the viewer's is told from that of the replay only if its end was seen.
        if before == Wish::Ended && self.last_seek.is_some_and(|last| now.since(last) <= lateness_ms) {
            self.doubt(Field::Seeks, 1);
        }
        if quick {
            self.toggled_at = Some(now);
            // What stalled before and after is one stall to who did not see the pause.
            self.doubt(Field::Rebuffers, 1);
            self.doubt(Field::RebufferMs, SHORTEST_STALL_MS);
            self.rungs.iter_mut().for_each(|rung| rung.near = true);
            // Who stops a replay at once is seen to have sought to the beginning.
            self.doubt(Field::Seeks, u64::from(self.replays));
        }
        self.replays = before == Wish::Ended;
        self.hold_covered = quick || covered;
        if quick || covered {
            if self.has_played() && self.sought_at >= wished_at {
                self.doubt(Field::Seeks, 1);
                self.doubt(Field::SeekMs, self.seek_ms);
                self.doubt(Field::SeekMaxMs, self.seek_ms);
            }
            self.doubt(Field::Pauses, 1);
            self.doubt(Field::Resumes, 1);
            self.doubt(Field::Replays, 1);
        }
        self.end_run();
    }

    /// The content came to its end.
    pub(crate) fn end(&mut self, looping: bool, look_ms: Millis, now: Mono, lateness_ms: Millis) {
        self.count(Field::Ends, 1);
        self.ended_at = Some(now);
        if self.is_recent(now, lateness_ms) {
            self.doubt(Field::Ends, 1);
            self.doubt(Field::Loops, u64::from(looping));
        }
        let settled = self.run_ms as i64 - SETTLED_MS as i64;
        let look_ms = self.run_look_ms.max(look_ms) as i64;
        self.rungs.iter_mut().for_each(|rung| rung.see(settled, look_ms));
        if looping {
            self.count(Field::Loops, 1);
            self.end_run();
        } else {
            self.wish = Wish::Ended;
        }
    }

    /// Playback fails, and goes on or does not.
    /// What fails for good after the end, nobody misses; gives whether somebody does.
    pub(crate) fn fail(&mut self, fatal: bool, now: Mono, lateness_ms: Millis) -> bool {
        if fatal && self.wish == Wish::Ended {
            return false;
        }
        if self.hold_covered || self.wish_covered {
            // After a replay that nobody saw it is none.
            [Field::Errors, Field::Errored, Field::FatalErrors, Field::PlaybackFailures]
                .into_iter()
                .for_each(|field| self.doubt(field, 1));
            self.doubt_times(UNKNOWN_MS);
        }
        if fatal && (self.wish_covered || self.is_recent(now, lateness_ms)) {
            [Field::Pauses, Field::Resumes, Field::Replays].into_iter().for_each(|field| self.doubt(field, 1));
        }
        self.count(Field::Errors, 1);
        self.once(Field::Errored);
        if fatal {
            self.count(Field::FatalErrors, 1);
            match (self.has_played(), self.wish) {
                (true, _) => self.failed_at = Some(now),
                (false, Wish::Nothing) => {}
                (false, _) => self.once(Field::StartFailures),
            }
        }
        true
    }

    fn survive(&mut self, now: Mono) {
        if let Some(at) = self.failed_at.take()
            && now.since(at) >= SURVIVAL_MS
        {
            self.count(Field::PlaybackFailures, 1);
        }
    }

    /// Nobody looks for `ms`: what lasted when it began may be taken to last until it is over.
    pub(crate) fn doubt_times(&mut self, ms: Millis) {
        for &field in TIMES {
            self.doubt(field, ms);
        }
    }

    /// The machine sleeps. No tracker can tell a short sleep from a wait, nor any from a pause.
    pub(crate) fn sleep(&mut self, ms: Millis, active: bool, now: Mono, lateness_ms: Millis) {
        // A pause that nobody has heard of yet lasts no longer than what it ended.
        let active = active || self.is_recent(now, lateness_ms);
        self.blur(now, lateness_ms);
        self.slept_ms += ms;
        let taken = ms.min(LONGEST_SILENCE_MS);
        self.doubt_times(taken);
        self.doubt(Field::PausedMs, ms - taken);
        if active {
            self.doubt(Field::Rebuffers, 1);
            self.doubt(Field::RebufferMs, SHORTEST_STALL_MS);
        }
    }

    /// Whether the viewer did something so shortly ago that the page may not have heard of it.
    fn is_recent(&self, now: Mono, lateness_ms: Millis) -> bool {
        let sought = self.last_seek.is_some_and(|last| now.since(last) <= lateness_ms);
        sought || now.since(self.wished_at) <= lateness_ms
    }

    /// The page sees nothing for a while: what was done a moment ago may be told only when it is over.
    pub(crate) fn blur(&mut self, now: Mono, lateness_ms: Millis) {
        if self.wish_covered || now.since(self.wished_at) <= lateness_ms {
            (self.hold_covered, self.wish_covered) = (true, true);
            self.doubt(Field::Seeks, u64::from(self.replays));
            [Field::Pauses, Field::Resumes, Field::Replays].into_iter().for_each(|field| self.doubt(field, 1));
        }
        if self.last_seek.is_some_and(|last| now.since(last) <= lateness_ms) {
            self.doubt(Field::Seeks, 1);
        }
    }

    /// The page is left: what goes on is over.
    pub(crate) fn leave(&mut self, now: Mono, lateness_ms: Millis) {
        self.blur(now, lateness_ms);
        if self.failed_at.take().is_some() {
            self.count(Field::PlaybackFailures, 1);
        }
        for (rung, field) in self.rungs.iter().zip(POSITIONS) {
            self.fields[field] = u64::from(rung.passed);
            self.doubts[field] = u64::from(rung.near && !rung.sure);
        }
        self.once(Field::Stops);
    }

    /// How much of the content was played at least `times` times.
    #[must_use]
    pub fn covered_ms(&self, times: u8) -> Millis {
        self.cells.iter().filter(|&&count| count >= times).count() as Millis * CELL_MS as Millis
    }
}

/// A rung of the ladder of positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rung {
    /// The playhead was there, or would have been within one look.
    near: bool,
    passed: bool,
    /// It was there for longer than one look.
    sure: bool,
}

impl Rung {
    /// The playhead has been there for `since_ms` by now; negative if it will only come there.
    fn see(&mut self, since_ms: i64, look_ms: i64) {
        self.near |= since_ms >= -look_ms;
        self.passed |= since_ms >= 0;
        self.sure |= since_ms >= look_ms;
    }
}
