//! Random faults: reproduced by their seed, replayed by their schedule, and ended at their limits.

use std::collections::BTreeSet;
use std::time::Duration;

use tavrida::message::Failure;
use tavrida_testkit::fault::{Family, Faults};
use tavrida_testkit::schedule::{Choice, Deviations, Policy};
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};
use tavrida_testkit::trace::What;

use super::{create, shop, text, well};

/// Two orders and some casts, whatever their outcomes; then the graph must work again.
async fn trade(sim: Sim) -> Result<(), Failure> {
    let graph = shop(&sim).start().await;
    let web = graph.client("web");
    // Any of these may fail: that is what the faults are for.
    let (one, two) = tokio::join!(create(&graph, 1), create(&graph, 2));
    sim.note(format!("{} of two orders failed", usize::from(one.is_err()) + usize::from(two.is_err())));
    for cents in [3, 4] {
        if let Err(unsent) = web.to("till.charge").param("cents", cents).cast().await {
            sim.note(unsent.to_string());
        }
    }
    graph.heal();
    sim.advance(Duration::from_secs(60)).await;
    well(&graph).await
}

fn run(seed: u64, faults: &Faults) -> Finished {
    Setup { faults: faults.clone(), policy: Policy::Random, ..Setup::new(seed) }.run(trade)
}

fn faults_of(schedule: &Deviations) -> usize {
    schedule.iter().filter(|(_, choice)| matches!(choice, Choice::Fault(_))).count()
}

#[test]
fn a_graph_is_well_after_whatever_went_wrong_and_the_same_goes_wrong_when_it_is_played_again() {
    let mut struck = 0;
    for seed in 0..150 {
        let finished = run(seed, &Faults::any().on_clients());
        assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}\n{}", text(&finished.trace));
        struck += faults_of(&finished.schedule);
        let replay = Some(finished.schedule.clone());
        let again = Setup { replay, ..Setup::new(seed) }.run(trade);
        assert_eq!(again.trace.events(), finished.trace.events(), "seed {seed}: {:?}", finished.schedule);
    }
    assert!(struck > 150, "only {struck} faults in 150 runs");
}

#[test]
fn each_family_that_can_strike_does() {
    // Nothing here has a time to live at its arrival unless requested, and no queue has a limit.
    for family in Family::ALL.into_iter().filter(|family| *family != Family::Overflow) {
        let faults = Faults::none().with(family, 0.5).on_clients();
        let struck = (0..20).map(|seed| {
            let finished = run(seed, &faults);
            assert_eq!(finished.verdict, Verdict::Passed, "{family}, seed {seed}\n{}", text(&finished.trace));
            let told = finished.trace.events().iter().filter(|event| matches!(event.what, What::Fault(_)));
            assert_eq!(told.count(), faults_of(&finished.schedule), "{family}, seed {seed}");
            faults_of(&finished.schedule)
        });
        assert!(struck.sum::<usize>() >= 5, "{family} strikes too seldom");
    }
}

#[test]
fn there_are_at_most_so_many_and_only_until_then() {
    let often = Faults::none().with(Family::Delayed, 0.5).with(Family::Redelivered, 0.5);
    let most = |faults: Faults| {
        let schedules = (0..30).map(move |seed| run(seed, &faults));
        schedules.map(|finished| faults_of(&finished.schedule)).max().expect("there were runs")
    };
    assert!(most(often.clone()) > 2);
    assert_eq!(most(often.clone().at_most(2)), 2);
    assert_eq!(most(often.clone().until(Duration::ZERO)), 0);
    let until = Duration::from_millis(500);
    for seed in 0..30 {
        let finished = run(seed, &often.clone().until(until));
        let late = finished
            .trace
            .events()
            .iter()
            .find(|event| matches!(event.what, What::Fault(_)) && event.at >= until);
        assert_eq!(late, None, "seed {seed}");
    }
}

#[test]
fn without_a_family_the_others_strike_where_they_did() {
    let both = Faults::none().with(Family::Delayed, 0.3).with(Family::PublishedTwice, 0.05);
    for seed in 0..30 {
        let kept = |finished: &Finished| -> BTreeSet<_> {
            let all = finished.schedule.iter();
            all.filter(|(_, choice)| matches!(choice, Choice::Fault(fault) if fault.to_string().starts_with("delayed")))
                .collect()
        };
        let with = Setup { faults: both.clone(), ..Setup::new(seed) }.run(trade);
        let without =
            Setup { faults: both.clone().without(Family::PublishedTwice), ..Setup::new(seed) }.run(trade);
        // The second copies may be delayed too.
        assert!(kept(&without).is_subset(&kept(&with)), "seed {seed}");
    }
}

#[test]
fn clients_are_struck_only_if_a_test_asks_for_it() {
    async fn casts(sim: Sim) -> Result<(), Failure> {
        let graph = shop(&sim).start().await;
        for cents in 0..10 {
            graph.client("web").to("till.charge").param("cents", cents).cast().await?;
        }
        graph.settle().await;
        Ok(())
    }
    let faults = Faults::at_least_once().without(Family::BrokerRestart).without(Family::BrokerKilled);
    let failed = |faults: &Faults| -> Vec<Verdict> {
        let runs = (0..100).map(|seed| Setup { faults: faults.clone(), ..Setup::new(seed) }.run(casts));
        runs.map(|finished| finished.verdict).filter(|verdict| *verdict != Verdict::Passed).collect()
    };
    assert_eq!(failed(&faults), [], "a client's `?` fails only for faults of its own");
    assert!(failed(&faults.on_clients()).len() > 20);
}
