//! Which slices have settled, and how far the queue behind them is dealt with. Knows neither clock nor network.

use std::collections::BTreeMap;
use std::time::Duration;

use quartile_protocol::row::RowKey;

use crate::queue::Position;

/// Slices that are waited for at once; beyond that the one that waited longest is sent early.
const SLICES: usize = 200_000;

/// Slices that are sent at once.
const DUE: usize = 2_000;

/// Slices that may still grow. Times are since any fixed moment.
#[derive(Debug)]
pub struct Settling {
    after: Duration,
    slices: BTreeMap<RowKey, Waiting>,
    read: Option<Position>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    touched: Duration,
    /// The first record that is not dealt with until this slice is sent.
    first: Position,
}

impl Settling {
    /// Slices settle when nothing was added to them for `after`.
    #[must_use]
    pub fn new(after: Duration) -> Self {
        Self { after, slices: BTreeMap::new(), read: None }
    }

    /// A record was read.
    pub fn read(&mut self, position: Position) {
        self.read = Some(position);
    }

    /// The record at `position` added to a slice.
    pub fn touch(&mut self, key: RowKey, position: Position, now: Duration) {
        let waiting = self.slices.entry(key).or_insert(Waiting { touched: now, first: position });
        waiting.touched = now;
    }

    /// Some of the slices that have settled, or are too many.
    #[must_use]
    pub fn due(&self, now: Duration) -> Vec<RowKey> {
        let mut due: Vec<_> =
            self.slices.iter().filter(|(_, waiting)| waiting.touched + self.after <= now).map(|(key, _)| key).collect();
        let too_many = self.slices.len().saturating_sub(SLICES);
        if due.len() < too_many {
            let mut oldest: Vec<_> = self.slices.iter().collect();
            oldest.sort_by_key(|(_, waiting)| waiting.touched);
            due = oldest.into_iter().take(too_many).map(|(key, _)| key).collect();
        }
        due.into_iter().take(DUE).cloned().collect()
    }

    /// These slices were sent.
    pub fn sent(&mut self, keys: &[RowKey]) {
        for key in keys {
            self.slices.remove(key);
        }
    }

    /// The last record that, with all before it, is dealt with.
    #[must_use]
    pub fn done(&self) -> Option<Position> {
        match self.slices.values().map(|waiting| waiting.first).min() {
            Some(first) => first.before(),
            None => self.read,
        }
    }
}

#[cfg(test)]
mod tests {
    use quartile_protocol::clock::Wall;
    use quartile_protocol::id::{SiteId, ViewId};

    use super::*;

    fn key(view: u8) -> RowKey {
        RowKey { site: SiteId::new("demo").unwrap(), view: ViewId::new(Wall::from_ms(0), [view; 10]), n: 0 }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn touch(settling: &mut Settling, view: u8, position: u64, now: u64) {
        settling.touch(key(view), Position::at(position), at(now));
        settling.read(Position::at(position));
    }

    #[test]
    fn a_slice_settles_when_nothing_was_added_for_long_enough() {
        let mut settling = Settling::new(at(10));
        touch(&mut settling, 1, 0, 0);
        touch(&mut settling, 1, 1, 8);
        assert_eq!(settling.due(at(17)), []);
        assert_eq!(settling.due(at(18)), [key(1)]);
    }

    #[test]
    fn the_queue_is_dealt_with_up_to_the_oldest_slice_that_waits() {
        let mut settling = Settling::new(at(10));
        assert_eq!(settling.done(), None);
        touch(&mut settling, 1, 5, 0);
        touch(&mut settling, 2, 6, 1);
        touch(&mut settling, 1, 7, 2);
        assert_eq!(settling.done(), Some(Position::at(4)));
        settling.sent(&[key(1)]);
        assert_eq!(settling.done(), Some(Position::at(5)));
        settling.sent(&[key(2)]);
        assert_eq!(settling.done(), Some(Position::at(7)));
    }

    #[test]
    fn the_first_record_of_all_can_wait() {
        let mut settling = Settling::new(at(10));
        touch(&mut settling, 1, 0, 0);
        assert_eq!(settling.done(), None);
    }
}
