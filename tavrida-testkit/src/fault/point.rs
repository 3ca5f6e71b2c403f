//! [`Point`]: where a schedule decides something.

use super::Site;

/// One decision of a run: about a message, at a site of its way, the nth time that this message comes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Where on the message's way.
    pub site: Site,
    /// The message, by its causes: see [`SentMessage::key`](crate::trace::SentMessage::key).
    pub key: u64,
    /// Which time, from 1.
    pub nth: u32,
}
