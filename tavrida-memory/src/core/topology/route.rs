//! Routing: from an exchange and the keys of a message to the queues.

use tavrida::field::Table;
use tavrida::transport::Publication;

use super::Topology;
use super::binding::Target;
use crate::core::errors::Fault;
use crate::core::keys::{ExchangeKey, QueueKey};
use crate::core::message::routing_keys::RoutingKeys;
use crate::core::node::Node;

impl Topology {
    /// Returns the exchange that a message is published to; `None` is the default exchange.
    pub(crate) fn check_publish(
        &self,
        node: &Node,
        publication: &Publication,
        immediate: bool,
    ) -> Result<Option<ExchangeKey>, Fault> {
        if immediate {
            return Err(Fault::not_implemented("immediate=true"));
        }
        let size = publication.body.len();
        let largest = node.behaviour.largest_body;
        if size > largest {
            return Err(Fault::precondition_failed(format!(
                "message size {size} is larger than configured max size {largest}"
            )));
        }
        if publication.exchange.is_empty() {
            return Ok(None);
        }
        let exchange = self.exchange(&publication.exchange)?;
        if self.exchanges[exchange].internal {
            let what = self.exchange_text(&publication.exchange);
            return Err(Fault::access_refused(format!("cannot publish to internal {what}")));
        }
        Ok(Some(exchange))
    }

    /// Returns the queues that a message reaches from an exchange (`None` is the default exchange), without duplicates (R25, R26).
    pub(crate) fn route(
        &mut self,
        exchange: Option<ExchangeKey>,
        keys: &RoutingKeys<'_>,
        headers: &Table,
        into: &mut Vec<QueueKey>,
    ) {
        let Some(start) = exchange else {
            into.extend(self.queue_names.get(keys.primary));
            let names = keys.more.iter().filter_map(|key| std::str::from_utf8(key).ok());
            into.extend(names.filter_map(|name| self.queue_names.get(name)));
            return sort_and_dedup(into);
        };
        let mut targets = std::mem::take(&mut self.targets);
        let mut seen: Vec<ExchangeKey> = Vec::new();
        let mut next = Some(start);
        let mut todo: Vec<ExchangeKey> = Vec::new();
        while let Some(exchange) = next {
            targets.clear();
            self.exchanges[exchange].router.route(keys, headers, &mut targets);
            if targets.is_empty() {
                targets.extend(self.alternate_of(exchange).map(Target::Exchange));
            }
            for target in &targets {
                match target {
                    Target::Queue(queue) => into.push(*queue),
                    Target::Exchange(other) if *other != start && !seen.contains(other) => {
                        seen.push(*other);
                        todo.push(*other);
                    }
                    Target::Exchange(_) => {}
                }
            }
            next = todo.pop();
        }
        self.targets = targets;
        sort_and_dedup(into);
    }

    /// Returns the exchange that takes what another one routes nowhere. The default exchange has no bindings on this path (R27), so that what
    /// it takes goes on to the alternate that a policy gives it.
    fn alternate_of(&self, exchange: ExchangeKey) -> Option<ExchangeKey> {
        let alternate = self.exchanges[exchange].alternate()?;
        if alternate.is_empty() {
            return self.exchange_names.get(&*self.alternate_by_policy("")?).copied();
        }
        self.exchange_names.get(alternate).copied()
    }
}

fn sort_and_dedup(queues: &mut Vec<QueueKey>) {
    if queues.len() > 1 {
        queues.sort_unstable();
        queues.dedup();
    }
}
