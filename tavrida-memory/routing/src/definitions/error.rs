//! [`DefinitionsError`]: what is wrong in a definitions file, and where.

use std::fmt;

use crate::broker_error::BrokerError;

/// What is wrong in a definitions file. Its `Display` names the place as a JSON path, the value, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionsError {
    path: String,
    problem: String,
    refusal: Option<BrokerError>,
}

impl DefinitionsError {
    pub(crate) fn new(path: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { path: path.into(), problem: problem.to_string(), refusal: None }
    }

    pub(crate) fn refused(path: impl Into<String>, refusal: BrokerError) -> Self {
        Self { path: path.into(), problem: refusal.to_string(), refusal: Some(refusal) }
    }

    /// The place, such as `$.queues[3].durable`; `$` where the text is no JSON.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The answer of a node, where a node would read the file and refuse what it says.
    pub fn refusal(&self) -> Option<&BrokerError> {
        self.refusal.as_ref()
    }
}

impl fmt::Display for DefinitionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for DefinitionsError {}
