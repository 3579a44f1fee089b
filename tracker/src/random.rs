//! A small generator of random numbers (xoroshiro128++ by Blackman and Vigna), seeded by the shell from a real source.
//! It makes ids and jitter; nothing secret.

pub(crate) struct Random(u64, u64);

impl Random {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        let half = |from: usize| seed[from..from + 8].iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        // All zeros is the one state from which the generator never moves.
        Self(half(0), half(8) | 1)
    }

    fn next(&mut self) -> u64 {
        let (a, b) = (self.0, self.1);
        let result = a.wrapping_add(b).rotate_left(17).wrapping_add(a);
        let mixed = a ^ b;
        self.0 = a.rotate_left(49) ^ mixed ^ (mixed << 21);
        self.1 = mixed.rotate_left(28);
        result
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }

    /// A number from half of `max` up to `max`.
    pub(crate) fn jitter(&mut self, max: u64) -> u64 {
        max / 2 + self.next() % (max / 2 + 1)
    }
}
