//! When something is sent, and that nothing is lost.

use quartile_protocol::clock::Mono;
use quartile_protocol::field::Field;
use quartile_tracker::Answer;

use crate::script::{Known, open, play, report, run, write};

const FILM: &str = "0    source /film.mp4
     0    load 40
     1    play 0.3
     25   pause
     30   play
     60   leave";

/// When requests left, in seconds.
fn times(page: &quartile_simulator::page::Page) -> Vec<f64> {
    page.sent().iter().map(|sent| sent.at.as_ms() as f64 / 1000.0).collect()
}

#[test]
fn soon_after_a_play_every_half_minute_at_the_end_and_when_the_page_is_left() {
    let mut page = open(quartile_simulator::network::good_network());
    run(&mut page, FILM);
    insta::assert_debug_snapshot!(times(&page), @"
    [
        4.55,
        34.8,
        46.3,
        60.0,
    ]
    ");
}

#[test]
fn a_paused_page_is_silent() {
    let mut page = open(quartile_simulator::network::good_network());
    run(&mut page, "0 source /film.mp4\n0 load 60\n0 play\n5 pause\n3000 look");
    assert!(times(&page).iter().all(|&at| at < 36.0), "{:?}", times(&page));
}

#[test]
fn a_collector_that_comes_up_late_gets_everything() {
    let mut page = open(Box::new(|_, now| {
        let outcome = if now < Mono::from_ms(15_000) { Answer::LATER } else { Answer::ACKNOWLEDGED };
        Some((20, outcome))
    }));
    run(&mut page, FILM);
    page.wait(120_000);
    assert_eq!(report(&page), play(FILM));
}

#[test]
fn requests_that_are_never_answered_are_said_again() {
    let mut count = 0;
    let mut page = open(Box::new(move |_, _| {
        count += 1;
        (count % 3 == 0).then_some((20, Answer::ACKNOWLEDGED))
    }));
    run(&mut page, FILM);
    assert_eq!(report(&page), play(FILM));
}

#[test]
fn retry_after_is_kept_to() {
    let mut page = open(Box::new(|_, _| Some((10, Answer::later(40_000)))));
    run(&mut page, "0 source /film.mp4\n0 load 60\n0 play\n55 look");
    assert_eq!(times(&page), [3.25, 43.26]);
}

#[test]
fn what_was_refused_for_good_is_counted_and_not_said_again() {
    let mut first = true;
    let mut page = open(Box::new(move |_, _| {
        let outcome = if std::mem::take(&mut first) { Answer::REFUSED } else { Answer::ACKNOWLEDGED };
        Some((10, outcome))
    }));
    run(&mut page, "0 source /film.mp4\n0 load 60\n15 play\n20 leave");
    let discarded: Vec<_> = page.sent().iter().flat_map(|sent| sent.batch.discarded.clone()).collect();
    assert_eq!(discarded, [(quartile_protocol::batch::Discard::Refused, 4)]);
}

#[test]
fn what_was_refused_is_told_even_after_the_page_was_hidden() {
    let mut refuses = true;
    let mut page = open(Box::new(move |_, now| {
        let refused = now > Mono::from_ms(10_000) && std::mem::take(&mut refuses);
        Some((10, if refused { Answer::REFUSED } else { Answer::ACKNOWLEDGED }))
    }));
    run(&mut page, "0 source /film.mp4\n0 load 60\n1 play\n5 hide\n6 show\n45 leave");
    let discarded: Vec<_> = page.sent().iter().flat_map(|sent| sent.batch.discarded.clone()).collect();
    assert!(matches!(discarded[..], [(quartile_protocol::batch::Discard::Refused, 1..)]), "{discarded:?}");
}

#[test]
fn the_last_flush_is_all_that_a_shell_has_to_keep_for_the_next_page() {
    let mut page = open(Box::new(|_, now| (now < Mono::from_ms(12_000)).then_some((20, Answer::ACKNOWLEDGED))));
    run(&mut page, FILM);
    let left = page.now().mono;
    let (answered, kept): (Vec<_>, Vec<_>) = page.sent().iter().partition(|sent| sent.answer.is_some());
    let kept = kept.into_iter().filter(|sent| sent.urgent && sent.at == left);
    let known = Known::of(answered.into_iter().chain(kept));
    assert_eq!(write(&known, page.opened()), play(FILM));
}

#[test]
fn a_body_never_exceeds_what_browsers_take() {
    let mut page = open(Box::new(|_, _| Some((10, Answer::later(3_600_000)))));
    for film in ["/a.mp4", "/b.mp4"] {
        page.show(film);
        page.load(quartile_tracker::Length::Finite(36_000_000));
        page.play(0);
        for _ in 0..400 {
            page.pause();
            page.wait(24_000);
            page.play(0);
            page.wait(24_000);
        }
    }
    page.page(quartile_tracker::PageSignal::Left);
    let longest = page.sent().iter().map(|sent| sent.batch.to_json().len()).max().unwrap();
    assert!(longest <= quartile_protocol::limits::SDK_BODY_BYTES, "{longest} bytes");
    assert!(page.sent().iter().filter(|sent| sent.urgent).count() > 1, "what does not fit goes into another request");
}

/// Pressing *back* hides the page and leaves it at once: the two requests may share the fate of a connection.
#[test]
fn what_was_said_when_the_page_was_hidden_is_said_again_when_it_is_left() {
    const SHORT: &str = "0 source /film.mp4\n0 load 60\n0 play\n5 hide\n5 leave";
    let mut page = open(Box::new(|_, _| None));
    run(&mut page, SHORT);
    let last = page.sent().last().unwrap();
    assert_eq!(write(&Known::of([last]), page.opened()), play(SHORT));
}

/// In between, what the collector has is left out, and so is whose page it is.
#[test]
fn a_slice_is_said_whole_when_it_opens_and_when_it_closes() {
    let mut page = open(quartile_simulator::network::good_network());
    run(&mut page, "0 source /film.mp4\n0 load 3000\n0 play\n70 leave");
    let said = page.sent().iter().map(|sent| {
        let slice = &sent.batch.views[0].slices[0];
        (sent.batch.client.is_some(), slice.fields[Field::Plays], slice.fields[Field::Stops])
    });
    assert_eq!(said.collect::<Vec<_>>(), [(true, 1, 0), (false, 0, 0), (false, 0, 0), (true, 1, 1)]);
}

#[test]
fn an_event_that_waits_alone_is_told_as_well() {
    let mut page = open(quartile_simulator::network::good_network());
    run(&mut page, "0 source /film.mp4\n0 load 60\n0 play\n1 pause\n9 seek 30 0.5\n40 look");
    let seeks = page.sent().iter().filter(|sent| {
        let events = sent.batch.views.iter().flat_map(|view| &view.events);
        events.filter(|event| event.kind.name() == "seek").count() == 1
    });
    assert_eq!(seeks.map(|sent| sent.at.as_ms()).collect::<Vec<_>>(), [39_000]);
}

#[test]
fn there_is_nothing_to_wake_up_for_when_the_collector_has_it_all() {
    let mut page = open(quartile_simulator::network::good_network());
    run(&mut page, "0 source /film.mp4\n0 load 60\n0 play\n5 pause\n310 captions fr\n400 look");
    page.say(|tracker, _, _| assert_eq!(tracker.poll_timeout(), None));
}

#[test]
fn who_looks_on_sees_the_totals_of_all_slices() {
    let mut page = open(quartile_simulator::network::good_network());
    run(&mut page, "0 source /film.mp4\n0 load 3000\n0 play\n700 look");
    let seen = page.inspect().unwrap();
    assert_eq!((seen.state, seen.totals[Field::PlayedMs], seen.totals[Field::Plays]), ("playing", 700_000, 1));
}
