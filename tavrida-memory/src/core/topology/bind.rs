//! Binding and unbinding, and what is deleted with a binding.

use std::collections::BTreeSet;
use std::sync::Arc;

use tavrida::field::{ShortString, Table};
use tavrida_behaviour::Behaviour;

use super::Topology;
use super::binding::{Binding, Target};
use super::exchange::{Exchange, Router};
use super::names::{check_not_default, stripped};
use crate::core::errors::Fault;
use crate::core::ids::ConnectionId;
use crate::core::keys::{ExchangeKey, QueueKey};
use crate::core::method::{ExchangeBind, QueueBind};
use crate::core::node::Node;
use crate::core::routing::HeadersTable;

/// A binding as a client names it.
pub(crate) struct NamedBinding {
    source: ShortString,
    destination: Destination,
    key: ShortString,
    arguments: Table,
}

enum Destination {
    Queue(ShortString),
    Exchange(ShortString),
}

impl Topology {
    pub(crate) fn bind(
        &mut self,
        node: &Node,
        connection: ConnectionId,
        binding: NamedBinding,
    ) -> Result<(), Fault> {
        binding.check_not_default()?;
        let source = self.exchange(&binding.source)?;
        let target = match &binding.destination {
            Destination::Queue(name) => Target::Queue(self.queue(name)?),
            Destination::Exchange(name) => Target::Exchange(self.exchange(name)?),
        };
        if matches!(self.exchanges[source].router, Router::Headers(_)) {
            HeadersTable::<Target>::check(&binding.arguments)
                .map_err(|invalid| Fault::precondition_failed(invalid.to_string()))?;
        }
        if matches!(self.exchanges[source].router, Router::Topic(_)) {
            check_hashes(&binding.key, &node.behaviour)?;
        }
        self.check_target(connection, target)?;
        let binding = Binding { target, key: binding.key, arguments: binding.arguments };
        let (key, arguments) = (binding.key.clone(), binding.arguments.clone());
        let exchange = &mut self.exchanges[source];
        if let Some(place) = Arc::make_mut(&mut exchange.bindings).insert(binding) {
            exchange.router.insert(&key, &arguments, target);
            self.incoming(target).insert((source, place));
            self.topology_grew(node);
        }
        Ok(())
    }

    pub(crate) fn unbind(&mut self, connection: ConnectionId, binding: NamedBinding) -> Result<(), Fault> {
        binding.check_not_default()?;
        let source = self.exchange_names.get(&binding.source).copied();
        let target = match &binding.destination {
            Destination::Queue(name) => self.queue_names.get(name).copied().map(Target::Queue),
            Destination::Exchange(name) => self.exchange_names.get(name).copied().map(Target::Exchange),
        };
        let (Some(source), Some(target)) = (source, target) else { return Ok(()) };
        let binding = Binding { target, key: binding.key, arguments: binding.arguments };
        let Some(place) = self.exchanges[source].bindings.find(&binding) else { return Ok(()) };
        self.check_target(connection, target)?;
        self.incoming(target).remove(&(source, place));
        self.remove_binding(source, place);
        self.delete_if_idle(source);
        Ok(())
    }

    fn check_target(&self, connection: ConnectionId, target: Target) -> Result<(), Fault> {
        match target {
            Target::Queue(queue) => self.check_access(queue, connection),
            Target::Exchange(_) => Ok(()),
        }
    }

    fn incoming(&mut self, target: Target) -> &mut BTreeSet<(ExchangeKey, u32)> {
        match target {
            Target::Queue(queue) => &mut self.queues[queue].incoming,
            Target::Exchange(exchange) => &mut self.exchanges[exchange].incoming,
        }
    }

    /// Removes a binding from its source; it is already removed from its destination.
    fn remove_binding(&mut self, source: ExchangeKey, place: u32) {
        let exchange = &mut self.exchanges[source];
        if let Some(binding) = Arc::make_mut(&mut exchange.bindings).remove(place) {
            exchange.router.remove(&binding.key, &binding.arguments, binding.target);
        }
    }

