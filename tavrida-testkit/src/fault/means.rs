//! [`Means`]: what a place offers to a fault, beyond its site.

use super::Fault;

/// What a place offers to a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Means {
    /// The process is restarted when it is killed: it is no client.
    pub(crate) restarts: bool,
    /// The message has a time to live.
    pub(crate) expires: bool,
    /// The queue has a limit and drops its oldest messages.
    pub(crate) overflows: bool,
}

impl Means {
    /// Returns why a fault cannot happen here. `None` if it can.
    pub(crate) fn lack_for(self, fault: Fault) -> Option<&'static str> {
        match fault {
            Fault::Crash(_) if !self.restarts => {
                Some("a client cannot crash, since nobody starts it anew: only servers can")
            }
            Fault::Expired if !self.expires => {
                Some("the message has no time to live, or nobody has to say what becomes of it")
            }
            Fault::Overflow if !self.overflows => {
                Some("the queue has no length limit at which it drops what is oldest")
            }
            _ => None,
        }
    }
}
