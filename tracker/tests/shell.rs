//! What only a shell brings about: players that are found while they play, sources that never come to be shown.

use quartile_protocol::batch::{Batch, Client, Page, Player, Video};
use quartile_protocol::clock::{Media, Mono, Now, Wall};
use quartile_protocol::field::Field;
use quartile_protocol::id::SiteId;
use quartile_tracker::{Config, Length, PageSignal, PlayerId, Signal, Snapshot, Tracker};

fn tracker(session: bool) -> (Tracker, PlayerId) {
    let config = Config {
        site: SiteId::new("demo").expect("a valid key"),
        sdk: "test/1".into(),
        viewer: String::new(),
        user: String::new(),
        page: Page::default(),
        client: Client::default(),
        context_bytes: 0,
        session,
        seed: [7; 16],
    };
    let mut tracker = Tracker::new(config, at(0));
    let player = tracker.attach(Player::default(), Video::default(), Vec::new());
    (tracker, player)
}

fn at(ms: u64) -> Now {
    Now { mono: Mono::from_ms(ms), wall: Wall::from_ms(1_790_000_000_000 + ms as i64) }
}

fn playing(pos_ms: i64) -> Snapshot {
    let length = Length::Finite(60_000);
    Snapshot { pos: Some(Media::from_ms(pos_ms)), length, paused: false, ready: true, ..Snapshot::default() }
}

/// Leaves the page and gives what was sent.
fn leave(mut tracker: Tracker, now: Now) -> Vec<Batch> {
    tracker.page(PageSignal::Left, now);
    std::iter::from_fn(|| tracker.poll_output()).map(|send| send.batch).collect()
}

/// Plays from the first look on and gives the startup that was measured.
fn startup_of(first: Signal<'_>) -> u64 {
    let (mut tracker, player) = tracker(true);
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
    let (mut tracker, player) = tracker(true);
    let nothing_yet = Snapshot::default();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &nothing_yet, at(0));
    tracker.describe(player, Video { id: "b".into(), ..Video::default() }, at(5));
    tracker.observe(player, Signal::Source("https://a.example/b.mp4"), &nothing_yet, at(10));
    tracker.observe(player, Signal::Observed, &Snapshot { ready: true, ..nothing_yet }, at(20));
    let batches = leave(tracker, at(30));
    let ids: Vec<_> = batches.iter().flat_map(|batch| &batch.views).map(|view| view.video.id.as_str()).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn who_is_not_to_be_followed_has_no_session() {
    for session in [true, false] {
        let (mut tracker, player) = tracker(session);
        tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
        assert_eq!(leave(tracker, at(10))[0].session.is_some(), session);
    }
}

#[test]
fn with_nothing_to_say_there_is_nothing_to_wake_up_for() {
    let (mut tracker, player) = tracker(true);
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &Snapshot::default(), at(0));
    assert_eq!(tracker.poll_timeout(), None);
}
