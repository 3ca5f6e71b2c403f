//! Three services that call each other, for most tests here.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::graph::Graph;
use tavrida_testkit::sim::Sim;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Total {
    pub(crate) total: i64,
}

/// Asks `billing` and answers with the result.
pub(crate) fn orders() -> Service {
    async fn create(proxy: Proxy, cents: i64) -> Result<Total, Failure> {
        let answer = proxy.to("billing.charge").param("cents", cents).ask().await?;
        Ok(Total { total: answer.payload().get("total")? })
    }
    Service::new("orders").rpc("create", params(["cents"], create))
}

/// Asks `audit` and answers with the result.
pub(crate) fn billing() -> Service {
    async fn charge(proxy: Proxy, cents: i64) -> Result<Total, Failure> {
        let answer = proxy.to("audit.note").param("cents", cents).ask().await?;
        Ok(Total { total: answer.payload().get("total")? })
    }
    Service::new("billing").rpc("charge", params(["cents"], charge))
}

pub(crate) fn audit() -> Service {
    async fn note(cents: i64) -> Total {
        Total { total: cents + 1 }
    }
    Service::new("audit").rpc("note", params(["cents"], note))
}

pub(crate) async fn graph(sim: &Sim) -> Graph {
    sim.graph().service(orders).service(billing).service(audit).client("web").start().await
}

/// Three concurrent requests.
pub(crate) async fn three_requests(sim: Sim) -> Result<(), Failure> {
    let graph = graph(&sim).await;
    let web = graph.client("web");
    let ask =
        |cents: i64| web.to("orders.create").param("cents", cents).ask().timeout(Duration::from_secs(30));
    let (one, two, three) = tokio::join!(ask(1), ask(2), ask(3));
    let mut totals = Vec::new();
    for answer in [one, two, three] {
        totals.push(answer?.payload().get::<i64>("total")?);
    }
    assert_eq!(totals, [2, 3, 4]);
    Ok(())
}
