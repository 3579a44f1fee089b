//! The tracker against an element that knows the truth: random viewers, random browsers, random networks.
//!
//! Times agree within one `timeupdate` step for each seek (what was played between the last `timeupdate` and the seek
//! is not confirmed by anything), counts agree exactly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quartile_protocol::batch::{Player, Video};
use quartile_protocol::clock::{Media, Millis, Wall};
use quartile_protocol::event::EventKind;
use quartile_protocol::field::Field;
use quartile_protocol::id::SiteId;
use quartile_protocol::slice::Slice;
use quartile_simulator::element::SHORTEST_STALL_MS;
use quartile_simulator::page::{Network, Page};
use quartile_simulator::shell::Shell;
use quartile_tracker::{Length, Outcome, PageSignal, Signal};

/// What a viewer or a browser does next.
#[derive(Clone, Debug)]
enum Act {
    Play { wait: Millis },
    Pause,
    Seek { to_permille: u64, took: Millis },
    Stall { lasts: Millis },
    Rate { thousandths: u32 },
    Step { ms: Millis },
    Loop { on: bool },
    Spurious,
    DoubledSeeking,
    Wait { ms: Millis },
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_000_u64).prop_map(|wait| Act::Play { wait }),
        2 => Just(Act::Pause),
        3 => (0..1_000_u64, 0..2_000_u64).prop_map(|(to_permille, took)| Act::Seek { to_permille, took }),
        2 => (300..8_000_u64).prop_map(|lasts| Act::Stall { lasts }),
        1 => prop_oneof![Just(250), Just(500), Just(1_000), Just(1_500), Just(2_000), Just(4_000), Just(16_000)]
            .prop_map(|thousandths| Act::Rate { thousandths }),
        1 => (15..1_000_u64).prop_map(|ms| Act::Step { ms }),
        1 => any::<bool>().prop_map(|on| Act::Loop { on }),
        2 => Just(Act::Spurious),
        1 => Just(Act::DoubledSeeking),
        8 => (1..20_000_u64).prop_map(|ms| Act::Wait { ms }),
    ]
}

/// A viewing as it happened, and what there is to compare it with.
struct Viewing {
    page: Page,
    seeks: u64,
    longest_step: Millis,
    fastest: u64,
    looping: bool,
    /// How long all states lasted together, and until when the tracker looked.
    times: Millis,
    looked_at: Millis,
}

/// A network that loses, refuses for now and delays, and in the end takes everything.
fn lossy_network(seed: u64) -> Network {
    let mut random = seed;
    Box::new(move |_, _| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match random >> 61 {
            0 => None,
            1 => Some((300, Outcome::Later { wait: None })),
            2 => Some((9_000, Outcome::Acknowledged { wait: None, server_time: None })),
            _ => Some((40, Outcome::Acknowledged { wait: None, server_time: None })),
        }
    })
}

fn view(duration_ms: Millis, acts: &[Act], network: Network) -> Viewing {
    let shell = Shell::new(SiteId::new("demo").unwrap(), *b"0123456789abcdef");
    let video = Video { id: "film".into(), ..Video::default() };
    let page = Page::open(shell, Player::default(), video, "/film.mp4", Wall::from_ms(1_790_000_000_000), network);
    let mut viewing = Viewing { page, seeks: 0, longest_step: 250, fastest: 1, looping: false, times: 0, looked_at: 0 };
    viewing.page.load(Length::Finite(duration_ms));
    viewing.page.play(200);
    viewing.page.wait(2_000);
    for act in acts {
        viewing.act(act, duration_ms);
    }
    viewing.times = viewing.page.inspect().map_or(0, |view| view.times_ms.iter().map(|(_, ms)| ms).sum());
    viewing.looked_at = viewing.page.looked_at().as_ms();
    viewing.page.page(PageSignal::Left);
    viewing
}

impl Viewing {
    fn act(&mut self, act: &Act, duration_ms: Millis) {
        let page = &mut self.page;
        match *act {
            Act::Play { wait } => page.play(wait),
            Act::Pause => page.pause(),
            Act::Seek { to_permille, took } => {
                let to = Media::from_ms((duration_ms * to_permille / 1000) as i64);
                // A viewer who jumps back just when a repeating player would do so cannot be told from it.
                if !self.looping || to > page.position() {
                    self.seeks += 1;
                    page.seek(to, took);
                }
            }
            Act::Stall { lasts } if !page.is_seeking() => page.stall(lasts),
            Act::Stall { .. } => {}
            Act::Rate { thousandths } => {
                self.fastest = self.fastest.max(u64::from(thousandths.div_ceil(1000)));
                page.set_rate(thousandths);
            }
            Act::Step { ms } => {
                self.longest_step = self.longest_step.max(ms);
                page.set_step(ms);
            }
            Act::Loop { on } => {
                self.looping = on;
                page.set_looping(on);
            }
            Act::Spurious => page.stir(Signal::Observed),
            Act::DoubledSeeking if page.is_seeking() => page.stir(Signal::Seeking),
            Act::DoubledSeeking => {}
            Act::Wait { ms } => page.wait(ms),
        }
    }

    /// The final state of every slice, as a collector that got everything knows it.
    fn slices(&self) -> Vec<Slice> {
        let mut slices: BTreeMap<u32, Slice> = BTreeMap::new();
        for slice in self.page.sent().iter().flat_map(|sent| &sent.batch.views).flat_map(|view| &view.slices) {
            let kept = slices.entry(slice.n).or_insert_with(|| slice.clone());
            kept.span_ms = kept.span_ms.max(slice.span_ms);
            kept.fields.join(&slice.fields);
            kept.watched = kept.watched.union(slice.watched);
            kept.rewatched = kept.rewatched.union(slice.rewatched);
        }
        slices.into_values().collect()
    }

