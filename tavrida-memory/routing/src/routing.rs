//! [`Routing`]: where a message goes, by which bindings, and why not to other queues.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::broker_error::BrokerError;
use crate::matching;
use crate::message::Message;
use crate::topology::{Binding, Destination, Topology};

/// One step of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Hop {
    /// A binding matched.
    Binding(Binding),
    /// No binding of the exchange matched, and its alternate took the message.
    Alternate {
        /// The exchange.
        exchange: String,
        /// Its alternate.
        alternate: String,
    },
    /// The default exchange: a routing key is the name of the queue.
    Default {
        /// The queue.
        queue: String,
    },
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binding(binding) => write!(f, "{binding}"),
            Self::Alternate { exchange, alternate } => {
                write!(f, "{exchange} --(no binding matched)--> alternate exchange '{alternate}'")
            }
            Self::Default { queue } => write!(f, "(default exchange) --> queue '{queue}'"),
        }
    }
}

/// The steps to a destination, in order.
pub type Path = Vec<Hop>;

/// Where a message goes.
///
/// Made by [`Topology::route`]. Its `Display` output shows every queue with the bindings that led there.
#[derive(Debug, Clone)]
pub struct Routing<'t> {
    pub(crate) topology: &'t Topology,
    pub(crate) message: Message,
    queues: BTreeMap<String, Vec<Path>>,
    exchanges: BTreeMap<String, Path>,
    /// Queues that dead-lettering left out, because the message would circulate.
    cycles: BTreeSet<String>,
}

impl Topology {
    /// Returns the queues that a message reaches, with the reasons.
    ///
    /// # Errors
    ///
    /// The error of a node for the publish: 404 if the exchange does not exist, 403 if it is internal, 406 if `CC` or `BCC` is not an
    /// array.
    ///
    /// ```
    /// use tavrida_routing::{Exchange, Message, Queue, Topology};
    ///
    /// let topology = Topology::builder()
    ///     .exchange(Exchange::topic("orders"))
    ///     .queue(Queue::new("billing"))
    ///     .bind_queue("billing", "orders", "order.*.paid")
    ///     .build()?;
    ///
    /// let routing = topology.route(&Message::new("orders", "order.7.placed"))?;
    /// assert!(routing.is_returned());
    /// assert_eq!(
    ///     routing.why_not("billing").unwrap().to_string(),
    ///     "orders --'order.*.paid'--> queue 'billing': pattern 'order.*.paid' fails on key 'order.7.placed' \
    ///      at word 3: 'placed' is not 'paid'",
    /// );
    /// # Ok::<(), tavrida_routing::BrokerError>(())
    /// ```
    pub fn route(&self, message: &Message) -> Result<Routing<'_>, BrokerError> {
        self.check_publish(message)?;
        BrokerError::check_length("routing key", &message.key)?;
        let keys = message.keys()?;
        let mut routing = self.routing(message.clone());
        routing.walk(&message.exchange, &keys);
        Ok(routing)
    }

    fn check_publish(&self, message: &Message) -> Result<(), BrokerError> {
        let name = message.exchange.as_str();
        BrokerError::check_length("exchange name", name)?;
        match self.exchange(name) {
            None if name.is_empty() => Ok(()),
            None => Err(BrokerError::not_found(format_args!("no {}", self.exchange_text(name)))),
            Some(exchange) if exchange.internal => {
                let what = self.exchange_text(name);
                Err(BrokerError::access_refused(format_args!("cannot publish to internal {what}")))
            }
            Some(_) => Ok(()),
        }
    }

    pub(crate) fn routing(&self, message: Message) -> Routing<'_> {
        let (queues, exchanges) = (BTreeMap::new(), BTreeMap::new());
        Routing { topology: self, message, queues, exchanges, cycles: BTreeSet::new() }
    }
}

impl<'t> Routing<'t> {
    /// Returns the message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the queues that it reaches, by name, without duplicates.
    pub fn queues(&self) -> impl ExactSizeIterator<Item = &str> {
        self.queues.keys().map(String::as_str)
    }

    /// Returns whether it reaches a queue.
    pub fn reaches(&self, queue: &str) -> bool {
        self.queues.contains_key(queue)
    }

    /// Returns whether it reaches no queue: a node returns it if it is mandatory, and drops it otherwise.
    pub fn is_returned(&self) -> bool {
        self.queues.is_empty()
    }

