//! [`Problem`]: why a run failed.

use std::fmt;
use std::time::Duration;

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind of failure.
    pub kind: ProblemKind,
    /// A description for people.
    pub text: String,
    /// The virtual time.
    pub at: Duration,
    /// The correlation id of the chain that shows it, if there is one.
    pub chain: Option<String>,
}

/// The kind of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The scenario panicked: an assertion of the test failed.
    Assertion,
    /// The scenario returned an error.
    Error,
    /// A law was violated; its name.
    Law(String),
    /// The scenario did not end before the horizon.
    Stuck,
    /// A task panicked.
    Panic,
    /// A server could not be built, or ended.
    Server,
    /// A scripted fault did not happen.
    Script,
    /// A place in the code of a service was reached that is marked as [unreachable](tavrida::unreachable!); the name of the mark.
    Unreachable(String),
    /// The run depends on something that its seed does not control.
    Nondeterminism,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assertion => f.write_str("an assertion failed"),
            Self::Error => f.write_str("the scenario failed"),
            Self::Law(name) => write!(f, "the law '{name}' is broken"),
            Self::Stuck => f.write_str("the run is stuck"),
            Self::Panic => f.write_str("a task panicked"),
            Self::Server => f.write_str("a server ended"),
            Self::Script => f.write_str("a scripted fault did not happen"),
            Self::Unreachable(name) => write!(f, "'{name}' was reached, which is marked as unreachable"),
            Self::Nondeterminism => f.write_str("the run is not deterministic"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}: {}", self.kind, self.at, self.text)
    }
}
