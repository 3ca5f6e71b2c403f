//! [`BrokerError`]: the error of a node.

use std::fmt;

/// An error, with the code and the text of RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BrokerError {
    /// The reply code, such as 404.
    pub code: u16,
    /// The reply text, such as `NOT_FOUND - no queue 'q' in vhost '/'`; at most 255 bytes.
    pub text: String,
}

impl BrokerError {
    fn new(code: u16, name: &str, explanation: impl fmt::Display) -> Self {
        let mut text = format!("{name} - {explanation}");
        if text.len() > 255 {
            // A node cuts in the middle of a character too (R1).
            text = String::from_utf8_lossy(&text.as_bytes()[..252]).into_owned() + "...";
        }
        Self { code, text }
    }

    pub(crate) fn access_refused(explanation: impl fmt::Display) -> Self {
        Self::new(403, "ACCESS_REFUSED", explanation)
    }

    pub(crate) fn not_found(explanation: impl fmt::Display) -> Self {
        Self::new(404, "NOT_FOUND", explanation)
    }

    pub(crate) fn precondition_failed(explanation: impl fmt::Display) -> Self {
        Self::new(406, "PRECONDITION_FAILED", explanation)
    }

    pub(crate) fn command_invalid(explanation: impl fmt::Display) -> Self {
        Self::new(503, "COMMAND_INVALID", explanation)
    }

    /// Checks a name or a routing key. A longer one never reaches a node, since no frame can carry it: this is AMQP's code for it.
    pub(crate) fn check_length(what: &str, text: &str) -> Result<(), Self> {
        if text.len() <= 255 {
            return Ok(());
        }
        let start: String = text.chars().take(20).collect();
        let explanation = format!("{what} '{start}...' has {} bytes, expected at most 255", text.len());
        Err(Self::syntax_error(explanation))
    }

    pub(crate) fn syntax_error(explanation: impl fmt::Display) -> Self {
        Self::new(502, "SYNTAX_ERROR", explanation)
    }

    /// The text is cut as the node cuts it.
    pub(crate) fn transient_queue() -> Self {
        let explanation = "Feature `transient_nonexcl_queues` is deprecated.\nBy default, this feature is not permitted anymore.\nThe \
                           feature will be removed from a future major RabbitMQ version, regardless of the configuration; actual \
                           version to be determined.\nTo continue using this feature";
        Self::new(541, "INTERNAL_ERROR", explanation)
    }

    pub(crate) fn locked(what: &str) -> Self {
        let explanation = format!(
            "cannot obtain exclusive access to locked {what}. It could be originally declared on another connection or \
             the exclusive property value does not match that of the original declaration."
        );
        Self::new(405, "RESOURCE_LOCKED", explanation)
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

impl std::error::Error for BrokerError {}
