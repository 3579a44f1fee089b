//! Which parts of a content were watched: half-open intervals of media time, merged.

use quartile_protocol::clock::{Media, Millis};

/// The most gaps that are remembered; beyond it the narrowest gap is closed, which overstates by that gap alone.
const MAX_RANGES: usize = 200;

/// A set of moments of a content.
#[derive(Debug)]
pub(crate) struct Ranges {
    /// Disjoint, not touching, in order.
    ranges: Vec<(Media, Media)>,
    total: Millis,
}

impl Ranges {
    /// Nothing was watched yet.
    pub(crate) const EMPTY: Self = Self { ranges: Vec::new(), total: 0 };

    /// How much is in the set.
    pub(crate) const fn total(&self) -> Millis {
        self.total
    }

    /// Adds `[from, to)`, and what of it was there already to `again`.
    pub(crate) fn add(&mut self, from: Media, to: Media, mut again: Option<&mut Self>) {
        if to <= from {
            return;
        }
        // All that touch the new one: they and it become one.
        let first = self.ranges.iter().take_while(|range| range.1 < from).count();
        let (mut low, mut high) = (from, to);
        while let Some(&(start, end)) = self.ranges.get(first)
            && start <= to
        {
            (low, high) = (low.min(start), high.max(end));
            if let Some(again) = &mut again {
                again.add(start.max(from), end.min(to), None);
            }
            self.total -= length(start, end);
            self.ranges.remove(first);
        }
        self.ranges.insert(first, (low, high));
        self.total += length(low, high);
        if self.ranges.len() > MAX_RANGES {
            self.close_narrowest_gap();
        }
    }

    fn close_narrowest_gap(&mut self) {
        let (mut at, mut narrowest) = (0, i64::MAX);
        for (index, pair) in self.ranges.windows(2).enumerate() {
            let gap = pair[1].0 - pair[0].1;
            if gap < narrowest {
                (at, narrowest) = (index, gap);
            }
        }
        let after = self.ranges.remove(at + 1);
        self.ranges[at].1 = after.1;
        self.total += narrowest as Millis;
    }

    /// How much of `[from, to)` is in the set.
    fn covered(&self, from: Media, to: Media) -> Millis {
        let mut sum = 0;
        for &(start, end) in &self.ranges {
            sum += (end.min(to) - start.max(from)).max(0) as Millis;
        }
        sum
    }

    /// Whether at least half of this percent of a content of `duration` is in the set.
    pub(crate) fn has_percent(&self, percent: u64, duration: Millis) -> bool {
        let (start, end) = (percent_at(percent, duration), percent_at(percent + 1, duration));
        start < end && self.covered(start, end) as i64 * 2 >= end - start
    }
}

/// Where a percent of a content of `duration` begins.
pub(crate) const fn percent_at(percent: u64, duration: Millis) -> Media {
    Media::from_ms((duration * percent / 100) as i64)
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
        let mut set = Ranges::EMPTY;
        for &(from, to) in ranges {
            set.add(at(from), at(to), None);
        }
        set
    }

    #[test]
    fn what_touches_becomes_one() {
        let merged = set(&[(0, 10), (20, 30), (10, 20), (5, 25)]);
        assert_eq!(merged.ranges, [(at(0), at(30))]);
        assert_eq!(merged.total(), 30);
        assert_eq!(set(&[(0, 10), (10, 20)]).ranges, [(at(0), at(20))]);
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
        spread.push((150, 151));
        let bounded = set(&spread);
        assert_eq!(bounded.ranges[..3], [(at(0), at(10)), (at(100), at(151)), (at(200), at(210))]);
        assert_eq!(bounded.ranges.len(), MAX_RANGES);
        assert_eq!(bounded.total(), before + 1 + 40);
    }

    /// The percents that a set has.
    fn percents(set: &Ranges, duration: Millis) -> Vec<u64> {
        (0..100).filter(|&percent| set.has_percent(percent, duration)).collect()
    }

    #[test]
    fn a_percent_counts_from_half_of_it_on() {
        assert_eq!(percents(&set(&[(0, 50)]), 10_000), [0]);
        assert!(percents(&set(&[(0, 49)]), 10_000).is_empty());
        assert_eq!(percents(&set(&[(0, 10_000)]), 10_000).len(), 100);
    }

    #[test]
    fn a_content_shorter_than_its_percents_is_no_trouble() {
        assert_eq!(percents(&set(&[(0, 30)]), 30).len(), 30);
        assert!(percents(&set(&[(0, 30)]), 0).is_empty());
    }

    proptest! {
        /// The referee knows every millisecond by itself.
        #[test]
        fn ranges_agree_with_a_plain_set_of_moments(steps in proptest::collection::vec((0..300_i64, 0..60_i64), 0..40)) {
            let mut ranges = Ranges::EMPTY;
            let (mut once, mut twice) = ([0_u32; 400], Ranges::EMPTY);
            for (from, length) in steps {
                ranges.add(at(from), at(from + length), Some(&mut twice));
                (from..from + length).for_each(|ms| once[ms as usize] += 1);
            }
            prop_assert_eq!(ranges.total(), once.iter().filter(|&&n| n > 0).count() as u64);
            prop_assert_eq!(twice.total(), once.iter().filter(|&&n| n > 1).count() as u64);
            for percent in 0..100_u32 {
                let (from, to) = (percent as usize * 4, percent as usize * 4 + 4);
                let covered = once[from..to].iter().filter(|&&n| n > 0).count();
                prop_assert_eq!(ranges.has_percent(percent.into(), 400), covered >= 2);
            }
        }
    }
}
