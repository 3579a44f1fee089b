//! What two looks at a player prove, at each threshold and right beside it.
//!
//! A script is one look a line: what the clock shows and where the playhead is, in milliseconds, then how the element is
//! (`unready`, `paused`, `seeking`, `ended`, `starved`, `loop`, `x0`, `x2`) and what it says (`says-seeking`,
//! `says-waiting`, `says-pause`, `says-frames`, `says-first-frame`).
//! The page is left at the last look.

use std::collections::BTreeMap;

use quartile_protocol::clock::{Media, Mono, Now, Wall};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::id::SiteId;
use quartile_simulator::shell::Shell;
use quartile_tracker::{Length, PageSignal, Signal, Snapshot, Subject, Tracker};

const OPENED: Wall = Wall::from_ms(1_790_000_100_000);

const MINUTE_MS: u64 = 60_000;

/// How long a film is of which nobody knows.
const UNKNOWN: u64 = 0;

/// What is counted of a film.
fn watch(film_ms: u64, looks: &str) -> Fields {
    tell(film_ms, looks, false).0
}

fn watch_hidden(film_ms: u64, looks: &str) -> Fields {
    tell(film_ms, looks, true).0
}

/// From where to where the seeks went, in seconds.
fn seeks(film_ms: u64, looks: &str) -> Vec<(i64, i64)> {
    let (_, events) = tell(film_ms, looks, false);
    let seeks = events.into_iter().filter_map(|event| match event.kind {
        EventKind::Seek { from_ms, to_ms, .. } => Some((from_ms.as_ms() / 1000, to_ms.as_ms() / 1000)),
        _ => None,
    });
    seeks.collect()
}

/// What a collector knows in the end: the numbers of the view, and its events.
fn tell(film_ms: u64, looks: &str, hidden: bool) -> (Fields, Vec<Event>) {
    let (total, events, _) = tell_all(film_ms, looks, hidden);
    (total, events)
}

/// This as well: how long the view was in each state until the last look.
fn tell_all(film_ms: u64, looks: &str, hidden: bool) -> (Fields, Vec<Event>, BTreeMap<&'static str, u64>) {
    let shell = Shell::new(SiteId::new("demo").expect("a valid key"), [1, 2]);
    let mut tracker = Tracker::new();
    tracker.open(shell.config(), Now { mono: Mono::default(), wall: OPENED });
    let player = tracker.attach(Subject::default());
    if hidden {
        tracker.page(PageSignal::Hidden, Mono::default());
    }
    let length = if film_ms == UNKNOWN { Length::Unknown } else { Length::Finite(film_ms) };
    tracker.observe(player, Signal::Source("/film.mp4"), &Snapshot { length, ..Snapshot::default() }, Mono::default());
    let mut now = Mono::default();
    for line in looks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, signal, seen) = look(line, length);
        now = at;
        tracker.observe(player, signal, &seen, now);
    }
    let times = tracker.inspect(player).map_or_else(BTreeMap::new, |view| view.times_ms.into_iter().collect());
    tracker.page(PageSignal::Left, now);
    let (mut slices, mut events) = (BTreeMap::<_, Fields>::new(), BTreeMap::new());
    while let Some(send) = tracker.poll_output() {
        for view in shell.complete(&send, OPENED).views {
            for slice in view.slices {
                slices.entry(slice.n).or_default().join(&slice.fields);
            }
            events.extend(view.events.into_iter().map(|event| (event.seq, event)));
        }
    }
    let mut total = Fields::default();
    slices.values().for_each(|fields| total.add(fields));
    (total, events.into_values().collect(), times)
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
            "x0" => seen.rate = 0.0,
            "x2" => seen.rate = 2.0,
            "says-seeking" => signal = Signal::Seeking,
            "says-waiting" => signal = Signal::Waiting,
            "says-pause" => signal = Signal::Paused,
            "unready" => seen.ready = false,
            "says-first-frame" => signal = Signal::FirstFrame,
            "says-frames" => signal = Signal::Frames { total: 1_000, dropped: 0 },
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
    assert_eq!(played(&watch_hidden(MINUTE_MS, "0 0 \n 9000 6550")), (5000, 6550));
    assert_eq!(played(&watch_hidden(MINUTE_MS, "0 0 \n 9000 6551")), (0, 0));
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
    let twice_as_fast =
        |at: u64| watch(1_000, &format!("0 0 loop x2 \n 250 500 loop x2 \n {at} 500 loop x2 says-seeking"));
    assert_eq!((twice_as_fast(650)[Field::Loops], twice_as_fast(649)[Field::Loops]), (1, 0));
}

