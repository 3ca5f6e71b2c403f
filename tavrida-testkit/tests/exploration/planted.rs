//! Scenarios with bugs that appear only in some orders of messages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::graph::{Graph, GraphBuilder};
use tavrida_testkit::sim::Sim;

/// What arrived at the last service, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<&'static str>>>);

impl Seen {
    fn put(&self, what: &'static str) {
        self.0.lock().expect("nobody panics with it").push(what);
    }

    fn all(&self) -> Vec<&'static str> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

/// A service that forwards what it gets.
fn hop(name: &'static str, to: &'static str) -> Service {
    Service::new(name).rpc("pass", move |proxy: Proxy| async move {
        proxy.to(to).cast().await?;
        Ok::<(), Failure>(())
    })
}

/// A service that stores what arrives, each method under its own name.
fn keeper(name: &'static str, methods: &'static [&'static str], seen: &Seen) -> Service {
    methods.iter().fold(Service::new(name), |service, method| {
        let seen = seen.clone();
        service.rpc(method, move || {
            seen.put(method);
            async {}
        })
    })
}

trait Hops {
    /// Services that forward a message, the last one to `to`.
    fn hops(self, names: &[&'static str], to: &'static str) -> Self;
}

impl Hops for GraphBuilder {
    fn hops(self, names: &[&'static str], to: &'static str) -> Self {
        let mut graph = self;
        for (index, name) in names.iter().copied().enumerate() {
            let next = names.get(index + 1).map(|next| &*format!("{next}.pass").leak());
            let to = next.unwrap_or(to);
            graph = graph.service(move || hop(name, to));
        }
        graph
    }
}

async fn settled(graph: &Graph) {
    graph.settle_within(Duration::from_secs(600)).await.expect("it comes to rest");
}

/// An order is created and cancelled, each through four services; the bug: the cancel does not wait for the order.
pub(crate) async fn a_cancel_finds_its_order(sim: Sim) -> Result<(), Failure> {
    let seen = Seen::default();
    let graph = sim
        .graph()
        .hops(&["a1", "a2", "a3"], "orders.create")
        .hops(&["b1", "b2", "b3"], "orders.cancel")
        .service({
            let seen = seen.clone();
            move || keeper("orders", &["create", "cancel"], &seen)
        })
        .client("web")
        .start()
        .await;
    let web = graph.client("web");
    web.to("a1.pass").cast().await?;
    web.to("b1.pass").cast().await?;
    settled(&graph).await;
    assert_eq!(seen.all(), ["create", "cancel"], "the cancel overtook the order");
    Ok(())
}

/// Five X go through two services, Y goes directly; the bug appears if Y arrives exactly after the third X.
pub(crate) async fn y_is_not_after_the_third_x(sim: Sim) -> Result<(), Failure> {
    let seen = Seen::default();
    let graph = sim
        .graph()
        .hops(&["one", "two"], "sink.x")
        .hops(&["other"], "sink.y")
        .service({
            let seen = seen.clone();
            move || keeper("sink", &["x", "y"], &seen)
        })
        .client("web")
        .start()
        .await;
    let web = graph.client("web");
    for _ in 0..5 {
        web.to("one.pass").cast().await?;
    }
    web.to("other.pass").cast().await?;
    settled(&graph).await;
    let place = seen.all().iter().position(|what| *what == "y");
    assert_ne!(place, Some(3), "Y came exactly after the third X");
    Ok(())
}

/// As [`y_is_not_after_the_third_x`], with Z on another path: the bug appears if Y and Z arrive right after the third X, in this order. Ten
/// messages without effect take the same paths.
pub(crate) async fn y_and_z_are_not_after_the_third_x(sim: Sim) -> Result<(), Failure> {
    let seen = Seen::default();
    let graph = sim
        .graph()
        .hops(&["one", "two"], "sink.x")
        .hops(&["other"], "sink.y")
        .hops(&["third"], "sink.z")
        .hops(&["idle", "idler"], "idlest.rest")
        .service({
            let seen = seen.clone();
            move || keeper("sink", &["x", "y", "z"], &seen)
        })
        .service(|| keeper("idlest", &["rest"], &Seen::default()))
        .client("web")
        .start()
        .await;
    let web = graph.client("web");
    for _ in 0..5 {
        web.to("idle.pass").cast().await?;
        web.to("one.pass").cast().await?;
        web.to("idler.pass").cast().await?;
    }
    web.to("third.pass").cast().await?;
    web.to("other.pass").cast().await?;
    settled(&graph).await;
    let seen = seen.all();
    assert!(
        seen[3..] != ["y", "z", "x", "x"] || seen[..3] != ["x"; 3],
        "Y and Z came right after the third X"
    );
    Ok(())
}

/// Two charges of one cent; the bug: a redelivery is charged again.
pub(crate) async fn each_charge_counts_once(sim: Sim) -> Result<(), Failure> {
    let charged = Seen::default();
    let graph = sim
        .graph()
        .hops(&["orders"], "billing.charge")
        .service({
            let charged = charged.clone();
            move || keeper("billing", &["charge"], &charged)
        })
        .client("web")
        .start()
        .await;
    for _ in 0..2 {
        // The sender gets the error of a failed send, and gives up here.
        let _ = graph.client("web").to("orders.pass").cast().await;
    }
    // Faults happen to what these messages cause, not only to the sends.
    sim.advance(Duration::from_secs(1)).await;
    graph.heal();
    settled(&graph).await;
    assert!(charged.all().len() <= 2, "charged {} times", charged.all().len());
    Ok(())
}

/// Three messages to three services: two bugs, one of which needs two late messages.
pub(crate) async fn three_arrive_in_order(sim: Sim) -> Result<(), Failure> {
    let seen = Seen::default();
    let service = |name: &'static str, method: &'static [&'static str]| {
        let seen = seen.clone();
        move || keeper(name, method, &seen)
    };
    let graph = sim
        .graph()
        .service(service("one", &["a"]))
        .service(service("two", &["b"]))
        .service(service("three", &["c"]))
        .client("web")
        .start()
        .await;
    let web = graph.client("web");
    for to in ["one.a", "two.b", "three.c"] {
        web.to(to).cast().await?;
    }
    settled(&graph).await;
    assert!(seen.all() != ["c", "b", "a"], "all is turned round");
    assert!(seen.all()[0] == "a", "the first is late");
    Ok(())
}

/// The repaired scenarios.
pub(crate) mod mended {
    use super::{Failure, Hops, Seen, Sim, keeper, settled};

    /// The cancel is sent once the order has arrived.
    pub(crate) async fn a_cancel_finds_its_order(sim: Sim) -> Result<(), Failure> {
        let seen = Seen::default();
        let graph = sim
            .graph()
            .hops(&["a1", "a2", "a3"], "orders.create")
            .hops(&["b1", "b2", "b3"], "orders.cancel")
            .service({
                let seen = seen.clone();
                move || keeper("orders", &["create", "cancel"], &seen)
            })
            .client("web")
            .start()
            .await;
        let web = graph.client("web");
        web.to("a1.pass").cast().await?;
        settled(&graph).await;
        web.to("b1.pass").cast().await?;
        settled(&graph).await;
        assert_eq!(seen.all(), ["create", "cancel"]);
        Ok(())
    }
}
