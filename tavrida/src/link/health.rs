//! [`Health`]: whether a server or client works, for operators.

use std::fmt;

use tokio::time::Instant;

/// The state of a server or client: of its consumers and its work, not of its sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Not connected yet, and no attempt has failed.
    Starting,
    /// Consumers consume (a client: it can send).
    Ready,
    /// The broker accepts no publishes now (an alarm), or has been silent for longer than the heartbeat.
    Blocked {
        /// The broker's reason, such as `low on memory`, or how long it has been silent.
        why: String,
    },
    /// Consumers consume, but an exchange of the server's [plan](crate::server::Plan) is missing, so that sends to it fail: it was deleted,
    /// and could not be declared again. Or no copy can be made of [failed messages](crate::counters::Counters::stuck): where they occupy the whole
    /// prefetch, the broker delivers nothing until a copy succeeds, or the session ends.
    Degraded {
        /// The exchange, and why it is not declared; or how many places of the prefetch failed messages occupy.
        why: String,
    },
    /// Without a session, and reconnecting.
    Reconnecting {
        /// When this began, on tokio's clock.
        since: Instant,
        /// Attempts that have failed since the last ready session, or since the start.
        attempts: u32,
        /// Why the last one failed, or how the session was lost.
        why: String,
    },
    /// The attempts are used up, or the broker refused the first session permanently.
    Failed {
        /// Why the last one failed.
        why: String,
    },
    /// Stopped by this side.
    Stopped,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Ready => f.write_str("ready"),
            Self::Blocked { why } => write!(f, "blocked by the broker: {why}"),
            Self::Degraded { why } => write!(f, "degraded: {why}"),
            Self::Reconnecting { attempts, why, .. } => write!(f, "reconnecting ({attempts} failed): {why}"),
            Self::Failed { why } => write!(f, "failed: {why}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