/// Seeks from second 1 to 20, shown at second 2 of the clock, and then to 40.
fn seek_again_at(at: u64) -> Vec<(i64, i64)> {
    let first = "0 0 \n 1000 1000 \n 1000 20000 seeking says-seeking \n 2000 20000";
    let again = at + 10;
    seeks(MINUTE_MS, &format!("{first} \n {at} 40000 seeking says-seeking \n {again} 40000"))
}

#[test]
fn a_seek_that_begins_within_two_seconds_of_the_end_of_another_is_one_with_it() {
    assert_eq!(seek_again_at(3_999), [(1, 40)]);
    assert_eq!(seek_again_at(4_000), [(1, 20), (20, 40)]);
}

/// A stall shows at the same look as frames, which open the slice after the mark.
#[test]
fn of_a_stall_that_shows_after_the_mark_a_second_is_believed() {
    let looks = "299000 0 \n 299500 500 \n 304000 500 starved says-frames";
    assert_eq!(watch(MINUTE_MS, looks)[Field::RebufferMs], 1_000);
}

/// The look comes before the event: the jump is as short as a step might be.
#[test]
fn what_an_element_says_that_it_seeks_over_was_not_played() {
    let looks = "0 0 \n 1000 1000 \n 1500 1900 seeking \n 1510 1900 seeking says-seeking \n 2000 2000";
    assert_eq!(played(&watch(MINUTE_MS, looks)), (1_000, 1_000));
}

#[test]
fn a_seek_begins_where_it_was_asked_for_although_the_playhead_moves_later() {
    let looks = "0 0 \n 1000 1000 \n 2000 2000 \n 2100 2100 seeking says-seeking \n 2200 30000 seeking \n 2500 30000";
    assert_eq!(seeks(MINUTE_MS, looks), [(2, 30)]);
    // It jumped before anything was said.
    let looks = "0 0 \n 1000 1000 \n 2000 2000 \n 2010 30000 \n 2100 30090 seeking says-seeking \n 2500 30090";
    assert_eq!(seeks(MINUTE_MS, looks), [(2, 30)]);
    // As short as a step might be.
    let looks = "0 0 \n 1000 1000 \n 2000 2000 \n 2100 2100 seeking says-seeking \n 2200 2600 seeking \n 2500 2600";
    assert_eq!(seeks(MINUTE_MS, looks), [(2, 2)]);
}

#[test]
fn a_stall_belongs_to_the_slice_in_which_it_began() {
    let play: String = (0..=310).map(|second| format!("{0} {0} \n", second * 1_000)).collect();
    let stall = "311000 310000 starved says-waiting \n 315000 310000 starved \n 315250 310250 \n 316000 311000";
    let (_, events) = tell(10 * MINUTE_MS, &(play + stall), false);
    let stalls = events.iter().filter(|event| matches!(event.kind, EventKind::Rebuffer { .. })).map(|event| event.n);
    assert_eq!(stalls.collect::<Vec<_>>(), [1]);
}

/// What was taken for playing until then was none.
#[test]
fn a_stall_that_is_noticed_late_was_no_playing() {
    let (.., times) = tell_all(MINUTE_MS, "0 0 \n 1000 1000 \n 9000 1000 starved says-waiting", false);
    assert_eq!((times["playing"], times["rebuffering"]), (1_000, 8_000));
}

