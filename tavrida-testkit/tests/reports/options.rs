//! Options of the servers of a graph.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::message::Failure;
use tavrida::{Proxy, Retry, Server, Service};
use tavrida_testkit::laws;
use tavrida_testkit::sim::{Setup, Sim, SimTransport, Verdict};

fn passes<Fut: Future<Output = Result<(), Failure>>>(scenario: fn(Sim) -> Fut) {
    let finished = Setup::new(1).run(scenario);
    assert_eq!(finished.verdict, Verdict::Passed, "{}", finished.trace);
}

/// Two services on one server, as in production.
fn back_office(transport: SimTransport) -> tavrida::server::ServerBuilder {
    let service = |name| Service::new(name).rpc("work", async || ()).discovery(Registry::new());
    Server::builder(transport)
        .queue("office")
        .exchange("office_exchange")
        .service(service("billing"))
        .service(service("stock"))
}

#[test]
fn a_server_is_reached_by_clients_and_services_without_a_discovery() {
    passes(|sim| async move {
        let orders = || {
            Service::new("orders").rpc("create", |proxy: Proxy| async move {
                proxy.to("stock.work").ask().await?;
                Ok::<(), Failure>(())
            })
        };
        let graph =
            sim.graph().server("back_office", back_office).service(orders).client("web").start().await;
        graph.client("web").to("billing.work").ask().await?;
        graph.client("web").to("orders.create").ask().await?;
        graph.settle().await.handlers().by("back_office").assert_count(2);
        Ok(())
    });
}

#[test]
fn concurrency_deadline_and_retries_are_set_for_a_service() {
    passes(|sim| async move {
        sim.waive(laws::DEADLINES);
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let slow = move || {
            let runs = counted.clone();
            Service::new("slow").rpc("work", move || {
                let first = runs.fetch_add(1, Ordering::Relaxed) == 0;
                async move { tokio::time::sleep(Duration::from_secs(if first { 60 } else { 1 })).await }
            })
        };
        let graph = sim
            .graph()
            .service(slow)
            .configure("slow", |server| {
                let retry = Retry::times(1).between(Duration::from_secs(1), Duration::from_secs(1));
                server.handler_deadline(Duration::from_secs(20)).on_failure(retry.then_dead_letter())
            })
            .client("web")
            .start()
            .await;
        graph.client("web").to("slow.work").cast().await?;
        let run = graph.settle().await;
        run.handlers().assert_count(2);
        run.assert_no_dead_letters();
        Ok(())
    });
}
