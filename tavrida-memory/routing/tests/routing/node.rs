//! The in-process broker as an independent implementation: it shares no routing code with this crate.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{
    Broker, ChannelId, Command, Config, ConnectionId, Effect, Effects, ExchangeBind, ExchangeDeclare, Method,
    MethodReply, Now, Operator, Policy, QueueBind, QueueDeclare,
};
use tavrida_routing::{Behaviour, Binding, Destination, Exchange, Message, Queue, Topology};

/// A code and a text.
pub(crate) type Refusal = (u16, String);

pub(crate) struct Node {
    pub(crate) broker: Broker,
    channel: ChannelId,
    now: Now,
    effects: Effects,
}

fn short(text: &str) -> ShortString {
    text.try_into().expect("names of tests are short")
}

impl Node {
    /// A node that behaves in this way.
    pub(crate) fn like(behaviour: impl Into<Behaviour>) -> Self {
        let behaviour = behaviour.into();
        let mut node = Self {
            broker: Broker::new(Config { behaviour, ..Config::default() }),
            channel: ConnectionId(0).channel(1),
            now: Now::default(),
            effects: Effects::new(),
        };
        node.connect();
        node
    }

    /// A node with the topology, of its behaviour.
    pub(crate) fn with(topology: &Topology) -> Self {
        let mut node = Self::like(*topology.behaviour());
        for exchange in topology.exchanges().filter(|exchange| !exchange.name.starts_with("amq.")) {
            node.declare_exchange(exchange).expect("what a topology accepts a node accepts");
        }
        for queue in topology.queues() {
            node.declare_queue(queue).expect("what a topology accepts a node accepts");
        }
        for binding in topology.bindings() {
            node.bind(binding).expect("what a topology accepts a node accepts");
        }
        node
    }

    fn connect(&mut self) {
        let connection = ConnectionId(self.channel.connection.0 + 1);
        self.channel = connection.channel(1);
        self.apply(Command::Connect { connection, options: Default::default() });
        self.call(Method::ChannelOpen).expect("a channel can be opened");
        self.call(Method::ConfirmSelect { nowait: false }).expect("confirms can be selected");
    }

    fn apply(&mut self, command: Command) {
        self.broker.apply(self.now, command, &mut self.effects);
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now.elapsed += time;
        self.apply(Command::Tick);
    }

    fn call(&mut self, method: Method) -> Result<(), Refusal> {
        self.effects.clear();
        self.apply(Command::Method { channel: self.channel, method });
        let refusal = self.effects.as_slice().iter().find_map(|effect| match effect {
            Effect::ChannelClosed { reason, .. } => Some(reason.clone()),
            Effect::ConnectionClosed { reason, .. } => reason.clone(),
            _ => None,
        });
        let Some(reason) = refusal else { return Ok(()) };
        self.connect();
        Err((reason.code, reason.text))
    }

    pub(crate) fn declare_exchange(&mut self, exchange: &Exchange) -> Result<(), Refusal> {
        self.call(Method::ExchangeDeclare(ExchangeDeclare {
            exchange: short(&exchange.name),
            kind: short(exchange.kind.as_str()),
            durable: exchange.durable,
            auto_delete: exchange.auto_delete,
            internal: exchange.internal,
            arguments: (&exchange.arguments).into(),
            ..Default::default()
        }))
    }

    pub(crate) fn declare_queue(&mut self, queue: &Queue) -> Result<(), Refusal> {
        self.call(Method::QueueDeclare(QueueDeclare {
            queue: short(&queue.name),
            durable: queue.durable,
            exclusive: queue.exclusive,
            auto_delete: queue.auto_delete,
            arguments: (&queue.arguments).into(),
            ..Default::default()
        }))
    }

    pub(crate) fn bind(&mut self, binding: &Binding) -> Result<(), Refusal> {
        let (source, routing_key) = (short(&binding.source), short(&binding.routing_key));
        let arguments = (&binding.arguments).into();
        self.call(match &binding.destination {
            Destination::Queue(queue) => {
                let (queue, exchange) = (short(queue), source);
                Method::QueueBind(QueueBind { queue, exchange, routing_key, nowait: false, arguments })
            }
            Destination::Exchange(exchange) => {
                let destination = short(exchange);
                Method::ExchangeBind(ExchangeBind {
                    destination,
                    source,
                    routing_key,
                    nowait: false,
                    arguments,
                })
            }
        })
    }

    /// Sets a policy, as `rabbitmqctl set_policy` does.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.apply(Command::Operator(Operator::SetPolicy(policy)));
    }

    /// Returns the queues that a message reaches.
    pub(crate) fn publish(&mut self, message: &Message) -> Result<BTreeSet<String>, Refusal> {
        self.publish_for(message, None)
    }

    /// Publishes a message with a time to live in milliseconds.
    pub(crate) fn publish_for(
        &mut self,
        message: &Message,
        time_to_live: Option<&str>,
    ) -> Result<BTreeSet<String>, Refusal> {
        let mut publication = Publication::new(short(&message.exchange), short(&message.key), "");
        publication.properties = Properties {
            headers: Some((&message.headers).into()),
            expiration: time_to_live.map(short),
            ..Default::default()
        };
        let publication = Arc::new(publication);
        self.call(Method::BasicPublish { publication, immediate: false })?;
        let routed: BTreeSet<String> = self.broker.last_routed().map(str::to_owned).collect();
        let returned = self.effects.as_slice().iter().any(|effect| matches!(effect, Effect::Return { .. }));
        assert_eq!(returned, routed.is_empty(), "a mandatory message is returned where it reaches no queue");
        Ok(routed)
    }

    /// Gets a message from a queue and rejects it.
    pub(crate) fn reject_one(&mut self, queue: &str) {
        self.call(Method::BasicGet { queue: short(queue), no_ack: false }).expect("a queue can be read");
        let tag = self.effects.as_slice().iter().find_map(|effect| match effect {
            Effect::Reply { reply: MethodReply::BasicGetOk(got), .. } => Some(got.delivery_tag),
            _ => None,
        });
        let delivery_tag = tag.expect("the queue has a message");
        self.call(Method::BasicReject { delivery_tag, requeue: false }).expect("a message can be rejected");
    }

    /// Returns the queues with messages.
    pub(crate) fn filled(&self) -> BTreeSet<String> {
        self.broker.queued().map(|(queue, _)| queue.to_string()).collect()
    }

    /// Empties a queue.
    pub(crate) fn purge(&mut self, queue: &str) {
        self.call(Method::QueuePurge { queue: short(queue), nowait: false }).expect("a queue can be purged");
    }
}
