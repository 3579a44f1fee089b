//! What two looks at a player prove, at each threshold and right beside it.
//!
//! A script is one look a line: what the clock shows and where the playhead is, in milliseconds, then how the element is
//! (`paused`, `seeking`, `ended`, `starved`, `loop`, `x2`) and what it says (`says-seeking`, `says-waiting`, `says-pause`).
//! The page is left at the last look.

use quartile_protocol::clock::{Media, Mono, Now, Wall};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::SiteId;
use quartile_simulator::shell::Shell;
use quartile_tracker::{Length, PageSignal, Signal, Snapshot, Subject, Tracker};

const OPENED: Wall = Wall::from_ms(1_790_000_100_000);

const MINUTE_MS: u64 = 60_000;

/// What is counted of a film.
fn watch(film_ms: u64, looks: &str) -> Fields {
    watch_page(film_ms, looks, false)
}

fn watch_page(film_ms: u64, looks: &str, hidden: bool) -> Fields {
    let shell = Shell::new(SiteId::new("demo").expect("a valid key"), [1, 2]);
    let mut tracker = Tracker::new();
    tracker.open(shell.config(), Now { mono: Mono::default(), wall: OPENED });
    let player = tracker.attach(Subject::default());
    if hidden {
        tracker.page(PageSignal::Hidden, Mono::default());
    }
    let length = Length::Finite(film_ms);
    tracker.observe(player, Signal::Source("/film.mp4"), &Snapshot { length, ..Snapshot::default() }, Mono::default());
    let mut now = Mono::default();
    for line in looks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, signal, seen) = look(line, length);
        now = at;
        tracker.observe(player, signal, &seen, now);
    }
    tracker.page(PageSignal::Left, now);
    let mut total = Fields::default();
    let mut known = std::collections::BTreeMap::<_, Fields>::new();
    while let Some(send) = tracker.poll_output() {
        for view in shell.complete(&send, OPENED).views {
            for slice in view.slices {
                known.entry((view.id, slice.n)).or_default().join(&slice.fields);
            }
        }
    }
    known.values().for_each(|fields| total.add(fields));
    total
}

fn look(line: &str, length: Length) -> (Mono, Signal<'static>, Snapshot) {
    let mut words = line.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse::<i64>().ok()).unwrap_or_else(|| panic!("{line}"));
    let (at, pos) = (number(), number());
    let pos = Some(Media::from_ms(pos));
    let mut seen = Snapshot { pos, length, ready: true, paused: false, ..Snapshot::default() };
    let mut signal = Signal::Observed;
    for word in words {
        match word {
            "paused" => seen.paused = true,
            "seeking" => seen.seeking = true,
            "ended" => seen.ended = true,
            "starved" => seen.starved = true,
            "loop" => seen.looping = true,
            "x2" => seen.rate = 2.0,
            "x16" => seen.rate = 16.0,
            "says-seeking" => signal = Signal::Seeking,
            "says-waiting" => signal = Signal::Waiting,
            "says-pause" => signal = Signal::Paused,
            other => panic!("no such word: `{other}`"),
        }
    }
    (Mono::from_ms(at as u64), signal, seen)
}

/// Played time and content.
fn played(fields: &Fields) -> (u64, u64) {
    (fields[Field::PlayedMs], fields[Field::ContentMs])
}

#[test]
fn a_step_may_be_a_quarter_longer_than_time_allows_and_three_tenths_of_a_second() {
    assert_eq!(played(&watch(MINUTE_MS, "0 0 \n 1000 1550")), (1000, 1550));
    assert_eq!(played(&watch(MINUTE_MS, "0 0 \n 1000 1551")), (0, 0));
    assert_eq!(played(&watch(MINUTE_MS, "0 0 x2 \n 1000 2800 x2")), (1000, 2800));
    assert_eq!(played(&watch(MINUTE_MS, "0 0 x2 \n 1000 2801 x2")), (0, 0));
}

#[test]
fn of_a_long_time_between_two_looks_two_seconds_are_believed_and_five_in_a_hidden_page() {
    assert_eq!(played(&watch(MINUTE_MS, "0 0 \n 9000 2800")), (2000, 2800));
    assert_eq!(played(&watch(MINUTE_MS, "0 0 \n 9000 2801")), (0, 0));
    assert_eq!(played(&watch_page(MINUTE_MS, "0 0 \n 9000 6550", true)), (5000, 6550));
    assert_eq!(played(&watch_page(MINUTE_MS, "0 0 \n 9000 6551", true)), (0, 0));
}

#[test]
fn a_playhead_that_is_read_three_tenths_of_a_second_back_did_not_jump() {
    let seeks = |to: i64| watch(MINUTE_MS, &format!("0 0 \n 1000 1000 \n 1010 {to} says-seeking"))[Field::Seeks];
    assert_eq!((seeks(700), seeks(699)), (0, 1));
    assert_eq!((seeks(1312), seeks(1313)), (0, 1));
}

/// A repeating film of ten seconds that was last seen half a second before its end.
fn loops_to(at: u64, pos: i64, words: &str) -> u64 {
    watch(10_000, &format!("0 9000 loop \n 500 9500 loop \n {at} {pos} loop {words}"))[Field::Loops]
}

#[test]
fn going_over_the_end_is_a_loop_if_time_allows() {
    // From 9.5 s over the end to 0.2 s is 0.7 s.
    assert_eq!(loops_to(820, 200, ""), 1);
    assert_eq!(loops_to(819, 200, ""), 0);
    assert_eq!(loops_to(820, 201, ""), 0);
    assert_eq!(loops_to(820, -1, ""), 0);
}

/// A repeating film of a second that stands still, or went all the way round.
fn rounds(at: u64, words: &str) -> u64 {
    watch(1_000, &format!("0 250 loop \n 250 500 loop \n {at} 500 loop {words}"))[Field::Loops]
}

#[test]
fn back_at_the_same_place_it_went_round_only_if_it_says_so_and_had_the_time() {
    assert_eq!(rounds(1_050, "says-seeking"), 1);
    assert_eq!(rounds(1_049, "says-seeking"), 0);
    assert_eq!(rounds(1_250, ""), 0);
    assert_eq!(rounds(1_250, "starved"), 0);
}
