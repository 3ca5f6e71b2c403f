//! Compares what was observed with what was promised.

use std::fmt::{Debug, Display};

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) expected: String,
    pub(super) seen: String,
}

/// The result of the check of one promise.
pub(super) type Kept = Result<(), Fault>;

impl Fault {
    pub(super) fn new(expected: impl Display, seen: impl Display) -> Self {
        Self { expected: expected.to_string(), seen: seen.to_string() }
    }
}

/// Compares two values; `what` names them in the report.
pub(super) fn same<S, E>(what: &str, seen: &S, expected: &E) -> Kept
where
    S: PartialEq<E> + Debug + ?Sized,
    E: Debug + ?Sized,
{
    if seen == expected {
        Ok(())
    } else {
        Err(Fault::new(format_args!("{what}: {expected:?}"), format_args!("{what}: {seen:?}")))
    }
}

/// Requires `truth`; `seen` describes the observation otherwise.
pub(super) fn holds(truth: bool, expected: impl Display, seen: impl Display) -> Kept {
    if truth { Ok(()) } else { Err(Fault::new(expected, seen)) }
}
