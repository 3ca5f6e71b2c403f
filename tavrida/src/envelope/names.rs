//! Classifies headers: those of the wire format, custom ones, and those added on the way.

pub(crate) use crate::message::names::DEADLINE;
pub(super) use crate::message::names::{
    CORRELATION_ID, DESTINATION, MESSAGE_ID, MESSAGE_TYPE, REPLY_TO, REQUEST_ID, RESERVED, SOURCE,
};
use crate::message::names::{ECHOED_PREFIX, OWN_PREFIX};
use crate::transport::UNREADABLE;

/// Headers that RabbitMQ adds to, or reads from, the copies that it makes of a message.
///
/// They must not be copied to the next message: with old deaths a new message looks like one in a dead-letter cycle, which the broker drops
/// silently, and `CC` and `BCC` would send it to further queues.
const BROKERS_OWN: [&str; 10] = [
    "x-death",
    "x-first-death-reason",
    "x-first-death-queue",
    "x-first-death-exchange",
    "x-last-death-reason",
    "x-last-death-queue",
    "x-last-death-exchange",
    "x-delivery-count",
    "CC",
    "BCC",
];

/// Returns whether retries, dead-lettering or a broker add this header to a copy of a message.
pub(crate) fn is_added_to_copies(name: &str) -> bool {
    // What cannot be read stays so in each copy, and an asker waits no longer for a copy.
    let stays = name == UNREADABLE.as_str() || name == DEADLINE;
    (name.starts_with(OWN_PREFIX) && !stays) || BROKERS_OWN.contains(&name)
}

/// Returns whether the message's sender set this header for its receiver.
pub(super) fn is_custom(name: &str) -> bool {
    !RESERVED.contains(&name) && !is_added_to_copies(name) && name != DEADLINE && !is_echoed(name)
}

/// Returns whether a message that answers another may have this header of it.
pub(crate) fn is_senders(name: &str) -> bool {
    is_custom(name) || is_echoed(name)
}

/// Returns whether this header is only echoed from a request to its answer.
pub(super) fn is_echoed(name: &str) -> bool {
    name.starts_with(ECHOED_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_copy_got_on_its_way_is_no_custom_header() {
        for name in BROKERS_OWN.into_iter().chain(["x-tavrida-attempt", DEADLINE, "reply_to"]) {
            assert!(!is_custom(name), "{name}");
        }
        for name in ["x-trace", "authorization", "x-tavrid", "cc", ""] {
            assert!(is_custom(name), "{name}");
        }
    }
}
