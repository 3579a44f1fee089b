//! The tracker against an element that knows the truth: random viewers, browsers, machines and networks.
//!
//! Times agree within one look for each moment that no event tells of, counts agree exactly but for what came within
//! one look of a threshold; see `quartile_simulator::truth`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acts;
mod rows;
mod table;
mod viewing;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quartile_protocol::event::EventKind;
use quartile_protocol::field::{Field, Kind};
use quartile_simulator::network::{lossy_network, refusing_network};
use quartile_simulator::page::Sent;

use self::acts::any_acts;
use self::rows::Known;
use self::viewing::{Content, any_setting, view};

/// The same twenty thousand viewings every time, so that a change is to blame when one fails; others in a full run.
/// `QUARTILE_TEST_CASES` and `QUARTILE_TEST_SEED` ask for more, fewer or others.
fn config() -> ProptestConfig {
    let asked = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let full = std::env::var_os("QUARTILE_TEST_FULL").is_some();
    let usual = if full { RngSeed::Random } else { RngSeed::Fixed(1) };
    ProptestConfig {
        cases: asked("QUARTILE_TEST_CASES").map_or(20_000, |cases| cases as u32),
        rng_seed: asked("QUARTILE_TEST_SEED").map_or(usual, RngSeed::Fixed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

const WATCHED: [Field; 4] = [Field::Reached25, Field::Reached50, Field::Reached75, Field::Reached100];
const POSITIONS: [Field; 4] = [Field::Position25, Field::Position50, Field::Position75, Field::Position100];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_tracked_is_what_happened(
        setting in any_setting(),
        acts in any_acts(30),
        seed: u64,
    ) {
        let viewing = view(&setting.comparable(), &acts, lossy_network(seed));
        // Every moment belongs to one state, but for what was slept through while something was awaited.
        let awake = viewing.looked_at - viewing.truth().slept_ms.min(viewing.looked_at);
        prop_assert!((awake..=viewing.looked_at).contains(&viewing.times), "{} of {awake}", viewing.times);
        table::compare(&viewing)?;
    }

    #[test]
    fn bits_and_once_per_view_facts_are_in_one_slice_only(
        setting in any_setting(),
        acts in any_acts(60),
        seed: u64,
    ) {
        let viewing = view(&setting, &acts, lossy_network(seed));
        for slices in viewing.views() {
            for (index, slice) in slices.iter().enumerate() {
                prop_assert_eq!(slice.fields.implausible(slice.span_ms), None);
                for other in &slices[index + 1..] {
                    prop_assert!(slice.watched.minus(other.watched) == slice.watched);
                    prop_assert!(slice.rewatched.minus(other.rewatched) == slice.rewatched);
                }
            }
            let sum = |field| slices.iter().map(|slice| slice.fields[field]).sum::<u64>();
            for &field in Field::ALL {
                prop_assert!(field.kind() != Kind::Flag || sum(field) <= 1, "{}", field.name());
            }
            for rungs in [WATCHED, POSITIONS] {
                prop_assert!(rungs.map(sum).is_sorted_by(|lower, higher| lower >= higher), "a rung without a lower one");
            }
        }
    }

    /// Live has no end to be watched up to; what is watched of a film is no more than the film.
    #[test]
    fn nobody_watches_more_than_there_is(
        setting in any_setting(),
        acts in any_acts(30),
        seed: u64,
    ) {
        let viewing = view(&setting, &acts, refusing_network(seed));
        let film = matches!(setting.content, Content::Film(_) | Content::LateFilm(_));
        for slices in viewing.views() {
            let percents: u32 = slices.iter().map(|slice| slice.watched.len()).sum();
            prop_assert!(percents <= 100 * u32::from(film));
            let sum = |field| slices.iter().map(|slice| slice.fields[field]).sum::<u64>();
            prop_assert!(film || WATCHED.into_iter().chain(POSITIONS).all(|field| sum(field) == 0));
        }
    }

    #[test]
    fn no_event_is_numbered_twice_and_no_quartile_fires_twice(
        setting in any_setting(),
        acts in any_acts(60),
        seed: u64,
    ) {
        let viewing = view(&setting, &acts, lossy_network(seed));
        let mut views: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((view, seq), event) in Known::of(viewing.page.sent()).events {
            views.entry(view).or_default().push((seq, event));
        }
        for events in views.into_values() {
            let numbers: Vec<_> = events.iter().map(|&(seq, _)| seq).collect();
            prop_assert_eq!(numbers, (0..events.len() as u32).collect::<Vec<_>>());
            let rungs = events.iter().filter_map(|(_, event)| match event.kind {
                EventKind::Quartile { ladder, percent } => Some((ladder, percent)),
                _ => None,
            });
            let mut seen = std::collections::BTreeSet::new();
            for rung in rungs {
                prop_assert!(seen.insert(rung), "{rung:?} twice");
            }
        }
    }

    /// Any subset, order and duplication of the requests that has the acknowledged ones and all parts of the last flush
    /// joins to the same rows.
    #[test]
    fn what_was_not_acknowledged_may_be_lost_but_the_last_flush(
        setting in any_setting(),
        acts in any_acts(40),
        seed: u64,
        luck: u64,
    ) {
        let viewing = view(&setting, &acts, lossy_network(seed));
        let all = Known::of(viewing.page.sent());
        let (must, may) = viewing.what_must_arrive();
        for round in 0..3 {
            let known = Known::of(arrive(&must, &may, luck.wrapping_add(round)));
            prop_assert!(known == all, "{}", difference(&all, &Known::of(must)));
        }
    }
}

/// What a network of bad luck brings: all that it must, some of the rest, some twice, in any order.
fn arrive<'a>(must: &[&'a Sent], may: &[&'a Sent], luck: u64) -> Vec<&'a Sent> {
    let mut random = fastrand::Rng::with_seed(luck);
    let lucky = may.iter().filter(|_| random.u8(0..3) == 0);
    let mut arrived: Vec<_> = must.iter().chain(lucky).copied().collect();
    let again: Vec<_> = arrived.iter().copied().filter(|_| random.u8(0..4) == 0).collect();
    arrived.extend(again);
    random.shuffle(&mut arrived);
    arrived
}

/// The first thing that differs where only what must arrive does, for people.
fn difference(all: &Known, least: &Known) -> String {
    let rows = all.rows.iter().filter(|(key, row)| least.rows.get(key) != Some(row));
    let rows = rows.map(|(key, row)| format!("all {row:?}\nless {:?}", least.rows.get(key))).next();
    let event = || all.events.iter().find(|(key, event)| least.events.get(key) != Some(event));
    rows.unwrap_or_else(|| format!("{:?}", event()))
}
