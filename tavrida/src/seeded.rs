//! Random tests print their seed, and replay it.

use proptest::test_runner::{Config, RngSeed};

/// Replays the run of `TAVRIDA_SEED`, or prints the seed that replays this one.
pub(crate) fn config() -> Config {
    let given =
        std::env::var("TAVRIDA_SEED").ok().map(|seed| seed.parse().expect("TAVRIDA_SEED is a number"));
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("TAVRIDA_SEED={seed} replays this run");
    Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() }
}
