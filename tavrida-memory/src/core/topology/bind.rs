//! Binding and unbinding, and what is deleted with a binding.

use std::collections::BTreeSet;
use std::sync::Arc;

use tavrida::field::{ShortString, Table};

use super::binding::Bound;
use super::exchange::{Exchange, Router, Target};
use crate::core::Broker;
use crate::core::declare::{check_not_default, stripped};
use crate::core::errors::Fault;
use crate::core::keys::{ChannelKey, ExchangeKey};
use crate::core::method::{ExchangeBind, QueueBind};
use crate::core::routing::HeadersTable;

/// A binding as a client names it.
struct Wanted {
    source: ShortString,
    destination: Named,
    key: ShortString,
    arguments: Table,
}

enum Named {
    Queue(ShortString),
    Exchange(ShortString),
}

impl Broker {
    pub(crate) fn bind_queue(&mut self, channel: ChannelKey, bind: QueueBind) -> Result<(), Fault> {
        let wanted = self.wanted(channel, bind)?;
        self.bind(channel, wanted)
    }

    pub(crate) fn unbind_queue(&mut self, channel: ChannelKey, bind: QueueBind) -> Result<(), Fault> {
        let wanted = self.wanted(channel, bind)?;
        self.unbind(channel, wanted)
    }

    pub(crate) fn bind_exchange(&mut self, channel: ChannelKey, bind: ExchangeBind) -> Result<(), Fault> {
        self.bind(channel, Wanted::of_exchange(bind))
    }

    pub(crate) fn unbind_exchange(&mut self, channel: ChannelKey, bind: ExchangeBind) -> Result<(), Fault> {
        self.unbind(channel, Wanted::of_exchange(bind))
    }

    fn wanted(&self, channel: ChannelKey, bind: QueueBind) -> Result<Wanted, Fault> {
        let queue = self.expanded(channel, &bind.queue)?;
        // Without a queue and a key, the key is the queue's name (R46).
        let nameless = bind.queue.is_empty() && bind.routing_key.is_empty();
        let key = if nameless { queue.clone() } else { bind.routing_key };
        Ok(Wanted {
            source: stripped(&bind.exchange),
            destination: Named::Queue(stripped(&queue)),
            key,
            arguments: bind.arguments,
        })
    }

    fn bind(&mut self, channel: ChannelKey, wanted: Wanted) -> Result<(), Fault> {
        wanted.check_not_default()?;
        let source = self.exchange(&wanted.source)?;
        let target = match &wanted.destination {
            Named::Queue(name) => Target::Queue(self.queue(name)?),
            Named::Exchange(name) => Target::Exchange(self.exchange(name)?),
        };
        if matches!(self.topology.exchanges[source].router, Router::Headers(_)) {
            HeadersTable::<Target>::check(&wanted.arguments)
                .map_err(|invalid| Fault::precondition_failed(invalid.to_string()))?;
        }
        if matches!(self.topology.exchanges[source].router, Router::Topic(_)) {
            self.check_hashes(&wanted.key)?;
        }
        self.check_target(channel, target)?;
        let bound = Bound { target, key: wanted.key, arguments: wanted.arguments };
        let (key, arguments) = (bound.key.clone(), bound.arguments.clone());
        let exchange = &mut self.topology.exchanges[source];
        if let Some(place) = Arc::make_mut(&mut exchange.bindings).insert(bound) {
            exchange.router.insert(&key, &arguments, target);
            self.incoming(target).insert((source, place));
            self.topology_grew();
        }
        Ok(())
    }

