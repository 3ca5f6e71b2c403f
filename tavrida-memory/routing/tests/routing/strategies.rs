//! The strategies cover the topology, and failures shrink to what they need.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner};
use tavrida_routing::{
    Behaviour, Binding, Exchange, ExchangeType, Pattern, Queue, RabbitMq, Table, Topology, strategy,
};

use crate::node::Node;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
}

/// Forty bindings on exchanges of all types, one of them internal.
fn forty() -> Topology {
    let mut topology = Topology::builder()
        .exchange(Exchange::topic("t"))
        .exchange(Exchange::direct("d"))
        .exchange(Exchange::headers("h"))
        .exchange(Exchange::topic("inner").internal())
        .bind_exchange("inner", "t", "in.#");
    for number in 0..13 {
        let queue = format!("q{number}");
        topology = topology
            .queue(Queue::new(&queue))
            .bind_queue(&queue, "t", &format!("a.{number}.*.#"))
            .bind_queue(&queue, "d", &format!("key.{number}"))
            .bind(
                Binding::queue(&queue, "h", "")
                    .argument("x-match", "all")
                    .argument("n", number)
                    .argument("type", "pdf"),
            );
    }
    let topology = topology.build().unwrap();
    assert_eq!(topology.bindings().len(), 40);
    topology
}

#[test]
fn a_thousand_messages_hit_every_one_of_forty_bindings() {
    let topology = forty();
    let (used, reached) = (std::cell::RefCell::new(BTreeSet::new()), std::cell::Cell::new(0));
    let all = strategy::message(&topology);
    let run = runner(1000).run(&all, |message| {
        let routing = topology.route(&message)?;
        reached.set(reached.get() + u32::from(!routing.is_returned()));
        used.borrow_mut().extend(routing.bindings().map(ToString::to_string));
        Ok(())
    });
    run.unwrap();
    println!("messages: {} of 1000 reach a queue, {} of 40 bindings hit", reached.get(), used.borrow().len());
    assert_eq!(used.borrow().len(), 40);
    assert!(reached.get() >= 500);
}

#[test]
fn the_hit_rate_is_what_was_asked_for() {
    let topology = forty();
    let rate = |rate: f64| {
        let reached = std::cell::Cell::new(0);
        let messages = strategy::Messages::of(&topology).hit_rate(rate).strategy();
        let run = runner(1000).run(&messages, |message| {
            reached.set(reached.get() + u32::from(!topology.route(&message)?.is_returned()));
            Ok(())
        });
        run.unwrap();
        reached.get()
    };
    assert!(rate(1.0) >= 950, "all but those of the binding to an exchange without bindings");
    assert!(rate(0.0) <= 400);
}

#[test]
fn topologies_of_a_later_version_have_no_patterns_that_it_refuses() {
    let mut later = Behaviour::of(RabbitMq::V4_0);
    later.most_hashes = Some(1);
    let run = runner(500).run(&strategy::Topologies::default().like(later).strategy(), |topology| {
        let hashes = |binding: &Binding| binding.routing_key.split('.').filter(|word| *word == "#").count();
        let is_topic = |binding: &&Binding| {
            topology.exchange(&binding.source).is_some_and(|source| source.kind == ExchangeType::Topic)
        };
        prop_assert!(topology.bindings().iter().filter(is_topic).all(|binding| hashes(binding) <= 1));
        Ok(())
    });
    run.unwrap();
}

#[test]
fn keys_near_a_pattern_hit_and_miss() {
    let patterns = ["#", "a.#", "#.a", "a.#.b", "#.a.#", "*.*", "a..b", "", "order.*.paid"];
    for pattern in patterns.map(Pattern::new) {
        let (hits, misses) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        let run = runner(300).run(&strategy::key_near(&pattern), |key| {
            let count = if pattern.matches(&key) { &hits } else { &misses };
            count.set(count.get() + 1);
            Ok(())
        });
        run.unwrap();
        assert!(hits.get() >= 150, "'{pattern}': {} hits", hits.get());
        assert!(misses.get() > 5 || pattern.as_str() == "#", "'{pattern}': {} misses", misses.get());
    }
}

#[test]
fn headers_near_a_binding_hit_and_miss() {
    let arguments = Table::new().with("x-match", "all").with("type", "pdf").with("pages", 3);
    let topology = Topology::builder()
        .exchange(Exchange::headers("h"))
        .queue(Queue::new("q"))
        .bind(Binding { arguments: arguments.clone(), ..Binding::queue("q", "h", "") })
        .build()
        .unwrap();
    let hits = std::cell::Cell::new(0);
    let run = runner(300).run(&strategy::headers_near(&arguments), |headers| {
        let message = tavrida_routing::Message::new("h", "").headers(headers);
        hits.set(hits.get() + u32::from(topology.route(&message)?.reaches("q")));
        Ok(())
    });
    run.unwrap();
    assert!((150..290).contains(&hits.get()), "{} hits", hits.get());
}

#[test]
fn generated_topologies_are_what_a_node_accepts_and_routes() {
    let run = runner(500).run(&strategy::topology_and_message(), |(topology, message)| {
        // The in-process broker has no streams.
        prop_assume!(topology.queues().all(|queue| queue.queue_type() != tavrida_routing::QueueType::Stream));
        let mut node = Node::with(&topology);
        let ours = topology.route(&message).map(|routing| routing.queues().map(str::to_owned).collect());
        prop_assert_eq!(ours.map_err(|error| (error.code, error.text)), node.publish(&message));
        Ok(())
    });
    run.unwrap();
}

/// A false claim: no message reaches two queues.
#[test]
fn what_fails_shrinks_to_two_queues_one_exchange_and_two_bindings() {
    let claim = |(topology, message): (Topology, tavrida_routing::Message)| {
        let reached = topology.route(&message).map_or(0, |routing| routing.queues().len());
        if reached > 1 { Err(TestCaseError::fail("two queues")) } else { Ok(()) }
    };
    let strategy = strategy::topology_and_message();
    let Err(TestError::Fail(_, (topology, message))) = runner(5000).run(&strategy, claim) else {
        panic!("the claim is false")
    };
    let exchanges = topology.exchanges().filter(|exchange| !exchange.name.starts_with("amq.")).count();
    println!(
        "shrunk: {message}: {:?}",
        topology.bindings().iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    assert_eq!((exchanges, topology.queues().count(), topology.bindings().len()), (1, 2, 2));
    assert!(message.key.len() <= 1, "{message}");
}
