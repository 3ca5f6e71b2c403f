//! Comparing what was seen with what was promised.

use std::fmt::{Debug, Display};

/// How a promise was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) expected: String,
    pub(super) seen: String,
}

/// What the check of one promise ends with.
pub(super) type Kept = Result<(), Fault>;

impl Fault {
    pub(super) fn new(expected: impl Display, seen: impl Display) -> Self {
        Self { expected: expected.to_string(), seen: seen.to_string() }
    }
}

/// Compares two values; `what` names them for the report.
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

/// Demands that something is so; `seen` says how it is instead.
pub(super) fn holds(truth: bool, expected: impl Display, seen: impl Display) -> Kept {
    if truth { Ok(()) } else { Err(Fault::new(expected, seen)) }
}
