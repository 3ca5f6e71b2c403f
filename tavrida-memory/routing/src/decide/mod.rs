//! Decisions about topologies: exact answers with the shortest messages that show them.
//!
//! They cover messages with one routing key: `CC` and `BCC` are left out.

mod classes;
mod dead;
mod diff;
mod graph;
mod headers;
mod loops;
mod reach;

use std::fmt;
use std::ops::Deref;

pub(crate) use classes::Classes;
pub use dead::{DeadBinding, DeadCause};
pub use diff::{Change, DeclarationChange, Diff, Outcome};
#[cfg(feature = "proptest")]
pub(crate) use headers::example;
pub use loops::DeadLetterLoop;
pub(crate) use loops::cycles;

/// An answer, and where [`Limits`](crate::Limits) cut the search for it.
///
/// What was found is correct in any case. That there is nothing else is certain if [`is_complete`](Self::is_complete).
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<T> {
    /// The answer found so far.
    pub found: T,
    /// Where it was cut.
    pub cuts: Vec<Cut>,
}

/// A place where a search was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The exchange whose messages were examined.
    pub exchange: String,
    /// The limit that cut it.
    pub limit: String,
}

impl<T> Decided<T> {
    /// Returns whether nothing was cut.
    pub fn is_complete(&self) -> bool {
        self.cuts.is_empty()
    }
}

impl<T> Deref for Decided<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.found
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "incomplete: messages to exchange '{}': {}", self.exchange, self.limit)
    }
}
