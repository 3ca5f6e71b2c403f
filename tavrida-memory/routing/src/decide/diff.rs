//! [`Diff`]: which messages change their route between two topologies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::broker_error::BrokerError;
use crate::decide::Cut;
use crate::decide::classes::{Classes, MessageClass, Relevance};
use crate::decide::graph::{Languages, Rule, downstream};
use crate::keys::{Language, Limits};
use crate::message::Message;
use crate::topology::{Binding, Destination, Exchange, ExchangeType, Topology};
use crate::value::{Table, Value};

/// The differences between two topologies: routes and declarations.
///
/// Made by [`Topology::diff`]. Its `Display` output is for people and CI logs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Diff {
    /// The messages with another route: for each exchange, each different pair of before and after once, with the shortest message.
    pub changes: Vec<Change>,
    /// Exchanges and queues that are new, missing, or declared differently.
    pub declarations: Vec<DeclarationChange>,
    /// Where [`Limits`] cut the comparison. What was found is correct; there may be more.
    pub cuts: Vec<Cut>,
}

/// Messages with another route.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The shortest of them.
    pub message: Message,
    /// Where it went.
    pub before: Outcome,
    /// Where it goes.
    pub after: Outcome,
    /// The bindings that match it, and that only one of the topologies has: those removed first.
    pub removed: Vec<Binding>,
    /// The bindings that match it and are new.
    pub added: Vec<Binding>,
}

/// The fate of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It goes to these queues. Without any, it is returned or dropped.
    Queues(BTreeSet<String>),
    /// The node refuses it: the code and the text.
    Refused(u16, String),
}

/// A difference in what is declared.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DeclarationChange {
    /// It is new.
    Added(Destination),
    /// It is missing.
    Removed(Destination),
    /// It is declared differently: a node that has it refuses the new declaration.
    Refused(Destination, BrokerError),
    /// A policy sets another value for it.
    Policy {
        /// The exchange or queue.
        what: Destination,
        /// The key of the policy, such as `max-length`.
        setting: String,
        /// The value before, if a policy set one.
        before: Option<Value>,
        /// The value after.
        after: Option<Value>,
    },
}

impl Diff {
    /// Returns whether the two are the same: nothing was found and nothing was cut.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.declarations.is_empty() && self.is_complete()
    }

    /// Returns whether nothing was cut.
    pub fn is_complete(&self) -> bool {
        self.cuts.is_empty()
    }
}

impl Topology {
    /// Compares this topology with a later one.
    ///
    /// ```
    /// use tavrida_routing::{Exchange, Queue, Topology};
    ///
    /// let with = |pattern| {
    ///     let exchange = Exchange::topic("orders");
    ///     Topology::builder().exchange(exchange).queue(Queue::new("q")).bind_queue("q", "orders", pattern).build()
    /// };
    /// let diff = with("order.*")?.diff(&with("order.#")?);
    /// assert_eq!(
    ///     diff.to_string(),
    ///     "'order' to 'orders': returned -> q (new: orders --'order.#'--> queue 'q')\n",
    /// );
    /// # Ok::<(), tavrida_routing::BrokerError>(())
    /// ```
    pub fn diff(&self, after: &Self) -> Diff {
        self.diff_within(after, Limits::default())
    }

    /// As [`diff`](Self::diff), with limits.
    pub fn diff_within(&self, after: &Self, limits: Limits) -> Diff {
        let entries: BTreeSet<&str> = self.entries().chain(after.entries()).collect();
        let mut diff =
            Diff { changes: Vec::new(), declarations: self.declarations_changed(after), cuts: Vec::new() };
        for entry in entries {
            self.diff_exchange(after, entry, limits, &mut diff);
        }
        diff
    }

