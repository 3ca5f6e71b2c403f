//! Pictures of topologies and graphs.

use tavrida_routing::{Binding, Exchange, Queue, Service, Services, Topology};

fn shop() -> Topology {
    Topology::builder()
        .exchange(Exchange::topic("orders").alternate_exchange("unrouted"))
        .exchange(Exchange::fanout("unrouted").internal())
        .queue(Queue::quorum("billing").dead_letter("", "dead"))
        .queue(Queue::new("dead"))
        .bind_queue("billing", "orders", "order.*.paid")
        .bind(Binding::queue("dead", "unrouted", ""))
        .build()
        .unwrap()
}

#[test]
fn a_topology_as_mermaid_and_dot() {
    assert_eq!(
        shop().mermaid(),
        "flowchart LR\n    \
         n0{{\"orders (topic)\"}}\n    \
         n1{{\"unrouted (fanout#44; internal)\"}}\n    \
         n2[\"billing (quorum)\"]\n    \
         n3[\"dead (classic)\"]\n    \
         n0 -->|\"order.#42;.paid\"| n2\n    \
         n1 --> n3\n    \
         n0 -.->|\"alternate\"| n1\n    \
         n2 -.->|\"dead dead\"| n3\n"
    );
    assert_eq!(shop().dot().lines().nth(6).unwrap(), "    n0 -> n2 [label=\"order.*.paid\"];");
}

#[test]
fn a_graph_of_services_as_mermaid() {
    let services = Services::new()
        .service(Service::new("orders").answers("create").asks("billing.charge").publishes("orders.created"))
        .service(Service::new("billing").answers("charge").calls("bank.pay"))
        .service(Service::new("mail").subscribes("orders.created"))
        .service(Service::new("news").publishes("orders.createdness"));
    assert_eq!(
        services.mermaid(),
        "flowchart LR\n    \
         n0[\"billing\"]\n    n1[\"mail\"]\n    n2[\"news\"]\n    n3[\"orders\"]\n    n4[\"bank (missing)\"]\n    \
         n0 -->|\"call pay\"| n4\n    n3 -.->|\"orders.created\"| n1\n    n3 -->|\"ask charge\"| n0\n"
    );
}

#[test]
fn no_name_ends_a_text_early() {
    let hostile = "a\"]; evil <script>&--> \\\" \n\u{0}|{{";
    let topology = Topology::builder()
        .exchange(Exchange::topic(hostile))
        .queue(Queue::new(hostile))
        .bind_queue(hostile, hostile, hostile)
        .build()
        .unwrap();
    assert!(topology.mermaid().lines().skip(1).all(|line| line.matches('"').count() == 2));
    assert!(topology.dot().lines().filter(|line| line.contains("label")).all(|line| line.ends_with("];")));
}

#[test]
fn an_empty_topology_is_an_empty_picture() {
    assert_eq!(Topology::new().mermaid(), "flowchart LR\n");
}
