//! [`Automaton`]: many patterns as one automaton over words, made deterministic state by state.

use std::collections::{BTreeSet, HashMap};

use crate::matching;

/// A set of keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Language<'a> {
    /// All keys.
    All,
    /// One key: a binding of a direct exchange.
    Key(&'a str),
    /// Those that match a pattern: a binding of a topic exchange.
    Topic(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    /// A word, by its number.
    Literal(usize),
    /// Exactly one word.
    Star,
    /// Any number of words.
    Hash,
    /// The key has matched.
    End(usize),
}

/// The places in the patterns where a match can be, sorted. It is empty where no pattern can match any more.
pub(crate) type State = Box<[usize]>;

/// Many languages as one automaton.
pub(crate) struct Automaton<'a> {
    symbols: Vec<Symbol>,
    /// The language of each place.
    owners: Vec<usize>,
    starts: Vec<usize>,
    words: Vec<&'a str>,
}

/// A step: the word, whether it stands for all words that no pattern names here, and where it leads.
pub(crate) struct Step<'a> {
    pub(crate) word: Word<'a>,
    pub(crate) state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word<'a> {
    /// A word that a pattern names here.
    Named(&'a str),
    /// The shortest word of letters that no pattern names here: it stands for all others.
    Other(String),
    /// The empty word, where no pattern names it here.
    Empty,
}

impl Word<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Named(word) => word,
            Self::Other(word) => word,
            Self::Empty => "",
        }
    }
}

impl<'a> Automaton<'a> {
    pub(crate) fn new(languages: impl IntoIterator<Item = Language<'a>>) -> Self {
        let mut automaton =
            Self { symbols: Vec::new(), owners: Vec::new(), starts: Vec::new(), words: Vec::new() };
        let mut numbers = HashMap::new();
        for (owner, language) in languages.into_iter().enumerate() {
            automaton.starts.push(automaton.symbols.len());
            let (words, is_pattern) = match language {
                Language::All => (vec!["#"], true),
                Language::Key(key) => (matching::words(key), false),
                Language::Topic(pattern) => (matching::words(pattern), true),
            };
            for word in words {
                let symbol = match word {
                    "*" if is_pattern => Symbol::Star,
                    "#" if is_pattern => Symbol::Hash,
                    literal => Symbol::Literal(*numbers.entry(literal).or_insert_with(|| {
                        automaton.words.push(literal);
                        automaton.words.len() - 1
                    })),
                };
                automaton.symbols.push(symbol);
            }
            automaton.symbols.push(Symbol::End(owner));
            automaton.owners.resize(automaton.symbols.len(), owner);
        }
        automaton
    }

    pub(crate) fn start(&self) -> State {
        self.closed(self.starts.clone())
    }

    /// The languages that accept in a state, by number.
    pub(crate) fn accepted(&self, state: &State) -> Vec<usize> {
        let ends = state.iter().filter_map(|place| match self.symbols[*place] {
            Symbol::End(language) => Some(language),
            _ => None,
        });
        ends.collect()
    }

    /// The languages that can still match.
    pub(crate) fn alive(&self, state: &State) -> impl Iterator<Item = usize> {
        state.iter().map(|place| self.owners[*place])
    }

    /// All steps from a state: one for each word that a pattern names here, one for the others.
    pub(crate) fn steps(&self, state: &State) -> Vec<Step<'a>> {
        let mut any = Vec::new();
        let mut named: HashMap<usize, Vec<usize>> = HashMap::new();
        for place in state {
            match self.symbols[*place] {
                Symbol::Literal(word) => named.entry(word).or_default().push(place + 1),
                Symbol::Star => any.push(place + 1),
                Symbol::Hash => any.push(*place),
                Symbol::End(_) => {}
            }
        }
        let words: BTreeSet<&str> = named.keys().map(|word| self.words[*word]).collect();
        let others = self.closed(any.clone());
        let mut steps = Vec::with_capacity(named.len() + 2);
        if !words.contains("") {
            steps.push(Step { word: Word::Empty, state: others.clone() });
        }
        steps.push(Step { word: Word::Other(unnamed(&words)), state: others });
        let mut named: Vec<_> = named.into_iter().map(|(word, places)| (self.words[word], places)).collect();
        named.sort_unstable();
        for (word, mut places) in named {
            places.extend_from_slice(&any);
            steps.push(Step { word: Word::Named(word), state: self.closed(places) });
        }
        steps
    }

    /// With the places behind each `#`, which may stand for no word.
    fn closed(&self, mut places: Vec<usize>) -> State {
        let mut next = 0;
        while next < places.len() {
            if self.symbols[places[next]] == Symbol::Hash {
                places.push(places[next] + 1);
            }
            next += 1;
        }
        places.sort_unstable();
        places.dedup();
        places.into()
    }
}

/// The first of a, b, ... z, aa, ab, ... that is not among these.
fn unnamed(words: &BTreeSet<&str>) -> String {
    let mut number = 0;
    loop {
        let mut word = Vec::new();
        let mut rest = number;
        loop {
            word.insert(0, b'a' + u8::try_from(rest % 26).expect("below 26"));
            if rest < 26 {
                break;
            }
            rest = rest / 26 - 1;
        }
        let word = String::from_utf8(word).expect("letters are ASCII");
        if !words.contains(word.as_str()) {
            return word;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_for_all_others_is_the_shortest_that_no_pattern_names() {
        assert_eq!(unnamed(&BTreeSet::new()), "a");
        assert_eq!(unnamed(&BTreeSet::from(["a", "b"])), "c");
        let letters: Vec<String> = (b'a'..=b'z').map(|letter| char::from(letter).to_string()).collect();
        assert_eq!(unnamed(&letters.iter().map(String::as_str).collect()), "aa");
    }
}