#[test]
fn a_request_waits_until_something_is_known_of_the_film_and_then_it_starts() {
    let (.., times) = tell_all(MINUTE_MS, "0 0 unready \n 1000 0 starved \n 3000 0 starved", false);
    assert_eq!((times["requested"], times["starting"]), (1_000, 2_000));
}

#[test]
fn a_start_ends_with_the_first_frame_although_the_playhead_waits() {
    let startup = |says: &str| {
        let looks = format!("0 0 starved \n 3000 0 starved {says} \n 5000 0 starved \n 5250 250");
        watch(MINUTE_MS, &looks)[Field::StartupMs]
    };
    assert_eq!((startup("says-first-frame"), startup("")), (3_000, 5_000));
}

#[test]
fn a_pause_that_is_told_during_a_seek_is_one() {
    let looks = "0 0 \n 1000 1000 \n 1200 1200 paused \n 1250 30000 paused seeking says-pause \n 1500 30000 paused";
    assert_eq!(watch(MINUTE_MS, looks)[Field::Pauses], 1);
}

#[test]
fn after_the_end_playing_again_is_no_seek_and_looking_elsewhere_is_one() {
    let after = |looks: &str| {
        let fields = watch(2_000, &format!("0 0 \n 1000 1000 \n 2000 2000 paused ended \n {looks}"));
        (fields[Field::Seeks], fields[Field::Replays], fields[Field::Ends])
    };
    assert_eq!(after("2500 0 \n 2510 10 says-seeking"), (0, 1, 1));
    assert_eq!(after("2500 500 paused \n 2510 500 paused says-seeking"), (1, 0, 1));
}

/// Where playback ends, the last moments of a file need not have been shown.
#[test]
fn all_is_watched_where_it_ends_during_a_seek_and_not_where_it_ends_during_a_pause() {
    let watched = |looks: &str| {
        let nearly_all: String = (0..=39).map(|n| format!("{0} {0} \n", n * 250)).collect();
        let fields = watch(10_000, &(nearly_all + looks));
        (fields[Field::Reached100], fields[Field::Position100], fields[Field::Ends])
    };
    assert_eq!(watched("9760 10000 seeking says-seeking \n 10010 10000 paused ended"), (1, 0, 1));
    assert_eq!(watched("9760 9750 paused says-pause \n 10010 10000 paused ended"), (0, 0, 1));
    // A browser shows that it stands still before it says that this is the end.
    assert_eq!(watched("9900 9900 paused \n 10010 10000 paused ended"), (1, 1, 1));
}

#[test]
fn a_stall_of_a_quarter_of_a_second_is_one_and_a_shorter_one_is_none() {
    let stall_until = |at: u64| watch(MINUTE_MS, &format!("0 0 \n 1000 1000 says-waiting \n {at} 1010"));
    assert_eq!(stall_until(1_260)[Field::RebufferMs], 250);
    assert_eq!(stall_until(1_259)[Field::RebufferMs], 0);
}

#[test]
fn standing_still_at_a_speed_of_nothing_is_no_stall() {
    assert_eq!(watch(MINUTE_MS, "0 0 \n 1000 1000 x0 \n 9000 1000 x0 starved says-waiting")[Field::RebufferMs], 0);
    assert_eq!(watch(MINUTE_MS, "0 0 \n 1000 1000 \n 9000 1000 starved says-waiting")[Field::RebufferMs], 8_000);
}

#[test]
fn a_seeking_that_is_delivered_a_quarter_of_a_second_after_the_jump_belongs_to_it_and_a_later_one_to_none() {
    let seeks_at = |at: i64| {
        let pos = 20_000 + at - 1_010;
        watch(MINUTE_MS, &format!("0 0 \n 1000 1000 \n 1010 20000 \n {at} {pos} says-seeking"))[Field::Seeks]
    };
    assert_eq!((seeks_at(1_260), seeks_at(1_261)), (1, 0));
}

#[test]
fn what_has_no_known_end_does_not_loop() {
    assert_eq!(watch(UNKNOWN, "0 0 loop \n 1000 1000 loop \n 1100 300 loop")[Field::Loops], 0);
}
