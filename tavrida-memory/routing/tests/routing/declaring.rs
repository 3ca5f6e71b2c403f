//! Random declarations: a topology refuses what the broker refuses, with its code and text.

use fastrand::Rng;
use tavrida_routing::{Behaviour, Binding, Exchange, ExchangeType, Queue, RabbitMq, Topology, Value};

use crate::node::Node;
use crate::random::seed;

const NAMES: [&str; 7] = ["a", "b", "c", "", "amq.direct", "amq.new", "a\n"];
const ARGUMENTS: [&str; 20] = [
    "alternate-exchange",
    "x-queue-type",
    "x-message-ttl",
    "x-expires",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-overflow",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-single-active-consumer",
    "x-queue-mode",
    "x-queue-version",
    "x-delivery-limit",
    "x-queue-leader-locator",
    "x-dead-letter-strategy",
    "x-quorum-initial-group-size",
    "x-max-age",
    "x-stream-filter-size-bytes",
    "x-unknown",
];

fn value(rng: &mut Rng) -> Value {
    let texts = ["quorum", "classic", "zz", "drop-head", "lazy", "a", "any", "balanced", "at-least-once"];
    match rng.u8(..12) {
        0 => Value::Void,
        1 => Value::Bool(true),
        2 => Value::I64(-1),
        3 => Value::I32(0),
        4 => Value::U8(255),
        5 => Value::I64(315_360_000_001),
        6 => Value::F64(10.0),
        7 => Value::Timestamp(1),
        8 => Value::Bytes(b"a".to_vec()),
        _ => texts[rng.usize(..texts.len())].into(),
    }
}

fn name(rng: &mut Rng) -> &'static str {
    NAMES[if rng.u8(..4) == 0 { rng.usize(..NAMES.len()) } else { rng.usize(..3) }]
}

/// One of a version, or of a later one.
fn behaviour(rng: &mut Rng) -> Behaviour {
    let mut behaviour = Behaviour::of([RabbitMq::V3_10, RabbitMq::V4_0][rng.usize(..2)]);
    if rng.u8(..4) == 0 {
        (behaviour.refuses_transient_queues, behaviour.most_hashes) = (true, Some(1));
    }
    behaviour
}

#[test]
fn random_declarations_are_refused_in_the_words_of_the_broker() {
    let (mut refused, mut all) = (0, 0);
    for case in 0..3000 {
        let seed = seed() + case;
        let mut rng = Rng::with_seed(seed);
        let behaviour = behaviour(&mut rng);
        let (mut topology, mut node) = (Topology::of("/", behaviour), Node::like(behaviour));
        for step in 0..12 {
            let arguments =
                (0..rng.usize(..3)).map(|_| (ARGUMENTS[rng.usize(..ARGUMENTS.len())], value(&mut rng)));
            let arguments = arguments.collect();
            let (ours, broker) = match rng.u8(..3) {
                0 => {
                    let mut exchange = Exchange::new(name(&mut rng), ExchangeType::ALL[rng.usize(..4)]);
                    (exchange.durable, exchange.auto_delete, exchange.internal) =
                        (rng.bool(), rng.u8(..5) == 0, rng.u8(..5) == 0);
                    exchange.arguments = arguments;
                    (topology.declare_exchange(exchange.clone()), node.declare_exchange(&exchange))
                }
                1 => {
                    let mut queue =
                        Queue::new(if rng.u8(..6) == 0 { "amq.q" } else { ["a", "b", "c"][rng.usize(..3)] });
                    (queue.durable, queue.auto_delete) = (rng.u8(..4) > 0, rng.u8(..5) == 0);
                    queue.arguments = arguments;
                    (topology.declare_queue(queue.clone()), node.declare_queue(&queue))
                }
                _ => {
                    let key = ["k", "#.a.#", "#"][rng.usize(..3)];
                    let mut binding = match rng.bool() {
                        true => Binding::queue(["a", "b", "c"][rng.usize(..3)], name(&mut rng), key),
                        false => Binding::exchange(name(&mut rng), name(&mut rng), key),
                    };
                    if rng.bool() {
                        binding = binding.argument("x-match", value(&mut rng));
                    }
                    (topology.bind(binding.clone()), node.bind(&binding))
                }
            };
            let ours = ours.map_err(|error| (error.code, error.text));
            refused += usize::from(broker.is_err());
            all += 1;
            assert_eq!(ours, broker, "TAVRIDA_SEED={seed} step {step}: {topology:#?}");
        }
        let of_broker = Topology::try_from(&node.broker.snapshot()).unwrap();
        assert_eq!(topology.exchanges().collect::<Vec<_>>(), of_broker.exchanges().collect::<Vec<_>>());
        assert_eq!(topology.queues().collect::<Vec<_>>(), of_broker.queues().collect::<Vec<_>>());
        assert_eq!(topology.bindings().len(), of_broker.bindings().len());
    }
    println!("declarations: {all}, {refused} refused, disagreements: 0 (seed {})", seed());
    assert!(refused > all / 5);
}
