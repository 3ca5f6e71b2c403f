//! Random topologies with messages: `route` and the broker agree.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use tavrida_routing::{
    Binding, DeathReason, Exchange, ExchangeType, Message, Queue, RabbitMq, Table, Topology, Value,
};

use crate::node::Node;

const EXCHANGES: [&str; 5] = ["e0", "e1", "e2", "e3", "amq.topic"];
const QUEUES: [&str; 4] = ["q0", "q1", "q2", "q3"];
const PATTERNS: [&str; 14] =
    ["", "a", "b", "#", "*", "a.*", "*.b", "a.#", "#.b", "*.#", "#.a.#", "a.b", "q0", ".a"];
const KEYS: [&str; 10] = ["", "a", "b", "a.b", "b.a", "a.a.b", ".a", "a.", "q0", "q1"];

/// The base seed of random tests; each case adds its number.
pub(crate) fn seed() -> u64 {
    let from = std::env::var("TAVRIDA_SEED").ok().map(|text| text.parse().expect("TAVRIDA_SEED is a number"));
    from.unwrap_or(20_260_101)
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

fn value(rng: &mut Rng) -> Value {
    let values = [
        Value::Void,
        Value::I32(1),
        Value::I64(1),
        Value::F64(1.0),
        Value::Bool(true),
        "1".into(),
        Value::Timestamp(1),
        Value::I64(1000),
        Value::F64(-0.0),
        Value::F64(0.0),
    ];
    values[rng.usize(..values.len())].clone()
}

fn table(rng: &mut Rng) -> Table {
    let names = ["a", "b", "x-c", "x-death", "x-first-death-queue", "x-last-death-reason"];
    (0..rng.usize(..3)).map(|_| (pick(rng, &names).to_owned(), value(rng))).collect()
}

/// A topology of either version with every type of exchange, alternates, internal exchanges, chains and cycles of exchanges.
pub(crate) fn topology(rng: &mut Rng) -> Topology {
    let version = if rng.bool() { RabbitMq::V3_10 } else { RabbitMq::V4_0 };
    let mut topology = Topology::of("/", version);
    for name in &EXCHANGES[..4] {
        let kind = ExchangeType::ALL[rng.usize(..4)];
        let mut exchange = Exchange::new(*name, kind);
        exchange.internal = rng.u8(..6) == 0;
        if rng.u8(..3) == 0 {
            exchange = exchange.alternate_exchange(pick(rng, &["e0", "e1", "e2", "e3", "", "missing"]));
        }
        topology.declare_exchange(exchange).expect("the exchange is new");
    }
    for name in QUEUES {
        let mut queue = Queue::new(name);
        if rng.bool() {
            queue = queue.dead_letter_to(pick(rng, &["e0", "e1", "", "missing"]));
            if rng.bool() {
                queue = queue.argument("x-dead-letter-routing-key", pick(rng, &KEYS));
            }
        }
        topology.declare_queue(queue).expect("the queue is new");
    }
    for _ in 0..rng.usize(4..20) {
        let (source, key) = (pick(rng, &EXCHANGES), pick(rng, &PATTERNS));
        let mut binding = match rng.u8(..3) {
            0 => Binding::exchange(pick(rng, &EXCHANGES), source, key),
            _ => Binding::queue(pick(rng, &QUEUES), source, key),
        };
        let is_headers = topology.exchange(source).is_some_and(|source| source.kind == ExchangeType::Headers);
        if is_headers || rng.u8(..8) == 0 {
            binding.arguments = table(rng);
        }
        if is_headers && rng.bool() {
            let form = pick(rng, &["all", "any", "all-with-x", "any-with-x"]);
            binding = binding.argument("x-match", form);
        }
        topology.bind(binding).expect("source and destination exist");
    }
    topology
}

pub(crate) fn message(rng: &mut Rng) -> Message {
    let exchange = match rng.u8(..20) {
        0 => "missing",
        1 | 2 => "",
        _ => pick(rng, &EXCHANGES),
    };
    let mut message = Message::new(exchange, pick(rng, &KEYS)).headers(table(rng));
    for name in ["CC", "BCC"] {
        match rng.u8(..10) {
            0 => {
                message = message
                    .header(name, vec![pick(rng, &KEYS).into(), Value::I32(1), pick(rng, &KEYS).into()])
            }
            1 if rng.u8(..4) == 0 => message = message.header(name, "a"),
            _ => {}
        }
    }
    message
}

type Reached = Result<BTreeSet<String>, (u16, String)>;

fn ours(topology: &Topology, message: &Message) -> Reached {
    match topology.route(message) {
        Ok(routing) => Ok(routing.queues().map(str::to_owned).collect()),
        Err(error) => Err((error.code, error.text)),
    }
}

#[test]
fn random_topologies_and_messages() {
    let (first, mut disagreements, mut reached, mut messages) = (seed(), 0, 0, 0);
    for case in 0..100_000 {
        let mut rng = Rng::with_seed(first + case);
        let topology = topology(&mut rng);
        let mut node = Node::with(&topology);
        for _ in 0..3 {
            let message = message(&mut rng);
            let (ours, broker) = (ours(&topology, &message), node.publish(&message));
            messages += 1;
            reached += usize::from(ours.as_ref().is_ok_and(|queues| !queues.is_empty()));
            if ours != broker {
                disagreements += 1;
                println!(
                    "TAVRIDA_SEED={}: {message}: {ours:?}, the broker {broker:?}\n{topology:#?}",
                    first + case
                );
            }
        }
    }
    println!(
        "topologies: 100000, disagreements: {disagreements} (seed {first}, {messages} messages, {reached} reach a queue)"
    );
    assert_eq!(disagreements, 0);
    assert!(reached * 3 > messages, "too few messages reach a queue for this to mean something");
}

/// The history that a client claims for a message.
fn claimed_deaths(rng: &mut Rng) -> Value {
    let death = |rng: &mut Rng| {
        let reason = pick(rng, &["rejected", "expired", "maxlen"]);
        Value::from(Table::from([("queue", pick(rng, &QUEUES)), ("reason", reason)]))
    };
    (0..rng.usize(..4)).map(|_| death(rng)).collect::<Vec<_>>().into()
}

/// Every message that reaches a queue expires or is rejected there, and is then rejected up to four times in a row.
#[test]
fn random_dead_letters() {
    let (first, mut deaths, mut moved) = (seed(), 0, 0);
    for case in 0..20_000 {
        let mut rng = Rng::with_seed(first + case);
        let topology = topology(&mut rng);
        let mut node = Node::with(&topology);
        let mut message = message(&mut rng);
        if rng.u8(..3) == 0 {
            message = message.header("x-death", claimed_deaths(&mut rng));
        }
        let Ok(mut routing) = topology.route(&message) else { continue };
        let expires = rng.bool();
        node.publish_for(&message, expires.then_some("1000")).expect("the topology accepts the message");
        for step in 0..5 {
            let Some(queue) = routing.queues().next().map(str::to_owned) else { break };
            routing.queues().filter(|other| *other != queue).for_each(|other| node.purge(other));
            let reason = if expires && step == 0 { DeathReason::Expired } else { DeathReason::Rejected };
            match reason {
                DeathReason::Expired => node.wait(Duration::from_secs(2)),
                _ => node.reject_one(&queue),
            }
            deaths += 1;
            let filled = node.filled();
            match routing.after_death(&queue, reason) {
                Some(next) => routing = next,
                None => {
                    assert!(filled.is_empty(), "TAVRIDA_SEED={} step {step}: {filled:?}", first + case);
                    break;
                }
            }
            let expected: BTreeSet<String> = routing.queues().map(str::to_owned).collect();
            assert_eq!(
                expected,
                filled,
                "TAVRIDA_SEED={} step {step}: {message}\n{topology:#?}",
                first + case
            );
            moved += expected.len();
        }
    }
    println!(
        "dead letters: {deaths} deaths, {moved} dead letters in queues, disagreements: 0 (seed {first})"
    );
    assert!(moved > 1000, "too few dead letters reach a queue");
}
