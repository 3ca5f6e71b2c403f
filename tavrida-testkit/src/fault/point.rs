//! [`Point`]: where a schedule makes a decision.

use std::fmt;

use super::Site;

/// One decision of a run: about a message at a site, and which time the message reaches that site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The site.
    pub site: Site,
    /// The message, identified by its causes: see [`SentMessage::key`](crate::trace::SentMessage::key). For decisions about arrival order
    /// and transit time the key includes the receiver.
    pub key: u64,
    /// Which occurrence, from 1.
    pub nth: u32,
}

impl fmt::Display for Point {
    /// Writes the form used in schedules: `deliver:9f3a52c01b7d88e4#1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:016x}#{}", self.site, self.key, self.nth)
    }
}
