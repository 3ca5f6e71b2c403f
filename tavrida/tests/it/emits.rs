//! What a service says that it emits: checked when it is built, not when the first event is due.

use serde::{Deserialize, Serialize};
use tavrida::contract::Event;
use tavrida::prelude::*;
use tavrida::server::ServerBuilder;
use tavrida_memory::MemoryBroker;

use crate::fixture::{Fixture, Notes};
use crate::logs::Log;

#[derive(Serialize, Deserialize)]
struct Charged {
    order: u64,
}

impl Event for Charged {
    const TOPIC: &'static str = "billing.charged";
}

async fn charge(proxy: Proxy, order: u64) -> Result<()> {
    proxy.emit(Charged { order }).await?;
    Ok(())
}

fn billing() -> Service {
    Service::new("billing").rpc("charge", params(["order"], charge))
}

fn server(service: Service) -> ServerBuilder {
    Server::builder(MemoryBroker::new().transport()).service(service)
}

fn refusal(server: ServerBuilder) -> String {
    server.build().map(drop).expect_err("it would fail at the first event").to_string()
}

/// Knows the service that `billing` calls, and not where `billing` publishes.
fn half_a_registry() -> Registry {
    Registry::new().remote_service("orders", "orders_exchange")
}

#[test]
fn an_event_without_an_exchange_is_refused_at_build_with_what_to_add() {
    let declared: [fn(Service) -> Service; 3] = [
        Service::emits::<Charged>,
        |service| service.publishes("charged"),
        |service| service.publishes("billing.charged"),
    ];
    for declare in declared {
        let text = refusal(server(declare(billing()).discovery(half_a_registry())));
        for part in
            ["service 'billing' emits billing.charged", r#".local_publisher("billing", "#, "notifications"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let known = half_a_registry().local_publisher("billing", "billing_events");
        let built = server(declare(billing()).discovery(known)).build().expect("the exchange is known");
        assert!(built.plan().to_string().contains("exchange billing_events"), "{}", built.plan());
        assert!(server(declare(billing())).build().is_ok(), "by name, too");
    }
}

#[test]
fn an_event_in_the_name_of_another_service_needs_that_ones_exchange() {
    let own = Registry::new().local_publisher("billing", "billing_events");
    let text = refusal(server(billing().publishes("audit.seen").discovery(own.clone())));
    assert!(text.contains("emits audit.seen") && text.contains("the local publisher 'audit'"), "{text}");
    let both = own.local_publisher("audit", "audit_events");
    let built = server(billing().publishes("audit.seen").discovery(both)).build().expect("both are known");
    assert!(built.plan().to_string().contains("exchange audit_events"), "{}", built.plan());
}

#[test]
fn what_is_no_event_is_refused_with_what_to_write() {
    for (event, part) in
        [("", "after the dot is empty"), ("a.b.c", "more than one dot"), ("*.low", "names its publisher")]
    {
        let text = refusal(server(billing().publishes(event)));
        assert!(text.contains(part), "{event}: {text}");
    }
    assert_eq!(
        billing().emits::<Charged>().publishes("*").publishes("charged").emitted(),
        ["billing.charged", "billing.*"].map(|text| text.parse().expect("a pattern"))
    );
}

#[test]
fn a_subscription_without_an_exchange_is_refused_with_what_to_add() {
    let audit = Service::new("audit").on_notification("billing.charged", async || ());
    let text = refusal(server(audit.discovery(Registry::new())));
    for part in
        ["service 'audit' subscribes to billing.charged", r#".remote_publisher("billing", "#, "notifications"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_refused_likewise() {
    let client = || Client::builder(MemoryBroker::new().transport()).source("billing");
    let error = client().emits::<Charged>().discovery(half_a_registry()).build().await;
    let text = error.map(drop).expect_err("its first event would fail").to_string();
    assert!(text.contains("client 'billing' emits billing.charged"), "{text}");
    assert!(text.contains(r#".local_publisher("billing", "#), "{text}");
    let known = half_a_registry().local_publisher("billing", "billing_events");
    client().publishes("charged").discovery(known).build().await.expect("the exchange is known");
    client().emits::<Charged>().build().await.expect("by name, too");
}

#[tokio::test(start_paused = true)]
async fn one_discovery_serves_all_services_of_a_server_that_have_none() {
    let (broker, notes) = (MemoryBroker::new(), Notes::default());
    let note = |notes: State<Notes>| async move { notes.add("charged") };
    let audit = Service::new("audit").on_notification("billing.charged", note).state(notes.clone());
    let registry = || {
        let registry = Registry::new().local_publisher("billing", "events");
        registry.remote_publisher("billing", "events")
    };
    let both = || Server::builder(broker.transport()).queue("q").exchange("e");
    let server = both().service(billing().emits::<Charged>()).service(audit).discovery(registry());
    let server = server.start().await.expect("all is known");
    let client = Client::builder(broker.transport()).source("web");
    let client =
        client.discovery(Registry::new().remote_service("billing", "e")).build().await.expect("a client");
    client.to("billing.charge").param("order", 1).ask().await.expect("charged");
    assert_eq!(notes.reach(1).await, ["charged"]);
    server.shutdown().await.expect("it stops");

    let own = billing().emits::<Charged>().discovery(half_a_registry());
    let text = refusal(both().discovery(registry()).service(own));
    assert!(
        text.contains("known in this role") || text.contains("no discovery knows the local publisher"),
        "{text}"
    );
    let wrong = both().discovery(Registry::new().remote_service("a.b", "x")).service(billing());
    assert!(refusal(wrong).contains("a.b"));
}

/// Charges twice, and returns the lines that warn of events.
async fn warnings(service: Service) -> Vec<String> {
    let (fixture, log) = (Fixture::new(), Log::default());
    let _logging = log.begin();
    let server = fixture.host(service).await;
    let client = fixture.client(&["billing"]).await;
    for order in [1, 2] {
        client.to("billing.charge").param("order", order).ask().await.expect("charged");
    }
    server.stop().await;
    let text = log.text();
    text.lines().filter(|line| line.contains(" WARN ") && line.contains("event")).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn an_undeclared_event_is_published_and_warned_of_once_with_the_line_to_add() {
    let registry = || Registry::new().local_publisher("billing", "events");
    let warned = warnings(billing().discovery(registry())).await;
    assert_eq!(warned.len(), 1, "{warned:#?}");
    assert!(warned[0].contains(r#"add `.publishes("billing.charged")`"#), "{warned:#?}");
    for declared in [billing().emits::<Charged>(), billing().publishes("*")] {
        assert_eq!(warnings(declared.discovery(registry())).await, [""; 0]);
    }
    assert_eq!(warnings(billing()).await, [""; 0], "by name, no exchange can be missing");
}
