//! [`Graph`]: a topology prepared for routing many classes of messages.

use std::collections::{BTreeSet, HashMap};

use crate::criteria::Criteria;
use crate::keys::Language;
use crate::topology::{Binding, Destination, ExchangeType, Topology};

/// Languages by number. The bindings of several topologies share them.
#[derive(Default)]
pub(crate) struct Languages<'t> {
    pub(crate) all: Vec<Language<'t>>,
    numbers: HashMap<Language<'t>, usize>,
}

impl<'t> Languages<'t> {
    fn number(&mut self, language: Language<'t>) -> usize {
        *self.numbers.entry(language).or_insert_with_key(|language| {
            self.all.push(language.clone());
            self.all.len() - 1
        })
    }
}

/// When a binding matches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    /// If the key is in this language.
    Key(usize),
    /// If the headers satisfy this.
    Headers(Criteria),
}

/// A binding with its rule.
pub(crate) struct Edge<'t> {
    /// The index of the binding in the topology.
    pub(crate) index: usize,
    pub(crate) binding: &'t Binding,
    pub(crate) rule: Rule,
}

/// A topology by source.
pub(crate) struct Graph<'t> {
    pub(crate) topology: &'t Topology,
    edges: HashMap<&'t str, Vec<Edge<'t>>>,
}

/// The route of a class of messages.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reach<'t> {
    pub(crate) queues: BTreeSet<&'t str>,
    /// The bindings that matched, by index.
    pub(crate) used: Vec<usize>,
    /// The exchanges that it reached.
    pub(crate) exchanges: BTreeSet<&'t str>,
    /// The exchanges whose alternates were used.
    pub(crate) diverted: Vec<&'t str>,
}

impl<'t> Graph<'t> {
    /// Returns the graph of the exchanges that messages can reach from these.
    pub(crate) fn new(
        topology: &'t Topology,
        exchanges: &BTreeSet<&'t str>,
        languages: &mut Languages<'t>,
    ) -> Self {
        let mut edges: HashMap<&str, Vec<Edge<'_>>> = HashMap::new();
        for (index, binding) in topology.bindings().iter().enumerate() {
            let Some(source) =
                topology.exchange(&binding.source).filter(|source| exchanges.contains(&*source.name))
            else {
                continue;
            };
            let rule = match source.kind {
                ExchangeType::Fanout => Rule::Key(languages.number(Language::All)),
                ExchangeType::Direct => Rule::Key(languages.number(Language::Key(&binding.routing_key))),
                ExchangeType::Topic => Rule::Key(languages.number(Language::Topic(&binding.routing_key))),
                ExchangeType::Headers => {
                    let criteria = Criteria::of(&binding.arguments, topology.behaviour());
                    Rule::Headers(criteria.expect("a topology refuses any other x-match"))
                }
            };
            edges.entry(&binding.source).or_default().push(Edge { index, binding, rule });
        }
        Self { topology, edges }
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = &Edge<'t>> {
        self.edges.values().flatten()
    }

    pub(crate) fn edges_from(&self, exchange: &str) -> &[Edge<'t>] {
        self.edges.get(exchange).map_or(&[], Vec::as_slice)
    }

    /// Returns where a message goes from an exchange, if these rules hold for it: as `route`, without paths.
    pub(crate) fn reach(&self, start: &'t str, holds: impl Fn(&Rule) -> bool) -> Reach<'t> {
        let mut reach = Reach { exchanges: BTreeSet::from([start]), ..Reach::default() };
        let mut todo = vec![start];
        while let Some(exchange) = todo.pop() {
            let before = reach.used.len();
            let mut next = Vec::new();
            for edge in self.edges_from(exchange).iter().filter(|edge| holds(&edge.rule)) {
                reach.used.push(edge.index);
                match &edge.binding.destination {
                    Destination::Queue(queue) => {
                        reach.queues.insert(queue);
                    }
                    Destination::Exchange(other) => next.push(other.as_str()),
                }
            }
            let alternate = self.topology.exchange(exchange).and_then(|exchange| exchange.alternate());
            let alternate = alternate.filter(|name| self.topology.exchange(name).is_some());
            if let Some(alternate) = alternate.filter(|_| reach.used.len() == before) {
                reach.diverted.push(exchange);
                next.push(alternate);
            }
            todo.extend(next.into_iter().filter(|name| reach.exchanges.insert(name)));
        }
        reach
    }
}

/// Returns the exchanges that messages can reach from these, by any binding or alternate.
pub(crate) fn downstream<'t>(
    topologies: &[&'t Topology],
    from: impl IntoIterator<Item = &'t str>,
) -> BTreeSet<&'t str> {
    let mut seen: BTreeSet<&str> = from.into_iter().collect();
    let mut todo: Vec<&str> = seen.iter().copied().collect();
    while let Some(name) = todo.pop() {
        for topology in topologies {
            let bound = topology.bindings_from(name).filter_map(|binding| match &binding.destination {
                Destination::Exchange(other) => Some(other.as_str()),
                Destination::Queue(_) => None,
            });
            let alternate = topology.exchange(name).and_then(|exchange| exchange.alternate());
            let alternate = alternate.filter(|name| topology.exchange(name).is_some());
            let next: Vec<&str> = bound.chain(alternate).filter(|name| seen.insert(name)).collect();
            todo.extend(next);
        }
    }
    seen
}
