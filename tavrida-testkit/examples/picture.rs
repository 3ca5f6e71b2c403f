//! Draws a run with faults: `cargo run -p tavrida-testkit --example picture -- FOLDER` writes `run.html` and `run.mmd` into a folder, and
//! prints the numbers of arrows and marks.
//!
//! A process is killed between its work and its ack; a confirm is lost; the broker restarts; thirty seconds pass without events.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::graph::Graph;
use tavrida_testkit::sim::{Setup, Sim, Verdict};
use tavrida_testkit::trace::What;

#[derive(Debug, Serialize, Deserialize)]
struct Total {
    total: i64,
}

/// Asks billing to bill an order, and publishes an event.
fn orders() -> Service {
    async fn create(proxy: Proxy, cents: i64) -> Result<Total, Failure> {
        let answer = proxy.to("billing.charge").param("cents", cents).ask().await?;
        proxy.publish().param("cents", cents).send().await?;
        Ok(Total { total: answer.payload().get("total")? })
    }
    Service::new("orders").rpc("create", params(["cents"], create))
}

/// Adds a fee.
fn billing() -> Service {
    async fn charge(cents: i64) -> Total {
        Total { total: cents + 1 }
    }
    Service::new("billing").rpc("charge", params(["cents"], charge))
}

/// Subscribes to the event of each order.
fn audit() -> Service {
    async fn created(_cents: i64) -> Result<(), Failure> {
        Ok(())
    }
    Service::new("audit").on_notification("orders.create", params(["cents"], created))
}

async fn order(graph: &Graph, cents: i64) -> Result<i64, Failure> {
    let ask = graph.client("web").to("orders.create").param("cents", cents).ask();
    let answer = ask.timeout(Duration::from_secs(60)).await?;
    Ok(answer.payload().get("total")?)
}

async fn scenario(sim: Sim) -> Result<(), Failure> {
    let graph =
        sim.graph().service(orders).service(billing).replicas("billing", 2).service(audit).client("web");
    let graph = graph.start().await;
    order(&graph, 100).await?;

    sim.note("billing is killed before its ack");
    sim.fault(At::before_ack("billing.charge"), Fault::Crash(Duration::from_millis(250)));
    order(&graph, 200).await?;
    sim.advance(Duration::from_secs(30)).await;

    sim.note("nobody knows whether the order is placed");
    sim.fault(At::confirm("orders"), Fault::ConfirmLost);
    let unknown = order(&graph, 300).await;
    assert!(unknown.is_err());
    graph.settle().await;

    graph.restart_broker();
    graph.settle().await;
    sim.effect("ordered", order(&graph, 400).await?);
    graph.settle().await;
    Ok(())
}

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    let finished = Setup::new(7).run(scenario);
    if let Verdict::Failed(problem) = &finished.verdict {
        return Err(io::Error::other(problem.to_string()));
    }
    let picture = finished.picture().named("Orders are billed, whatever goes wrong").seed(7);
    picture.write_to(folder.join("run.html"))?;
    std::fs::write(folder.join("run.mmd"), picture.mermaid())?;
    let count =
        |is: fn(&What) -> bool| finished.trace.events().iter().filter(|event| is(&event.what)).count();
    let mut out = io::stdout().lock();
    writeln!(out, "arrows {}", count(|what| matches!(what, What::Delivered { .. })))?;
    writeln!(out, "again {}", count(|what| matches!(what, What::Delivered { redelivered: true })))?;
    writeln!(out, "faults {}", count(|what| matches!(what, What::Fault(_))))
}
