//! Names of connections and channels, and the time that a command brings along.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A connection, numbered by whoever drives the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionId(pub u32);

impl ConnectionId {
    /// One of this connection's channels.
    pub const fn channel(self, number: u16) -> ChannelId {
        ChannelId { connection: self, number }
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// A channel: its connection and its number there, as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelId {
    /// The connection.
    pub connection: ConnectionId,
    /// The number, from 1.
    pub number: u16,
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.connection, self.number)
    }
}

/// The time at which a command happens. The broker has no clock: each command says how late it is.
///
/// `elapsed` must never go backwards; a command that comes with an earlier time is taken to happen at the latest time
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Now {
    /// Monotonic time since some fixed beginning: what deadlines (TTL, `x-expires`) are measured by.
    pub elapsed: Duration,
    /// Wall time, in seconds since 1970-01-01 00:00 UTC: what `x-death` is stamped with.
    pub wall: u64,
}

impl Now {
    /// So many milliseconds after the beginning; the wall clock shows the beginning of 1970 plus the same.
    pub const fn millis(elapsed: u64) -> Self {
        Self { elapsed: Duration::from_millis(elapsed), wall: elapsed / 1000 }
    }
}
