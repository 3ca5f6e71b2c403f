//! Topologies and graphs of services from servers of tavrida.

use tavrida::prelude::*;
use tavrida::{Server, Service};
use tavrida_memory::MemoryBroker;
use tavrida_routing::{Message, Services, Topology};

async fn ignore() {}

async fn create(_cents: i64) -> Result<()> {
    Ok(())
}

fn orders() -> Service {
    Service::new("orders")
        .rpc("create", params(["cents"], create))
        .on_response("billing.charge", ignore)
        .on_error("billing.charge", ignore)
}

fn server(queue: &str, exchange: &str, service: Service) -> Server {
    Server::builder(MemoryBroker::new().transport())
        .queue(queue)
        .exchange(exchange)
        .service(service)
        .build()
        .unwrap()
}

#[test]
fn the_plans_of_several_servers_are_one_topology() {
    let billing = Service::new("billing").rpc("charge", params(["cents"], create));
    let mut topology = Topology::new();
    topology.declare_plan(server("orders", "shop", orders()).plan()).unwrap();
    topology.declare_plan(server("billing", "shop", billing).plan()).unwrap();
    let routing = topology.route(&Message::new("shop", "orders.create")).unwrap();
    assert_eq!(routing.queues().collect::<Vec<_>>(), ["orders"]);
    assert!(topology.route(&Message::new("shop", "billing.charge")).unwrap().reaches("billing"));
}

#[test]
fn a_service_tells_what_it_answers_and_what_it_calls() {
    let service = tavrida_routing::Service::from(&orders());
    assert_eq!(service.methods.iter().collect::<Vec<_>>(), ["create"]);
    assert_eq!(service.calls.iter().collect::<Vec<_>>(), ["billing.charge"]);
    let report = Services::new().service(service).lint();
    assert_eq!(report.findings().len(), 1, "{report}");
    assert_eq!(report.findings()[0].reason, "it calls 'billing.charge', and there is no service 'billing'");
}

#[test]
fn what_a_service_emits_and_subscribes_to_is_part_of_its_declarations() {
    let audit =
        Service::new("audit").on_notification("orders.*", ignore).on_notification("stock.low", ignore);
    let services = [orders().publishes("created").publishes("stock.low"), audit];
    let services = services.iter().fold(Services::new(), |all, service| all.service(service.into()));
    let events: Vec<_> = services.get("orders").expect("it was added").events.iter().collect();
    assert_eq!(events, ["orders.created", "stock.low"]);
    let subscriptions: Vec<_> = services.get("audit").expect("it was added").subscriptions.iter().collect();
    assert_eq!(subscriptions, ["orders.*", "stock.low"]);
    let findings = services.lint();
    let of_events = findings.findings().iter().filter(|finding| finding.reason.contains("publishes"));
    assert_eq!(of_events.count(), 0, "{findings}");

    let audit = Service::new("audit").on_notification("orders.*", ignore);
    let topology = Topology::try_from(server("audit", "audit", audit).plan()).expect("a plan");
    let event = topology.route(&Message::new("orders_notifications", "orders.created")).expect("a route");
    assert!(event.reaches("audit"));
}
