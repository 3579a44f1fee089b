//! What only a shell brings about: players that are found while they play, sources that never come to be shown.

use quartile_protocol::batch::{Batch, Offer};
use quartile_protocol::clock::{Media, Mono, Now, Wall};
use quartile_protocol::field::Field;
use quartile_protocol::id::SiteId;
use quartile_protocol::limits::CUSTOM_NAMES;
use quartile_simulator::shell::Shell;
use quartile_tracker::{Answer, Delivery, Length, PageSignal, PlayerId, Signal, Snapshot, Subject, Tracker};

fn shell() -> Shell {
    Shell::new(SiteId::new("demo").expect("a valid key"), [7, 7])
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
fn dates_are_those_of_the_wall_clock_however_late_the_page_is_opened() {
    let mut tracker = Tracker::new();
    let wall = Wall::from_ms(1_790_000_000_000);
    tracker.open(shell().config(), Now { mono: at(5_000), wall });
    let player = tracker.attach(Subject::default());
    tracker.observe(player, Signal::Source("/a.mp4"), &playing(0), at(6_000));
    tracker.observe(player, Signal::Observed, &playing(0), at(6_000));
    assert_eq!(leave(tracker, at(6_000))[0].views[0].slices[0].at, wall.shifted(1_000));
}

#[test]
fn players_and_requests_have_numbers_of_their_own() {
    let (mut tracker, first) = tracker();
    let second = tracker.attach(Subject::default());
    assert_eq!((first.as_u32(), second.as_u32()), (0, 1));
    assert_eq!([first, second].map(|id| PlayerId::from_u32(id.as_u32())), [first, second]);
    for (player, now) in [(first, 0), (second, 1)] {
        tracker.observe(player, Signal::Source("/a.mp4"), &playing(0), at(now));
        tracker.observe(player, Signal::Observed, &playing(0), at(now));
        tracker.page(PageSignal::Frozen, at(now));
    }
    let requests: Vec<_> = std::iter::from_fn(|| tracker.poll_output()).map(|send| send.delivery).collect();
    assert!(requests.len() == 2 && requests[0] != requests[1], "{requests:?}");
    assert!(requests.iter().all(|&request| Delivery::from_u32(request.as_u32()) == request));
}

/// A body tells of the views that are over and of those that are not.
#[test]
fn a_body_tells_of_what_was_shown_before_and_of_what_is_shown_now() {
    let (mut tracker, player) = tracker();
    for (source, now) in [("/a.mp4", 0), ("/b.mp4", 1_000)] {
        tracker.observe(player, Signal::Source(source), &playing(0), at(now));
        tracker.observe(player, Signal::Observed, &playing(0), at(now));
    }
    tracker.page(PageSignal::Frozen, at(1_000));
    let send = std::iter::from_fn(|| tracker.poll_output()).last().unwrap();
    assert_eq!(shell().complete(&send, Wall::from_ms(1_790_000_000_000)).views.len(), 2);
}

#[test]
fn a_view_that_is_over_hears_no_more_of_the_page() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    tracker.observe(player, Signal::Source("/b.mp4"), &Snapshot::default(), at(250));
    tracker.page(PageSignal::Hidden, at(500));
    let send = std::iter::from_fn(|| tracker.poll_output()).last().unwrap();
    let batch = shell().complete(&send, Wall::from_ms(1_790_000_000_000));
    assert_eq!(batch.views[0].slices.len(), 1);
    assert_eq!(batch.views[0].events.last().map(|event| event.kind.name()), Some("stop"));
}

/// A collector's clock that turns out to be a moment behind does not make a slice of that moment.
#[test]
fn a_mark_that_seems_to_come_twice_is_one() {
    let mut tracker = Tracker::new();
    let mark = Wall::from_ms(1_790_000_100_000);
    tracker.open(shell().config(), Now { mono: at(0), wall: mark.shifted(-10_000) });
    let player = tracker.attach(Subject::default());
    tracker.observe(player, Signal::Source("/a.mp4"), &playing(0), at(0));
    for step in 0..80 {
        let now = at(step * 250);
        tracker.observe(player, Signal::Observed, &playing(step as i64 * 250), now);
        let server_time = Some(mark.shifted(step as i64 * 250 - 10_000 - 40));
        while let Some(send) = tracker.poll_output() {
            tracker.delivered(send.delivery, Answer { server_time, ..Answer::ACKNOWLEDGED }, now);
        }
    }
    let slices: Vec<_> = leave(tracker, at(20_000)).iter().flat_map(|batch| batch.views[0].slices.clone()).collect();
    assert_eq!(slices.iter().map(|slice| slice.n).collect::<Vec<_>>(), [0, 1]);
    assert!(slices[1].span_ms > 9_000, "{} ms", slices[1].span_ms);
}

