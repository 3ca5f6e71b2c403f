//! One event with several subscribers, including two replicas: a message is in transit to several consumers at once.

use std::time::Duration;

use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::sim::Sim;

/// Publishes two events for each order.
fn orders() -> Service {
    async fn create(proxy: Proxy) -> Result<(), Failure> {
        proxy.publish().param("nth", 1).send().await?;
        proxy.publish().param("nth", 2).send().await?;
        Ok(())
    }
    Service::new("orders").rpc("create", create)
}

/// Subscribes to orders, and calls the ledger.
fn listener(name: &'static str) -> Service {
    async fn heard(proxy: Proxy) -> Result<(), Failure> {
        proxy.to("ledger.add").cast().await?;
        Ok(())
    }
    Service::new(name).on_notification("orders.create", heard)
}

fn ledger() -> Service {
    async fn add() {}
    Service::new("ledger").rpc("add", add)
}

pub(crate) async fn two_orders(sim: Sim) -> Result<(), Failure> {
    let graph = sim
        .graph()
        .service(orders)
        .service(|| listener("stock"))
        .service(|| listener("mail"))
        .service(ledger)
        .replicas("mail", 2)
        .client("web")
        .start()
        .await;
    let web = graph.client("web");
    for _ in 0..2 {
        web.to("orders.create").cast().await?;
    }
    graph.settle_within(Duration::from_secs(60)).await.expect("it comes to rest");
    Ok(())
}
