//! Planted bugs are found, and their schedules made short.

use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::Sim;

use crate::planted::{a_cancel_finds_its_order, y_is_not_after_the_third_x};

/// What it takes to find the bug of a scenario from a seed, and the length of the shortest schedule.
fn found<Fut>(name: &str, seed: u64, scenario: fn(Sim) -> Fut) -> usize
where
    Fut: Future<Output = Result<(), Failure>>,
{
    let report = explore(scenario).without_environment().schedules(10_000).seed(seed).run();
    let failure = report.failure().unwrap_or_else(|| panic!("{name} was not found from seed {seed}"));
    assert_eq!(failure.problem.kind, ProblemKind::Assertion, "{failure}");
    assert!(failure.reproduced, "{failure}");
    println!(
        "{name} from seed {seed:>6}: found after {:>4} schedules by {}, {} decisions made {} in {} replays: {}",
        report.found_after().expect("it was searched for"),
        failure.origin,
        failure.found.len(),
        failure.schedule.len(),
        failure.replays,
        failure.schedule.labelled(&failure.run.trace),
    );
    failure.schedule.len()
}

fn median(mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    values[values.len() / 2]
}

#[test]
fn a_cancel_that_overtakes_its_order_is_found_and_made_short() {
    let seeds = [1, 1_000_001, 2_000_001];
    let lengths = seeds.map(|seed| found("cancel", seed, a_cancel_finds_its_order)).to_vec();
    assert!(median(lengths.clone()) <= 4, "{lengths:?}");
}

#[test]
fn an_event_at_exactly_the_wrong_place_is_found_and_made_short() {
    let seeds = [1, 1_000_001, 2_000_001];
    let lengths = seeds.map(|seed| found("third X", seed, y_is_not_after_the_third_x)).to_vec();
    assert!(median(lengths.clone()) <= 4, "{lengths:?}");
}