    fn sum(&self, field: Field) -> u64 {
        self.slices().iter().map(|slice| slice.fields[field]).sum()
    }
}

fn close(name: &str, tracked: u64, truth: u64, tolerance: u64) -> Result<(), TestCaseError> {
    prop_assert!(tracked <= truth + tolerance.min(300), "{name}: tracked {tracked}, truth {truth}");
    prop_assert!(tracked + tolerance >= truth, "{name}: tracked {tracked}, truth {truth}, tolerance {tolerance}");
    Ok(())
}

/// The same twenty thousand viewings every time, so that a change is to blame when one fails; others in a full run.
fn config() -> ProptestConfig {
    let full = std::env::var_os("QUARTILE_TEST_FULL").is_some();
    let rng_seed = if full { RngSeed::Random } else { RngSeed::Fixed(1) };
    ProptestConfig { cases: 20_000, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_tracked_is_what_happened(
        seconds in 5..600_u64,
        acts in proptest::collection::vec(any_act(), 1..30),
        seed: u64,
    ) {
        let viewing = view(seconds * 1000, &acts, lossy_network(seed));
        let truth = viewing.page.truth().clone();
        // Each seek hides what was played since the last look, and each look may be a step late.
        let step = viewing.longest_step + 20;
        let tolerance = step * (viewing.seeks + 1);
        close("played", viewing.sum(Field::PlayedMs), truth.played_ms, tolerance)?;
        close("content", viewing.sum(Field::ContentMs), truth.content_us / 1000, tolerance * viewing.fastest)?;
        // A pause that outlasts its slice is said up to the mark and no further.
        let paused = viewing.sum(Field::PausedMs);
        if viewing.slices().len() == 1 {
            close("paused", paused, truth.paused_ms, tolerance)?;
        } else {
            prop_assert!(paused <= truth.paused_ms + 300, "paused: tracked {paused}, truth {}", truth.paused_ms);
        }
        prop_assert_eq!(viewing.times, viewing.looked_at, "every moment belongs to one state");
        prop_assert_eq!(viewing.sum(Field::Ends), truth.ends);
        prop_assert_eq!(viewing.sum(Field::Loops), truth.loops);
        prop_assert_eq!(viewing.sum(Field::Seeks), truth.seeks, "seeks");
        close("seek", viewing.sum(Field::SeekMs), truth.seek_ms, 20)?;
        // The end of a stall shows at the next look: one that is a step away from being none may be taken for one.
        let close_calls = truth.stalls.iter().filter(|&&ms| ms.abs_diff(SHORTEST_STALL_MS) <= step).count() as u64;
        prop_assert!(viewing.sum(Field::Rebuffers).abs_diff(truth.rebuffers) <= close_calls, "rebuffers");
        let late = step * (truth.stalls.len() as u64 + 1);
        prop_assert!(viewing.sum(Field::RebufferMs).abs_diff(truth.rebuffer_ms) <= late, "rebuffer time");
        prop_assert_eq!(viewing.sum(Field::Plays), 1);
        prop_assert_eq!(viewing.sum(Field::Stops), 1);
        prop_assert_eq!(viewing.sum(Field::Views), 1);

        let unique: u64 = viewing.slices().iter().map(|slice| u64::from(slice.watched.len())).sum();
        let covered = truth.covered_ms(1);
        prop_assert!(unique <= 100);
        prop_assert!(
            (unique * seconds * 10).abs_diff(covered) <= tolerance * viewing.fastest + seconds * 10 * (2 + viewing.seeks),
            "{unique} % of {seconds} s watched, truth {covered} ms"
        );
    }

    #[test]
    fn bits_and_once_per_view_facts_are_in_one_slice_only(
        acts in proptest::collection::vec(any_act(), 1..60),
        seed: u64,
    ) {
        let viewing = view(900_000, &acts, lossy_network(seed));
        let slices = viewing.slices();
        for (index, slice) in slices.iter().enumerate() {
            prop_assert!(slice.fields.implausible(slice.span_ms).is_none(), "{:?}", slice.fields.implausible(slice.span_ms));
            for other in &slices[index + 1..] {
                prop_assert!(slice.watched.minus(other.watched) == slice.watched);
                prop_assert!(slice.rewatched.minus(other.rewatched) == slice.rewatched);
            }
        }
        for &field in Field::ALL {
            if field.kind() == quartile_protocol::field::Kind::Flag {
                prop_assert!(viewing.sum(field) <= 1, "{}", field.name());
            }
        }
    }

    #[test]
    fn no_event_is_numbered_twice_and_no_quartile_fires_twice(
        acts in proptest::collection::vec(any_act(), 1..60),
        seed: u64,
    ) {
        let viewing = view(60_000, &acts, lossy_network(seed));
        let mut events = BTreeMap::new();
        for event in viewing.page.sent().iter().flat_map(|sent| &sent.batch.views).flat_map(|view| &view.events) {
            let kept = events.entry(event.seq).or_insert_with(|| event.clone());
            prop_assert_eq!(&*kept, event);
        }
        let mut rungs: Vec<_> = events.values().filter_map(|event| match event.kind {
            EventKind::Quartile { ladder, percent } => Some((ladder, percent)),
            _ => None,
        }).collect();
        let all = rungs.len();
        rungs.sort_unstable();
        rungs.dedup();
        prop_assert_eq!(rungs.len(), all);
        prop_assert_eq!(events.keys().copied().collect::<Vec<_>>(), (0..events.len() as u32).collect::<Vec<_>>());
    }
}
