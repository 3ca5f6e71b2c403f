//! The errors of a broker, and how a session ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Kind;

/// An error from the broker, with its code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerError {
    /// The AMQP reply code: 404, 406, ...
    pub code: u16,
    /// The broker's text, such as `NOT_FOUND - no queue 'orders' in vhost '/'`.
    pub text: String,
    /// What the error closed.
    pub scope: Scope,
}

/// What an error closes on the broker's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The channel of this one operation (or of this one consumer): the session stays alive.
    Channel,
    /// The whole connection: the session has ended.
    Connection,
}

impl BrokerError {
    /// Returns an error that closed one channel.
    pub fn channel(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), scope: Scope::Channel }
    }

    /// Returns an error that closed the connection.
    pub fn connection(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), scope: Scope::Connection }
    }

    /// Returns whether a publish was refused because of the message (too large, an invalid property, headers beyond a frame), and not
    /// because of the state of the broker or the permissions of the user.
    pub(crate) fn is_of_message(&self) -> bool {
        matches!(self.code, 311 | 406 | 501 | 502)
    }

    /// Returns whether waiting does not help: the broker refuses the same again until its state, or the request, changes.
    ///
    /// Such are wrong credentials and missing permissions (403), a queue or exchange that exists with other properties (406), an unknown
    /// type of one (503, 540), and a virtual host that does not exist (530). A limit of connections (530 too) is not.
    pub fn is_permanent(&self) -> bool {
        match self.code {
            403 | 406 | 503 | 540 => !self.is_consumer_timeout(),
            530 => !self.text.contains("limit") && !self.text.contains("is down"),
            _ => false,
        }
    }

    /// Returns whether RabbitMQ closed a consumer's channel because a delivery was unacknowledged for longer than its `consumer_timeout`.
    pub fn is_consumer_timeout(&self) -> bool {
        self.code == 406 && self.text.contains("delivery acknowledgement") && self.text.contains("timed out")
    }

    /// Returns the `consumer_timeout` that RabbitMQ names when [it was exceeded](BrokerError::is_consumer_timeout).
    pub fn consumer_timeout(&self) -> Option<Duration> {
        let value = self.is_consumer_timeout().then(|| self.text.split_once("Timeout value used: "))??.1;
        let milliseconds = value.split_once(" ms")?.0.parse().ok()?;
        Some(Duration::from_millis(milliseconds))
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope {
            Scope::Channel => "channel",
            Scope::Connection => "connection",
        };
        write!(f, "the broker refused ({scope} error {}): {}", self.code, self.text)
    }
}

impl std::error::Error for BrokerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(if self.is_of_message() { Kind::Unacceptable } else { Kind::Refused }.source())
    }
}

/// Why a session ended. Clones are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLost(Option<Arc<Reason>>);

/// Why a session ended that was not closed by this side.
#[derive(Debug, PartialEq, Eq)]
enum Reason {
    ClosedByBroker(BrokerError),
    Broken(String),
}

impl ConnectionLost {
    /// Returns the end of a session that this side closed.
    pub fn closed_here() -> Self {
        Self(None)
    }

    /// Returns the loss of a session that the broker closed with an error.
    pub fn closed_by_broker(refusal: BrokerError) -> Self {
        Self(Some(Arc::new(Reason::ClosedByBroker(refusal))))
    }

    /// Returns the loss of a connection that broke, or could not be opened; `what` is for people.
    pub fn broken(what: impl Into<String>) -> Self {
        Self(Some(Arc::new(Reason::Broken(what.into()))))
    }

    /// Returns whether this side closed the session.
    pub fn is_closed_here(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the broker's error, if it closed the session.
    pub fn refusal(&self) -> Option<&BrokerError> {
        match self.0.as_deref() {
            Some(Reason::ClosedByBroker(refusal)) => Some(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None => f.write_str("the session was closed on this side"),
            Some(Reason::ClosedByBroker(refusal)) => {
                write!(f, "the broker closed the session ({}): {}", refusal.code, refusal.text)
            }
            Some(Reason::Broken(what)) => write!(f, "the connection is lost: {what}"),
        }
    }
}

impl std::error::Error for ConnectionLost {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(Kind::Closed.source())
    }
}

/// Why an operation of a session failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionError {
    /// The broker refused it. The same request will be refused again unless something else changes.
    Refused(BrokerError),
    /// The session ended before or during the operation: whether the operation took effect is unknown. Connect again.
    Lost(ConnectionLost),
    /// This transport does not support the operation; `0` names it.
    Unsupported(&'static str),
}

impl SessionError {
    /// Returns the broker's error, if it was one.
    pub fn refusal(&self) -> Option<&BrokerError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Lost(loss) => loss.refusal(),
            Self::Unsupported(_) => None,
        }
    }

    /// Returns whether the broker answered 404.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 404)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Lost(loss) => loss.fmt(f),
            Self::Unsupported(what) => write!(f, "this transport does not support {what}"),
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Lost(loss) => Some(loss),
            Self::Unsupported(_) => Some(Kind::Transport.source()),
        }
    }
}

impl From<BrokerError> for SessionError {
    fn from(refusal: BrokerError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ConnectionLost> for SessionError {
    fn from(loss: ConnectionLost) -> Self {
        Self::Lost(loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_timeout_is_read_from_the_brokers_words() {
        let text = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms. This \
                    timeout value can be configured, see consumers doc guide to learn more";
        let refusal = BrokerError::channel(406, text);
        assert_eq!(refusal.consumer_timeout(), Some(Duration::from_secs(1800)));
        let unnamed = BrokerError::channel(
            406,
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out",
        );
        assert!(unnamed.is_consumer_timeout());
        assert_eq!(unnamed.consumer_timeout(), None);
        let other = BrokerError::channel(406, "PRECONDITION_FAILED - unknown delivery tag 7");
        assert!(!other.is_consumer_timeout());
        assert_eq!(other.consumer_timeout(), None);
    }
}
