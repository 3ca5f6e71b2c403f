//! A scripted fault that cannot happen, or does not, is reported.

use std::time::Duration;

use tavrida::message::Failure;
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::problem::{Problem, ProblemKind};
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};

use super::{create, passes, shop};

/// Runs an order in a shop with this script.
fn ordered(script: impl Fn(&Sim)) -> Finished {
    Setup::new(1).run(async |sim: Sim| {
        let graph = shop(&sim).start().await;
        script(&sim);
        create(&graph, 5).await?;
        Ok::<(), Failure>(())
    })
}

fn problem(finished: &Finished) -> Problem {
    match &finished.verdict {
        Verdict::Failed(problem) => (**problem).clone(),
        Verdict::Passed => panic!("the run passed"),
    }
}

#[test]
fn a_fault_that_cannot_happen_at_a_site_is_refused_at_once() {
    let finished = ordered(|sim| {
        sim.fault(At::publish("till.charge"), Fault::BrokerRestart);
    });
    let problem = problem(&finished);
    assert_eq!(problem.kind, ProblemKind::Assertion);
    let text = "broker-restart cannot happen at publish of 'till.charge': it happens at these sites: deliver";
    assert!(problem.text.starts_with(text), "{problem}");
    assert!(problem.text.contains("scripts.rs"), "the text tells where the script is: {problem}");
}

#[test]
fn a_place_that_never_comes_to_pass_fails_the_run_and_the_text_says_what_did() {
    let finished = ordered(|sim| {
        sim.fault(At::before_ack("till.chrage"), Fault::Redelivered);
    });
    let problem = problem(&finished);
    assert_eq!(problem.kind, ProblemKind::Script);
    assert_eq!(
        problem.text,
        "a scripted fault: redelivered at ack of 'till.chrage' did not happen: it came to pass never; what came to ack: \
         orders.create, till.charge"
    );
    assert_eq!(finished.unmet.len(), 1);
}

#[test]
fn a_place_that_comes_to_pass_too_seldom_says_how_often_it_did() {
    let finished = ordered(|sim| {
        sim.fault(At::delivery("orders.create").nth(3), Fault::ConnectionLost);
    });
    let text = problem(&finished).text;
    assert!(
        text.contains("at deliver of 'orders.create', time 3 did not happen: it came to pass 2 times"),
        "{text}"
    );
}

#[test]
fn a_place_that_is_optional_may_never_come_to_pass_and_is_told_all_the_same() {
    let finished = ordered(|sim| {
        sim.fault(At::before_ack("till.refund").optional(), Fault::Redelivered);
    });
    assert_eq!(finished.verdict, Verdict::Passed);
    assert_eq!(finished.unmet[0].at, At::before_ack("till.refund").optional());
    assert_eq!(finished.unmet[0].seen, 0);
}

#[test]
fn a_run_that_fails_for_itself_says_so_first() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let _graph = shop(&sim).start().await;
        sim.fault(At::before_ack("till.refund"), Fault::Redelivered);
        Err::<(), _>("out of stock")
    });
    assert_eq!(problem(&finished).kind, ProblemKind::Error);
    assert_eq!(finished.unmet.len(), 1);
}

#[test]
fn a_client_cannot_crash_and_the_run_says_so() {
    let finished = ordered(|sim| {
        sim.fault(At::publish("orders.create"), Fault::Crash(Duration::from_secs(1)));
    });
    let problem = problem(&finished);
    assert_eq!(problem.kind, ProblemKind::Script);
    assert!(
        problem.text.contains("crash(1000ms) at publish of 'orders.create': a client cannot crash"),
        "{problem}"
    );
}

#[test]
fn a_message_without_a_time_to_live_cannot_expire() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), Fault::Expired);
        graph.client("web").to("till.charge").param("cents", 5).cast().await?;
        graph.settle().await;
        Ok::<(), Failure>(())
    });
    let text = problem(&finished).text;
    assert!(text.contains("expired at deliver of 'till.charge': the message has no time to live"), "{text}");
}

#[test]
#[should_panic(expected = "times are counted from 1, and start of 'till.charge' has no 0th")]
fn there_is_no_0th_time() {
    let _ = At::start("till.charge").nth(0);
}

#[test]
fn nothing_scripted_happens_after_the_graph_is_healed() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::before_ack("till.charge"), Fault::Redelivered);
        graph.heal();
        create(&graph, 5).await?;
        Ok::<(), Failure>(())
    });
    assert_eq!(problem(&finished).kind, ProblemKind::Script, "and that it did not is told");
    passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::before_ack("till.charge"), Fault::Redelivered);
        create(&graph, 5).await?;
        graph.heal();
        Ok(())
    });
}
