//! Topologies from snapshots of the in-process broker: with its behaviour, its name and its policies.

use std::collections::BTreeSet;

use tavrida::field::ShortString;
use tavrida_memory::core::{ApplyTo, Definition, NamePattern, Policy};
use tavrida_routing::{Binding, DeathReason, Exchange, Message, Queue, RabbitMq, Topology, Value};

use crate::node::Node;

fn short(text: &str) -> ShortString {
    text.try_into().expect("names of tests are short")
}

fn policy(name: &str, apply_to: ApplyTo, priority: i32, definition: Definition) -> Policy {
    Policy { name: short(name), pattern: NamePattern::All, apply_to, priority, definition }
}

#[test]
fn a_snapshot_of_either_version_has_the_rules_of_its_broker() {
    for version in [RabbitMq::V3_10, RabbitMq::V4_0] {
        let topology = Topology::builder()
            .like(version)
            .exchange(Exchange::headers("h"))
            .queue(Queue::new("q"))
            .bind(Binding::queue("q", "h", "").argument("n", 1))
            .build()
            .unwrap();
        let mut node = Node::with(&topology);
        let of_broker = Topology::try_from(&node.broker.snapshot()).unwrap();
        assert_eq!(of_broker, topology);
        let message = Message::new("h", "").header("n", 1.0);
        let reached: BTreeSet<String> = node.publish(&message).unwrap();
        let ours: BTreeSet<String> = of_broker.route(&message).unwrap().queues().map(str::to_owned).collect();
        assert_eq!(ours, reached, "{version}");
    }
}

#[test]
fn a_snapshot_has_the_effect_of_policies() {
    for version in [RabbitMq::V3_10, RabbitMq::V4_0] {
        let topology = Topology::builder()
            .like(version)
            .exchange(Exchange::topic("orders"))
            .exchange(Exchange::fanout("rest"))
            .queue(Queue::new("dead"))
            .queue(Queue::new("classic").max_length(70))
            .queue(Queue::quorum("quorum").argument("x-expires", 60_000).argument("x-overflow", "drop-head"))
            .bind_queue("classic", "orders", "order.#")
            .bind_queue("quorum", "orders", "order.#")
            .bind_queue("dead", "rest", "")
            .build()
            .unwrap();
        let mut node = Node::with(&topology);
        node.set_policy(policy(
            "limits",
            ApplyTo::Queues,
            0,
            Definition {
                dead_letter_exchange: Some(short("rest")),
                max_length: Some(50),
                expires: Some(90_000),
                overflow: Some(short("reject-publish")),
                ..Definition::default()
            },
        ));
        node.set_policy(policy(
            "alternate",
            ApplyTo::Exchanges,
            0,
            Definition { alternate_exchange: Some(short("rest")), ..Definition::default() },
        ));
        // Classic queues have no delivery limit: for them the other policy counts.
        node.set_policy(policy(
            "returns",
            ApplyTo::Queues,
            1,
            Definition {
                delivery_limit: Some(3),
                expires: Some(90_000),
                overflow: Some(short("reject-publish")),
                ..Definition::default()
            },
        ));
        let of_broker = Topology::try_from(&node.broker.snapshot()).unwrap();

        for exchange in ["orders", "amq.topic"] {
            let message = Message::new(exchange, "invoice");
            let reached = node.publish(&message).unwrap();
            let routing = of_broker.route(&message).unwrap();
            assert_eq!(routing.queues().map(str::to_owned).collect::<BTreeSet<_>>(), reached, "{version}");
            assert!(routing.reaches("dead"), "{version}: by the alternate of a policy");
        }
        let routing = of_broker.route(&Message::new("orders", "order")).unwrap();
        assert!(routing.after_death("classic", DeathReason::Rejected).unwrap().reaches("dead"), "{version}");
        assert!(routing.after_death("quorum", DeathReason::Rejected).is_none(), "{version}");
        let (classic, quorum) = (of_broker.queue("classic").unwrap(), of_broker.queue("quorum").unwrap());
        assert_eq!(classic.setting("max-length"), Some(&Value::I64(50)));
        assert_eq!(quorum.setting("max-length"), None);
        assert_eq!(quorum.setting("delivery-limit"), Some(&Value::I64(3)));
        assert_eq!(quorum.setting("overflow").and_then(Value::as_str), Some("reject-publish"));
        let expires = if version == RabbitMq::V3_10 { 90_000 } else { 60_000 };
        assert_eq!(quorum.setting("expires").and_then(Value::as_i64), Some(expires), "{version}");
    }
}
