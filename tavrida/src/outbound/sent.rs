//! [`Sent`]: how a send went well.

/// How a send went well; all else is a [`SendError`](super::SendError).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sent {
    /// The broker has taken the message, and at least one queue holds it.
    Routed,
    /// A notification that no queue is bound for: nobody heard it, and nobody will.
    Unheard,
}

impl Sent {
    /// Whether somebody will get the message.
    pub fn is_routed(self) -> bool {
        self == Self::Routed
    }
}
