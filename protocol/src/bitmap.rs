//! Small sets as bits. Merged by bit-or; written in hexadecimal without leading zeros, the first member the lowest bit.

use crate::names::names;

names! {
    /// Why a text is no bitmap.
    pub enum BitmapError {
        /// Not hexadecimal digits.
        Digits = "digits",
        /// A bit beyond the last member.
        Range = "range",
    }
}

/// Which percents of a content: bit 0 is the part from 0 % to 1 %, bit 99 that from 99 % to 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Percents(u128);

/// Which minutes of a slice, counted from the minute of its `at`: a slice spans at most ten minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Minutes(u128);

macro_rules! bitmap {
    ($name:ident, $members:literal) => {
        impl $name {
            /// The empty set.
            pub const NONE: Self = Self(0);

            /// How many members there can be.
            pub const MEMBERS: u32 = $members;

            /// The bits, the first member the lowest.
            ///
            /// # Errors
            /// [`BitmapError::Range`] for a bit beyond the last member.
            pub const fn from_bits(bits: u128) -> Result<Self, BitmapError> {
                if bits >> Self::MEMBERS == 0 { Ok(Self(bits)) } else { Err(BitmapError::Range) }
            }

            /// The bits, the first member the lowest.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// Whether `member` is in the set.
            #[must_use]
            pub const fn contains(self, member: u32) -> bool {
                member < Self::MEMBERS && (self.0 >> member) & 1 == 1
            }

            /// Puts `member` into the set; gives whether it is new there. One beyond the last is left out.
            pub const fn insert(&mut self, member: u32) -> bool {
                if member >= Self::MEMBERS {
                    return false;
                }
                // A shift of 128 bits is a function of its own in a browser.
                let (low, high) = (self.0 as u64, (self.0 >> 64) as u64);
                let bit = 1_u64 << (member % 64);
                let (low, high) = if member < 64 { (low | bit, high) } else { (low, high | bit) };
                let before = self.0;
                self.0 = (high as u128) << 64 | low as u128;
                before != self.0
            }

            /// How many members are in the set.
            #[must_use]
            pub const fn len(self) -> u32 {
                self.0.count_ones()
            }

            /// Whether the set is empty.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// What is in either set.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in this set and not in the other.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Reads hexadecimal digits of either case; the empty text is the empty set.
            ///
            /// # Errors
            /// [`BitmapError`].
            pub fn parse(text: &str) -> Result<Self, BitmapError> {
                let mut bits = 0_u128;
                for byte in text.bytes() {
                    let digit = char::from(byte).to_digit(16).ok_or(BitmapError::Digits)?;
                    if bits >> 124 != 0 {
                        return Err(BitmapError::Range);
                    }
                    bits = bits << 4 | u128::from(digit);
                }
                Self::from_bits(bits)
            }
        }
    };
}

bitmap!(Percents, 100);
bitmap!(Minutes, 11);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read() {
        for bits in [0, 1, 0xf0, 1 << 99, (1 << 100) - 1] {
            assert_eq!(Percents::parse(&format!("{bits:x}")).map(Percents::bits), Ok(bits));
        }
        assert_eq!(Percents::parse(""), Ok(Percents::default()));
    }

    #[test]
    fn a_member_beyond_the_last_is_refused() {
        assert_eq!(Percents::parse("10000000000000000000000000"), Err(BitmapError::Range));
        assert_eq!(Percents::parse(&"f".repeat(40)), Err(BitmapError::Range));
        assert_eq!(Minutes::parse("7ff").map(Minutes::len), Ok(11));
        assert_eq!(Minutes::parse("800"), Err(BitmapError::Range));
        assert_eq!(Percents::parse("xyz"), Err(BitmapError::Digits));
        let mut set = Minutes::default();
        set.insert(11);
        assert!(set.is_empty());
    }
}
