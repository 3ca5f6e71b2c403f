//! The chain as services, in this simulation.

use std::ops::Range;
use std::time::Duration;

use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Setup, Verdict};

#[path = "../../../tests/simulation/chain.rs"]
mod chain;

/// Any message may arrive next.
pub fn random(seeds: Range<u64>) -> f64 {
    run(seeds, Policy::Random)
}

/// Each message takes 0 to 100 ms.
pub fn delayed(seeds: Range<u64>) -> f64 {
    run(seeds, Policy::Delay { percent: 100, max: Duration::from_millis(100) })
}

fn run(seeds: Range<u64>, policy: Policy) -> f64 {
    let one = |seed| {
        let finished = Setup { policy, ..Setup::new(seed) }.run(chain::three_requests);
        assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}");
        finished.trace.events().last().map_or(0.0, |event| event.at.as_secs_f64())
    };
    seeds.map(one).sum()
}
