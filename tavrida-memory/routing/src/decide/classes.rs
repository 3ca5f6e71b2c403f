//! [`Classes`]: the messages to an exchange, divided by what can affect their routes.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::Cut;
use crate::decide::graph::{Graph, Languages, Reach, Rule, downstream};
use crate::decide::headers;
use crate::keys::{Automaton, Limits};
use crate::message::Message;
use crate::topology::Topology;
use crate::value::Table;

/// The classes of messages to one exchange, in one topology or in several.
pub(crate) struct Classes<'t> {
    pub(crate) graphs: Vec<Graph<'t>>,
    pub(crate) classes: Vec<MessageClass>,
    pub(crate) cuts: Vec<Cut>,
}

/// Whether a rule can affect a route.
pub(crate) type Relevance<'a, 't> = &'a dyn Fn(&Languages<'t>, &Rule) -> bool;

/// Messages that the same bindings match.
pub(crate) struct MessageClass {
    /// A representative: the shortest key, the fewest headers.
    pub(crate) message: Message,
    /// The languages that contain the key, sorted.
    matched: Vec<usize>,
}

impl<'t> Classes<'t> {
    /// Returns the classes of messages to an exchange. Exchanges in `also` can be queried for their routes too. Classes in which no
    /// relevant rule holds may be missing.
    pub(crate) fn of(
        topologies: &[&'t Topology],
        entry: &'t str,
        also: &[&'t str],
        limits: Limits,
        is_relevant: Option<Relevance<'_, 't>>,
    ) -> Self {
        let exchanges = downstream(topologies, also.iter().copied().chain([entry]));
        let mut languages = Languages::default();
        let graphs: Vec<Graph<'t>> =
            topologies.iter().map(|topology| Graph::new(topology, &exchanges, &mut languages)).collect();
        let mut cuts = Vec::new();
        let mut cut = |limit: String| cuts.push(Cut { exchange: entry.to_owned(), limit });

        let relevant: Option<Vec<bool>> = is_relevant.map(|is_relevant| {
            (0..languages.all.len()).map(|number| is_relevant(&languages, &Rule::Key(number))).collect()
        });
        let automaton = Automaton::new(languages.all.iter().cloned());
        let keys = automaton.classes(relevant.as_deref(), limits.places);
        if !keys.complete {
            cut(format!("the automaton of its keys has more than {} places", limits.places));
        }
        let (tables, complete) = header_classes(&graphs, limits.header_tables);
        if !complete {
            cut(format!("its headers have more than {} tables", limits.header_tables));
        }
        if keys.classes.len() * tables.len() > limits.classes {
            cut(format!("there are more than {} classes", limits.classes));
        }
        let pairs = tables.iter().flat_map(|table| keys.classes.iter().map(move |class| (table, class)));
        let classes = pairs.take(limits.classes).map(|(table, class)| MessageClass {
            message: Message::new(entry, &class.key).headers(table.clone()),
            matched: class.matched.clone(),
        });
        let classes = classes.collect();
        Self { graphs, classes, cuts }
    }

    /// Returns where a class goes in one of the topologies.
    pub(crate) fn reach(&self, topology: usize, start: &'t str, class: &MessageClass) -> Reach<'t> {
        self.graphs[topology].reach(start, |rule| self.holds(rule, class))
    }

    pub(crate) fn holds(&self, rule: &Rule, class: &MessageClass) -> bool {
        match rule {
            Rule::Key(language) => class.matched.binary_search(language).is_ok(),
            Rule::Headers(criteria) => criteria.check(&class.message.headers).is_ok(),
        }
    }
}

/// Returns one table for each set of criteria that hold together.
fn header_classes(graphs: &[Graph<'_>], limit: usize) -> (Vec<Table>, bool) {
    let mut criteria = Vec::new();
    for edge in graphs.iter().flat_map(Graph::edges) {
        if let Rule::Headers(rule) = &edge.rule
            && !criteria.contains(&rule)
        {
            criteria.push(rule);
        }
    }
    let tables = headers::tables(criteria.iter().copied(), limit);
    let mut classes: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
    for (place, table) in tables.tables.iter().enumerate() {
        let holds = criteria.iter().map(|criteria| criteria.check(table).is_ok());
        classes.entry(holds.collect()).or_insert(place);
    }
    let places: BTreeSet<usize> = classes.into_values().collect();
    (places.into_iter().map(|place| tables.tables[place].clone()).collect(), tables.complete)
}

impl Topology {
    /// Returns the exchanges to which clients can usefully publish: not internal, with a binding or an alternate.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &str> {
        let sources: BTreeSet<&str> = self.bindings().iter().map(|binding| binding.source.as_str()).collect();
        let has_part = move |name: &str| sources.contains(name) || !name.starts_with("amq.");
        self.exchanges()
            .filter(|exchange| !exchange.internal)
            .map(|exchange| exchange.name.as_str())
            .filter(move |name| has_part(name))
    }
}
