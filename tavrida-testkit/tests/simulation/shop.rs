//! A shop with contracts: `orders` charges and publishes an event, `billing` may decline, `audit` subscribes.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use tavrida::contract::{Event, NoError, Rpc};
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::graph::Graph;
use tavrida_testkit::run::Run;
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Create {
    pub(crate) id: u64,
    pub(crate) cents: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Created {
    pub(crate) receipt: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) order: u64,
    pub(crate) cents: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) number: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Declined {
    pub(crate) limit: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Placed {
    pub(crate) order: u64,
}

impl Rpc for Create {
    const ENTRY_POINT: &'static str = "orders.create";
    type Reply = Created;
    type Error = NoError;
}

impl Rpc for Charge {
    const ENTRY_POINT: &'static str = "billing.charge";
    type Reply = Receipt;
    type Error = Declined;
}

impl Event for Placed {
    const TOPIC: &'static str = "orders.placed";
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {}", self.limit)
    }
}

impl std::error::Error for Declined {}

pub(crate) fn orders() -> Service {
    async fn create(proxy: Proxy, new: Create) -> Result<Created, Failure> {
        let receipt = proxy.ask(Charge { order: new.id, cents: new.cents }).await?;
        proxy.emit(Placed { order: new.id }).await?;
        Ok(Created { receipt: receipt.number })
    }
    Service::new("orders").handle(create)
}

pub(crate) fn billing() -> Service {
    async fn charge(new: Charge) -> Result<Receipt, Declined> {
        if new.cents > 1000 { Err(Declined { limit: 1000 }) } else { Ok(Receipt { number: new.order * 10 }) }
    }
    Service::new("billing").handle(charge)
}

pub(crate) fn audit() -> Service {
    async fn placed(_: Placed) {}
    Service::new("audit").subscribe(placed)
}

pub(crate) async fn graph(sim: &Sim) -> Graph {
    sim.graph().service(orders).service(billing).service(audit).client("web").start().await
}

/// Runs a scenario that must pass.
pub(crate) fn passes<F, Fut>(scenario: F) -> Finished
where
    F: FnOnce(Sim) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let finished = Setup::new(1).run(scenario);
    assert_eq!(finished.verdict, Verdict::Passed);
    finished
}

/// Returns the run of one order.
pub(crate) fn one_order(cents: u64) -> Run {
    let finished = passes(async move |sim: Sim| {
        let graph = graph(&sim).await;
        let asked = graph.client("web").request(Create { id: 7, cents }).header("x-trace", "abc");
        // Some are declined.
        let _ = asked.context(&serde_json::json!({"user": "ann"})).ask().await;
        graph.settle().await;
        Ok(())
    });
    finished.trace.into()
}

/// Returns the text of a failed assertion.
pub(crate) fn failure(of: impl FnOnce()) -> String {
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(of)).expect_err("it should not hold");
    failed.downcast_ref::<String>().cloned().expect("a panic with a text")
}