    fn diff_exchange<'t>(&'t self, after: &'t Self, entry: &'t str, limits: Limits, diff: &mut Diff) {
        let both = [self, after];
        let refusals = both.map(|topology| topology.refusal(entry));
        let below = downstream(&both, [entry]);
        let lone = lone_bindings(self, after, &below);
        let alike = refusals == [None, None] && same_exchanges(self, after, &below);
        if lone.is_empty() && alike || refusals[0].is_some() && refusals[0] == refusals[1] {
            return;
        }
        let by_key = |binding: &Binding| self.keyed(binding).is_some() || after.keyed(binding).is_some();
        let prune = alike && lone.iter().all(|(_, binding)| by_key(binding));
        let changed: BTreeSet<Language<'_>> =
            lone.iter().filter_map(|(topology, binding)| topology.keyed(binding)).collect();
        let is_relevant = |languages: &Languages<'_>, rule: &Rule| match rule {
            Rule::Key(number) => changed.contains(&languages.all[*number]),
            Rule::Headers(_) => true,
        };
        let is_relevant: Relevance<'_, 't> = &is_relevant;
        let classes = Classes::of(&both, entry, &[], limits, prune.then_some(is_relevant));
        let mut seen = BTreeSet::new();
        for class in &classes.classes {
            let outcome = |index: usize| match &refusals[index] {
                Some(refusal) => Outcome::Refused(refusal.code, refusal.text.clone()),
                None => {
                    let reach = classes.reach(index, entry, class);
                    Outcome::Queues(reach.queues.iter().map(|queue| (*queue).to_owned()).collect())
                }
            };
            let (before, after) = (outcome(0), outcome(1));
            if before != after && seen.insert((before.clone(), after.clone())) {
                let [removed, added] = because(&classes, entry, class);
                diff.changes.push(Change { message: class.message.clone(), before, after, removed, added });
            }
        }
        diff.cuts.extend(classes.cuts);
    }

    /// Returns the error of a publish to an exchange: it is missing, or internal.
    fn refusal(&self, exchange: &str) -> Option<BrokerError> {
        self.route(&Message::new(exchange, "")).err()
    }

    /// Returns the keys that a binding matches. `None` if it depends on headers.
    fn keyed<'b>(&self, binding: &'b Binding) -> Option<Language<'b>> {
        match self.exchange(&binding.source)?.kind {
            ExchangeType::Fanout => Some(Language::All),
            ExchangeType::Direct => Some(Language::Key(&binding.routing_key)),
            ExchangeType::Topic => Some(Language::Topic(&binding.routing_key)),
            ExchangeType::Headers => None,
        }
    }

    fn declarations_changed(&self, after: &Self) -> Vec<DeclarationChange> {
        let mut changes = Vec::new();
        // A topology that has what was declared before, and nothing else.
        let alone = || Self::of(self.virtual_host(), *self.behaviour());
        let exchanges: BTreeSet<&str> =
            self.exchanges().chain(after.exchanges()).map(|exchange| exchange.name.as_str()).collect();
        for name in exchanges {
            let what = Destination::Exchange(name.to_owned());
            match (self.exchange(name), after.exchange(name)) {
                (None, _) => changes.push(DeclarationChange::Added(what)),
                (_, None) => changes.push(DeclarationChange::Removed(what)),
                (Some(before), Some(now)) => {
                    let mut node = alone();
                    let known = node.restore_exchange(before.clone());
                    let refused = known.and_then(|()| node.restore_exchange(now.clone())).err();
                    changes.extend(refused.map(|refusal| DeclarationChange::Refused(what.clone(), refusal)));
                    changes.extend(policy_changes(&what, &before.policy, &now.policy));
                }
            }
        }
        let queues: BTreeSet<&str> =
            self.queues().chain(after.queues()).map(|queue| queue.name.as_str()).collect();
        for name in queues {
            let what = Destination::Queue(name.to_owned());
            match (self.queue(name), after.queue(name)) {
                (None, _) => changes.push(DeclarationChange::Added(what)),
                (_, None) => changes.push(DeclarationChange::Removed(what)),
                (Some(before), Some(now)) => {
                    let mut node = alone();
                    let known = node.restore_queue(before.clone());
                    let refused = known.and_then(|()| node.restore_queue(now.clone())).err();
                    changes.extend(refused.map(|refusal| DeclarationChange::Refused(what.clone(), refusal)));
                    changes.extend(policy_changes(&what, &before.policy, &now.policy));
                }
            }
        }
        changes
    }
}

