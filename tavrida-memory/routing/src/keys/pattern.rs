//! [`Pattern`]: a topic pattern, and what can be decided of it.

use std::fmt;

use crate::keys::automaton::{Automaton, Language};
use crate::keys::search::{Limits, Undecided};
use crate::matching;

/// A pattern of a topic exchange: words between dots, where `*` is exactly one word and `#` any number, none included.
///
/// The answers are exact: they are about all keys of up to 255 bytes, and not about samples. Each comes with the shortest key
/// that shows it.
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
    /// A pattern of any text: RabbitMQ refuses none.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a key matches.
    pub fn matches(&self, key: &str) -> bool {
        matching::topic(&self.0, key).is_ok()
    }

    /// The shortest key that matches. None where every key that would has over 255 bytes.
    ///
    /// # Errors
    ///
    /// Where the answer needs too many steps: see [`Limits`].
    pub fn example(&self) -> Result<Option<String>, Undecided> {
        self.without([])
    }

    /// The shortest key that matches both.
    ///
    /// # Errors
    ///
    /// Where the answer needs too many steps: see [`Limits`].
    pub fn overlap(&self, other: &Self) -> Result<Option<String>, Undecided> {
        find([self, other], 1, |matched| matched.len() == 2)
    }

    /// The shortest key that matches this pattern and none of the others.
    ///
    /// # Errors
    ///
    /// Where the answer needs too many steps: see [`Limits`].
    pub fn without<'p>(
        &'p self,
        others: impl IntoIterator<Item = &'p Self>,
    ) -> Result<Option<String>, Undecided> {
        find(std::iter::once(self).chain(others), 1, |matched| matched == [0])
    }

    /// Whether each key that matches this pattern matches one of the others too.
    ///
    /// # Errors
    ///
    /// Where the answer needs too many steps: see [`Limits`].
    pub fn is_within<'p>(&'p self, others: impl IntoIterator<Item = &'p Self>) -> Result<bool, Undecided> {
        self.without(others).map(|key| key.is_none())
    }

    /// The shortest key that matches one of the two alone; none where they match the same keys.
    ///
    /// # Errors
    ///
    /// Where the answer needs too many steps: see [`Limits`].
    pub fn difference(&self, other: &Self) -> Result<Option<String>, Undecided> {
        find([self, other], 2, |matched| matched.len() == 1)
    }
}

/// The shortest key whose patterns satisfy a condition; one of the first ones has to match.
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
