//! Conversion from a snapshot of the in-process broker.

use tavrida_memory::core::Snapshot;

use crate::broker_error::BrokerError;
use crate::topology::{Binding, Destination, Exchange, ExchangeType, Queue, Topology};
use crate::value::Table;

impl TryFrom<&Snapshot> for Topology {
    type Error = BrokerError;

    /// Returns the topology of an in-process broker.
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
        let mut topology = Self::new();
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
        }
        for queue in &snapshot.queues {
            topology.restore_queue(Queue {
                durable: queue.durable,
                exclusive: queue.owner.is_some(),
                auto_delete: queue.auto_delete,
                arguments: arguments(&queue.arguments)?,
                ..Queue::new(queue.name.as_str())
            })?;
        }
        for binding in &snapshot.bindings {
            let name = binding.destination.to_string();
            let to = if binding.to_exchange { Destination::Exchange(name) } else { Destination::Queue(name) };
            topology.bind(Binding {
                source: binding.source.to_string(),
                destination: to,
                routing_key: binding.routing_key.to_string(),
                arguments: arguments(&binding.arguments)?,
            })?;
        }
        Ok(topology)
    }
}
