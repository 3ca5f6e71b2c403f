//! Sets of routing keys, exactly: which keys match which of many patterns at once.
//!
//! A topic pattern is a regular expression over words, so that all its questions can be decided. The words are the alphabet: those
//! that the patterns name, and one more that stands for all others.

mod automaton;
mod pattern;
mod search;

pub(crate) use automaton::{Automaton, Language};
pub use pattern::Pattern;
pub use search::{Limits, Undecided};
