//! Which parts of a content were watched: half-open intervals of media time, merged.

use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::{Media, Millis};

/// The most gaps that are remembered; beyond it the narrowest gap is closed, which overstates by that gap alone.
const MAX_RANGES: usize = 200;

/// A set of moments of a content.
#[derive(Debug, Default)]
pub(crate) struct Ranges {
    /// Disjoint, not touching, in order.
    ranges: Vec<(Media, Media)>,
    total: Millis,
}

impl Ranges {
    /// How much is in the set.
    pub(crate) const fn total(&self) -> Millis {
        self.total
    }

    /// Adds `[from, to)` and gives what of it was there already to `again`.
    pub(crate) fn add(&mut self, from: Media, to: Media, mut again: impl FnMut(Media, Media)) {
        if to <= from {
            return;
        }
        // All that touch the new one: they and it become one.
        let first = self.ranges.partition_point(|range| range.1 < from);
        let last = first + self.ranges[first..].partition_point(|range| range.0 <= to);
        let (mut low, mut high) = (from, to);
        for &(start, end) in &self.ranges[first..last] {
            (low, high) = (low.min(start), high.max(end));
            let (again_from, again_to) = (start.max(from), end.min(to));
            if again_from < again_to {
                again(again_from, again_to);
            }
        }
        if first == last {
            self.ranges.insert(first, (low, high));
            self.total += length(low, high);
            self.forget_narrowest_gap();
        } else {
            let before: Millis = self.ranges[first..last].iter().map(|&(start, end)| length(start, end)).sum();
            self.ranges[first] = (low, high);
            self.ranges.drain(first + 1..last);
            self.total = self.total - before + length(low, high);
        }
    }

    fn forget_narrowest_gap(&mut self) {
        if self.ranges.len() <= MAX_RANGES {
            return;
        }
        let gap = |index: usize| self.ranges[index + 1].0 - self.ranges[index].1;
        if let Some(index) = (0..self.ranges.len() - 1).min_by_key(|&index| gap(index)) {
            self.total += gap(index) as Millis;
            self.ranges[index].1 = self.ranges[index + 1].1;
            self.ranges.remove(index + 1);
        }
    }

    /// How much of `[from, to)` is in the set.
    fn covered(&self, from: Media, to: Media) -> Millis {
        let first = self.ranges.partition_point(|range| range.1 <= from);
        let touching = self.ranges[first..].iter().take_while(|range| range.0 < to);
        touching.map(|&(start, end)| length(start.max(from), end.min(to))).sum()
    }

    /// Of the percents of a content of `duration` that `[from, to)` touches: those of which at least half is in the set.
    pub(crate) fn percents(&self, from: Media, to: Media, duration: Millis) -> Percents {
        let mut percents = Percents::default();
        let members = Percents::MEMBERS;
        let place = |percent: u32| Media::from_ms((duration.saturating_mul(u64::from(percent)) / 100) as i64);
        let percent_at = |at: Media| (at.as_ms().max(0).saturating_mul(100) as u64 / duration.max(1)) as u32;
        for percent in percent_at(from).min(members)..=percent_at(to).min(members - 1) {
            let (start, end) = (place(percent), place(percent + 1));
            if start < end && self.covered(start, end) * 2 >= length(start, end) {
                percents.insert(percent);
            }
        }
        percents
    }
}

const fn length(from: Media, to: Media) -> Millis {
    (to.as_ms() - from.as_ms()) as Millis
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Media {
        Media::from_ms(ms)
    }

    fn set(ranges: &[(i64, i64)]) -> Ranges {
        let mut set = Ranges::default();
        for &(from, to) in ranges {
            set.add(at(from), at(to), |_, _| ());
        }
        set
    }

    #[test]
    fn what_touches_becomes_one() {
        let merged = set(&[(0, 10), (20, 30), (10, 20), (5, 25)]);
        assert_eq!(merged.ranges, [(at(0), at(30))]);
        assert_eq!(merged.total(), 30);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        assert_eq!(set(&[(0, 10), (11, 20)]).total(), 19);
    }

    #[test]
    fn at_the_bound_the_narrowest_gap_is_given_up() {
        let mut spread: Vec<_> = (0..MAX_RANGES as i64).map(|i| (i * 100, i * 100 + 10)).collect();
        assert_eq!(set(&spread).ranges.len(), MAX_RANGES);
        let before = set(&spread).total();
        spread.push((50, 51));
        let bounded = set(&spread);
        assert_eq!(bounded.ranges.len(), MAX_RANGES);
        assert_eq!(bounded.total(), before + 1 + 40);
    }

    #[test]
    fn a_percent_counts_from_half_of_it_on() {
        let half = set(&[(0, 50)]).percents(at(0), at(50), 10_000);
        assert!(half.contains(0) && half.len() == 1);
        assert!(set(&[(0, 49)]).percents(at(0), at(49), 10_000).is_empty());
        assert_eq!(set(&[(0, 10_000)]).percents(at(0), at(10_000), 10_000).len(), 100);
    }

    #[test]
    fn a_content_shorter_than_its_percents_is_no_trouble() {
        assert_eq!(set(&[(0, 30)]).percents(at(0), at(30), 30).len(), 30);
        assert!(set(&[(0, 30)]).percents(at(0), at(30), 0).is_empty());
    }

    proptest! {
        /// The referee knows every millisecond by itself.
        #[test]
        fn ranges_agree_with_a_plain_set_of_moments(steps in proptest::collection::vec((0..300_i64, 0..60_i64), 0..40)) {
            let mut ranges = Ranges::default();
            let (mut once, mut twice) = ([0_u32; 400], Ranges::default());
            for (from, length) in steps {
                ranges.add(at(from), at(from + length), |a, b| twice.add(a, b, |_, _| ()));
                (from..from + length).for_each(|ms| once[ms as usize] += 1);
            }
            prop_assert_eq!(ranges.total(), once.iter().filter(|&&n| n > 0).count() as u64);
            prop_assert_eq!(twice.total(), once.iter().filter(|&&n| n > 1).count() as u64);
            for percent in 0..100_u32 {
                let (from, to) = (percent as usize * 4, percent as usize * 4 + 4);
                let covered = once[from..to].iter().filter(|&&n| n > 0).count();
                let set = ranges.percents(at(0), at(400), 400);
                prop_assert_eq!(set.contains(percent), covered >= 2);
            }
        }
    }
}
