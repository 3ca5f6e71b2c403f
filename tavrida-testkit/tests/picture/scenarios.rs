//! Runs for pictures.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tavrida::discovery::Registry;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Proxy, Retry, Server, Service};
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::graph::Graph;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Finished, Setup, Sim};

#[derive(Debug, Serialize, Deserialize)]
struct Total {
    total: i64,
}

fn orders() -> Service {
    async fn create(proxy: Proxy, cents: i64) -> Result<Total, Failure> {
        let answer = proxy.to("billing.charge").param("cents", cents).ask().await?;
        proxy.publish().param("cents", cents).send().await?;
        Ok(Total { total: answer.payload().get("total")? })
    }
    Service::new("orders").rpc("create", params(["cents"], create))
}

fn billing() -> Service {
    async fn charge(cents: i64) -> Total {
        Total { total: cents + 1 }
    }
    Service::new("billing").rpc("charge", params(["cents"], charge))
}

fn audit() -> Service {
    async fn created(cents: i64) -> Result<(), Failure> {
        let _ = cents;
        Ok(())
    }
    Service::new("audit").on_notification("orders.create", params(["cents"], created))
}

pub(crate) async fn graph(sim: &Sim) -> Graph {
    sim.graph()
        .service(orders)
        .service(billing)
        .replicas("billing", 2)
        .service(audit)
        .client("web")
        .start()
        .await
}

pub(crate) async fn order(graph: &Graph, cents: i64) -> Result<i64, Failure> {
    let ask = graph.client("web").to("orders.create").param("cents", cents).ask();
    let answer = ask.timeout(Duration::from_secs(60)).await?;
    Ok(answer.payload().get("total")?)
}

pub(crate) fn troubled() -> Finished {
    Setup::new(7).run(async |sim: Sim| -> Result<(), Failure> {
        let graph = graph(&sim).await;
        order(&graph, 1).await?;
        sim.note("now things go wrong");
        sim.fault(At::before_ack("billing.charge"), Fault::Crash(Duration::from_millis(250)));
        let _ = order(&graph, 2).await;
        sim.advance(Duration::from_secs(30)).await;
        sim.fault(At::confirm("orders"), Fault::ConfirmLost);
        let _ = order(&graph, 3).await;
        sim.effect("charged", 3);
        graph.restart_broker();
        graph.settle().await;
        order(&graph, 4).await?;
        graph.settle().await;
        Ok(())
    })
}

pub(crate) fn storm() -> Finished {
    Setup::new(7).run(async |sim: Sim| -> Result<(), Failure> {
        let graph = graph(&sim).await;
        sim.fault(At::publish("billing.charge"), Fault::PublishLost);
        let _ = tokio::join!(order(&graph, 1), order(&graph, 2), order(&graph, 3));
        graph.settle().await;
        Ok(())
    })
}

/// Many concurrent orders, on a separate schedule, with two faults.
pub(crate) fn busy() -> Finished {
    let setup = Setup { policy: Policy::Random, ..Setup::new(11) };
    setup.run(async |sim: Sim| -> Result<(), Failure> {
        let graph = graph(&sim).await;
        sim.fault(At::start("billing.charge").nth(7), Fault::ConnectionLost);
        sim.fault(At::delivery("orders.create").nth(12), Fault::BrokerRestart);
        for _ in 0..8 {
            let orders = (1..=5).map(|cents| order(&graph, cents));
            futures_util::future::join_all(orders).await;
            sim.advance(Duration::from_millis(40)).await;
        }
        graph.settle().await;
        Ok(())
    })
}

/// A run in which actors are cut off, deaf, mute or late for a while; and one that takes very long.
pub(crate) fn isolated() -> Finished {
    let setup = Setup { horizon: Duration::from_secs(1 << 29), ..Setup::new(5) };
    setup.run(async |sim: Sim| -> Result<(), Failure> {
        let graph = graph(&sim).await;
        for fault in [Fault::Mute, Fault::Deaf, Fault::Partition] {
            sim.fault(At::delivery("billing.charge"), fault(Duration::from_secs(2)));
            let _ = order(&graph, 1).await;
            sim.advance(Duration::from_secs(99)).await;
        }
        sim.fault(At::start("billing.charge"), Fault::Slow(Duration::from_millis(70)));
        sim.fault(At::publish("orders.create"), Fault::PublishedTwice);
        let _ = order(&graph, 2).await;
        sim.fault(At::publish("billing.charge"), Fault::Nacked);
        let _ = order(&graph, 3).await;
        graph.settle().await;
        sim.advance(Duration::from_millis(123_456_789_123)).await;
        let _ = order(&graph, 4).await;
        Ok(())
    })
}

/// A run of a server that retries later, and finally gives up.
pub(crate) fn stubborn() -> Finished {
    fn failing() -> Service {
        async fn created(_cents: i64) -> Result<(), Failure> {
            Err(Failure::new("no.Paper", "the printer is out of paper"))
        }
        Service::new("printer").on_notification("orders.create", params(["cents"], created))
    }
    Setup::new(5).run(async |sim: Sim| -> Result<(), Failure> {
        let graph = sim.graph().service(orders).service(billing).client("web");
        let graph = graph
            .server("printer", |transport| {
                let retry = Retry::times(2).between(Duration::from_millis(200), Duration::from_secs(30));
                let known = Registry::new().remote_publisher("orders", "orders.notifications");
                Server::builder(transport)
                    .queue("printer")
                    .exchange("printer")
                    .service(failing().discovery(known))
                    .on_failure(retry.then_dead_letter())
            })
            .start()
            .await;
        order(&graph, 1).await?;
        graph.settle().await;
        Ok(())
    })
}

/// Names, notes and bodies with a meaning to HTML, XML and Mermaid.
pub(crate) const HOSTILE: &str =
    "end; <script>alert(\"1\")</script> & 'it' --> #35; %%{init}\n]]>\u{0} a:#59;b End <!-- note";

/// A run in which everything that can have a name has this one.
pub(crate) fn hostile() -> Finished {
    fn end() -> Service {
        async fn go(word: String) -> Result<(), Failure> {
            Err(Failure::new(HOSTILE, word))
        }
        Service::new("end").rpc("end", params(["word"], go))
    }
    Setup::new(7).run(async |sim: Sim| -> Result<(), Failure> {
        let client = "<b>&\"participant\"--x;end</b>";
        let graph = sim.graph().service(end).replicas("end", 2).client(client).client("note").start().await;
        sim.note(HOSTILE);
        sim.note("");
        sim.effect(HOSTILE, HOSTILE);
        for client in [client, "note"] {
            let ask = graph.client(client).to("end.end").correlation_id(HOSTILE).param("word", HOSTILE).ask();
            assert!(ask.await.is_err());
        }
        graph.settle().await;
        Ok(())
    })
}
