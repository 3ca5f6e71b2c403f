//! [`SendError`]: a message that was not, or not surely, sent.

use std::fmt;

use crate::error::Error;
use crate::message::Message;

/// Why a send failed; it hands the message back.
///
/// Whether a second try may make a second copy: only where [`is_ambiguous`](SendError::is_ambiguous), and where a queue
/// among several [refused](SendError::is_refused) it.
pub struct SendError {
    error: Error,
    message: Message,
}

impl SendError {
    pub(crate) fn new(error: Error, message: Message) -> Self {
        Self { error, message }
    }

    /// The message that was to be sent.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message that was to be sent, to keep it or to send it again.
    pub fn into_message(self) -> Message {
        self.message
    }

    /// Whether no queue is bound for the message (312): correct the address, or start the other service.
    pub fn is_unroutable(&self) -> bool {
        self.error.is_unroutable()
    }

    /// Whether the broker said no: a full queue (nack), a missing exchange (404), permissions (403), ...
    pub fn is_refused(&self) -> bool {
        self.error.is_refused()
    }

    /// Whether the session died between sending and the confirm: the message may have arrived.
    pub fn is_ambiguous(&self) -> bool {
        self.error.is_ambiguous()
    }

    /// Whether no discovery knows the service or publisher.
    pub fn is_undiscovered(&self) -> bool {
        self.error.is_undiscovered()
    }

    /// Whether the session was over before anything was sent.
    pub fn is_closed(&self) -> bool {
        self.error.is_closed()
    }

    /// Whether there was no session to send on in time; nothing was sent.
    pub fn is_timeout(&self) -> bool {
        self.error.is_timeout()
    }

    /// The reason alone.
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