/// Leaving a page hides it and may freeze it: what was said is said.
#[test]
fn a_page_that_was_left_says_nothing_more() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    [PageSignal::Left, PageSignal::Hidden, PageSignal::Frozen]
        .into_iter()
        .for_each(|signal| tracker.page(signal, at(100)));
    assert!(tracker.poll_output().is_some());
    assert!(tracker.poll_output().is_none());
}

/// A request that outlives the page holds up no other; an ordinary one does.
#[test]
fn one_request_at_a_time() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.page(PageSignal::Frozen, at(100));
    assert!(tracker.poll_output().is_some_and(|send| send.urgent));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    tracker.handle_timeout(at(4_000));
    let ordinary = tracker.poll_output().expect("the play is told");
    tracker.observe(player, Signal::Failed { code: "a", message: "", fatal: true }, &playing(500), at(4_500));
    assert!(tracker.poll_output().is_none(), "the one before is not answered");
    tracker.delivered(ordinary.delivery, Answer::ACKNOWLEDGED, at(5_000));
    assert!(tracker.poll_output().is_some());
}

/// So many casts are half of the events that may wait.
#[test]
fn half_of_the_events_that_may_wait_are_sent_at_once() {
    let sent_after = |casts: usize| {
        let (mut tracker, player) = tracker();
        let ready = Snapshot { ready: true, ..Snapshot::default() };
        tracker.observe(player, Signal::Source("/a.mp4"), &ready, at(0));
        // The impression is one.
        (1..casts).for_each(|_| tracker.observe(player, Signal::Cast(true), &ready, at(0)));
        tracker.poll_output().is_some()
    };
    let most = (1..400).find(|&casts| sent_after(casts)).expect("they do not wait for ever");
    assert!((130..=151).contains(&most), "{most}");
}

#[test]
fn a_source_that_is_replaced_before_it_is_shown_is_no_view() {
    let (mut tracker, player) = tracker();
    let nothing_yet = Snapshot::default();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &nothing_yet, at(0));
    tracker.describe(player, Subject::new("vid\0b\0", None), at(5));
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

#[test]
fn a_stall_that_is_noticed_after_the_mark_does_not_overfill_the_next_slice() {
    let (mut tracker, player) = tracker();
    let film = |pos_ms| Snapshot { length: Length::Finite(600_000), ..playing(pos_ms) };
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &film(0), at(0));
    // The clock shows a multiple of five minutes at 100 s.
    for second in 1..=99 {
        tracker.observe(player, Signal::Observed, &film(second * 1000), at(second as u64 * 1000));
    }
    // The look that finds the stall also finds frames, which open the slice after the mark.
    let stands_still = Snapshot { starved: true, ..film(99_000) };
    tracker.observe(player, Signal::Frames { total: 2_000, dropped: 0 }, &stands_still, at(104_000));
    let slices = leave(tracker, at(105_000)).into_iter().flat_map(|batch| batch.views).flat_map(|view| view.slices);
    for slice in slices {
        assert_eq!(slice.fields.implausible(slice.span_ms), None, "{slice:?}");
    }
}

#[test]
fn a_seek_that_is_over_before_its_event_is_delivered_is_one() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(1_000), at(1_000));
    // A `timeupdate` overtakes the `seeking`, and neither finds the element seeking.
    tracker.observe(player, Signal::Observed, &playing(30_005), at(1_100));
    tracker.observe(player, Signal::Seeking, &playing(30_005), at(1_100));
    tracker.observe(player, Signal::Observed, &playing(30_010), at(1_105));
    // This one belongs to no jump: a player that begins its content again without a gap says it, too.
    tracker.observe(player, Signal::Seeking, &playing(31_905), at(3_000));
    let batches = leave(tracker, at(3_000));
    assert_eq!(batches[0].views[0].slices[0].fields[Field::Seeks], 1);
}

