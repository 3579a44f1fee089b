//! The size of a body, and how many views are in it.

use quartile_protocol::batch::Batch;
use quartile_protocol::clock::{Mono, Now};
use quartile_protocol::limits::{SDK_BODY_BYTES, VIEWS};
use quartile_tracker::{Answer, Config, PageSignal, PlayerId, Signal, Snapshot, Subject, Tracker};

use crate::known::{OPENED, shell};

/// A page with so many players that are ready to play.
fn page_of(players: usize) -> (Tracker, Vec<PlayerId>) {
    page_beside(shell().config().context_bytes, players)
}

/// The same, with so much around the views.
fn page_beside(context_bytes: usize, players: usize) -> (Tracker, Vec<PlayerId>) {
    let mut tracker = Tracker::new();
    tracker.open(Config { context_bytes, ..shell().config() }, Now { mono: Mono::default(), wall: OPENED });
    let ids: Vec<_> = (0..players).map(|_| tracker.attach(Subject::default())).collect();
    for &id in &ids {
        tracker.observe(id, Signal::Source("/film.mp4"), &ready(), Mono::default());
    }
    (tracker, ids)
}

fn ready() -> Snapshot {
    Snapshot { ready: true, ..Snapshot::default() }
}

/// The bodies of what waits, and how long they are.
fn freeze(tracker: &mut Tracker) -> Vec<(Batch, usize)> {
    tracker.page(PageSignal::Frozen, Mono::from_ms(1_000));
    let sends = std::iter::from_fn(|| tracker.poll_output());
    let batches = sends.map(|send| shell().complete(&send, OPENED));
    batches.map(|batch| (batch.clone(), batch.to_json().len())).collect()
}

/// A hundred players of two videos each make two hundred views of the wire; gives how many are in each body.
fn views_of_two_hundred_and(more: usize) -> Vec<usize> {
    let (mut tracker, players) = page_of(100);
    for (index, &id) in players.iter().enumerate() {
        for title in if index < more { ["a", "b", "c"].iter() } else { ["a", "b"].iter() } {
            tracker.describe(id, Subject::new(&format!("vid\0film\0vtitle\0{title}\0"), None), Mono::from_ms(500));
            tracker.observe(id, Signal::Bytes(1), &ready(), Mono::from_ms(500));
        }
    }
    freeze(&mut tracker).iter().map(|(batch, _)| batch.views.len()).collect()
}

#[test]
fn two_hundred_views_go_into_one_body() {
    assert_eq!(views_of_two_hundred_and(0), [VIEWS]);
}

#[test]
fn the_two_hundred_and_first_view_goes_into_another_body() {
    assert_eq!(views_of_two_hundred_and(1), [VIEWS, 1]);
}

/// So many of the largest events nearly fill a body.
const EVENTS: usize = 79;

/// How long each body is, and how many events are in all, where one of them is so much longer.
fn bodies_of(longer: usize) -> (Vec<usize>, usize) {
    let (mut tracker, players) = page_of(4);
    let value = "x".repeat(500);
    for event in 0..EVENTS {
        let (feature, value) = if event == 0 { (&value[..longer.min(100)], &value[..longer]) } else { ("", &*value) };
        // No view gives up any of it, or sends it before.
        let player = players[event % 4];
        tracker.observe(player, Signal::Interaction { feature, name: "", value }, &ready(), Mono::default());
    }
    let bodies = freeze(&mut tracker);
    let events = bodies.iter().flat_map(|(batch, _)| &batch.views).map(|view| view.events.len()).sum();
    (bodies.into_iter().map(|(_, bytes)| bytes).collect(), events)
}

#[test]
fn a_byte_too_many_goes_into_another_body_and_nothing_is_lost_between_them() {
    let counts: Vec<_> = (0..500)
        .map(|longer| {
            let (bytes, events) = bodies_of(longer);
            assert!(bytes.iter().all(|&bytes| bytes <= SDK_BODY_BYTES), "{bytes:?}");
            assert_eq!(events, EVENTS + 4, "these, and four impressions");
            bytes.len()
        })
        .collect();
    assert!(counts.is_sorted());
    assert_eq!((counts[0], counts[499]), (1, 2));
}

#[test]
fn what_did_not_fit_follows_as_soon_as_the_rest_is_answered() {
    let (mut tracker, players) = page_of(4);
    let value = "x".repeat(500);
    for event in 0..96 {
        let interaction = Signal::Interaction { feature: "", name: "", value: &value };
        tracker.observe(players[event % 4], interaction, &ready(), Mono::default());
    }
    tracker.handle_timeout(Mono::from_ms(30_000));
    let first = tracker.poll_output().expect("it is time");
    assert!(tracker.poll_output().is_none());
    tracker.delivered(first.delivery, Answer::ACKNOWLEDGED, Mono::from_ms(30_100));
    assert!(tracker.poll_output().is_some());
}

#[test]
fn what_fits_into_no_body_is_sent_by_itself() {
    let (mut tracker, players) = page_beside(SDK_BODY_BYTES, 1);
    let interaction = Signal::Interaction { feature: "", name: "a", value: "" };
    (0..3).for_each(|_| tracker.observe(players[0], interaction, &ready(), Mono::default()));
    let bodies = freeze(&mut tracker);
    let items = |batch: &Batch| batch.views.iter().map(|view| view.slices.len() + view.events.len()).sum::<usize>();
    assert_eq!(
        bodies.iter().map(|(batch, _)| items(batch)).collect::<Vec<_>>(),
        [1; 5],
        "a slice, an impression, and these"
    );
}
