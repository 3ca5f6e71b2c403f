//! The same scenarios on a live RabbitMQ.

use std::time::Duration;

use tavrida::message::Failure;
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::rabbitmq::{VirtualHost, shared_vhost};
use tavrida_testkit::sim::{Ended, Finished, Setup, Sim, Verdict};
use tavrida_testkit::trace::{Outcome, What};

use crate::chain::{graph, three_requests};

/// Runs a scenario in a separate virtual host.
fn live<Fut: Future<Output: Ended>>(scenario: impl FnOnce(Sim) -> Fut) -> Finished {
    // The shared node needs its own runtime: the runtime of the run has ended when the node is needed again.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let vhost: VirtualHost = runtime.block_on(shared_vhost()).expect("a RabbitMQ node");
    Setup::new(1).run_live(&vhost.uri(), scenario).expect("the node's address is one")
}

#[test]
fn the_chain_answers_on_rabbitmq_as_it_does_in_a_simulation() {
    let on_rabbitmq = live(three_requests);
    let simulated = Setup::new(1).run(three_requests);
    assert_eq!(on_rabbitmq.verdict, Verdict::Passed);
    assert_eq!(sorted(&on_rabbitmq), sorted(&simulated));
}

/// Returns what was done with messages, sorted.
fn sorted(finished: &Finished) -> Vec<String> {
    let trace = &finished.trace;
    let about = trace.events().iter().filter_map(|event| Some((event, trace.message(event.message?))));
    let mut lines: Vec<String> = about
        .map(|(event, message)| format!("{}: {message} {}", trace.actor(event.actor), event.what))
        .collect();
    lines.sort();
    lines
}

#[test]
fn settling_waits_for_handlers_that_still_work() {
    let finished = live(|sim: Sim| async move {
        let graph = graph(&sim).await;
        graph.client("web").to("orders.create").param("cents", 5).cast().await?;
        let run = graph
            .settle_within(Duration::from_secs(20))
            .await
            .map_err(|error| Failure::new("test.UnsettledError", error.to_string()))?;
        let published =
            run.trace().events().iter().filter(|event| event.what == What::Published(Outcome::Routed));
        assert_eq!(published.count(), 5, "the cast, and two calls with their answers");
        Ok::<(), Failure>(())
    });
    assert_eq!(finished.verdict, Verdict::Passed);
}

#[test]
fn what_needs_a_simulation_is_refused_by_name() {
    let finished = live(|sim: Sim| async move { sim.advance(Duration::from_secs(1)).await });
    let Verdict::Failed(problem) = finished.verdict else { panic!("time was moved on a live broker") };
    assert_eq!(problem.kind, ProblemKind::Assertion);
    assert!(problem.text.contains("`advance` needs a simulation"), "{problem}");
}
