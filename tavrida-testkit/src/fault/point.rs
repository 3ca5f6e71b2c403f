//! [`Point`]: where a schedule decides something.

use std::fmt;

use super::Site;

/// One decision of a run: about a message, at a site of its way, the nth time that this message comes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Where on the message's way.
    pub site: Site,
    /// The message, by its causes: see [`SentMessage::key`](crate::trace::SentMessage::key). Where it is decided which message
    /// arrives next, and how long it is on its way, who receives it is part of this.
    pub key: u64,
    /// Which time, from 1.
    pub nth: u32,
}

impl fmt::Display for Point {
    /// As schedules are written: `deliver:9f3a52c01b7d88e4#1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:016x}#{}", self.site, self.key, self.nth)
    }
}
