//! [`Builder`]: a topology in the words of the RabbitMQ guides.

use tavrida_behaviour::Behaviour;

use crate::broker_error::BrokerError;

use super::{Binding, Exchange, Queue, Topology};

/// Builds a topology. The order does not matter: exchanges and queues are declared before bindings.
#[derive(Debug, Clone, Default)]
#[must_use = "a builder makes nothing until `build`"]
pub struct Builder {
    virtual_host: Option<String>,
    behaviour: Behaviour,
    exchanges: Vec<Exchange>,
    queues: Vec<Queue>,
    bindings: Vec<Binding>,
}

impl Builder {
    /// Sets the name of the virtual host. The default is `/`.
    pub fn virtual_host(mut self, name: impl Into<String>) -> Self {
        self.virtual_host = Some(name.into());
        self
    }

    /// Lets the topology behave as a version of RabbitMQ does, or by single decisions. The default is [`RabbitMq::default`].
    ///
    /// [`RabbitMq::default`]: crate::RabbitMq::default
    pub fn like(self, behaviour: impl Into<Behaviour>) -> Self {
        Self { behaviour: behaviour.into(), ..self }
    }

    /// Adds an exchange.
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        self.exchanges.push(exchange);
        self
    }

    /// Adds a queue.
    pub fn queue(mut self, queue: Queue) -> Self {
        self.queues.push(queue);
        self
    }

    /// Binds a queue to an exchange.
    pub fn bind_queue(self, queue: &str, exchange: &str, routing_key: &str) -> Self {
        self.bind(Binding::queue(queue, exchange, routing_key))
    }

    /// Binds an exchange to another; the destination comes first, as in AMQP's `exchange.bind`.
    pub fn bind_exchange(self, destination: &str, source: &str, routing_key: &str) -> Self {
        self.bind(Binding::exchange(destination, source, routing_key))
    }

    /// Adds a binding, such as one with arguments.
    pub fn bind(mut self, binding: Binding) -> Self {
        self.bindings.push(binding);
        self
    }

    /// Declares everything.
    ///
    /// # Errors
    ///
    /// The first error, with the code and text of a node: see [`Topology::declare_exchange`], [`Topology::declare_queue`] and
    /// [`Topology::bind`].
    pub fn build(self) -> Result<Topology, BrokerError> {
        let mut topology = Topology::of(self.virtual_host.as_deref().unwrap_or("/"), self.behaviour);
        self.exchanges.into_iter().try_for_each(|exchange| topology.declare_exchange(exchange))?;
        self.queues.into_iter().try_for_each(|queue| topology.declare_queue(queue))?;
        self.bindings.into_iter().try_for_each(|binding| topology.bind(binding))?;
        Ok(topology)
    }
}
