//! Topologies.

use std::ops::RangeInclusive;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use tavrida_behaviour::Behaviour;

use crate::strategy::keys::{key, pattern};
use crate::strategy::tables::value;
use crate::topology::{Binding, Exchange, ExchangeType, Queue, QueueType, Topology};
use crate::value::{Table, Value};

/// Topologies of up to 4 exchanges, 4 queues and 12 bindings.
pub fn topology() -> impl Strategy<Value = Topology> {
    Topologies::default().strategy()
}

/// The size of generated topologies, and their behaviour.
///
/// They have exchanges `e0`, `e1`, ... of all types, including internal ones and alternates, queues `q0`, `q1`, ... of all types with and
/// without dead-letter exchanges, and bindings to queues and exchanges, including cycles.
#[derive(Debug, Clone)]
#[must_use = "sizes make nothing until `strategy`"]
pub struct Topologies {
    exchanges: RangeInclusive<usize>,
    queues: RangeInclusive<usize>,
    bindings: RangeInclusive<usize>,
    behaviour: Behaviour,
}

impl Default for Topologies {
    fn default() -> Self {
        Self { exchanges: 1..=4, queues: 1..=4, bindings: 0..=12, behaviour: Behaviour::default() }
    }
}

#[derive(Debug, Clone)]
struct ExchangePlan {
    kind: ExchangeType,
    internal: bool,
    alternate: Option<Index>,
}

#[derive(Debug, Clone)]
struct QueuePlan {
    kind: QueueType,
    dead_letter: Option<(Option<Index>, Option<String>)>,
    ttl: Option<i64>,
}

#[derive(Debug, Clone)]
struct BindingPlan {
    source: Index,
    destination: Index,
    to_exchange: bool,
    key: String,
    arguments: Table,
}

impl Topologies {
    /// Sets the number of exchanges, without the predeclared ones.
    pub fn exchanges(self, exchanges: RangeInclusive<usize>) -> Self {
        Self { exchanges, ..self }
    }

    /// Sets the number of queues.
    pub fn queues(self, queues: RangeInclusive<usize>) -> Self {
        Self { queues, ..self }
    }

    /// Sets the number of bindings; equal ones are one.
    pub fn bindings(self, bindings: RangeInclusive<usize>) -> Self {
        Self { bindings, ..self }
    }

    /// Lets them behave as a version of RabbitMQ does, or by single decisions.
    pub fn like(self, behaviour: impl Into<Behaviour>) -> Self {
        Self { behaviour: behaviour.into(), ..self }
    }

    /// Returns the strategy.
    pub fn strategy(self) -> impl Strategy<Value = Topology> {
        let Self { exchanges, queues, bindings, behaviour } = self;
        let parts = (
            prop::collection::vec(exchange_plan(), exchanges),
            prop::collection::vec(queue_plan(), queues),
            prop::collection::vec(binding_plan(), bindings),
        );
        parts.prop_map(move |(exchanges, queues, bindings)| build(behaviour, &exchanges, &queues, &bindings))
    }
}

fn exchange_plan() -> impl Strategy<Value = ExchangePlan> {
    let kind = prop_oneof![
        3 => Just(ExchangeType::Topic),
        1 => Just(ExchangeType::Direct),
        1 => Just(ExchangeType::Fanout),
        1 => Just(ExchangeType::Headers),
    ];
    let alternate = prop::option::weighted(0.25, any::<Index>());
    (kind, prop::bool::weighted(0.15), alternate).prop_map(|(kind, internal, alternate)| ExchangePlan {
        kind,
        internal,
        alternate,
    })
}

fn queue_plan() -> impl Strategy<Value = QueuePlan> {
    let kind = prop_oneof![4 => Just(QueueType::Classic), 2 => Just(QueueType::Quorum), 1 => Just(QueueType::Stream)];
    let dead_letter = (prop::option::weighted(0.7, any::<Index>()), prop::option::of(key()));
    (kind, prop::option::weighted(0.3, dead_letter), prop::option::weighted(0.2, 0..100_000i64))
        .prop_map(|(kind, dead_letter, ttl)| QueuePlan { kind, dead_letter, ttl })
}

fn binding_plan() -> impl Strategy<Value = BindingPlan> {
    let name = select(vec!["a", "b", "x-c", "type"]);
    let arguments = (
        prop::collection::vec((name, value()), 0..=2),
        prop::option::of(select(vec!["all", "any", "all-with-x", "any-with-x"])),
    );
    (any::<Index>(), any::<Index>(), prop::bool::weighted(0.25), pattern(), arguments).prop_map(
        |(source, destination, to_exchange, key, (entries, form))| {
            let mut arguments: Table = entries.into_iter().collect();
            arguments.extend(form.map(|form| ("x-match".to_owned(), Value::from(form))));
            BindingPlan { source, destination, to_exchange, key: key.to_string(), arguments }
        },
    )
}

fn build(
    behaviour: Behaviour,
    exchanges: &[ExchangePlan],
    queues: &[QueuePlan],
    bindings: &[BindingPlan],
) -> Topology {
    let mut topology = Topology::of("/", behaviour);
    let name = |index: &Index| {
        if exchanges.is_empty() { String::new() } else { format!("e{}", index.index(exchanges.len())) }
    };
    for (number, plan) in exchanges.iter().enumerate() {
        let mut exchange = Exchange::new(format!("e{number}"), plan.kind);
        exchange.internal = plan.internal;
        exchange =
            plan.alternate.iter().fold(exchange, |exchange, index| exchange.alternate_exchange(name(index)));
        topology.declare_exchange(exchange).expect("the exchange is new");
    }
    for (number, plan) in queues.iter().enumerate() {
        topology
            .declare_queue(queue(number, plan, name))
            .expect("the queue is new, and its arguments are valid");
    }
    for plan in bindings {
        let has_destination = if plan.to_exchange { !exchanges.is_empty() } else { !queues.is_empty() };
        if exchanges.is_empty() || !has_destination {
            continue;
        }
        let source = name(&plan.source);
        let mut binding = match plan.to_exchange {
            true => Binding::exchange(name(&plan.destination), &source, &plan.key),
            false => Binding::queue(format!("q{}", plan.destination.index(queues.len())), &source, &plan.key),
        };
        // Elsewhere arguments make no difference but the identity of the binding.
        if topology.exchange(&source).is_some_and(|exchange| exchange.kind == ExchangeType::Headers) {
            binding.arguments = plan.arguments.clone();
        }
        let bound = topology.bind(binding);
        let too_many_hashes = topology.behaviour().most_hashes.is_some();
        assert!(bound.is_ok() || too_many_hashes, "source and destination exist: {bound:?}");
    }
    topology
}

fn queue(number: usize, plan: &QueuePlan, name: impl Fn(&Index) -> String) -> Queue {
    let mut queue = Queue::new(format!("q{number}"));
    if plan.kind != QueueType::Classic {
        queue = queue.argument("x-queue-type", plan.kind.as_str());
    }
    if plan.kind == QueueType::Stream {
        return queue;
    }
    if let Some((exchange, key)) = &plan.dead_letter {
        queue = queue.dead_letter_to(exchange.as_ref().map(name).unwrap_or_default());
        queue =
            key.iter().fold(queue, |queue, key| queue.argument("x-dead-letter-routing-key", key.as_str()));
    }
    plan.ttl.iter().fold(queue, |queue, ttl| queue.argument("x-message-ttl", *ttl))
}
