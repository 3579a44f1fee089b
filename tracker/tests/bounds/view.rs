//! What one view can have, and one page: events in all, dimensions, dated slices, players.

use std::collections::BTreeSet;

use quartile_protocol::batch::{Batch, Player, Video};
use quartile_protocol::clock::{Media, Mono, Now, Wall};
use quartile_protocol::event::EventKind;
use quartile_protocol::field::Field;
use quartile_simulator::network::good_network;
use quartile_tracker::{Answer, Length, PageSignal, PlayerId, Signal, Snapshot, Subject, Tracker};

use crate::known::{Known, OPENED, full_collector, shell, watch_live};

/// Events of one view in all.
const EVENTS: u32 = 20_000;

/// Sets of dimensions of one view.
const SUBJECTS: u32 = 50;

/// Slices of one view of which at least the date is kept.
const DATED: u32 = 600;

/// Players of one page.
const PLAYERS: u32 = 100;

/// Seeks until the view has had so many events.
fn seek_until(events: u32) -> Known {
    let mut page = watch_live(good_network());
    page.wait(500);
    // The impression, the play request and the play are three.
    for seek in 3..events {
        page.seek(Media::from_ms(i64::from(seek % 2) * 1_000_000), 20);
        page.wait(2_100);
    }
    page.wait(40_000);
    Known::of(page.sent())
}

#[test]
fn a_view_has_twenty_thousand_events() {
    let known = seek_until(EVENTS);
    assert_eq!(known.events.len(), EVENTS as usize);
    assert_eq!(known.total(Field::Seeks), u64::from(EVENTS - 3));
    assert_eq!(known.discarded, 0);
}

#[test]
fn the_seek_after_the_last_event_is_counted_in_its_slice_and_told_no_more() {
    let known = seek_until(EVENTS + 1);
    assert_eq!(known.events.len(), EVENTS as usize);
    assert_eq!(known.total(Field::Seeks), u64::from(EVENTS - 2));
    assert_eq!(known.discarded, 1);
}

#[test]
fn an_event_beyond_the_last_leaves_the_last_as_it_is() {
    let mut page = watch_live(full_collector());
    page.wait(500);
    for _ in 3..EVENTS {
        page.stir(Signal::Cast(true));
    }
    page.stir(Signal::Cast(false));
    page.page(PageSignal::Frozen);
    let known = Known::of_last_flush(&page);
    let last = known.events.into_values().next_back().unwrap();
    assert_eq!((last.seq, last.kind), (EVENTS - 1, EventKind::Cast { on: true }));
}

/// Plays for a second under each of so many sets of dimensions; gives how many a collector hears of.
fn play_with_engines(engines: u32) -> (usize, Known) {
    let mut page = watch_live(good_network());
    let video = Video { id: "film".into(), ..Video::default() };
    for engine in 0..engines {
        let player = Player { engine: format!("engine {engine}"), ..Player::default() };
        page.say(|tracker, id, now| tracker.describe(id, Subject::of(&video, &player, &[]), now));
        page.wait(1_000);
    }
    page.page(PageSignal::Left);
    let known = Known::of(page.sent());
    let told: BTreeSet<_> = known.slices.values().map(|(_, view)| view.player.engine.clone()).collect();
    (told.len(), known)
}

#[test]
fn a_view_has_fifty_sets_of_dimensions() {
    let (told, known) = play_with_engines(SUBJECTS);
    assert_eq!((told, known.slices.len()), (50, 50));
    assert_eq!(known.total(Field::PlayedMs), 50_000);
}

#[test]
fn what_is_played_under_the_fifty_first_set_of_dimensions_is_counted_under_the_fiftieth() {
    let (told, known) = play_with_engines(SUBJECTS + 1);
    assert_eq!((told, known.slices.len()), (50, 50));
    assert_eq!(known.total(Field::PlayedMs), 51_000);
    assert_eq!(known.discarded, 0);
}

/// A film that is played for half a second every 33 s, by a collector's clock that says each time that a mark is near: so
/// many slices. When the collector has them all, the title becomes known.
fn title_after_slices(slices: u32) -> Vec<Batch> {
    let opened = Wall::from_ms(OPENED.as_ms() - 1_000);
    let mut tracker = Tracker::new();
    tracker.open(shell().config(), Now { mono: Mono::default(), wall: opened });
    let player = tracker.attach(Subject::default());
    tracker.observe(player, Signal::Source("/film.mp4"), &look(0, true), Mono::default());
    for slice in 0..i64::from(slices) {
        let at = |ms: i64| Mono::from_ms((slice * 33_000 + ms) as u64);
        let pos = slice * 500;
        tracker.observe(player, Signal::Observed, &look(pos, false), at(0));
        tracker.observe(player, Signal::Paused, &look(pos + 500, true), at(500));
        tracker.observe(player, Signal::Observed, &look(pos + 500, true), at(2_000));
        tracker.handle_timeout(at(32_000));
        let server_time = Some(Wall::from_ms(OPENED.as_ms() - 2_000));
        while let Some(send) = tracker.poll_output() {
            tracker.delivered(send.delivery, Answer { server_time, ..Answer::ACKNOWLEDGED }, at(32_000));
        }
    }
    let now = Mono::from_ms(u64::from(slices) * 33_000);
    tracker.describe(player, Subject::new("vid\0film\0vtitle\0Film\0", None), now);
    tracker.page(PageSignal::Frozen, now);
    std::iter::from_fn(|| tracker.poll_output()).map(|send| shell().complete(&send, opened)).collect()
}

fn look(pos_ms: i64, paused: bool) -> Snapshot {
    Snapshot { pos: Some(Media::from_ms(pos_ms)), length: Length::Endless, paused, ready: true, ..Snapshot::default() }
}

/// The numbers of the slices that were said.
fn numbers(said: &[Batch]) -> Vec<u32> {
    said.iter().flat_map(|batch| &batch.views).flat_map(|view| &view.slices).map(|slice| slice.n).collect()
}

#[test]
fn a_title_that_becomes_known_late_is_filled_into_six_hundred_slices() {
    let said = title_after_slices(DATED);
    assert_eq!(numbers(&said), (0..DATED).collect::<Vec<_>>());
    assert!(said.iter().flat_map(|batch| &batch.views).all(|view| view.video.title == "Film"));
}

/// Nothing that was counted is lost: the collector has it.
#[test]
fn of_six_hundred_and_one_slices_the_oldest_misses_the_late_title() {
    let said = title_after_slices(DATED + 1);
    assert_eq!(numbers(&said), (1..=DATED).collect::<Vec<_>>());
    assert!(said.iter().all(|batch| batch.discarded.is_empty()));
}

/// A page with so many players, each of which shows something; gives the numbers of those that are tracked.
fn show_in_players(players: u32) -> Vec<bool> {
    let mut tracker = Tracker::new();
    tracker.open(shell().config(), Now { mono: Mono::default(), wall: OPENED });
    let ids: Vec<PlayerId> = (0..players).map(|_| tracker.attach(Subject::default())).collect();
    for &id in &ids {
        tracker.observe(id, Signal::Source("/film.mp4"), &look(0, true), Mono::default());
    }
    ids.into_iter().map(|id| tracker.inspect(id).is_some()).collect()
}

#[test]
fn a_page_has_a_hundred_players() {
    assert_eq!(show_in_players(PLAYERS), [true; 100]);
}

#[test]
fn the_hundred_and_first_player_is_not_tracked_and_the_others_are() {
    let tracked = show_in_players(PLAYERS + 1);
    assert_eq!(tracked[..100], [true; 100]);
    assert!(!tracked[100]);
}
