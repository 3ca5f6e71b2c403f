//! [`Means`]: what a place lets go wrong, beyond its site.

use super::Fault;

/// What is there at a place for faults to happen to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Means {
    /// Somebody starts the process anew when it is killed.
    pub(crate) restarts: bool,
    /// The message has a time to live.
    pub(crate) expires: bool,
    /// The queue has a limit, and drops what is oldest.
    pub(crate) overflows: bool,
}

impl Means {
    /// Why a fault cannot happen here, if it cannot.
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
