//! Which motion of the playhead is playing, and how much real time it took.
//!
//! A step from one observation to the next counts while `0 < Δmedia ≤ Δwall · |rate| · 1.25 + 0.3 s`, with Δwall
//! capped: anything else is a jump. A stall between two observations moves the playhead less than the time that passed,
//! so a step's real time is never more than its media time takes. Over a *run* of steps the two are compared as sums,
//! because single readings of a playhead jitter by more than a frame.

use quartile_protocol::clock::{Media, Millis, Mono};

/// How long a step may be believed to last, in a visible and in a hidden page (whose timers are throttled).
const STEP_CAP_MS: Millis = 2_000;
const STEP_CAP_HIDDEN_MS: Millis = 5_000;

/// The slack for a playhead that is read late.
const STEP_SLACK_MS: f64 = 300.0;

/// The last place that the playhead was seen at, and the run of steps that led there.
#[derive(Debug)]
pub(crate) struct Playhead {
    /// Where and when the playhead last moved, or was put.
    last: Option<(Media, Mono)>,
    /// What put it there.
    put: Put,
    /// Standing still was found to be in order at this moment.
    excused: Mono,
    rate: f64,
    run: Run,
}

/// What put the playhead where it was last seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Put {
    /// It moved there, or stands there.
    #[default]
    Motion,
    /// A seek.
    Seek,
    /// It was there when the speed changed.
    Rate,
}

#[derive(Debug)]
struct Run {
    wall_ms: f64,
    media_ms: f64,
    /// Played time of this run that was already given out.
    given_ms: Millis,
}

impl Run {
    const NONE: Self = Self { wall_ms: 0.0, media_ms: 0.0, given_ms: 0 };
}

/// A continuous motion of the playhead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// From this place of the content …
    pub from: Media,
    /// … to this.
    pub to: Media,
    /// Real time that it took.
    pub played_ms: Millis,
    /// When it began at the latest: the observation before, or later if the playhead first stood still.
    pub began: Mono,
}

impl Playhead {
    /// It was not seen yet.
    pub(crate) const NOWHERE: Self =
        Self { last: None, put: Put::Motion, excused: Mono::from_ms(0), rate: 0.0, run: Run::NONE };

    /// Puts the playhead somewhere without playing: a seek, another source, a change of rate.
    pub(crate) fn put(&mut self, pos: Option<Media>, rate: f64, by: Put, now: Mono) {
        self.last = pos.map(|pos| (pos, now));
        self.put = by;
        self.rate = rate;
        self.run = Run::NONE;
    }

    /// Where the playhead was last seen.
    pub(crate) fn place(&self) -> Option<Media> {
        self.last.map(|(pos, _)| pos)
    }

    /// When it last moved or was put.
    pub(crate) fn moved_at(&self) -> Mono {
        self.last.map_or(Mono::default(), |(_, at)| at)
    }

    /// What put it where it is.
    pub(crate) const fn put_by(&self) -> Put {
        self.put
    }

    /// Standing still is in order for now.
    pub(crate) fn excuse(&mut self, now: Mono) {
        self.excused = now;
    }

    /// Since when standing still is not in order.
    pub(crate) fn excused_at(&self) -> Mono {
        self.moved_at().max(self.excused)
    }

    /// Whether going from here over the end of a content of `duration` to `pos` is a step, as a repeating player makes.
    /// Back at the same place it went all the way round only if the player `told` that it jumped, and had the time.
    pub(crate) fn may_wrap(&self, pos: Media, duration: Millis, told: bool, hidden: bool, now: Mono) -> bool {
        self.last.is_some_and(|(from, since)| {
            let over = ((duration as i64 - from.as_ms()) + pos.as_ms()) as f64;
            let round = told && pos == from && now.since(since) as f64 * self.rate.abs() * 1.25 >= over;
            (pos < from || round) && pos.as_ms() >= 0 && over <= self.farthest(since, hidden, now)
        })
    }

    /// Whether it cannot have come to `pos` by playing, if it `may_move` at all, nor stood still there.
    pub(crate) fn jumps_to(&self, pos: Option<Media>, may_move: bool, hidden: bool, now: Mono) -> bool {
        self.last.zip(pos).is_some_and(|((from, since), to)| {
            let media_ms = (to - from) as f64;
            let farthest = if may_move { self.farthest(since, hidden, now) } else { STEP_SLACK_MS };
            media_ms < -STEP_SLACK_MS || media_ms > farthest
        })
    }

