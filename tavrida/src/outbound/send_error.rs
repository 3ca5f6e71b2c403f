//! [`SendError`]: a message that was not sent, or perhaps not.

use std::fmt;

use crate::error::Error;
use crate::message::Message;

/// Why a send failed; it returns the message.
///
/// A second attempt may create a duplicate only if [`is_ambiguous`](SendError::is_ambiguous), or if one of several queues
/// [refused](SendError::is_refused) the message.
pub struct SendError {
    error: Error,
    message: Message,
}

impl SendError {
    pub(crate) fn new(error: Error, message: Message) -> Self {
        Self { error, message }
    }

    /// Returns the message that was to be sent.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the message, to keep it or to send it again.
    pub fn into_message(self) -> Message {
        self.message
    }

    /// Returns whether no queue is bound for the message (312): correct the address, or start the other service.
    pub fn is_unroutable(&self) -> bool {
        self.error.is_unroutable()
    }

    /// Returns whether the broker refused it: a full queue (nack), a missing exchange (404), permissions (403), ...
    pub fn is_refused(&self) -> bool {
        self.error.is_refused()
    }

    /// Returns whether the same send fails again until code or configuration changes. See [`Error::is_permanent`].
    pub fn is_permanent(&self) -> bool {
        self.error.is_permanent()
    }

    /// Returns whether the session was lost between the send and the confirm: the message may have arrived.
    pub fn is_ambiguous(&self) -> bool {
        self.error.is_ambiguous()
    }

    /// Returns whether no discovery knows the service or publisher.
    pub fn is_undiscovered(&self) -> bool {
        self.error.is_undiscovered()
    }

    /// Returns whether the session had ended before anything was sent.
    pub fn is_closed(&self) -> bool {
        self.error.is_closed()
    }

    /// Returns whether there was no session in time; nothing was sent.
    pub fn is_timeout(&self) -> bool {
        self.error.is_timeout()
    }

    /// Whether it is a request whose answer would keep itself away: see [`Error::is_cycle`].
    pub fn is_cycle(&self) -> bool {
        self.error.is_cycle()
    }

    /// Returns the reason alone.
    pub fn into_error(self) -> Error {
        self.error
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("error", &self.error)
            .field("message", &self.message.to_string())
            .finish()
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        error.error
    }
}

impl crate::message::IntoFailure for SendError {
    fn into_failure(self) -> crate::message::Failure {
        self.into()
    }
}
