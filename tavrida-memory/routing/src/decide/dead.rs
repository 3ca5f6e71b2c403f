//! Bindings without an effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::criteria::Criteria;
use crate::decide::classes::Classes;
use crate::decide::graph::downstream;
use crate::decide::headers;
use crate::decide::{Cut, Decided};
use crate::keys::{Automaton, Language, Limits};
use crate::topology::{Binding, Destination, ExchangeType, Topology};

/// A binding that could be removed without changing the route of any message.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadBinding {
    /// The binding.
    pub binding: Binding,
    /// Why it has no effect.
    pub cause: DeadCause,
}

/// Why a binding has no effect.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DeadCause {
    /// One of these bindings matches every message that it matches, and leads to the same destination.
    Covered {
        /// The other bindings; none of them is dead.
        by: Vec<Binding>,
    },
    /// It matches no message.
    MatchesNothing,
    /// No message that it matches reaches its exchange.
    Unreachable,
}

impl fmt::Display for DeadBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.binding, self.cause)
    }
}

impl fmt::Display for DeadCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Covered { by } => {
                let by: Vec<String> = by.iter().map(Binding::to_string).collect();
                write!(f, "all that it matches goes there by {}", by.join(", "))
            }
            Self::MatchesNothing => f.write_str("it matches no message"),
            Self::Unreachable => f.write_str("no message that it matches comes to its exchange"),
        }
    }
}

impl Topology {
    /// Returns the bindings without an effect, in the order in which they were added. All of them can be removed together.
    ///
    /// A binding of an internal exchange that takes dead letters counts as reachable for every key.
    ///
    /// ```
    /// use tavrida_routing::{Exchange, Queue, Topology};
    ///
    /// let topology = Topology::builder()
    ///     .exchange(Exchange::topic("orders"))
    ///     .queue(Queue::new("audit"))
    ///     .bind_queue("audit", "orders", "order.#")
    ///     .bind_queue("audit", "orders", "order.*.paid")
    ///     .build()?;
    ///
    /// let dead = topology.dead_bindings();
    /// assert!(dead.is_complete());
    /// assert_eq!(
    ///     dead[0].to_string(),
    ///     "orders --'order.*.paid'--> queue 'audit': all that it matches goes there by orders --'order.#'--> queue 'audit'",
    /// );
    /// # Ok::<(), tavrida_routing::BrokerError>(())
    /// ```
    pub fn dead_bindings(&self) -> Decided<Vec<DeadBinding>> {
        self.dead_bindings_within(Limits::default())
    }

    /// As [`dead_bindings`](Self::dead_bindings), with limits.
    pub fn dead_bindings_within(&self, limits: Limits) -> Decided<Vec<DeadBinding>> {
        let mut cuts = Vec::new();
        let mut dead: BTreeMap<usize, DeadCause> = BTreeMap::new();
        let mut groups: BTreeMap<(&str, &Destination), Vec<usize>> = BTreeMap::new();
        for (index, binding) in self.bindings().iter().enumerate() {
            groups.entry((&binding.source, &binding.destination)).or_default().push(index);
        }
        for ((source, _), members) in groups {
            self.find_covered(source, &members, limits, &mut dead, &mut cuts);
        }
        self.find_unreachable(limits, &mut dead, &mut cuts);
        let bindings = self.bindings();
        let found =
            dead.into_iter().map(|(index, cause)| DeadBinding { binding: bindings[index].clone(), cause });
        Decided { found: found.collect(), cuts }
    }

