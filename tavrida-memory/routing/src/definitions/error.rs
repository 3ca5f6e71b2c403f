//! [`DefinitionsError`]: an error in a definitions file, and its place.

use std::fmt;

use crate::broker_error::BrokerError;

/// An error in a definitions file. Its `Display` output names the place as a JSON path, the value, and what was expected.
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

    /// Says why the exchange of a binding can be missing in a file that a node wrote.
    pub(crate) fn with_hint(mut self) -> Self {
        if self.refusal.as_ref().is_some_and(|refusal| refusal.text.starts_with("NOT_FOUND - no exchange")) {
            self.problem += " (an export leaves internal exchanges out and keeps their bindings: add the exchange to the file, \
                             with \"internal\": true)";
        }
        self
    }

    /// The place, such as `$.queues[3].durable`; `$` if the text is not JSON.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The error of a node that would read the file and refuse its content.
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
