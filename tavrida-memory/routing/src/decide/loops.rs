//! Cycles: of exchanges, which are harmless, and of dead letters, which are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::decide::classes::Classes;
use crate::decide::{Cut, Decided};
use crate::keys::Limits;
use crate::message::Message;
use crate::topology::{Destination, Queue, Topology};
use crate::value::Table;

/// Queues whose dead letters can return to where they began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct DeadLetterLoop {
    /// The queues, starting with the first by name; the last one dead-letters to the first.
    pub queues: Vec<String>,
    /// Whether each queue drops messages without a consumer, by a time to live or a length limit. Such a cycle ends after one turn: a node
    /// drops the message. In any other cycle the message circulates while a consumer rejects it.
    pub automatic: bool,
}

impl fmt::Display for DeadLetterLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.queues.first().map_or("", String::as_str);
        let end = if self.automatic { "dropped after one turn" } else { "for as long as it is rejected" };
        write!(f, "{} -> {first} ({end})", self.queues.join(" -> "))
    }
}

type Edges<'t> = BTreeMap<&'t str, BTreeSet<&'t str>>;

impl Topology {
    /// Returns the cycles of exchanges, each once. A node visits each exchange once, so that a cycle loses and duplicates no message.
    pub fn exchange_loops(&self) -> Vec<Vec<String>> {
        let mut edges = Edges::new();
        for binding in self.bindings() {
            if let Destination::Exchange(name) = &binding.destination {
                edges.entry(&binding.source).or_default().insert(name);
            }
        }
        for exchange in self.exchanges() {
            if let Some(alternate) = exchange.alternate().filter(|name| self.exchange(name).is_some()) {
                edges.entry(&exchange.name).or_default().insert(alternate);
            }
        }
        cycles(&edges)
    }

    /// Returns the queues whose dead letters can return to where they began, each cycle once.
    ///
    /// A dead letter that keeps its routing key is assumed to have any key with which a message can enter the queue from an exchange.
    pub fn dead_letter_loops(&self) -> Decided<Vec<DeadLetterLoop>> {
        let mut cuts = Vec::new();
        let mut edges = Edges::new();
        for queue in self.queues() {
            let Some(exchange) = queue.dead_letter_exchange() else { continue };
            // From the default exchange messages come with the name of the queue.
            let key = queue.dead_letter_routing_key().unwrap_or(&queue.name);
            let targets = self.targets_of_key(exchange, key, &mut cuts);
            edges.entry(queue.name.as_str()).or_default().extend(targets);
        }
        self.letters_with_own_keys(&mut cuts, |queue, _, targets| {
            edges.entry(queue).or_default().extend(targets);
        });
        let found = cycles(&edges).into_iter().map(|queues| {
            let automatic = queues.iter().filter_map(|name| self.queue(name)).all(gives_up);
            DeadLetterLoop { queues, automatic }
        });
        Decided { found: found.collect(), cuts }
    }

    /// Returns dead letters that reach no queue: the first one of each queue that has some.
    pub(crate) fn lost_letters(&self) -> BTreeMap<&str, Message> {
        let mut lost = BTreeMap::new();
        for queue in self.queues() {
            let exchange = queue.dead_letter_exchange().and_then(|name| self.exchange(name));
            if let Some((exchange, key)) = exchange.zip(queue.dead_letter_routing_key())
                && self.targets_of_key(&exchange.name, key, &mut Vec::new()).is_empty()
            {
                lost.insert(queue.name.as_str(), Message::new(&exchange.name, key));
            }
        }
        self.letters_with_own_keys(&mut Vec::new(), |queue, letter, targets| {
            if targets.is_empty() {
                lost.entry(queue).or_insert_with(|| letter.clone());
            }
        });
        lost
    }

    /// Visits the dead letters that keep their keys, by classes: the queue, the letter, and the queues that it reaches.
    fn letters_with_own_keys<'t>(
        &'t self,
        cuts: &mut Vec<Cut>,
        mut visit: impl FnMut(&'t str, &Message, &BTreeSet<&'t str>),
    ) {
        let mut queues: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for queue in self.queues().filter(|queue| queue.dead_letter_routing_key().is_none()) {
            if let Some(exchange) = queue.dead_letter_exchange().and_then(|name| self.exchange(name)) {
                queues.entry(&exchange.name).or_default().insert(&queue.name);
            }
        }
        for (exchange, queues) in queues {
            for entry in self.entries() {
                let classes = Classes::of(&[self], entry, &[exchange], Limits::default(), None);
                for class in &classes.classes {
                    let reached = classes.reach(0, entry, class).queues;
                    let mut from = reached.intersection(&queues).peekable();
                    if from.peek().is_none() {
                        continue;
                    }
                    let letter = Message { exchange: exchange.to_owned(), ..class.message.clone() };
                    let targets = classes.reach(0, exchange, class).queues;
                    from.for_each(|queue| visit(queue, &letter, &targets));
                }
                cuts.extend(classes.cuts);
            }
        }
    }

    /// Returns where dead letters with a configured key go.
    fn targets_of_key(&self, exchange: &str, key: &str, cuts: &mut Vec<Cut>) -> BTreeSet<&str> {
        let Some(known) = self.exchange(exchange) else {
            // The default exchange, or one that is missing.
            let queue = self.queue(key).filter(|_| exchange.is_empty());
            return queue.map(|queue| queue.name.as_str()).into_iter().collect();
        };
        // The key is known: only the headers make a difference.
        let classes = Classes::of(&[self], &known.name, &[], Limits::default(), Some(&|_, _| false));
        let mut targets = BTreeSet::new();
        let mut seen: Vec<&Table> = Vec::new();
        for class in &classes.classes {
            let headers = &class.message.headers;
            if !seen.contains(&headers) {
                seen.push(headers);
                let mut routing = self.routing(Message::new(exchange, key).headers(headers.clone()));
                routing.walk(exchange, &[key]);
                targets.extend(
                    routing.queues().filter_map(|queue| self.queue(queue)).map(|queue| queue.name.as_str()),
                );
            }
        }
        cuts.extend(classes.cuts);
        targets
    }
}

/// Returns whether a queue drops messages that no consumer rejects.
fn gives_up(queue: &Queue) -> bool {
    let limits = ["message-ttl", "max-length", "max-length-bytes"];
    limits.iter().any(|limit| queue.setting(limit).is_some())
}

/// Returns the cycles of a graph: for each place the shortest one, each once.
pub(crate) fn cycles(edges: &Edges<'_>) -> Vec<Vec<String>> {
    let mut found = BTreeSet::new();
    for start in edges.keys() {
        let mut came: BTreeMap<&str, &str> = BTreeMap::new();
        let mut todo = std::collections::VecDeque::from([*start]);
        while let Some(place) = todo.pop_front() {
            for next in edges.get(place).into_iter().flatten() {
                if !came.contains_key(next) {
                    came.insert(next, place);
                    todo.push_back(next);
                }
            }
        }
        let Some(mut place) = came.get(start) else { continue };
        let mut cycle = vec![*start];
        while place != start {
            cycle.push(place);
            place = &came[place];
        }
        cycle[1..].reverse();
        let first = (0..cycle.len()).min_by_key(|index| cycle[*index]).unwrap_or(0);
        cycle.rotate_left(first);
        found.insert(cycle.into_iter().map(str::to_owned).collect::<Vec<_>>());
    }
    found.into_iter().collect()
}