    /// Returns those bindings, from one exchange to one destination, that the others cover.
    fn find_covered(
        &self,
        source: &str,
        members: &[usize],
        limits: Limits,
        dead: &mut BTreeMap<usize, DeadCause>,
        cuts: &mut Vec<Cut>,
    ) {
        let Some(exchange) = self.exchange(source) else { return };
        let bindings = self.bindings();
        let matched = match exchange.kind {
            ExchangeType::Headers => self.headers_together(members, limits),
            kind => {
                let language = |index: &usize| match kind {
                    ExchangeType::Direct => Language::Key(bindings[*index].routing_key.as_str()),
                    ExchangeType::Topic => Language::Topic(bindings[*index].routing_key.as_str()),
                    _ => Language::All,
                };
                let classes = Automaton::new(members.iter().map(language)).classes(None, limits.places);
                let matched = classes.classes.into_iter().map(|class| class.matched).collect();
                if classes.complete {
                    Ok(matched)
                } else {
                    Err(format!("the automaton of its keys has more than {} places", limits.places))
                }
            }
        };
        let matched: Vec<Vec<usize>> = match matched {
            Ok(matched) => matched,
            Err(limit) => return cuts.push(Cut { exchange: source.to_owned(), limit }),
        };
        let mut alive = vec![true; members.len()];
        // The latest first: of two equal ones the first is kept.
        for place in (0..members.len()).rev() {
            let with: Vec<&Vec<usize>> = matched.iter().filter(|set| set.contains(&place)).collect();
            let has_other = |set: &&Vec<usize>| set.iter().any(|other| *other != place && alive[*other]);
            if with.iter().all(has_other) {
                alive[place] = false;
                let by = covering(&with, place, &alive);
                let cause = match by.is_empty() {
                    true => DeadCause::MatchesNothing,
                    false => DeadCause::Covered {
                        by: by.iter().map(|other| bindings[members[*other]].clone()).collect(),
                    },
                };
                dead.insert(members[place], cause);
            }
        }
    }

    /// Returns which of these bindings match together.
    fn headers_together(&self, members: &[usize], limits: Limits) -> Result<Vec<Vec<usize>>, String> {
        let of = |index: &usize| {
            let criteria = Criteria::of(&self.bindings()[*index].arguments, self.behaviour());
            criteria.expect("a topology refuses any other x-match")
        };
        let criteria: Vec<Criteria> = members.iter().map(of).collect();
        let tables = headers::tables(criteria.iter(), limits.header_tables);
        if !tables.complete {
            return Err(format!("its headers have more than {} tables", limits.header_tables));
        }
        let matched = |table: &_| {
            let matched = criteria.iter().enumerate().filter(|(_, rule)| rule.check(table).is_ok());
            matched.map(|(place, _)| place).collect::<Vec<usize>>()
        };
        let all: BTreeSet<Vec<usize>> = tables.tables.iter().map(matched).collect();
        Ok(all.into_iter().collect())
    }

    /// Returns bindings of internal exchanges that get no message that they match.
    fn find_unreachable(&self, limits: Limits, dead: &mut BTreeMap<usize, DeadCause>, cuts: &mut Vec<Cut>) {
        let letters: BTreeSet<&str> =
            self.queues().filter_map(|queue| queue.dead_letter_exchange()).collect();
        let is_open = |name: &str| {
            self.exchange(name).is_some_and(|exchange| !exchange.internal) || letters.contains(name)
        };
        let mut doubtful: BTreeSet<usize> =
            (0..self.bindings().len()).filter(|index| !dead.contains_key(index)).collect();
        doubtful.retain(|index| !is_open(&self.bindings()[*index].source));
        let open: Vec<&str> =
            self.exchanges().map(|exchange| exchange.name.as_str()).filter(|name| is_open(name)).collect();
        for entry in open {
            let below = downstream(&[self], [entry]);
            if !doubtful.iter().any(|index| below.contains(self.bindings()[*index].source.as_str())) {
                continue;
            }
            let classes = Classes::of(&[self], entry, &[], limits, None);
            for class in &classes.classes {
                for index in classes.reach(0, entry, class).used {
                    doubtful.remove(&index);
                }
            }
            if !classes.cuts.is_empty() {
                cuts.extend(classes.cuts);
                doubtful.retain(|index| !below.contains(self.bindings()[*index].source.as_str()));
            }
        }
        dead.extend(doubtful.into_iter().map(|index| (index, DeadCause::Unreachable)));
    }
}

/// Returns live bindings that cover these sets together: a single one if one is in all of them.
fn covering(sets: &[&Vec<usize>], place: usize, alive: &[bool]) -> Vec<usize> {
    let mut by = Vec::new();
    let mut open: Vec<&&Vec<usize>> = sets.iter().collect();
    while !open.is_empty() {
        let count = |other: &usize| open.iter().filter(|set| set.contains(other)).count();
        let candidates = (0..alive.len()).filter(|other| *other != place && alive[*other]);
        let Some(best) = candidates.max_by_key(|other| (count(other), usize::MAX - other)) else { break };
        if count(&best) == 0 {
            break;
        }
        open.retain(|set| !set.contains(&best));
        by.push(best);
    }
    by.sort_unstable();
    by
}
