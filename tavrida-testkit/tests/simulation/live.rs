//! The same scenarios on a live RabbitMQ.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::handler::{State, params};
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::exhaustive::{Ending, exhaustive};
use tavrida_testkit::explore;
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

/// Orders are shipped and then entered in a ledger; the ledger relies on knowing an order before it is shipped.
async fn shipped_and_then_entered(sim: Sim, orders: u32) -> Result<(), Failure> {
    type Ledger = Mutex<Vec<(&'static str, u32)>>;
    async fn place(proxy: Proxy, order: u32) -> Result<(), Failure> {
        proxy.to("shipping.ship").param("order", order).cast().await?;
        proxy.to("ledger.enter").param("order", order).cast().await?;
        Ok(())
    }
    async fn ship(proxy: Proxy, order: u32) -> Result<(), Failure> {
        proxy.to("ledger.shipped").param("order", order).cast().await?;
        Ok(())
    }
    async fn enter(State(ledger): State<Ledger>, order: u32) {
        ledger.lock().expect("no handler panics").push(("entered", order));
    }
    async fn shipped(State(ledger): State<Ledger>, order: u32) {
        ledger.lock().expect("no handler panics").push(("shipped", order));
    }
    let lines: Arc<Ledger> = Arc::default();
    let ledger = {
        let lines = lines.clone();
        let service = || Service::new("ledger").rpc("enter", params(["order"], enter));
        move || service().rpc("shipped", params(["order"], shipped)).shared_state(lines.clone())
    };
    let graph = sim
        .graph()
        .service(|| Service::new("orders").rpc("place", params(["order"], place)))
        .service(|| Service::new("shipping").rpc("ship", params(["order"], ship)))
        .service(ledger)
        .client("web")
        .start()
        .await;
    for order in 0..orders {
        graph.client("web").to("orders.place").param("order", order).cast().await?;
    }
    let settled = graph.settle_within(Duration::from_secs(60)).await;
    settled.map_err(|error| Failure::new("test.UnsettledError", error.to_string()))?;
    let lines = lines.lock().expect("no handler panics");
    let place = |line: (&str, u32)| lines.iter().position(|it| *it == line);
    for order in 0..orders {
        assert!(place(("entered", order)) < place(("shipped", order)), "order {order} is known: {lines:?}");
    }
    Ok(())
}

/// On RabbitMQ the ship of an order is confirmed later than it is handled, in most cases: of 300 orders one is enough.
#[test]
fn what_a_send_causes_overtakes_the_next_send_on_rabbitmq_and_in_a_simulation() {
    let is_unknown = |problem: &str| problem.contains("is known:");
    let Verdict::Failed(problem) = live(|sim| shipped_and_then_entered(sim, 300)).verdict else {
        panic!("RabbitMQ confirmed each of 300 messages before what it caused")
    };
    assert!(is_unknown(&problem.text), "{problem}");
    let one = |sim| shipped_and_then_entered(sim, 1);
    let report = explore(one).schedules(1000).without_environment().run();
    assert!(is_unknown(&report.failure().expect("it is found").problem.text), "{report}");
    let report = exhaustive(one).run();
    assert_eq!(report.ending, Ending::Failed, "{report}");
    assert!(is_unknown(&report.failures[0].problem.text), "{report}");
}
