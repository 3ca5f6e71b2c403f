//! Schedules as proptest values.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::explore::{Plan, plans};
use tavrida_testkit::fault::Faults;
use tavrida_testkit::schedule::{Policy, Replay};
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::planted::each_charge_counts_once;

/// Puts numbers into a store, each through one of two services; fails if 7 arrives before a smaller number that was sent before it.
async fn seven_comes_after_what_was_before(sim: Sim, numbers: Vec<i64>) -> Result<(), Failure> {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let store = {
        let stored = stored.clone();
        move || {
            let stored = stored.clone();
            let add = move |number: i64| {
                stored.lock().expect("nobody panics with it").push(number);
                async {}
            };
            Service::new("store").rpc("add", params(["number"], add))
        }
    };
    let way = |name| {
        async fn pass(proxy: Proxy, number: i64) -> Result<(), Failure> {
            proxy.to("store.add").param("number", number).cast().await?;
            Ok(())
        }
        move || Service::new(name).rpc("pass", params(["number"], pass))
    };
    let graph =
        sim.graph().service(way("odd")).service(way("even")).service(store).client("web").start().await;
    for number in &numbers {
        let to = if number % 2 == 0 { "even.pass" } else { "odd.pass" };
        graph.client("web").to(to).param("number", *number).cast().await?;
    }
    graph.settle().await;
    let stored = stored.lock().expect("nobody panics with it");
    let before = |all: &[i64]| {
        let seven = all.iter().position(|number| *number == 7)?;
        Some(all[..seven].iter().filter(|number| **number < 7).count())
    };
    assert!(before(&stored) >= before(&numbers), "7 overtook something");
    Ok(())
}

/// Returns a runner that draws the same in each run, and stores no files.
fn runner() -> TestRunner {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn a_schedule_shrinks_together_with_what_the_scenario_is_given() {
    let mut runner = runner();
    let strategy = (plans(), prop::collection::vec(0..20_i64, 0..20));
    let failed = runner.run(&strategy, |(plan, numbers)| {
        plan.check(|sim| seven_comes_after_what_was_before(sim, numbers)).map(drop)
    });
    let Err(TestError::Fail(reason, (plan, numbers))) = failed else {
        panic!("it was not found: {failed:?}")
    };
    // The late message is identified by its position, which those before it decide: none can be left out.
    assert!(numbers.len() <= 4 && numbers.last() == Some(&7), "{numbers:?}: {reason}");
    for left_out in 0..numbers.len() {
        let fewer: Vec<i64> = [&numbers[..left_out], &numbers[left_out + 1..]].concat();
        let Replay { seed, schedule } = plan.replay();
        let setup = Setup { replay: Some(schedule), ..Setup::new(seed) };
        let finished = setup.run(|sim| seven_comes_after_what_was_before(sim, fewer));
        assert_eq!(finished.verdict, Verdict::Passed, "{numbers:?} without the number at {left_out}");
    }
    assert_eq!(plan.replay().schedule.len(), 1, "{reason}");
    let text = reason.to_string();
    assert!(text.contains("7 overtook something") && text.contains("request/even.pass@deliver:"), "{text}");
    assert_eq!(format!("{plan:?}"), format!("Plan('{}')", plan.replay()));
    let again = plan.run(|sim| seven_comes_after_what_was_before(sim, numbers));
    assert!(matches!(again.verdict, Verdict::Failed(_)));
}

#[test]
fn faults_shrink_before_orders_do() {
    let failed = runner().run(&plans().faults(Faults::at_least_once().on_clients()), |plan| {
        plan.check(each_charge_counts_once).map(drop)
    });
    let Err(TestError::Fail(reason, plan)) = failed else { panic!("it was not found: {failed:?}") };
    let schedule = plan.replay().schedule;
    assert!(schedule.len() <= 2 && schedule.faults() == schedule.len(), "{schedule}: {reason}");
}

#[test]
fn a_plan_is_drawn_from_the_seed_of_proptest() {
    let drawn = || {
        let mut runner = runner();
        let tree = plans().policy(Policy::Random).new_tree(&mut runner).expect("it can always be drawn");
        proptest::strategy::ValueTree::current(&tree)
    };
    let text = |plan: &Plan| format!("{plan:?}");
    assert_eq!(text(&drawn()), text(&drawn()));
    assert!(text(&drawn()).ends_with(", random)"), "{:?}", drawn());
}

#[test]
fn a_plan_that_never_ran_does_not_shrink() {
    let mut runner = runner();
    let failed = runner.run(&plans(), |_| Err(TestCaseError::fail("whatever the plan")));
    assert!(matches!(failed, Err(TestError::Fail(..))), "{failed:?}");
}
