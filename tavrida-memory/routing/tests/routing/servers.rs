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
