//! What waits for a collector that takes nothing: slices, events, views that are over.

use quartile_protocol::field::Field;
use quartile_simulator::page::Page;
use quartile_tracker::{Length, PageSignal, Signal};

use crate::known::{FIVE_MINUTES_MS, Known, full_collector, full_collector_between, watch_live};

/// Slices of one view that are over and wait.
const SLICES: u32 = 60;

/// Events without details that wait, of one view.
const EVENTS: u32 = 300;

/// Views that are over and wait.
const VIEWS: u32 = 50;

/// Watches until so many slices are over, the last of them by leaving the page.
fn leave_after_slices(slices: u32) -> Known {
    let mut page = watch_live(full_collector());
    page.wait(u64::from(slices - 1) * FIVE_MINUTES_MS + 100_000);
    page.page(PageSignal::Left);
    Known::of_last_flush(&page)
}

#[test]
fn sixty_slices_wait() {
    let known = leave_after_slices(SLICES);
    assert_eq!(known.slice_numbers(), (0..SLICES).collect::<Vec<_>>());
    assert_eq!(known.discarded, 0);
}

#[test]
fn of_sixty_one_slices_the_oldest_is_given_up_and_no_event() {
    let known = leave_after_slices(SLICES + 1);
    assert_eq!(known.slice_numbers(), (1..=SLICES).collect::<Vec<_>>());
    assert_eq!(known.discarded, 1);
    assert_eq!(known.event_numbers(), [0, 1, 2, 3], "impression, play request, play, stop");
    assert_eq!(known.total(Field::PlayedMs), u64::from(SLICES - 1) * FIVE_MINUTES_MS + 100_000);
}

/// The viewer pauses, or goes on.
fn toggle(page: &mut Page, event: u32) {
    if event % 2 == 1 {
        page.pause();
    } else {
        page.play(0);
    }
}

/// Pauses and goes on, so that so many events wait when the page is frozen.
fn freeze_after_events(events: u32) -> Known {
    let mut page = watch_live(full_collector());
    page.wait(500);
    // The impression, the play request and the play are three.
    for event in 3..events {
        toggle(&mut page, event);
        page.wait(500);
    }
    page.page(PageSignal::Frozen);
    Known::of_last_flush(&page)
}

#[test]
fn three_hundred_events_wait() {
    let known = freeze_after_events(EVENTS);
    assert_eq!(known.event_numbers(), (0..EVENTS).collect::<Vec<_>>());
    assert_eq!(known.discarded, 0);
}

#[test]
fn of_three_hundred_and_one_events_the_oldest_is_given_up_and_still_counted_in_its_slice() {
    let known = freeze_after_events(EVENTS + 1);
    assert_eq!(known.event_numbers(), (1..=EVENTS).collect::<Vec<_>>());
    assert_eq!(known.discarded, 1);
    let counted = [Field::Impressions, Field::PlayRequests, Field::Plays, Field::Pauses, Field::Resumes];
    assert_eq!(counted.map(|field| known.total(field)), [1, 1, 1, 149, 149]);
}

/// The player shows one video after the other, the last of which ends as the page is left.
fn leave_after_views(views: u32) -> (Page, Known) {
    let mut page = watch_live(full_collector());
    for view in 1..views {
        page.wait(1_000);
        page.show(&format!("/{view}.mp4"));
        page.load(Length::Finite(60_000));
    }
    page.page(PageSignal::Left);
    let known = Known::of_last_flush(&page);
    (page, known)
}

#[test]
fn fifty_views_that_are_over_wait() {
    let (_, known) = leave_after_views(VIEWS);
    assert_eq!(known.total(Field::Views), u64::from(VIEWS));
    assert_eq!(known.total(Field::Stops), u64::from(VIEWS));
    assert_eq!(known.discarded, 0);
}

#[test]
fn of_fifty_one_views_the_oldest_is_given_up_with_all_its_items() {
    let (page, known) = leave_after_views(VIEWS + 1);
    assert_eq!(known.total(Field::Views), u64::from(VIEWS));
    assert_eq!(known.total(Field::Plays), 0, "the first was the one that was played");
    let first = page.sent()[0].batch.views[0].id;
    assert!(known.slices.keys().all(|&(view, _)| view != first));
    // Its slice, its impression, its play request, its play and its stop.
    assert_eq!(known.discarded, 5);
}

/// What was given up of a view before is given up once, and not taken off again.
#[test]
fn of_a_view_that_is_given_up_all_is_discarded_also_what_it_had_given_up_itself() {
    let mut page = watch_live(full_collector());
    page.wait(500);
    for _ in 0..EVENTS {
        page.stir(Signal::Cast(true));
    }
    for view in 1..=VIEWS {
        page.show(&format!("/{view}.mp4"));
        page.load(Length::Finite(60_000));
    }
    page.page(PageSignal::Hidden);
    page.wait(60_000);
    page.page(PageSignal::Left);
    let known = Known::of_last_flush(&page);
    // Its slice, its impression, its play request, its play, the events and its stop.
    assert_eq!(known.discarded, 5 + u64::from(EVENTS));
}

/// What is given up while a collector is full is told as soon as it takes something again.
#[test]
fn what_was_given_up_is_told_although_the_page_was_frozen_with_nothing_to_say_before() {
    let mut page = watch_live(full_collector_between(50_000, 200_000));
    page.wait(500);
    page.pause();
    page.wait(49_000);
    page.page(PageSignal::Frozen);
    page.wait(1_000);
    for event in 0..=EVENTS {
        toggle(&mut page, event);
        page.wait(300);
    }
    page.wait(300_000);
    assert_eq!(Known::of(page.sent()).discarded, 1);
}
