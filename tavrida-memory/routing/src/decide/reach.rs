//! Messages that reach no queue, queues that no message reaches, unused alternates.

use std::collections::BTreeSet;

use crate::decide::Decided;
use crate::decide::classes::Classes;
use crate::keys::Limits;
use crate::message::Message;
use crate::topology::Topology;

impl Topology {
    /// Returns the shortest message to an exchange that reaches no queue. `None` if every message reaches one, or the exchange does not
    /// exist.
    ///
    /// ```
    /// use tavrida_routing::{Exchange, Queue, Topology};
    ///
    /// let topology = Topology::builder()
    ///     .exchange(Exchange::topic("orders"))
    ///     .queue(Queue::new("some"))
    ///     .bind_queue("some", "orders", "*.#")
    ///     .build()?;
    /// let message = topology.unroutable("orders").found.unwrap();
    /// assert_eq!(message.key, "");
    /// # Ok::<(), tavrida_routing::BrokerError>(())
    /// ```
    pub fn unroutable(&self, exchange: &str) -> Decided<Option<Message>> {
        self.first_message(exchange, |reach| reach.0)
    }

    /// Returns the shortest message to an exchange that reaches no queue although an alternate exchange on its route would have taken it: a
    /// binding to an exchange matched and led nowhere.
    pub fn swallowed(&self, exchange: &str) -> Decided<Option<Message>> {
        self.first_message(exchange, |reach| reach.0 && reach.1)
    }

    /// Returns the first message that satisfies this predicate: whether it reaches no queue, and whether it passed an exchange with an
    /// unused alternate.
    fn first_message(
        &self,
        exchange: &str,
        holds: impl Fn((bool, bool)) -> bool,
    ) -> Decided<Option<Message>> {
        let Some(known) = self.exchange(exchange) else { return Decided { found: None, cuts: Vec::new() } };
        let entry = known.name.as_str();
        let classes = Classes::of(&[self], entry, &[], Limits::default(), None);
        let found = classes.classes.iter().find(|class| {
            let reach = classes.reach(0, entry, class);
            let unused = |name: &&&str| {
                let alternate = self.exchange(name).and_then(|exchange| exchange.alternate());
                alternate.is_some_and(|name| self.exchange(name).is_some()) && !reach.diverted.contains(*name)
            };
            holds((reach.queues.is_empty(), reach.exchanges.iter().any(|name| unused(&name))))
        });
        let found = found.map(|class| class.message.clone());
        Decided { found, cuts: classes.cuts }
    }

    /// Returns the queues that neither a published message nor a dead letter reaches, except through the default exchange by their names.
    ///
    /// A queue whose dead letters go to the default exchange with their own keys may feed any queue: with one, the answer is empty.
    pub fn unreachable_queues(&self) -> Decided<Vec<&str>> {
        let mut queues: BTreeSet<&str> = self.queues().map(|queue| queue.name.as_str()).collect();
        let mut cuts = Vec::new();
        for queue in self.queues() {
            match (queue.dead_letter_exchange(), queue.dead_letter_routing_key()) {
                (Some(""), Some(key)) => {
                    queues.remove(key);
                }
                // Any message may have the key.
                (Some(""), None) => queues.clear(),
                _ => {}
            }
        }
        let letters = self.queues().filter_map(|queue| queue.dead_letter_exchange());
        let entries: BTreeSet<&str> =
            self.entries().chain(letters).filter(|name| self.exchange(name).is_some()).collect();
        for entry in entries {
            let classes = Classes::of(&[self], entry, &[], Limits::default(), None);
            for class in &classes.classes {
                for queue in classes.reach(0, entry, class).queues {
                    queues.remove(queue);
                }
            }
            cuts.extend(classes.cuts);
        }
        Decided { found: queues.into_iter().collect(), cuts }
    }

    /// Returns the exchanges whose alternate gets no message, since every message matches a binding.
    pub fn unused_alternates(&self) -> Decided<Vec<&str>> {
        let mut found = Vec::new();
        let mut cuts = Vec::new();
        let with_alternate = self.exchanges().filter(|exchange| exchange.alternate().is_some());
        for exchange in with_alternate {
            let entry = exchange.name.as_str();
            let classes = Classes::of(&[self], entry, &[], Limits::default(), None);
            let edges = classes.graphs[0].edges_from(entry);
            let is_free = |class: &_| !edges.iter().any(|edge| classes.holds(&edge.rule, class));
            if classes.cuts.is_empty() && !classes.classes.iter().any(is_free) {
                found.push(entry);
            }
            cuts.extend(classes.cuts);
        }
        Decided { found, cuts }
    }
}
