//! [`Random`]: a generator whose sequence never changes, and hashes for decisions that stand alone.
//!
//! Crates for random numbers may change their sequences; a recorded seed must mean the same run as long as the run does the same. Both
//! algorithms are public domain: splitmix64 and xoshiro256++ by Blackman and Vigna
//! (<https://prng.di.unimi.it>), FNV-1a by Fowler, Noll and Vo.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Random([u64; 4]);

impl Random {
    /// Returns the stream of a seed.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        }))
    }

    /// Returns the next number.
    pub fn draw(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Returns a number below `end`, uniform up to a bias of less than 1 in 2^32.
    ///
    /// # Panics
    ///
    /// Panics if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "a number below 0 was asked for");
        usize::try_from(scale(self.draw(), end as u64)).expect("it is below a usize")
    }
}

/// Maps random bits to a number below `end`.
pub(crate) fn scale(bits: u64, end: u64) -> u64 {
    u64::try_from((u128::from(bits) * u128::from(end)) >> 64).expect("it is below a u64")
}

/// Applies the finalizer of splitmix64: each bit of the input changes half of the output.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Combines two numbers into one.
pub(crate) const fn join(a: u64, b: u64) -> u64 {
    mix(a.rotate_left(25) ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Returns the FNV-1a hash of some bytes.
pub(crate) const fn hash(bytes: &[u8]) -> u64 {
    hash_on(0xcbf2_9ce4_8422_2325, bytes)
}

/// Continues an FNV-1a hash.
pub(crate) const fn hash_on(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x100_0000_01b3);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_are_these_for_good() {
        let mut random = Random::new(42);
        let numbers = [random.draw(), random.draw(), random.draw()];
        assert_eq!(
            numbers,
            [15_021_278_609_987_233_951, 5_881_210_131_331_364_753, 18_149_643_915_985_481_100]
        );
        assert_eq!(hash(b"tavrida"), 0x7bfc_cb67_6f2e_2a2e);
    }

    #[test]
    fn numbers_below_an_end_reach_all_of_them() {
        let mut random = Random::new(7);
        let mut seen = [false; 5];
        (0..100).for_each(|_| seen[random.below(5)] = true);
        assert_eq!(seen, [true; 5]);
    }
}