    /// How far a step can go.
    fn farthest(&self, since: Mono, hidden: bool, now: Mono) -> f64 {
        let cap = if hidden { STEP_CAP_HIDDEN_MS } else { STEP_CAP_MS };
        now.since(since).min(cap) as f64 * self.rate.abs() * 1.25 + STEP_SLACK_MS
    }

    /// The playhead was seen at `pos`, having been playing since the last look.
    pub(crate) fn step(&mut self, pos: Option<Media>, rate: f64, hidden: bool, now: Mono) -> Option<Step> {
        let (Some(to), Some((from, since))) = (pos, self.last) else {
            self.put(pos, rate, Put::Motion, now);
            return None;
        };
        // Standing still, the old observation stays: the playhead is read more coarsely than events come.
        let media_ms = (to - from) as f64;
        if media_ms == 0.0 && rate == self.rate {
            return None;
        }
        let speed = self.rate.abs();
        if media_ms <= 0.0 || speed == 0.0 || media_ms > self.farthest(since, hidden, now) {
            let by = if media_ms == 0.0 { Put::Rate } else { Put::Motion };
            self.put(pos, rate, by, now);
            return None;
        }
        let cap = if hidden { STEP_CAP_HIDDEN_MS } else { STEP_CAP_MS };
        self.run.wall_ms += now.since(since).min(cap) as f64;
        self.run.media_ms += media_ms / speed;
        let played = self.run.wall_ms.min(self.run.media_ms) as Millis;
        let played_ms = played - self.run.given_ms;
        self.run.given_ms = played;
        (self.last, self.put) = (Some((to, now)), Put::Motion);
        if rate != self.rate {
            self.put(pos, rate, Put::Rate, now);
        }
        let took = (media_ms / speed) as Millis;
        let began = Mono::from_ms(now.as_ms().saturating_sub(took)).max(since);
        Some(Step { from, to, played_ms, began })
    }

    /// Played time since the playhead was last put somewhere.
    pub(crate) const fn run_ms(&self) -> Millis {
        self.run.given_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Observations as `(seconds of the clock, seconds of the content)`; gives played milliseconds and content.
    fn play(rate: f64, seen: &[(f64, f64)]) -> (Millis, i64) {
        let mut head = Playhead::NOWHERE;
        let ms = |seconds: f64| (seconds * 1000.0) as i64;
        let (mut played, mut content) = (0, 0);
        for (index, &(clock, pos)) in seen.iter().enumerate() {
            let (now, pos) = (Mono::from_ms(ms(clock) as u64), Some(Media::from_ms(ms(pos))));
            if index == 0 {
                head.put(pos, rate, Put::Motion, now);
            } else if let Some(step) = head.step(pos, rate, false, now) {
                played += step.played_ms;
                content += step.to - step.from;
            }
        }
        (played, content)
    }

    #[test]
    fn steady_play_counts_as_it_is() {
        assert_eq!(play(1.0, &[(0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (1.0, 1.0)]), (1000, 1000));
    }

    #[test]
    fn jitter_of_the_readings_does_not_add_up() {
        let seen: Vec<_> =
            (0..=40).map(|i| (f64::from(i) * 0.25, f64::from(i) * 0.25 + f64::from(i % 2) * 0.05)).collect();
        assert_eq!(play(1.0, &seen), (10_000, 10_000));
    }

    #[test]
    fn a_stall_between_two_looks_is_not_played() {
        assert_eq!(play(1.0, &[(0.0, 0.0), (30.0, 0.2), (30.25, 0.45)]), (450, 450));
    }

    #[test]
    fn a_playhead_that_is_read_coarsely_loses_nothing() {
        assert_eq!(play(1.0, &[(0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (0.25, 0.25), (0.3, 0.25), (0.5, 0.5)]), (500, 500));
    }

    #[test]
    fn a_jump_is_no_step() {
        assert_eq!(play(1.0, &[(0.0, 0.0), (0.25, 30.0), (0.5, 30.25)]), (250, 250));
        assert_eq!(play(1.0, &[(0.0, 9.0), (0.25, 3.0), (0.5, 3.25)]), (250, 250));
    }

    #[test]
    fn double_speed_passes_double_content() {
        assert_eq!(play(2.0, &[(0.0, 0.0), (0.25, 0.5), (0.5, 1.0)]), (500, 1000));
    }

    #[test]
    fn after_a_sleep_the_clock_alone_proves_nothing() {
        assert_eq!(play(1.0, &[(0.0, 0.0), (3600.0, 2.9)]), (0, 0));
        assert_eq!(play(1.0, &[(0.0, 0.0), (3600.0, 2.7)]), (2000, 2700));
    }
}
