//! Scenarios whose reports are shown.

use std::sync::Arc;

use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::sim::Sim;
use tokio::sync::Notify;

/// Sends mails when a queue of a library says that it has room, which never happens.
pub(crate) fn a_hang() -> Service {
    Service::new("mails").rpc("send", async || Arc::new(Notify::new()).notified().await)
}

pub(crate) async fn two_that_ask_each_other(sim: Sim) -> Result<(), Failure> {
    let asking = |proxy: Proxy, method: &'static str| async move {
        proxy.to(method).ask().await?;
        Ok::<(), Failure>(())
    };
    let left = move || {
        let a = move |proxy: Proxy| asking(proxy, "right.a");
        Service::new("left").rpc("a", a).rpc("b", async || ())
    };
    let right = move || Service::new("right").rpc("a", move |proxy: Proxy| asking(proxy, "left.b"));
    let graph = sim.graph().service(left).service(right).configure("left", |server| server.prefetch(1));
    let graph = graph.client("web").start().await;
    graph.client("web").to("left.a").ask().await?;
    Ok(())
}
