//! What only a shell brings about: players that are found while they play, sources that never come to be shown.

use quartile_protocol::batch::Batch;
use quartile_protocol::clock::{Media, Mono, Now, Wall};
use quartile_protocol::field::Field;
use quartile_protocol::id::SiteId;
use quartile_simulator::shell::Shell;
use quartile_tracker::{Length, PageSignal, PlayerId, Signal, Snapshot, Subject, Tracker};

fn shell() -> Shell {
    Shell::new(SiteId::new("demo").expect("a valid key"), [7; 16])
}

fn tracker() -> (Tracker, PlayerId) {
    let mut tracker = Tracker::new();
    tracker.open(shell().config(), Now { mono: at(0), wall: Wall::from_ms(1_790_000_000_000) });
    let player = tracker.attach(Subject::default());
    (tracker, player)
}

const fn at(ms: u64) -> Mono {
    Mono::from_ms(ms)
}

fn playing(pos_ms: i64) -> Snapshot {
    let length = Length::Finite(60_000);
    Snapshot { pos: Some(Media::from_ms(pos_ms)), length, paused: false, ready: true, ..Snapshot::default() }
}

/// Leaves the page and gives what was sent.
fn leave(mut tracker: Tracker, now: Mono) -> Vec<Batch> {
    tracker.page(PageSignal::Left, now);
    std::iter::from_fn(|| tracker.poll_output())
        .map(|send| shell().complete(&send, Wall::from_ms(1_790_000_000_000)))
        .collect()
}

/// Plays from the first look on and gives the startup that was measured.
fn startup_of(first: Signal<'_>) -> u64 {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(9_000), at(0));
    tracker.observe(player, first, &playing(9_000), at(0));
    tracker.observe(player, Signal::Observed, &playing(9_250), at(400));
    let batches = leave(tracker, at(400));
    let fields = &batches[0].views[0].slices[0].fields;
    assert_eq!((fields[Field::Plays], fields[Field::PlayedMs]), (1, 250));
    fields[Field::StartupMs]
}

#[test]
fn a_start_that_nobody_saw_is_not_measured() {
    assert_eq!(startup_of(Signal::Joined), 0);
    assert!(startup_of(Signal::Observed) > 0);
}

#[test]
fn a_source_that_is_replaced_before_it_is_shown_is_no_view() {
    let (mut tracker, player) = tracker();
    let nothing_yet = Snapshot::default();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &nothing_yet, at(0));
    tracker.describe(player, Subject::new("b\0"), at(5));
    tracker.observe(player, Signal::Source("https://a.example/b.mp4"), &nothing_yet, at(10));
    tracker.observe(player, Signal::Observed, &Snapshot { ready: true, ..nothing_yet }, at(20));
    let batches = leave(tracker, at(30));
    let ids: Vec<_> = batches.iter().flat_map(|batch| &batch.views).map(|view| view.video.id.as_str()).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn with_nothing_to_say_there_is_nothing_to_wake_up_for() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &Snapshot::default(), at(0));
    assert_eq!(tracker.poll_timeout(), None);
}