    /// Deletes a queue with its bindings; auto-delete sources without remaining bindings are deleted too.
    pub(crate) fn remove_queue(&mut self, queue: QueueKey) {
        self.unbind_destination(Target::Queue(queue));
        self.forget_queue(queue);
    }

    /// Removes a queue with its bindings, and nothing else.
    pub(crate) fn forget_queue(&mut self, queue: QueueKey) {
        self.forget_incoming(Target::Queue(queue));
        if let Some(state) = self.queues.remove(queue) {
            self.unschedule(queue, state.deadlines);
            self.queue_names.remove(&state.name);
        }
    }

    /// Removes all bindings to a deleted destination; auto-delete sources without remaining bindings are deleted too (R22, R23).
    fn unbind_destination(&mut self, target: Target) {
        let mut sources: Vec<ExchangeKey> = self.incoming(target).iter().map(|(source, _)| *source).collect();
        sources.dedup();
        self.forget_incoming(target);
        for source in sources {
            self.delete_if_idle(source);
        }
    }

    /// Deletes an auto-delete exchange without bindings.
    fn delete_if_idle(&mut self, exchange: ExchangeKey) {
        let idle = |exchange: &Exchange| exchange.auto_delete && exchange.bindings.is_empty();
        if self.exchanges.get(exchange).is_some_and(idle) {
            self.remove_exchange(exchange);
        }
    }

    /// Deletes an exchange with its bindings, from it and to it; auto-delete sources without remaining bindings are deleted too.
    pub(crate) fn remove_exchange(&mut self, exchange: ExchangeKey) {
        let mut sources: Vec<ExchangeKey> =
            self.exchanges[exchange].incoming.iter().map(|(source, _)| *source).collect();
        sources.dedup();
        self.forget_exchange(exchange);
        for source in sources {
            self.delete_if_idle(source);
        }
    }

    /// Removes an exchange with its bindings, and nothing else.
    pub(crate) fn forget_exchange(&mut self, exchange: ExchangeKey) {
        let outgoing: Vec<(u32, Target)> = self.exchanges[exchange]
            .bindings
            .iter()
            .map(|(place, binding)| (place, binding.target))
            .collect();
        for (place, target) in outgoing {
            self.incoming(target).remove(&(exchange, place));
        }
        self.forget_incoming(Target::Exchange(exchange));
        if let Some(exchange) = self.exchanges.remove(exchange) {
            self.exchange_names.remove(&exchange.name);
        }
    }

    /// Removes all bindings to a destination.
    fn forget_incoming(&mut self, target: Target) {
        for (source, place) in std::mem::take(self.incoming(target)) {
            self.remove_binding(source, place);
        }
    }
}

impl NamedBinding {
    /// Returns the binding of a queue, whose name is completed.
    pub(crate) fn of_queue(queue: &ShortString, bind: QueueBind) -> Self {
        // Without a queue and a key, the key is the queue's name (R46).
        let nameless = bind.queue.is_empty() && bind.routing_key.is_empty();
        Self {
            source: stripped(&bind.exchange),
            destination: Destination::Queue(stripped(queue)),
            key: if nameless { queue.clone() } else { bind.routing_key },
            arguments: bind.arguments,
        }
    }

    pub(crate) fn of_exchange(bind: ExchangeBind) -> Self {
        Self {
            source: stripped(&bind.source),
            destination: Destination::Exchange(stripped(&bind.destination)),
            key: bind.routing_key,
            arguments: bind.arguments,
        }
    }

    fn check_not_default(&self) -> Result<(), Fault> {
        if let Destination::Exchange(name) = &self.destination {
            check_not_default(name)?;
        }
        check_not_default(&self.source)
    }
}

fn check_hashes(key: &str, behaviour: &Behaviour) -> Result<(), Fault> {
    let Some(most) = behaviour.most_hashes else { return Ok(()) };
    let count = key.split('.').filter(|word| *word == "#").count();
    if count <= most {
        return Ok(());
    }
    Err(Fault::precondition_failed(format!(
        "Topic binding key '{key}' uses {count} '#' wildcards, at most {most} are allowed"
    )))
}
