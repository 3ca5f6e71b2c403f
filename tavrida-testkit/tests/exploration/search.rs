//! Planted bugs are found, and their schedules shrunk.

use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::fault::Faults;
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::Sim;

use crate::planted::{
    a_cancel_finds_its_order, each_charge_counts_once, y_and_z_are_not_after_the_third_x,
    y_is_not_after_the_third_x,
};

/// Finds the bug of a scenario from a seed. Returns the length of the shrunk schedule.
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

#[test]
fn two_events_at_exactly_the_wrong_place_are_found_and_made_short() {
    let seeds = [1, 1_000_001, 2_000_001];
    let lengths = seeds.map(|seed| found("Y and Z", seed, y_and_z_are_not_after_the_third_x)).to_vec();
    assert!(median(lengths.clone()) <= 4, "{lengths:?}");
}

#[test]
fn a_charge_that_is_not_idempotent_needs_one_fault_and_no_order() {
    let explore = || explore(each_charge_counts_once).without_environment().schedules(10_000);
    explore().schedules(200).run().assert_ok();
    for (faults, most) in
        [(Faults::at_least_once().on_clients(), 2), (Faults::any().on_clients().at_most(2), 2)]
    {
        // First come, first served: no order is part of it.
        let report = explore().policy(Policy::Fifo).faults(faults).run();
        let failure = report.failure().expect("some message is delivered again");
        assert!(failure.problem.text.starts_with("charged "), "{failure}");
        let (decisions, faults) = (failure.schedule.len(), failure.schedule.faults());
        assert!(decisions <= most && faults == decisions, "{failure}");
    }
}

#[test]
fn with_faults_the_same_seed_finds_the_same_whatever_the_number_of_threads() {
    let found = |threads| {
        let explore = explore(each_charge_counts_once).without_environment().schedules(10_000);
        let report = explore.faults(Faults::any().on_clients()).seed(77).threads(threads).run();
        let failure = report.failure().expect("some message is delivered again");
        (report.schedules(), failure.to_string())
    };
    assert_eq!(found(1), found(4));
}

/// Prints how often each policy shows a bug in this many schedules, and the lengths of the shrunk schedules.
fn survey<Fut>(name: &str, schedules: u64, scenario: fn(Sim) -> Fut)
where
    Fut: Future<Output = Result<(), Failure>>,
{
    let pct = |depth| Policy::Pct { depth };
    for policy in [Policy::Random, pct(2), pct(3), pct(5), Policy::DELAY, Policy::Portfolio] {
        let exploration = || explore(scenario).without_environment().policy(policy);
        let report = exploration().schedules(schedules).keep_going().run();
        let mut lengths = Vec::new();
        let mut seed = 1;
        while lengths.len() < 9 && seed < schedules {
            let report = exploration().schedules(schedules).seed(seed).run();
            let Some(failure) = report.failure() else { break };
            lengths.push((failure.schedule.len(), failure.found.len(), failure.replays));
            seed = failure.seed + 1;
        }
        println!(
            "{name:<10} {policy:<28}: {:>6} of {} schedules fail; short, found, replays: {lengths:?}",
            report.failed(),
            report.schedules(),
        );
    }
}

#[test]
#[ignore = "it measures, and takes minutes"]
fn a_survey_of_the_policies() {
    survey("cancel", 300, a_cancel_finds_its_order);
    survey("third X", 1000, y_is_not_after_the_third_x);
    survey("Y and Z", 3000, y_and_z_are_not_after_the_third_x);
}
