//! Shortest keys: a walk over the states of an automaton, by length.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::fmt;

use crate::keys::automaton::{Automaton, State, Word};

/// The longest routing key, in bytes.
const LONGEST_KEY: usize = 255;

/// The limits of a decision. A pattern with many `#` and `*` can need a number of states that doubles with each word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of an automaton: the positions in patterns where a match can be, summed over its states.
    pub places: usize,
    /// The number of header tables that are tried at a headers exchange.
    pub header_tables: usize,
    /// The number of classes of messages whose routes are compared.
    pub classes: usize,
}

impl Default for Limits {
    /// 2,000,000 places, 20,000 tables, 200,000 classes: some seconds at most.
    fn default() -> Self {
        Self { places: 2_000_000, header_tables: 20_000, classes: 200_000 }
    }
}

/// A question that has no answer within its [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    pub(crate) what: String,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "undecided: {}", self.what)
    }
}

impl std::error::Error for Undecided {}

/// All keys that match the same languages, with the shortest of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyClass {
    /// The languages by number, sorted.
    pub(crate) matched: Vec<usize>,
    /// The shortest key. Keys without empty words come first.
    pub(crate) key: String,
}

/// The classes, shortest key first, and whether they are all.
#[derive(Debug, Clone)]
pub(crate) struct KeyClasses {
    pub(crate) classes: Vec<KeyClass>,
    pub(crate) complete: bool,
}

/// What a key costs: words that are empty without need, then bytes, then words.
type Cost = (usize, usize, usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Length {
    None,
    /// One empty word: no key has it, since the empty key has no words.
    OneEmpty,
    Some,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Readable keys first.
    Readable,
    /// Short keys first, for languages that have no readable key of 255 bytes.
    Short,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It visited all classes.
    Complete,
    /// It left out keys that are too long, and so maybe classes with shorter ones.
    TooLong,
    /// The limit cut it.
    Cut,
}

impl Automaton<'_> {
    /// All classes of keys in which a relevant language matches; every language is relevant where there is no list.
    pub(crate) fn classes(&self, relevant: Option<&[bool]>, places: usize) -> KeyClasses {
        let mut found: BTreeMap<Vec<usize>, String> = BTreeMap::new();
        let mut end = End::TooLong;
        for order in [Order::Readable, Order::Short] {
            if end == End::TooLong {
                end = self.walk(order, relevant, places, |matched, key| {
                    found.entry(matched).or_insert_with(|| key.to_owned());
                    false
                });
            }
        }
        let mut classes: Vec<KeyClass> =
            found.into_iter().map(|(matched, key)| KeyClass { matched, key }).collect();
        classes.sort_by(|a, b| (a.key.len(), &a.key).cmp(&(b.key.len(), &b.key)));
        KeyClasses { classes, complete: end != End::Cut }
    }

    /// The shortest key of which this holds.
    pub(crate) fn find(
        &self,
        relevant: Option<&[bool]>,
        places: usize,
        holds: impl Fn(&[usize]) -> bool,
    ) -> Result<Option<String>, Undecided> {
        for order in [Order::Readable, Order::Short] {
            let mut shortest = None;
            let end = self.walk(order, relevant, places, |matched, key| {
                let stop = holds(&matched);
                if stop {
                    shortest = Some(key.to_owned());
                }
                stop
            });
            match (shortest, end) {
                (Some(key), _) => return Ok(Some(key)),
                (None, End::Complete) => return Ok(None),
                // Shorter keys may have empty words.
                (None, End::TooLong) => {}
                (None, End::Cut) => {
                    return Err(Undecided { what: format!("the automaton has more than {places} places") });
                }
            }
        }
        Ok(None)
    }

    /// Visits the classes of keys, cheapest first, until a visit is true.
    fn walk(
        &self,
        order: Order,
        relevant: Option<&[bool]>,
        places: usize,
        mut visit: impl FnMut(Vec<usize>, &str) -> bool,
    ) -> End {
        let mut seen: HashSet<(State, Length)> = HashSet::new();
        let mut todo = BinaryHeap::from([Reverse(((0, 0, 0), String::new(), Length::None, self.start()))]);
        let (mut work, mut end) = (0, End::Complete);
        let is_relevant =
            |state: &State| relevant.is_none_or(|list| self.alive(state).any(|owner| list[owner]));
        while let Some(Reverse((cost, key, length, state))) = todo.pop() {
            if !seen.insert((state.clone(), length)) {
                continue;
            }
            if length != Length::OneEmpty && visit(self.accepted(&state), &key) {
                return end;
            }
            if state.is_empty() {
                continue;
            }
            for step in self.steps(&state) {
                let length = match length {
                    Length::None if step.word.as_str().is_empty() => Length::OneEmpty,
                    _ => Length::Some,
                };
                if !is_relevant(&step.state) || seen.contains(&(step.state.clone(), length)) {
                    continue;
                }
                let longer = if cost.2 == 0 {
                    step.word.as_str().to_owned()
                } else {
                    format!("{key}.{}", step.word.as_str())
                };
                work += step.state.len() + 1;
                if work > places {
                    return End::Cut;
                }
                if longer.len() > LONGEST_KEY {
                    end = End::TooLong;
                    continue;
                }
                todo.push(Reverse((more(order, cost, &step.word, &longer), longer, length, step.state)));
            }
        }
        end
    }
}

fn more(order: Order, cost: Cost, word: &Word<'_>, key: &str) -> Cost {
    let empties = usize::from(order == Order::Readable && *word == Word::Empty);
    (cost.0 + empties, key.len(), cost.2 + 1)
}
