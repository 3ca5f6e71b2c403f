//! Compares what was observed with what was promised.

use std::fmt::{Debug, Display};

use tavrida::transport::ConnectionLost;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) expected: String,
    pub(crate) seen: String,
}

/// The result of the check of one promise.
pub(crate) type Kept = Result<(), Fault>;

impl Fault {
    pub(crate) fn new(expected: impl Display, seen: impl Display) -> Self {
        Self { expected: expected.to_string(), seen: seen.to_string() }
    }
}

/// Compares two values; `what` names them in the report.
pub(crate) fn same<S, E>(what: &str, seen: &S, expected: &E) -> Kept
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
pub(crate) fn holds(truth: bool, expected: impl Display, seen: impl Display) -> Kept {
    if truth { Ok(()) } else { Err(Fault::new(expected, seen)) }
}

/// Checks that a settlement was accepted.
pub(crate) fn settled(what: &str, outcome: Result<(), ConnectionLost>) -> Kept {
    outcome.map_err(|loss| Fault::new(format_args!("{what}: accepted"), format_args!("{what}: {loss}")))
}
