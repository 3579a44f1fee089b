//! A small generator of random numbers (xoroshiro128++ by Blackman and Vigna), seeded by the shell from a real source.
//! It makes ids and jitter; nothing secret.

pub(crate) struct Random(u64, u64);

impl Random {
    pub(crate) const fn new([a, b]: [u64; 2]) -> Self {
        // All zeros is the one state from which the generator never moves.
        Self(a, b | 1)
    }

    fn next(&mut self) -> u64 {
        let (a, b) = (self.0, self.1);
        let result = a.wrapping_add(b).rotate_left(17).wrapping_add(a);
        let mixed = a ^ b;
        self.0 = a.rotate_left(49) ^ mixed ^ (mixed << 21);
        self.1 = mixed.rotate_left(28);
        result
    }

    pub(crate) fn bits(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    /// A number from half of `max` up to `max`.
    pub(crate) fn jitter(&mut self, max: u64) -> u64 {
        max / 2 + self.next() % (max / 2 + 1)
    }
}
