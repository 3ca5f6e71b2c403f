//! Messages for a topology.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::decide::Classes;
use crate::keys::Limits;
use crate::message::Message;
use crate::strategy::keys::{KeyPlan, key_plan};
use crate::strategy::tables::{TablePlan, table_plan};
use crate::strategy::topology::topology;
use crate::topology::{Binding, ExchangeType, Topology};

/// Messages near what a topology binds: most match a binding, the others miss one by a word or a header. Each binding is targeted equally
/// often.
pub fn message(topology: &Topology) -> impl Strategy<Value = Message> + use<> {
    Messages::of(topology).strategy()
}

/// Sequences of messages for a topology.
pub fn messages(
    topology: &Topology,
    count: RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<Message>> + use<> {
    prop::collection::vec(message(topology), count)
}

/// A topology with a message for it. The two shrink independently.
pub fn topology_and_message() -> impl Strategy<Value = (Topology, Message)> {
    (topology(), message_plan(0.8)).prop_map(|(topology, plan)| {
        let message = plan.message(&Aims::of(&topology));
        (topology, message)
    })
}

/// The settings of messages for a topology.
#[derive(Debug, Clone)]
#[must_use = "it makes nothing until `strategy`"]
pub struct Messages {
    aims: Arc<Aims>,
    hit_rate: f64,
}

impl Messages {
    /// Messages for a topology, four of five of which match the targeted binding.
    pub fn of(topology: &Topology) -> Self {
        Self { aims: Arc::new(Aims::of(topology)), hit_rate: 0.8 }
    }

    /// Sets the share of messages that match the targeted binding, from 0 to 1. The others may match another one.
    pub fn hit_rate(self, hit_rate: f64) -> Self {
        Self { hit_rate: hit_rate.clamp(0.0, 1.0), ..self }
    }

    /// Returns the strategy.
    pub fn strategy(self) -> impl Strategy<Value = Message> + use<> {
        let Self { aims, hit_rate } = self;
        message_plan(hit_rate).prop_map(move |plan| plan.message(&aims))
    }
}

/// How a message is made, for any topology.
#[derive(Debug, Clone)]
struct MessagePlan {
    aim: Index,
    key: KeyPlan,
    headers: TablePlan,
}

fn message_plan(hit_rate: f64) -> impl Strategy<Value = MessagePlan> {
    let misses = 1.0 - hit_rate;
    (any::<Index>(), key_plan(misses), table_plan(misses)).prop_map(|(aim, key, headers)| MessagePlan {
        aim,
        key,
        headers,
    })
}

/// What messages target.
#[derive(Debug)]
struct Aims(Vec<Aim>);

#[derive(Debug)]
enum Aim {
    /// A binding of an exchange that clients publish to.
    Binding(Binding, ExchangeType),
    /// A message that reaches a binding of an internal exchange.
    Message(Message),
    /// A queue, by the default exchange.
    Queue(String),
}

impl Aims {
    fn of(topology: &Topology) -> Self {
        let mut aims = Vec::new();
        let mut hidden = Vec::new();
        for (index, binding) in topology.bindings().iter().enumerate() {
            match topology.exchange(&binding.source) {
                Some(exchange) if exchange.internal => hidden.push(index),
                Some(exchange) => aims.push(Aim::Binding(binding.clone(), exchange.kind)),
                None => {}
            }
        }
        if !hidden.is_empty() {
            let witnesses = topology.witnesses();
            aims.extend(hidden.iter().filter_map(|index| witnesses.get(index)).cloned().map(Aim::Message));
        }
        if aims.is_empty() {
            aims.extend(topology.queues().map(|queue| Aim::Queue(queue.name.clone())));
        }
        Self(aims)
    }
}

impl Topology {
    /// Returns, for each reachable binding, the shortest message that reaches it, by the index of the binding.
    fn witnesses(&self) -> BTreeMap<usize, Message> {
        let mut witnesses = BTreeMap::new();
        for entry in self.entries() {
            let classes = Classes::of(&[self], entry, &[], Limits::default(), None);
            for class in &classes.classes {
                for index in classes.reach(0, entry, class).used {
                    witnesses.entry(index).or_insert_with(|| class.message.clone());
                }
            }
        }
        witnesses
    }
}

impl MessagePlan {
    fn message(&self, aims: &Aims) -> Message {
        if aims.0.is_empty() {
            return Message::new("", self.key.near_key("queue"));
        }
        match self.aim.get(&aims.0) {
            Aim::Queue(queue) => Message::new("", self.key.near_key(queue)),
            Aim::Message(message) => message.clone(),
            Aim::Binding(binding, kind) => {
                let key = match kind {
                    ExchangeType::Topic => self.key.near(&binding.routing_key),
                    ExchangeType::Direct => self.key.near_key(&binding.routing_key),
                    ExchangeType::Fanout | ExchangeType::Headers => self.key.near("#"),
                };
                let message = Message::new(&binding.source, key);
                match kind {
                    ExchangeType::Headers => message.headers(self.headers.near(&binding.arguments)),
                    _ => message,
                }
            }
        }
    }
}
