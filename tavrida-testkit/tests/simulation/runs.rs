//! A run, from its seed to its verdict.

use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Setup, Verdict};
use tavrida_testkit::trace::What;

use crate::chain::three_requests;

#[test]
fn a_chain_of_three_services_answers_three_requests() {
    let finished = Setup::new(1).run(three_requests);
    assert_eq!(finished.verdict, Verdict::Passed);
    let delivered =
        finished.trace.events().iter().filter(|event| matches!(event.what, What::Delivered { .. }));
    assert_eq!(delivered.count(), 18);
}

#[test]
fn a_random_schedule_is_replayed_by_its_deviations() {
    for seed in 0..200 {
        let random = Setup { policy: Policy::Random, ..Setup::new(seed) }.run(three_requests);
        assert_eq!(random.verdict, Verdict::Passed, "seed {seed}");
        let replayed =
            Setup { replay: Some(random.schedule.clone()), ..Setup::new(seed) }.run(three_requests);
        assert_eq!(replayed.trace.events(), random.trace.events(), "seed {seed}: {:?}", random.schedule);
    }
}
