//! [`Sent`]: how a send succeeded.

/// How a send succeeded; otherwise it is a [`SendError`](super::SendError).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sent {
    /// The broker has accepted the message, and at least one queue has it.
    Routed,
    /// A notification that no queue is bound for: it had no subscriber and is dropped.
    Unheard,
}

impl Sent {
    /// Returns whether a queue has the message.
    pub fn is_routed(self) -> bool {
        self == Self::Routed
    }
}