#[test]
fn a_player_beyond_the_bound_is_not_tracked_and_never_mistaken_for_another() {
    let (mut tracker, first) = tracker();
    let players: Vec<_> = (1..100).map(|_| tracker.attach(Subject::default())).collect();
    let beyond = tracker.attach(Subject::default());
    tracker.observe(beyond, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    assert_eq!(tracker.inspect(beyond), None);
    tracker.observe(players[98], Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    assert!(tracker.inspect(players[98]).is_some());
    tracker.detach(first, at(1));
    let next = tracker.attach(Subject::default());
    assert_ne!(next, beyond);
}

#[test]
fn frames_of_the_time_before_a_player_was_tracked_are_not_counted() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(9_000), at(0));
    tracker.observe(player, Signal::Joined, &playing(9_000), at(0));
    tracker.observe(player, Signal::Frames { total: 900_000, dropped: 20 }, &playing(9_250), at(250));
    tracker.observe(player, Signal::Frames { total: 900_025, dropped: 21 }, &playing(10_250), at(1_250));
    let batches = leave(tracker, at(1_250));
    let fields = &batches[0].views[0].slices[0].fields;
    assert_eq!((fields[Field::Frames], fields[Field::FramesDropped]), (25, 1));
}

#[test]
fn frames_that_are_read_twice_are_counted_once() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    for ms in [250, 500] {
        tracker.observe(player, Signal::Frames { total: 6, dropped: 1 }, &playing(ms), at(ms as u64));
    }
    let batches = leave(tracker, at(500));
    let fields = &batches[0].views[0].slices[0].fields;
    assert_eq!((fields[Field::Frames], fields[Field::FramesDropped]), (6, 1));
}

/// Rings the timer whenever it is wanted, for ten seconds in which nothing moves; gives how often.
fn rings_while_nothing_moves(signal: Signal<'_>, seen: Snapshot) -> usize {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    tracker.observe(player, signal, &seen, at(300));
    let due = std::iter::from_fn(|| {
        let due = tracker.poll_timeout().filter(|&due| due <= at(10_000))?;
        tracker.observe(player, Signal::Observed, &seen, due);
        tracker.handle_timeout(due);
        Some(due)
    });
    due.take(1_000).count()
}

#[test]
fn a_page_is_not_kept_busy_by_an_advertisement_that_stands_still() {
    let stands = Snapshot { starved: true, ..playing(300) };
    assert!(rings_while_nothing_moves(Signal::AdBreak(true), stands) <= 11);
}

#[test]
fn a_page_is_not_kept_busy_by_a_player_at_a_speed_of_nothing() {
    let stands = Snapshot { rate: 0.0, ..playing(300) };
    assert!(rings_while_nothing_moves(Signal::Observed, stands) <= 11);
}

#[test]
fn what_was_broken_and_loads_after_all_is_well() {
    let (mut tracker, player) = tracker();
    let made = Signal::Source("blob:https://a.example/1");
    let broken = Signal::Failed { code: "manifestLoadError", message: "", fatal: true };
    tracker.observe(player, made, &Snapshot::default(), at(0));
    tracker.observe(player, broken, &Snapshot::default(), at(100));
    tracker.observe(player, made, &Snapshot { paused: true, ..playing(0) }, at(200));
    tracker.observe(player, Signal::Observed, &playing(0), at(300));
    tracker.observe(player, Signal::Observed, &playing(250), at(550));
    let batches = leave(tracker, at(550));
    let fields = &batches.last().expect("a batch").views[0].slices[0].fields;
    assert_eq!((fields[Field::FatalErrors], fields[Field::StartFailures], fields[Field::Plays]), (1, 0, 1));
}

#[test]
fn a_snapshot_is_what_the_inspection_says() {
    let (mut tracker, player) = tracker();
    assert_eq!(tracker.snapshot(player), b"{}");
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    let (text, seen) = (tracker.snapshot(player), tracker.inspect(player).expect("a view"));
    let text: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(text["view"], seen.view.to_string());
    assert_eq!((&text["state"], &text["played_ms"]), (&"playing".into(), &250.into()));
    assert_eq!((seen.state, seen.totals[Field::PlayedMs]), ("playing", 250));
}

/// Browsers throttle the timers and the events of a page that nobody sees.
#[test]
fn a_player_is_given_more_time_from_the_moment_in_which_its_page_is_hidden() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    assert_eq!(tracker.poll_timeout(), Some(at(1_250)));
    tracker.page(PageSignal::Hidden, at(300));
    assert_eq!(tracker.poll_timeout(), Some(at(4_250)));
    tracker.page(PageSignal::Visible, at(400));
    assert_eq!(tracker.poll_timeout(), Some(at(1_250)));
}

