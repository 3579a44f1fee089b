//! How much memory a page gives to its tracker, however long somebody watches and whether or not a collector answers.
//!
//! A real heap is counted, of a 64-bit machine: in a browser pointers are half as long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod heap;

use std::collections::BTreeMap;

use quartile_protocol::clock::{Media, Millis, Mono, Now, Wall};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::{SiteId, ViewId};
use quartile_simulator::shell::Shell;
use quartile_tracker::{Answer, Delivery, Length, PlayerId, Signal, Snapshot, Subject, Tracker};

/// What a tracker may hold.
const MOST_BYTES: i64 = 64_000;

/// What a request takes while it is written: a buffer of 64 KiB, and the half that it grew out of.
const REQUEST_BYTES: i64 = (64 + 32) * 1024;

const OPENED: Wall = Wall::from_ms(1_790_000_100_000);
const SECOND_MS: Millis = 1_000;
const HOUR_MS: Millis = 3_600 * SECOND_MS;

/// From one `timeupdate` to the next.
const STEP_MS: Millis = 250;

/// A live stream in one player, and a collector that answers at once or never.
struct Watch {
    tracker: Tracker,
    player: PlayerId,
    shell: Shell,
    answers: bool,
    now: Mono,
    pos_ms: i64,
    /// What the tracker holds between two calls, and the most that it held.
    held: i64,
    most_held: i64,
    /// The most that it held during a call, the request that it just wrote included.
    most: i64,
    sent_at: Vec<Mono>,
    slices: BTreeMap<(ViewId, u32), Fields>,
}

impl Watch {
    fn new(answers: bool) -> Self {
        let shell = Shell::new(SiteId::new("demo").unwrap(), [1, 2]);
        let mut watch = Self {
            tracker: Tracker::new(),
            player: PlayerId::from_u32(0),
            shell,
            answers,
            now: Mono::default(),
            pos_ms: 0,
            held: 0,
            most_held: 0,
            most: 0,
            sent_at: Vec::new(),
            slices: BTreeMap::new(),
        };
        let config = watch.shell.config();
        watch.player = watch.call(|tracker, _, now| {
            tracker.open(config, Now { mono: now, wall: OPENED });
            tracker.attach(Subject::new("vid\0film\0", None))
        });
        watch.tell(Signal::Source("/live.m3u8"), watch.seen());
        watch
    }

    /// Calls the tracker, and counts what it takes and gives back.
    fn call<T>(&mut self, call: impl FnOnce(&mut Tracker, PlayerId, Mono) -> T) -> T {
        heap::forget_most();
        let before = heap::used().held;
        let result = call(&mut self.tracker, self.player, self.now);
        let after = heap::used();
        self.most = self.most.max(self.held + after.most - before);
        self.held += after.held - before;
        result
    }

    fn seen(&self) -> Snapshot {
        let pos = Some(Media::from_ms(self.pos_ms));
        Snapshot { pos, length: Length::Endless, paused: false, ready: true, ..Snapshot::default() }
    }

    fn tell(&mut self, signal: Signal<'_>, seen: Snapshot) {
        self.call(|tracker, player, now| tracker.observe(player, signal, &seen, now));
        if self.call(|tracker, _, now| tracker.poll_timeout().is_some_and(|at| at <= now)) {
            self.call(|tracker, _, now| tracker.handle_timeout(now));
        }
        while let Some(send) = self.call(|tracker, _, _| tracker.poll_output()) {
            self.sent_at.push(self.now);
            self.learn(&send);
            let delivery = send.delivery;
            self.call(|_, _, _| drop(send));
            self.answer(delivery);
        }
        self.most_held = self.most_held.max(self.held);
    }

    fn answer(&mut self, delivery: Delivery) {
        if self.answers {
            self.call(|tracker, _, now| tracker.delivered(delivery, Answer::ACKNOWLEDGED, now));
        }
    }