    /// Returns the paths to a queue: one for each binding that led into it. Empty if the message does not reach it.
    pub fn via(&self, queue: &str) -> &[Path] {
        self.queues.get(queue).map_or(&[], Vec::as_slice)
    }

    /// Returns the exchanges that it passes, by name.
    pub fn exchanges(&self) -> impl Iterator<Item = &str> {
        self.exchanges.keys().map(String::as_str)
    }

    /// Returns all bindings that matched.
    pub fn bindings(&self) -> impl Iterator<Item = &'t Binding> {
        let keys = self.message.keys().unwrap_or_default();
        self.topology.bindings().iter().filter(move |binding| {
            self.exchanges.contains_key(&binding.source)
                && self.topology.matches(binding, &keys, &self.message)
        })
    }

    /// Returns the queues that drop this dead letter, because it would circulate without having been rejected.
    pub fn dropped_in_cycle(&self) -> impl Iterator<Item = &str> {
        self.cycles.iter().map(String::as_str)
    }

    /// Goes from exchange to exchange, visiting each once (R25).
    pub(crate) fn walk(&mut self, start: &str, keys: &[&str]) {
        if start.is_empty() {
            for key in keys.iter().filter(|key| self.topology.queue(key).is_some()) {
                let hop = Hop::Default { queue: (*key).to_owned() };
                self.queues.insert((*key).to_owned(), vec![vec![hop]]);
            }
            return;
        }
        self.exchanges.insert(start.to_owned(), Path::new());
        let mut todo = VecDeque::from([start.to_owned()]);
        while let Some(name) = todo.pop_front() {
            let path = self.exchanges[&name].clone();
            for hop in
                self.topology.hops(&name, |binding| self.topology.matches(binding, keys, &self.message))
            {
                let destination = hop.destination();
                let path = path.iter().cloned().chain([hop]).collect();
                match destination {
                    Destination::Queue(queue) => self.queues.entry(queue).or_default().push(path),
                    Destination::Exchange(next) if !self.exchanges.contains_key(&next) => {
                        self.exchanges.insert(next.clone(), path);
                        todo.push_back(next);
                    }
                    Destination::Exchange(_) => {}
                }
            }
        }
    }

    /// Removes queues into which a dead letter would circulate.
    pub(crate) fn leave_out(&mut self, is_cycle: impl Fn(&str) -> bool) {
        let cycles: Vec<String> = self.queues.keys().filter(|queue| is_cycle(queue)).cloned().collect();
        for queue in cycles {
            self.queues.remove(&queue);
            self.cycles.insert(queue);
        }
    }
}

impl Hop {
    /// Returns the destination.
    pub fn destination(&self) -> Destination {
        match self {
            Self::Binding(binding) => binding.destination.clone(),
            Self::Alternate { alternate, .. } => Destination::Exchange(alternate.clone()),
            Self::Default { queue } => Destination::Queue(queue.clone()),
        }
    }
}

impl Topology {
    /// Routes a message at an exchange: by its matching bindings, or by its alternate if none matches (R26).
    pub(crate) fn hops(&self, exchange: &str, matches: impl Fn(&Binding) -> bool) -> Vec<Hop> {
        let bindings = self.bindings_from(exchange).filter(|binding| matches(binding));
        let hops: Vec<Hop> = bindings.cloned().map(Hop::Binding).collect();
        let alternate = self.exchange(exchange).and_then(|exchange| exchange.alternate());
        match alternate.filter(|name| hops.is_empty() && self.exchange(name).is_some()) {
            None => hops,
            Some(alternate) => {
                vec![Hop::Alternate { exchange: exchange.to_owned(), alternate: alternate.to_owned() }]
            }
        }
    }

    fn matches(&self, binding: &Binding, keys: &[&str], message: &Message) -> bool {
        let Some(exchange) = self.exchange(&binding.source) else { return false };
        matching::check(exchange.kind, binding, keys, &message.headers, self.behaviour()).is_ok()
    }
}

impl fmt::Display for Routing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        if self.is_returned() {
            writeln!(f, "  reaches no queue")?;
        }
        for (queue, paths) in &self.queues {
            writeln!(f, "  reaches queue '{queue}'")?;
            for path in paths {
                let hops: Vec<String> = path.iter().map(Hop::to_string).collect();
                writeln!(f, "    {}", hops.join(", then "))?;
            }
        }
        self.cycles
            .iter()
            .try_for_each(|queue| writeln!(f, "  dropped at queue '{queue}': a dead-letter cycle"))
    }
}
