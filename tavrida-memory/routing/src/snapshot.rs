//! Conversion from a snapshot of the in-process broker.

use tavrida::field::ShortString;
use tavrida_memory::core::{Definition, Snapshot};

use crate::broker_error::BrokerError;
use crate::topology::{Binding, Destination, Exchange, ExchangeType, Queue, Topology};
use crate::value::{Table, Value};

impl TryFrom<&Snapshot> for Topology {
    type Error = BrokerError;

    /// Returns the topology of an in-process broker, which behaves as the broker does, with the effect of its policies.
    ///
    /// # Errors
    ///
    /// 502 if an argument has text that is not UTF-8.
    ///
    /// ```
    /// use tavrida_memory::MemoryBroker;
    /// use tavrida_routing::Topology;
    ///
    /// let broker = MemoryBroker::new();
    /// let topology = Topology::try_from(&broker.snapshot())?;
    /// assert!(topology.exchange("amq.topic").is_some());
    /// # Ok::<(), tavrida_routing::BrokerError>(())
    /// ```
    fn try_from(snapshot: &Snapshot) -> Result<Self, BrokerError> {
        let mut topology = Self::of(snapshot.virtual_host.as_str(), snapshot.behaviour);
        let arguments = |table| Table::try_from(table).map_err(BrokerError::syntax_error);
        for exchange in &snapshot.exchanges {
            let kind = ExchangeType::of(exchange.kind).ok_or_else(|| topology.unknown_type(exchange.kind))?;
            topology.restore_exchange(Exchange {
                durable: exchange.durable,
                auto_delete: exchange.auto_delete,
                internal: exchange.internal,
                arguments: arguments(&exchange.arguments)?,
                ..Exchange::new(exchange.name.as_str(), kind)
            })?;
            if let Some((policy, restored)) =
                exchange.policy.as_ref().zip(topology.exchange_mut(&exchange.name))
            {
                restored.set_policy(settings(policy));
            }
        }
        for queue in &snapshot.queues {
            topology.restore_queue(Queue {
                durable: queue.durable,
                exclusive: queue.owner.is_some(),
                auto_delete: queue.auto_delete,
                arguments: arguments(&queue.arguments)?,
                ..Queue::new(queue.name.as_str())
            })?;
            if let Some((policy, restored)) = queue.policy.as_ref().zip(topology.queue_mut(&queue.name)) {
                restored.set_policy(settings(policy), &snapshot.behaviour);
            }
        }
        for binding in &snapshot.bindings {
            let name = binding.destination.to_string();
            let to = if binding.to_exchange { Destination::Exchange(name) } else { Destination::Queue(name) };
            topology.restore_binding(Binding {
                source: binding.source.to_string(),
                destination: to,
                routing_key: binding.routing_key.to_string(),
                arguments: arguments(&binding.arguments)?,
            })?;
        }
        Ok(topology)
    }
}

/// Returns what a policy sets, by the names of its keys.
fn settings(definition: &Definition) -> Table {
    let texts = [
        ("alternate-exchange", &definition.alternate_exchange),
        ("dead-letter-exchange", &definition.dead_letter_exchange),
        ("dead-letter-routing-key", &definition.dead_letter_routing_key),
        ("overflow", &definition.overflow),
    ];
    let limits = [
        ("delivery-limit", definition.delivery_limit.map(u64::from)),
        ("expires", definition.expires),
        ("max-length", definition.max_length),
        ("max-length-bytes", definition.max_length_bytes),
        ("message-ttl", definition.message_ttl),
    ];
    let text = |(name, text): (&'static str, &Option<ShortString>)| {
        Some((name, Value::from(text.as_ref()?.as_str())))
    };
    let limit = |(name, limit): (&'static str, Option<u64>)| Some((name, i64::try_from(limit?).ok()?.into()));
    texts.into_iter().filter_map(text).chain(limits.into_iter().filter_map(limit)).collect()
}