    /// What a collector gets.
    fn learn(&mut self, send: &quartile_tracker::Send) {
        let batch = self.shell.complete(send, OPENED.shifted(self.now.as_ms() as i64));
        for view in batch.views {
            for slice in view.slices {
                self.slices.entry((view.id, slice.n)).or_default().join(&slice.fields);
            }
        }
    }

    fn play(&mut self, ms: Millis) {
        for _ in 0..ms / STEP_MS {
            self.now = self.now + STEP_MS;
            self.pos_ms += STEP_MS as i64;
            self.tell(Signal::Observed, self.seen());
        }
    }

    /// The data runs out for a second.
    fn stall(&mut self) {
        self.tell(Signal::Waiting, Snapshot { starved: true, ..self.seen() });
        self.now = self.now + SECOND_MS;
    }

    fn stall_every_ten_seconds(&mut self, hours: u64) {
        for _ in 0..hours * 360 {
            self.play(9 * SECOND_MS);
            self.stall();
        }
    }

    fn total(&self, field: Field) -> u64 {
        self.slices.values().map(|fields| fields[field]).sum()
    }

    fn stays_within_bounds(&self) {
        eprintln!("held {} bytes at most, {} while a request was written", self.most_held, self.most);
        assert!(self.most_held <= MOST_BYTES, "{} bytes", self.most_held);
        assert!(self.most <= MOST_BYTES + REQUEST_BYTES, "{} bytes", self.most);
    }

    /// The longest time in which nothing was sent.
    fn longest_silence_ms(&self) -> Millis {
        let times = self.sent_at.iter().copied();
        let nexts = times.clone().skip(1).chain([self.now]);
        times.zip(nexts).map(|(at, next)| next.since(at)).max().unwrap()
    }
}

#[test]
fn ten_hours_of_live_with_a_stall_every_ten_seconds() {
    let mut watch = Watch::new(true);
    watch.stall_every_ten_seconds(10);
    watch.stays_within_bounds();
    assert!(watch.longest_silence_ms() <= 32 * SECOND_MS, "{} ms", watch.longest_silence_ms());
    assert!(watch.total(Field::Rebuffers) >= 3_596, "{}", watch.total(Field::Rebuffers));
    assert!(watch.total(Field::PlayedMs) >= 9 * HOUR_MS - 30 * SECOND_MS);
}

/// Of ten hours it keeps the last five.
#[test]
fn ten_hours_of_live_with_a_stall_every_ten_seconds_that_no_collector_answers() {
    let mut watch = Watch::new(false);
    watch.stall_every_ten_seconds(10);
    watch.stays_within_bounds();
    // A request is taken for lost after 30 s, and the next follows within a minute.
    assert!(watch.longest_silence_ms() <= 92 * SECOND_MS, "{} ms", watch.longest_silence_ms());
    assert!(watch.total(Field::Rebuffers) >= 3_580, "{}", watch.total(Field::Rebuffers));
}

#[test]
fn a_day_of_live_whose_dimensions_change_every_five_minutes() {
    let mut watch = Watch::new(true);
    for change in 0..300 {
        let subject =
            Subject::new(&format!("vid\0film\0vtitle\0title\0pname\0player\0pengine\0engine {change}\0"), None);
        watch.call(|tracker, player, now| tracker.describe(player, subject, now));
        watch.play(24 * HOUR_MS / 300);
    }
    watch.stays_within_bounds();
    assert!(watch.total(Field::PlayedMs) >= 24 * HOUR_MS - 10 * SECOND_MS);
}

/// Views that are over and acknowledged are let go of.
#[test]
fn a_hundred_videos_one_after_the_other() {
    let mut watch = Watch::new(true);
    let mut held = Vec::new();
    for video in 0..100 {
        let address = format!("/{video:03}.mp4");
        watch.tell(Signal::Source(&address), watch.seen());
        watch.play(30 * SECOND_MS);
        held.push(watch.held);
    }
    let (early, late) = (held[3], held[99]);
    assert!(late <= early + 1_000, "{early} bytes after four videos, {late} after a hundred");
}
