//! Each fault does what it says, and the graph recovers afterwards.

mod arriving;
mod network;
mod process;
mod publishing;
mod random;
mod scripts;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tavrida::handler::{Attempt, State, params};
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::graph::{Graph, GraphBuilder};
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};
use tavrida_testkit::trace::{Event, Trace, What};

/// The number of charges since the process of the till began.
#[derive(Debug, Default)]
pub(crate) struct Charged(AtomicU32);

#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Count {
    pub(crate) count: u32,
}

/// Charges, and counts the charges in memory.
pub(crate) fn till(sim: &Sim) -> impl Fn() -> Service + Send + Sync + 'static {
    let sim = sim.clone();
    move || {
        let sim = sim.clone();
        let charge = move |State(charged): State<Charged>, attempt: Attempt, cents: i64| {
            let sim = sim.clone();
            async move {
                let count = charged.0.fetch_add(1, Ordering::Relaxed) + 1;
                let mark = if attempt.redelivered { " again" } else { "" };
                sim.effect("charge", format!("{cents}{mark}, {count} since the start"));
                tokio::time::sleep(Duration::from_millis(10)).await;
                Count { count }
            }
        };
        Service::new("till").state(Charged::default()).rpc("charge", params(["cents"], charge))
    }
}

/// Calls the till, and answers with its reply.
pub(crate) fn orders() -> Service {
    async fn create(proxy: Proxy, cents: i64) -> Result<Count, Failure> {
        let answer =
            proxy.to("till.charge").param("cents", cents).ask().timeout(Duration::from_secs(5)).await?;
        Ok(Count { count: answer.payload().get("count")? })
    }
    Service::new("orders").rpc("create", params(["cents"], create))
}

/// A till, a service that sends it orders, and a client.
pub(crate) fn shop(sim: &Sim) -> GraphBuilder {
    sim.graph().service(till(sim)).service(orders).client("web")
}

/// Asks. Returns the number of charges.
pub(crate) async fn create(graph: &Graph, cents: i64) -> Result<u32, Failure> {
    let ask = graph.client("web").to("orders.create").param("cents", cents).ask();
    Ok(ask.timeout(Duration::from_secs(60)).await?.payload().get("count")?)
}

/// Checks that all servers are connected, and that an ask works.
pub(crate) async fn well(graph: &Graph) -> Result<(), Failure> {
    graph.settle().await;
    create(graph, 777).await?;
    Ok(())
}

/// Runs a scenario that must pass.
#[track_caller]
pub(crate) fn passes<Fut: Future<Output = Result<(), Failure>>>(
    scenario: impl FnOnce(Sim) -> Fut,
) -> Finished {
    let finished = Setup::new(1).run(scenario);
    assert_eq!(finished.verdict, Verdict::Passed, "{}", text(&finished.trace));
    finished
}

/// Returns the values of an effect, in order.
pub(crate) fn effects(trace: &Trace, wanted: &str) -> Vec<String> {
    let value = |event: &Event| match &event.what {
        What::Effect { name, value } if name == wanted => Some(value.clone()),
        _ => None,
    };
    trace.events().iter().filter_map(value).collect()
}

/// Returns the events of an actor that contain these words.
pub(crate) fn told<'a>(trace: &'a Trace, actor: &str, words: &str) -> Vec<&'a Event> {
    let is_it =
        |event: &&Event| trace.actor(event.actor).name() == actor && event.what.to_string().contains(words);
    trace.events().iter().filter(is_it).collect()
}

/// Formats what happened, for people.
pub(crate) fn text(trace: &Trace) -> String {
    let line = |event: &Event| {
        let message = event.message.map(|message| trace.message(message).to_string()).unwrap_or_default();
        format!("{:>9.3?} {:<10} {} {message}\n", event.at, trace.actor(event.actor).name(), event.what)
    };
    trace.events().iter().map(line).collect()
}
