//! What a viewer, a browser, a machine and a page do, one after the other.

use proptest::prelude::*;
use quartile_protocol::clock::Millis;
use quartile_tracker::Signal;

/// What happens next.
#[derive(Clone, Debug)]
pub enum Act {
    Wait {
        ms: Millis,
    },
    Play {
        wait: Millis,
    },
    Pause,
    Seek {
        to_permille: u64,
        took: Millis,
    },
    /// A viewer drags a slider: many seeks, some of which overtake the one before.
    Scrub {
        steps: u8,
        apart: Millis,
    },
    Stall {
        lasts: Millis,
        told: bool,
    },
    Rate {
        thousandths: u32,
    },
    Loop {
        on: bool,
    },
    /// `timeupdate` comes at other intervals.
    Step {
        ms: Millis,
    },
    /// An event for no reason.
    Spurious {
        signal: Signal<'static>,
    },
    /// A long task of the page.
    Busy {
        ms: Millis,
    },
    /// The page is in the background; `timeupdate` may stop there.
    Hide {
        ms: Millis,
        ticking: bool,
    },
    Sleep {
        ms: Millis,
    },
    /// Somebody sets the wall clock.
    SetWall {
        by_ms: i64,
    },
    Sound {
        muted: bool,
        volume: f64,
    },
    /// The engine, an adapter or the page says something.
    Say {
        signal: Signal<'static>,
    },
    Rendition {
        height: Option<u64>,
        kbps: Option<u64>,
    },
    ForgetFrames,
    AdBreak {
        ms: Millis,
    },
    Warn,
    Recover,
    /// Dimensions become known, or others.
    Describe {
        what: u8,
        value: &'static str,
    },
}

/// A few acts, most of which come a while after the one before.
pub fn any_acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    let gap = prop_oneof![1 => Just(None), 2 => (100..1_500_u64).prop_map(Some)];
    proptest::collection::vec((gap, any_act()), 1..most).prop_map(|acts| {
        let waits = |(gap, act): (Option<Millis>, Act)| gap.map(|ms| Act::Wait { ms }).into_iter().chain([act]);
        acts.into_iter().flat_map(waits).collect()
    })
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => any_wait(),
        4 => prop_oneof![Just(0), 0..3_000_u64].prop_map(|wait| Act::Play { wait }),
        3 => Just(Act::Pause),
        3 => any_seek(),
        1 => (2..6_u8, 10..400_u64).prop_map(|(steps, apart)| Act::Scrub { steps, apart }),
        2 => (prop_oneof![100..600_u64, 300..8_000_u64], prop::bool::weighted(0.8))
            .prop_map(|(lasts, told)| Act::Stall { lasts, told }),
        1 => prop_oneof![Just(250), Just(500), Just(1_000), Just(1_500), Just(2_000), Just(4_000), Just(16_000)]
            .prop_map(|thousandths| Act::Rate { thousandths }),
        1 => any::<bool>().prop_map(|on| Act::Loop { on }),
        1 => prop_oneof![15..60_u64, 200..300_u64, 15..1_900_u64].prop_map(|ms| Act::Step { ms }),
        2 => any_spurious().prop_map(|signal| Act::Spurious { signal }),
        1 => any_disturbance(),
        1 => any_scene(),
        1 => any_word().prop_map(|signal| Act::Say { signal }),
    ]
}

fn any_wait() -> impl Strategy<Value = Act> {
    prop_oneof![1..300_u64, 1..20_000_u64].prop_map(|ms| Act::Wait { ms })
}

fn any_seek() -> impl Strategy<Value = Act> {
    // What is buffered is shown at once.
    let took = prop_oneof![0..40_u64, 0..2_000_u64];
    (0..1_000_u64, took).prop_map(|(to_permille, took)| Act::Seek { to_permille, took })
}

fn any_spurious() -> impl Strategy<Value = Signal<'static>> {
    prop_oneof![Just(Signal::Observed), Just(Signal::Waiting), Just(Signal::CanPlayThrough)]
}

/// What machine and browser do to a page.
fn any_disturbance() -> impl Strategy<Value = Act> {
    prop_oneof![
        (20..2_000_u64).prop_map(|ms| Act::Busy { ms }),
        (100..60_000_u64, any::<bool>()).prop_map(|(ms, ticking)| Act::Hide { ms, ticking }),
        (1_000..7_200_000_u64).prop_map(|ms| Act::Sleep { ms }),
        (-86_400_000..86_400_000_i64).prop_map(|by_ms| Act::SetWall { by_ms }),
    ]
}

/// What changes how it is watched.
fn any_scene() -> impl Strategy<Value = Act> {
    let height = prop::option::of(prop::sample::select(vec![144_u64, 360, 480, 720, 1080, 1440, 2160, 4320]));
    let kbps = prop::option::of(100..20_000_u64);
    prop_oneof![
        (any::<bool>(), prop_oneof![Just(0.0), Just(0.5), Just(1.0)])
            .prop_map(|(muted, volume)| Act::Sound { muted, volume }),
        any::<bool>().prop_map(|on| Act::Say { signal: Signal::Fullscreen(on) }),
        any::<bool>().prop_map(|on| Act::Say { signal: Signal::Pip(on) }),
        (height, kbps).prop_map(|(height, kbps)| Act::Rendition { height, kbps }),
        Just(Act::ForgetFrames),
        (500..15_000_u64).prop_map(|ms| Act::AdBreak { ms }),
        Just(Act::Warn),
        Just(Act::Recover),
        (0..4_u8, prop::sample::select(vec!["", "one", "two"])).prop_map(|(what, value)| Act::Describe { what, value }),
    ]
}

/// What is counted as it is said.
fn any_word() -> impl Strategy<Value = Signal<'static>> {
    prop_oneof![
        Just(Signal::Viewable),
        Just(Signal::Cast(true)),
        Just(Signal::Captions(Some("en"))),
        Just(Signal::Captions(None)),
        Just(Signal::AudioTrack("fr")),
        (0..5_000_000_u64).prop_map(Signal::Bytes),
        (0..30_000_u64).prop_map(Signal::Latency),
        Just(Signal::Interaction { feature: "bar", name: "share", value: "" }),
        Just(Signal::Interaction { feature: "bar", name: "download", value: "" }),
        Just(Signal::Interaction { feature: "bar", name: "like", value: "3" }),
    ]
}
