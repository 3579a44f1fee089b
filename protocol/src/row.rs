//! A stored slice, and the one rule by which two copies of it merge.

use crate::bitmap::{Minutes, Percents};
use crate::clock::{Millis, Wall};
use crate::dimension::Dimensions;
use crate::event::Event;
use crate::field::Fields;
use crate::id::{SiteId, ViewId};

/// What makes two rows copies of the same slice. Nothing that a collector corrects or adds is part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The site.
    pub site: SiteId,
    /// The view.
    pub view: ViewId,
    /// The number of the slice within the view.
    pub n: u32,
}

/// A slice as it is stored: its identity, its state and its dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The identity.
    pub key: RowKey,
    /// When the slice opened, by the collector's clock.
    pub started_at: Wall,
    /// How long it lasted.
    pub span_ms: Millis,
    /// What was counted.
    pub fields: Fields,
    /// Percents watched.
    pub watched: Percents,
    /// Percents watched twice.
    pub rewatched: Percents,
    /// Minutes, from the minute of `started_at`, in which the playhead moved.
    pub active: Minutes,
    /// Dimensions.
    pub dimensions: Dimensions,
}

/// An event as it is stored. Its identity is the site, the view and its number; copies of one event are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The site.
    pub site: SiteId,
    /// The view.
    pub view: ViewId,
    /// The event, its date by the collector's clock.
    pub event: Event,
}

impl Row {
    /// Merges another copy of the same slice into this one.
    ///
    /// The larger value per field, span and group of dimensions; bit-or per bitmap; the smaller start, since delay
    /// only ever makes it later. Commutative, associative and idempotent: copies may come in any number and order.
    /// Every store merges by this rule.
    pub fn join(&mut self, other: &Self) {
        debug_assert_eq!(self.key, other.key, "only copies of one slice merge");
        self.started_at = self.started_at.min(other.started_at);
        self.span_ms = self.span_ms.max(other.span_ms);
        self.fields.join(&other.fields);
        self.watched = self.watched.union(other.watched);
        self.rewatched = self.rewatched.union(other.rewatched);
        self.active = self.active.union(other.active);
        self.dimensions.join(&other.dimensions);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::dimension::Dimension;
    use crate::field::Field;

    fn any_row() -> impl Strategy<Value = Row> {
        (
            (any::<i64>(), 0..Millis::MAX),
            vec((0..Field::ALL.len(), any::<u64>()), 0..8),
            (any::<u128>(), any::<u128>(), any::<u128>()),
            vec((0..Dimension::ALL.len(), "[a-c]{0,2}"), 0..12),
        )
            .prop_map(|((at, span_ms), numbers, (watched, rewatched, active), texts)| {
                let mut fields = Fields::default();
                for (index, value) in numbers {
                    fields[Field::ALL[index]] = value;
                }
                let mut dimensions = Dimensions::default();
                for (index, value) in texts {
                    dimensions.set(Dimension::ALL[index], value);
                }
                Row {
                    key: RowKey {
                        site: SiteId::new("demo").unwrap(),
                        view: ViewId::new(Wall::from_ms(1_790_000_000_000), [7; 10]),
                        n: 3,
                    },
                    started_at: Wall::from_ms(at),
                    span_ms,
                    fields,
                    watched: Percents::from_bits(watched >> 28).unwrap(),
                    rewatched: Percents::from_bits(rewatched >> 28).unwrap(),
                    active: Minutes::from_bits(active >> 117).unwrap(),
                    dimensions,
                }
            })
    }

    fn joined(a: &Row, b: &Row) -> Row {
        let mut joined = a.clone();
        joined.join(b);
        joined
    }

    proptest! {
        #[test]
        fn join_is_commutative(a in any_row(), b in any_row()) {
            prop_assert_eq!(joined(&a, &b), joined(&b, &a));
        }

        #[test]
        fn join_is_associative(a in any_row(), b in any_row(), c in any_row()) {
            prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
        }

        #[test]
        fn join_is_idempotent(a in any_row(), b in any_row()) {
            prop_assert_eq!(joined(&a, &a), a.clone());
            let once = joined(&a, &b);
            prop_assert_eq!(joined(&once, &b), once);
        }
    }
}