    fn unbind(&mut self, channel: ChannelKey, wanted: Wanted) -> Result<(), Fault> {
        wanted.check_not_default()?;
        let source = self.topology.exchange_names.get(&wanted.source).copied();
        let target = match &wanted.destination {
            Named::Queue(name) => self.topology.queue_names.get(name).copied().map(Target::Queue),
            Named::Exchange(name) => self.topology.exchange_names.get(name).copied().map(Target::Exchange),
        };
        let (Some(source), Some(target)) = (source, target) else { return Ok(()) };
        let bound = Bound { target, key: wanted.key, arguments: wanted.arguments };
        let Some(place) = self.topology.exchanges[source].bindings.find(&bound) else { return Ok(()) };
        self.check_target(channel, target)?;
        self.incoming(target).remove(&(source, place));
        self.remove_binding(source, place);
        self.delete_if_idle(source);
        Ok(())
    }

    fn check_hashes(&self, key: &str) -> Result<(), Fault> {
        let Some(most) = self.node.behaviour.most_hashes else { return Ok(()) };
        let count = key.split('.').filter(|word| *word == "#").count();
        if count <= most {
            return Ok(());
        }
        Err(Fault::precondition_failed(format!(
            "Topic binding key '{key}' uses {count} '#' wildcards, at most {most} are allowed"
        )))
    }

    fn check_target(&self, channel: ChannelKey, target: Target) -> Result<(), Fault> {
        match target {
            Target::Queue(queue) => self.check_access(channel, queue),
            Target::Exchange(_) => Ok(()),
        }
    }

    fn incoming(&mut self, target: Target) -> &mut BTreeSet<(ExchangeKey, u32)> {
        match target {
            Target::Queue(queue) => &mut self.topology.queues[queue].incoming,
            Target::Exchange(exchange) => &mut self.topology.exchanges[exchange].incoming,
        }
    }

    /// Removes a binding from its source; it is already removed from its destination.
    fn remove_binding(&mut self, source: ExchangeKey, place: u32) {
        let exchange = &mut self.topology.exchanges[source];
        if let Some(bound) = Arc::make_mut(&mut exchange.bindings).remove(place) {
            exchange.router.remove(&bound.key, &bound.arguments, bound.target);
        }
    }

    /// Removes all bindings to a deleted destination; auto-delete sources without remaining bindings are deleted too (R22, R23).
    pub(crate) fn unbind_destination(&mut self, target: Target) {
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
        if self.topology.exchanges.get(exchange).is_some_and(idle) {
            self.remove_exchange(exchange);
        }
    }

    /// Deletes an exchange with its bindings, from it and to it; auto-delete sources without remaining bindings are deleted too.
    pub(crate) fn remove_exchange(&mut self, exchange: ExchangeKey) {
        let mut sources: Vec<ExchangeKey> =
            self.topology.exchanges[exchange].incoming.iter().map(|(source, _)| *source).collect();
        sources.dedup();
        self.forget_exchange(exchange);
        for source in sources {
            self.delete_if_idle(source);
        }
    }

    /// Removes an exchange with its bindings, and nothing else.
    pub(crate) fn forget_exchange(&mut self, exchange: ExchangeKey) {
        let outgoing: Vec<(u32, Target)> = self.topology.exchanges[exchange]
            .bindings
            .iter()
            .map(|(place, bound)| (place, bound.target))
            .collect();
        for (place, target) in outgoing {
            self.incoming(target).remove(&(exchange, place));
        }
        self.forget_incoming(Target::Exchange(exchange));
        if let Some(exchange) = self.topology.exchanges.remove(exchange) {
            self.topology.exchange_names.remove(&exchange.name);
        }
    }

    /// Removes all bindings to a destination.
    pub(crate) fn forget_incoming(&mut self, target: Target) {
        for (source, place) in std::mem::take(self.incoming(target)) {
            self.remove_binding(source, place);
        }
    }
}

impl Wanted {
    fn of_exchange(bind: ExchangeBind) -> Self {
        Self {
            source: stripped(&bind.source),
            destination: Named::Exchange(stripped(&bind.destination)),
            key: bind.routing_key,
            arguments: bind.arguments,
        }
    }

    fn check_not_default(&self) -> Result<(), Fault> {
        if let Named::Exchange(name) = &self.destination {
            check_not_default(name)?;
        }
        check_not_default(&self.source)
    }
}
