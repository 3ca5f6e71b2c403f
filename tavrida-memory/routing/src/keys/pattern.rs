//! [`Pattern`]: a topic pattern, and decisions about it.

use std::fmt;

use crate::keys::automaton::{Automaton, Language};
use crate::keys::search::{Limits, Undecided};
use crate::matching;

/// A pattern of a topic exchange: words between dots, where `*` is exactly one word and `#` any number of words, including none.
///
/// The answers are exact: they cover all keys of up to 255 bytes, without sampling. Each comes with the shortest key that shows it.
///
/// ```
/// use tavrida_routing::Pattern;
///
/// let (orders, paid) = (Pattern::new("order.#"), Pattern::new("*.*.paid"));
/// assert_eq!(orders.overlap(&paid)?.as_deref(), Some("order.a.paid"));
/// assert_eq!(paid.without([&orders])?.as_deref(), Some("a.a.paid"));
/// assert!(Pattern::new("order.*").is_within([&orders])?);
/// assert_eq!(Pattern::new("#").difference(&Pattern::new("#.#"))?, None);
/// # Ok::<(), tavrida_routing::Undecided>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// Returns a pattern from any text: RabbitMQ refuses none.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a key matches.
    pub fn matches(&self, key: &str) -> bool {
        matching::topic(&self.0, key).is_ok()
    }

    /// Returns the shortest key that matches. `None` if every such key has over 255 bytes.
    ///
    /// # Errors
    ///
    /// The answer needs too many steps: see [`Limits`].
    pub fn example(&self) -> Result<Option<String>, Undecided> {
        self.without([])
    }

    /// Returns the shortest key that matches both.
    ///
    /// # Errors
    ///
    /// The answer needs too many steps: see [`Limits`].
    pub fn overlap(&self, other: &Self) -> Result<Option<String>, Undecided> {
        find([self, other], 1, |matched| matched.len() == 2)
    }

    /// Returns the shortest key that matches this pattern and none of the others.
    ///
    /// # Errors
    ///
    /// The answer needs too many steps: see [`Limits`].
    pub fn without<'p>(
        &'p self,
        others: impl IntoIterator<Item = &'p Self>,
    ) -> Result<Option<String>, Undecided> {
        find(std::iter::once(self).chain(others), 1, |matched| matched == [0])
    }

    /// Returns whether each key that matches this pattern matches one of the others too.
    ///
    /// # Errors
    ///
    /// The answer needs too many steps: see [`Limits`].
    pub fn is_within<'p>(&'p self, others: impl IntoIterator<Item = &'p Self>) -> Result<bool, Undecided> {
        self.without(others).map(|key| key.is_none())
    }

    /// Returns the shortest key that matches only one of the two. `None` if they match the same keys.
    ///
    /// # Errors
    ///
    /// The answer needs too many steps: see [`Limits`].
    pub fn difference(&self, other: &Self) -> Result<Option<String>, Undecided> {
        find([self, other], 2, |matched| matched.len() == 1)
    }
}

/// Returns the shortest key whose patterns satisfy a condition; one of the first ones has to match.
fn find<'p>(
    patterns: impl IntoIterator<Item = &'p Pattern>,
    first: usize,
    holds: impl Fn(&[usize]) -> bool,
) -> Result<Option<String>, Undecided> {
    let languages: Vec<_> = patterns.into_iter().map(|pattern| Language::Topic(&pattern.0)).collect();
    let relevant: Vec<bool> = (0..languages.len()).map(|index| index < first).collect();
    Automaton::new(languages).find(Some(&relevant), Limits::default().places, holds)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
