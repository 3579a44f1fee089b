//! What each signal costs the page: `cargo xtask bench tracker`.
//!
//! A film plays in one player, `timeupdate` after `timeupdate`, and a collector answers every request at once. In between
//! comes what viewers and browsers do. Nanoseconds and allocations are given for one signal each, as the median and the
//! 99th percentile of many runs. Figures are for people to compare: a machine is never quiet enough to assert on them.

#[path = "../tests/memory/heap.rs"]
#[allow(dead_code, reason = "how much is held is of no interest here")]
mod heap;

use std::time::Instant;

use quartile_protocol::clock::{Media, Millis, Mono, Now, Wall};
use quartile_tracker::{Answer, Config, Length, PageSignal, PlayerId, Signal, Snapshot, Subject, Tracker};

const OPENED: Wall = Wall::from_ms(1_790_000_100_000);

/// From one `timeupdate` to the next.
const STEP_MS: Millis = 250;

/// So long that quartiles are as rare as they are in life.
const FILM_MS: Millis = 10 * 3_600_000;

/// How many `timeupdate`s are measured at once: the clock takes as long to read as one of them.
const STEPS: u64 = 16;

/// How often each case is run.
const RUNS: usize = 4_000;

/// `timeupdate`s that are not measured at the beginning.
const WARM_UP: u64 = 400;

/// One player, its element and a collector.
struct Page {
    tracker: Tracker,
    player: PlayerId,
    now: Mono,
    seen: Snapshot,
    pos_ms: Millis,
}

impl Page {
    /// A page on which a film plays for some time already.
    fn playing() -> Self {
        let mut tracker = Tracker::new();
        let config = Config { user: String::new(), context_bytes: 600, seed: [1, 2] };
        tracker.open(config, Now { mono: Mono::default(), wall: OPENED });
        let player = tracker.attach(Subject::new("vid\0film\0vtitle\0A film\0", None));
        let length = Length::Finite(FILM_MS);
        let seen = Snapshot { length, ready: true, paused: false, ..Snapshot::default() };
        let mut page = Self { tracker, player, now: Mono::default(), seen, pos_ms: 0 };
        page.tell(Signal::Source("/film.mp4"));
        page.play(WARM_UP);
        page
    }

    fn tell(&mut self, signal: Signal<'_>) {
        self.seen.pos = Some(Media::from_ms(self.pos_ms as i64));
        self.tracker.observe(self.player, signal, &self.seen, self.now);
    }

    fn pass(&mut self, ms: Millis) {
        self.now = self.now + ms;
    }

    /// The film goes on by so many `timeupdate`s.
    fn play(&mut self, steps: u64) {
        for _ in 0..steps {
            self.pass(STEP_MS);
            self.pos_ms += STEP_MS;
            self.tell(Signal::Observed);
        }
    }

    fn seek(&mut self, to_ms: Millis) {
        self.pos_ms = to_ms;
        self.seen.seeking = true;
        self.tell(Signal::Seeking);
        self.pass(20);
        self.seen.seeking = false;
        self.tell(Signal::Observed);
    }

    /// The data runs out, and comes.
    fn stall(&mut self) {
        self.pass(STEP_MS);
        self.seen.starved = true;
        self.tell(Signal::Waiting);
        self.pass(500);
        self.seen.starved = false;
        self.tell(Signal::Observed);
    }

    fn pause_and_play(&mut self) {
        self.seen.paused = true;
        self.tell(Signal::Paused);
        self.pass(1_000);
        self.seen.paused = false;
        self.tell(Signal::Observed);
    }

    /// The page's timer rings, of which the tracker has no need.
    fn ring(&mut self) {
        self.tell(Signal::Observed);
        self.tracker.handle_timeout(self.now);
    }

    fn set_volume(&mut self) {
        self.seen.volume = 1.5 - self.seen.volume;
        self.tell(Signal::Observed);
    }

    /// Gives whether there was a request.
    fn deliver(&mut self) -> bool {
        let mut any = false;
        while let Some(send) = self.tracker.poll_output() {
            any = true;
            self.tracker.delivered(send.delivery, Answer::ACKNOWLEDGED, self.now);
        }
        any
    }

    /// Plays until a request has just been made and answered, so that the next is a while away. Before its end, the film is
    /// moved back to its beginning.
    fn settle(&mut self) {
        if self.pos_ms > FILM_MS - 600_000 {
            self.seek(0);
        }
        self.play(1);
        while !self.deliver() {
            self.play(1);
        }
    }
}