fn policy_changes(what: &Destination, before: &Table, after: &Table) -> Vec<DeclarationChange> {
    let settings: BTreeSet<&String> = before.iter().chain(after).map(|(setting, _)| setting).collect();
    let changed = settings.into_iter().filter(|setting| before.get(setting) != after.get(setting));
    let change = |setting: &String| DeclarationChange::Policy {
        what: what.clone(),
        setting: setting.clone(),
        before: before.get(setting).cloned(),
        after: after.get(setting).cloned(),
    };
    changed.map(change).collect()
}

/// Returns the bindings of these exchanges that only one of the topologies has, each with its topology.
fn lone_bindings<'t>(
    before: &'t Topology,
    after: &'t Topology,
    below: &BTreeSet<&str>,
) -> Vec<(&'t Topology, &'t Binding)> {
    let of = |topology: &'t Topology, other: &'t Topology| {
        let mut known: BTreeMap<(&str, &Destination, &str), Vec<&Binding>> = BTreeMap::new();
        for binding in other.bindings() {
            known
                .entry((&binding.source, &binding.destination, &binding.routing_key))
                .or_default()
                .push(binding);
        }
        let lone = topology.bindings().iter().filter(move |binding| {
            let like =
                known.get(&(binding.source.as_str(), &binding.destination, binding.routing_key.as_str()));
            !like.is_some_and(|like| like.contains(binding))
        });
        lone.map(move |binding| (topology, binding))
    };
    of(before, after)
        .chain(of(after, before))
        .filter(|(_, binding)| below.contains(binding.source.as_str()))
        .collect()
}

/// Returns whether these exchanges route alike, except for their bindings.
fn same_exchanges(before: &Topology, after: &Topology, below: &BTreeSet<&str>) -> bool {
    let by_type = |topology: &Topology| topology.behaviour().matches_numbers_by_type;
    let shape = |exchange: &Exchange| (exchange.kind, exchange.alternate().map(str::to_owned));
    below.iter().all(|name| {
        let shapes = [before, after].map(|topology| topology.exchange(name).map(shape));
        let is_headers = matches!(shapes[0], Some((ExchangeType::Headers, _)));
        shapes[0] == shapes[1] && (!is_headers || by_type(before) == by_type(after))
    })
}

/// Returns the bindings that match a class on its route and that only one of the topologies has.
fn because<'t>(classes: &Classes<'t>, entry: &'t str, class: &MessageClass) -> [Vec<Binding>; 2] {
    let used = [0, 1].map(|index| {
        let bindings = classes.graphs[index].topology.bindings();
        let reach = classes.reach(index, entry, class);
        reach.used.iter().map(|place| bindings[*place].clone()).collect::<Vec<_>>()
    });
    let lone = |index: usize| {
        let others = classes.graphs[1 - index].topology.bindings();
        used[index].iter().filter(|binding| !others.contains(binding)).cloned().collect()
    };
    [lone(0), lone(1)]
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queues(queues) if queues.is_empty() => f.write_str("returned"),
            Self::Queues(queues) => {
                f.write_str(&queues.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
            Self::Refused(code, text) => write!(f, "refused: {code} {text}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.message, self.before, self.after)?;
        let list =
            |bindings: &[Binding]| bindings.iter().map(Binding::to_string).collect::<Vec<_>>().join(", ");
        match (self.removed.is_empty(), self.added.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => write!(f, " (removed: {})", list(&self.removed)),
            (true, false) => write!(f, " (new: {})", list(&self.added)),
            (false, false) => write!(f, " (removed: {}; new: {})", list(&self.removed), list(&self.added)),
        }
    }
}

impl fmt::Display for DeclarationChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(what) => write!(f, "{what} is new"),
            Self::Removed(what) => write!(f, "{what} is missing"),
            Self::Refused(what, refusal) => {
                write!(f, "{what} is declared otherwise: a node answers {refusal}")
            }
            Self::Policy { what, setting, before, after } => {
                let value =
                    |value: &Option<Value>| value.as_ref().map_or("not set".to_owned(), Value::to_string);
                write!(f, "{what}: {setting} by policy: {} -> {}", value(before), value(after))
            }
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.declarations.iter().try_for_each(|change| writeln!(f, "{change}"))?;
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))?;
        self.cuts.iter().try_for_each(|cut| writeln!(f, "{cut}"))?;
        if self.is_empty() { writeln!(f, "no difference") } else { Ok(()) }
    }
}