/// What is said of the video of a view, and how many of its quartiles can be reached.
fn said_of(kind: Option<Offer>, length: Length) -> (Option<Offer>, Option<u64>, u64) {
    let (mut tracker, _) = tracker();
    let player = tracker.attach(Subject::new("vid\0film\0", kind));
    let look = |pos| Snapshot { length, ..playing(pos) };
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &look(0), at(0));
    tracker.observe(player, Signal::Observed, &look(0), at(0));
    tracker.observe(player, Signal::Observed, &look(250), at(250));
    let view = &leave(tracker, at(250))[0].views[0];
    (view.video.kind, view.video.duration_ms, view.slices[0].fields[Field::LadderPlays])
}

#[test]
fn kind_and_duration_are_said_where_they_are_known() {
    assert_eq!(said_of(None, Length::Finite(60_000)), (Some(Offer::Vod), Some(60_000), 1));
    assert_eq!(said_of(Some(Offer::Live), Length::Finite(60_000)).2, 0);
    assert_eq!(said_of(None, Length::Unknown), (None, None, 0));
}

#[test]
fn nothing_that_is_counted_long_after_the_mark_opens_no_slice() {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    let rests = Snapshot { paused: true, ..playing(250) };
    tracker.observe(player, Signal::Paused, &rests, at(300));
    tracker.observe(player, Signal::Bytes(0), &rests, at(400_000));
    tracker.page(PageSignal::Frozen, at(400_000));
    let sends = std::iter::from_fn(|| tracker.poll_output());
    let batches: Vec<_> = sends.map(|send| shell().complete(&send, Wall::from_ms(1_790_000_000_000))).collect();
    let numbers = batches.iter().flat_map(|batch| &batch.views).flat_map(|view| &view.slices).map(|slice| slice.n);
    assert!(numbers.into_iter().all(|n| n == 0));
}

/// So many of the site's own dimensions that are said.
fn dimensions_said_of(known: usize) -> usize {
    let (mut tracker, _) = tracker();
    let texts: String = (0..known).map(|n| format!("dname{n}\0value\0")).collect();
    let player = tracker.attach(Subject::new(&texts, None));
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    leave(tracker, at(250))[0].views[0].dims.len()
}

#[test]
fn of_the_dimensions_of_a_site_twenty_are_said() {
    assert_eq!((dimensions_said_of(CUSTOM_NAMES), dimensions_said_of(CUSTOM_NAMES + 1)), (CUSTOM_NAMES, CUSTOM_NAMES));
}

#[test]
fn a_dimension_that_is_taken_back_holds_for_what_was_before() {
    let (mut tracker, _) = tracker();
    let player = tracker.attach(Subject::new("dplan\0gold\0", None));
    tracker.observe(player, Signal::Source("https://a.example/a.mp4"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    tracker.describe(player, Subject::new("dplan\0\0", None), at(250));
    tracker.observe(player, Signal::Observed, &playing(500), at(500));
    let batches = leave(tracker, at(500));
    let plans: Vec<_> = batches[0].views.iter().map(|view| view.dims.clone()).collect();
    assert_eq!(plans, [vec![("plan".to_owned(), "gold".to_owned())], vec![]]);
}

/// What a player is doing when an engine attaches itself anew, after `before` happened in the middle of playback.
fn state_attached_anew_after(before: Signal<'_>) -> &'static str {
    let (mut tracker, player) = tracker();
    tracker.observe(player, Signal::Source("blob:https://a.example/1"), &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(0), at(0));
    tracker.observe(player, Signal::Observed, &playing(250), at(250));
    tracker.observe(player, before, &playing(250), at(250));
    let empty = Snapshot { paused: true, ready: false, pos: Some(Media::from_ms(0)), ..Snapshot::default() };
    tracker.observe(player, Signal::Source("blob:https://a.example/1"), &empty, at(300));
    tracker.inspect(player).expect("a view").state
}

#[test]
fn an_engine_that_attaches_itself_anew_begins_anew() {
    let broken = Signal::Failed { code: "bufferAppendError", message: "", fatal: true };
    assert_eq!(state_attached_anew_after(broken), "idle");
    assert_eq!(state_attached_anew_after(Signal::Observed), "idle");
}
