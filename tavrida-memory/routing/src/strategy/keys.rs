//! Patterns, and keys that nearly match them.

use proptest::prelude::*;
use proptest::sample::select;

use crate::keys::Pattern;
use crate::matching;

/// The longest routing key, in bytes.
const LONGEST_KEY: usize = 255;

/// Words that repeat, so that keys and patterns match; including the empty one.
const WORDS: [&str; 6] = ["a", "b", "c", "order", "paid", ""];

/// Patterns of up to five words, with `*` and `#` at any position, and empty words.
pub fn pattern() -> impl Strategy<Value = Pattern> {
    let word = prop_oneof![3 => word(), 1 => Just("*"), 1 => Just("#")];
    prop::collection::vec(word, 0..=5).prop_map(|words| Pattern::new(words.join(".")))
}

/// Keys of up to five words, empty words among them.
pub fn key() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 0..=5).prop_map(|words| words.join("."))
}

fn word() -> impl Strategy<Value = &'static str> {
    // The first ones are what shrinking ends at.
    prop_oneof![9 => select(&WORDS[..5]), 1 => Just(WORDS[5])]
}

/// Keys near a pattern: two of three match it, the others miss it by one word.
pub fn key_near(pattern: &Pattern) -> impl Strategy<Value = String> + use<> {
    let pattern = pattern.clone();
    key_plan(1.0 / 3.0).prop_map(move |plan| plan.near(pattern.as_str()))
}

/// How a key is made from any pattern, so that both shrink independently.
#[derive(Debug, Clone)]
pub(crate) struct KeyPlan {
    /// The words for `*`, in turn.
    words: Vec<&'static str>,
    /// The numbers of words for `#`, in turn.
    lengths: Vec<usize>,
    miss: Option<Miss>,
}

/// A change of a key, so that it may not match.
#[derive(Debug, Clone, Copy)]
enum Miss {
    Drop(usize),
    Append,
    Prepend,
    Replace(usize),
    Empty(usize),
    Case(usize),
}

/// A plan in which this share is changed so that it may miss.
pub(crate) fn key_plan(misses: f64) -> impl Strategy<Value = KeyPlan> {
    let miss = prop_oneof![
        (0..8usize).prop_map(Miss::Drop),
        Just(Miss::Append),
        Just(Miss::Prepend),
        (0..8usize).prop_map(Miss::Replace),
        (0..8usize).prop_map(Miss::Empty),
        (0..8usize).prop_map(Miss::Case),
    ];
    let words = prop::collection::vec(word(), 1..=6);
    let lengths = prop::collection::vec(0..=3usize, 1..=3);
    (words, lengths, sometimes(misses, miss)).prop_map(|(words, lengths, miss)| KeyPlan {
        words,
        lengths,
        miss,
    })
}

/// An optional value with this probability, including 0 and 1, which proptest's own `weighted` does not accept. It shrinks to `None`.
pub(crate) fn sometimes<S: Strategy>(
    probability: f64,
    strategy: S,
) -> impl Strategy<Value = Option<S::Value>> {
    (0.0..1.0f64, strategy).prop_map(move |(drawn, value)| (drawn >= 1.0 - probability).then_some(value))
}

impl KeyPlan {
    /// A key near a topic pattern.
    pub(crate) fn near(&self, pattern: &str) -> String {
        let (mut words, mut lengths) = (self.words.iter().cycle(), self.lengths.iter().cycle());
        let mut next = || (*words.next().expect("a plan has words")).to_owned();
        let mut key = Vec::new();
        for word in matching::words(pattern) {
            match word {
                "*" => key.push(next()),
                "#" => (0..*lengths.next().expect("a plan has lengths")).for_each(|_| key.push(next())),
                literal => key.push(literal.to_owned()),
            }
        }
        self.missed(key)
    }

    /// A key near the key of a direct exchange.
    pub(crate) fn near_key(&self, key: &str) -> String {
        self.missed(matching::words(key).into_iter().map(str::to_owned).collect())
    }

    fn missed(&self, mut key: Vec<String>) -> String {
        let place = |index: usize, key: &[String]| index % key.len().max(1);
        match self.miss {
            _ if key.is_empty() && !matches!(self.miss, Some(Miss::Append)) => {}
            None => {}
            Some(Miss::Drop(index)) => {
                key.remove(place(index, &key));
            }
            Some(Miss::Append) => key.push(self.words[0].to_owned()),
            Some(Miss::Prepend) => key.insert(0, self.words[0].to_owned()),
            Some(Miss::Replace(index)) => {
                let place = place(index, &key);
                key[place] = format!("{}x", key[place]);
            }
            Some(Miss::Empty(index)) => {
                let place = place(index, &key);
                key[place].clear();
            }
            Some(Miss::Case(index)) => {
                let place = place(index, &key);
                key[place] = key[place].to_uppercase();
            }
        }
        while key.iter().map(|word| word.len() + 1).sum::<usize>() > LONGEST_KEY + 1 {
            key.pop();
        }
        key.join(".")
    }
}
