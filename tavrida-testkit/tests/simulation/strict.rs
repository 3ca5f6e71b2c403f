//! A strict graph: the test refuses what production would refuse.

use tavrida::discovery::Registry;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::graph::{GraphBuilder, Stub};
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::shop::{Charge, Create, Created, Placed, Receipt, audit, billing, orders, passes};

/// A service with a discovery that does not know where it publishes.
fn forgetful() -> Service {
    async fn create(proxy: Proxy, new: Create) -> Result<Created, Failure> {
        proxy.emit(Placed { order: new.id }).await?;
        Ok(Created { receipt: new.id })
    }
    Service::new("orders").handle(create).discovery(Registry::new())
}

/// Returns why a graph with this service and a subscriber fails.
fn problem(orders: fn() -> Service, arrange: impl FnOnce(GraphBuilder) -> GraphBuilder) -> Option<String> {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let graph = arrange(sim.graph().service(orders).service(audit)).client("web").start().await;
        graph.client("web").ask(Create { id: 7, cents: 5 }).await?;
        graph.settle().await.heard::<Placed>().by("audit").assert_count(1);
        Ok::<(), Failure>(())
    });
    match finished.verdict {
        Verdict::Passed => None,
        Verdict::Failed(problem) => Some(problem.text),
    }
}

#[test]
fn services_find_each_other_by_name() {
    passes(async |sim: Sim| {
        let graph =
            sim.graph().service(orders).service(billing).service(audit).strict().client("web").start().await;
        graph.client("web").ask(Create { id: 7, cents: 5 }).await?;
        graph.settle().await.heard::<Placed>().by("audit").assert_count(1);
        graph.client("web").emit(Placed { order: 8 }).await?;
        graph.settle().await.heard::<Placed>().by("audit").assert_count(2);
        Ok(())
    });
}

#[test]
fn a_missing_registration_fails_the_strict_graph_alone() {
    assert_eq!(problem(forgetful, |graph| graph), None, "the convention of the graph knows everything");
    let first_event = problem(forgetful, GraphBuilder::strict).expect("nobody knows where to publish");
    assert!(first_event.contains("no discovery knows the local publisher 'orders'"), "{first_event}");
    let declared = || forgetful().emits::<Placed>();
    assert_eq!(problem(declared, |graph| graph), None);
    let built = problem(declared, GraphBuilder::strict).expect("it is found before the first event");
    let expected = "server 'orders' cannot be built: service 'orders' emits orders.placed: no discovery knows the local publisher";
    assert!(built.starts_with(expected), "{built}");
}

#[test]
fn a_server_of_a_strict_graph_is_configured_as_in_production() {
    let registry = || {
        Registry::new()
            .remote_service("billing", "money")
            .local_publisher("orders", "events")
            .remote_publisher("orders", "events")
    };
    passes(async move |sim: Sim| {
        let stub = Stub::of::<Charge>(|charge| Receipt { number: charge.order });
        let graph = sim.graph().strict().service(|| orders().emits::<Placed>()).stub(&stub).service(audit);
        let graph = graph
            .configure("orders", move |server| server.discovery(registry()))
            .configure("audit", move |server| server.discovery(registry()))
            .configure("billing", |server| server.exchange("money"));
        let graph = graph.client("web").start().await;
        graph.client("web").ask(Create { id: 7, cents: 5 }).await?;
        graph.settle().await.heard::<Placed>().by("audit").assert_count(1);
        graph.client("web").ask(Charge { order: 1, cents: 1 }).await?;
        assert_eq!(stub.times(), 2);
        Ok(())
    });
}

/// A pattern over a publisher's events is no service of the subscriber: clients still reach the publisher.
#[test]
fn a_subscription_with_a_wildcard_hides_no_service() {
    async fn note(_: tavrida::message::Notification) {}
    let watcher = || Service::new("watcher").on_notification("orders.#", note);
    for strict in [false, true] {
        passes(async move |sim: Sim| {
            let arrange = |graph: GraphBuilder| if strict { graph.strict() } else { graph };
            let graph = arrange(sim.graph()).server("watcher", move |transport| {
                let registry = Registry::new();
                let publisher = if strict { "orders_notifications" } else { "orders.notifications" };
                let registry = registry.remote_publisher("orders", publisher);
                tavrida::Server::builder(transport).service(watcher().discovery(registry))
            });
            let graph = graph.service(orders).service(billing).client("web").start().await;
            graph.client("web").ask(Create { id: 7, cents: 5 }).await?;
            let run = graph.settle().await;
            run.heard::<Placed>().by("watcher").assert_count(1);
            Ok(())
        });
    }
}

#[test]
fn undeclared_events_with_a_known_exchange_are_published_in_a_strict_graph_too() {
    async fn create(proxy: Proxy) -> Result<(), Failure> {
        proxy.publish().event("placed").param("order", 7).send().await?;
        Ok(())
    }
    let known = || {
        let registry = Registry::new().local_publisher("orders", "orders_notifications");
        Service::new("orders").rpc("create", create).discovery(registry)
    };
    passes(async move |sim: Sim| {
        let graph = sim.graph().strict().service(known).service(audit).client("web").start().await;
        graph.client("web").to("orders.create").ask().await?;
        graph.settle().await.heard::<Placed>().by("audit").assert_count(1);
        Ok(())
    });
}