/// Something to measure.
struct Case {
    name: &'static str,
    about: &'static str,
    /// How many signals it is.
    signals: u64,
    /// What comes before and is not measured, from a request that was just answered.
    before: fn(&mut Page),
    run: fn(&mut Page),
}

const CASES: &[Case] = &[
    Case {
        name: "timeupdate",
        about: "in steady play, no request due",
        signals: STEPS,
        before: |_| {},
        run: |page| page.play(STEPS),
    },
    Case {
        name: "timer",
        about: "the timer rings and nothing is due",
        signals: 1,
        before: |page| page.play(3),
        run: Page::ring,
    },
    Case {
        name: "frames",
        about: "frame counters read",
        signals: 1,
        before: |page| page.play(3),
        run: |page| page.tell(Signal::Frames { total: page.pos_ms / 40, dropped: page.pos_ms / 4_000 }),
    },
    Case {
        name: "seek",
        about: "seeking, seeked",
        signals: 2,
        before: |page| page.play(3),
        run: |page| page.seek(page.pos_ms + 30_000),
    },
    Case {
        name: "stall",
        about: "waiting, playing, the first motion",
        signals: 3,
        before: |page| page.play(3),
        run: |page| {
            page.stall();
            page.play(1);
        },
    },
    Case { name: "pause", about: "pause, play", signals: 2, before: |page| page.play(3), run: Page::pause_and_play },
    Case { name: "volume", about: "volumechange", signals: 1, before: |page| page.play(3), run: Page::set_volume },
    Case {
        name: "request",
        about: "the timeupdate at which a request is written, and its answer",
        signals: 1,
        before: |page| page.play(40),
        run: |page| {
            page.play(1);
            page.deliver();
        },
    },
    Case {
        name: "hide",
        about: "the page is hidden, what waits is written, answered, the page is shown",
        signals: 2,
        before: |page| page.play(3),
        run: |page| {
            page.tracker.page(PageSignal::Hidden, page.now);
            page.deliver();
            page.tracker.page(PageSignal::Visible, page.now);
        },
    },
];

/// The median and the 99th percentile of one signal.
struct Figures {
    ns: [f64; 2],
    allocations: [f64; 2],
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is the shell that reads the clock")]
fn measure(case: &Case) -> Figures {
    let mut page = Page::playing();
    let (mut times, mut allocations) = (Vec::with_capacity(RUNS), Vec::with_capacity(RUNS));
    for _ in 0..RUNS {
        page.settle();
        (case.before)(&mut page);
        let asked = heap::used().asked;
        let begun = Instant::now();
        (case.run)(&mut page);
        let took = begun.elapsed();
        let asked = heap::used().asked - asked;
        times.push(took.as_nanos() as f64 / case.signals as f64);
        allocations.push(asked as f64 / case.signals as f64);
    }
    Figures { ns: percentiles(times), allocations: percentiles(allocations) }
}

fn percentiles(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    [values[values.len() / 2], values[values.len() * 99 / 100]]
}

/// A case as a line for people, and as members of an object.
fn show(case: &Case, Figures { ns, allocations }: &Figures) -> (String, String) {
    let Case { name, about, .. } = case;
    let ([ns, ns_p99], [allocs, allocs_p99]) = (ns, allocations);
    let line = format!("{name:<12} {ns:>9.0} {ns_p99:>9.0} {allocs:>8.2} {allocs_p99:>8.2}  {about}");
    let members = format!(
        "\"{name}_ns_p50\":{ns:.1},\"{name}_ns_p99\":{ns_p99:.1},\
         \"{name}_allocs\":{allocs:.2},\"{name}_allocs_p99\":{allocs_p99:.2}"
    );
    (line, members)
}

fn main() {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let say = |line: &str| if as_json { eprintln!("{line}") } else { println!("{line}") };
    say(&format!("{:<12} {:>9} {:>9} {:>8} {:>8}", "per signal", "ns p50", "ns p99", "allocs", "p99"));
    let mut all = Vec::new();
    for case in CASES {
        let (line, members) = show(case, &measure(case));
        say(&line);
        all.push(members);
    }
    if as_json {
        println!("{{{}}}", all.join(","));
    }
}
