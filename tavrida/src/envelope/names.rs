//! Which headers are the wire format's, which are a sender's own, and which others put on.

pub(super) use crate::message::names::{
    CORRELATION_ID, DESTINATION, MESSAGE_ID, MESSAGE_TYPE, REPLY_TO, REQUEST_ID, RESERVED, SOURCE,
};
use crate::message::names::{ECHOED_PREFIX, OWN_PREFIX};

/// What RabbitMQ adds to, or reads from, the copies that it makes of a message.
///
/// None of it may ride on to the next message: with the old deaths on it a new message counts as one that goes round in
/// circles, which the broker drops without a word, and `CC` would send it to further queues.
const BROKERS_OWN: [&str; 6] = [
    "x-death",
    "x-first-death-reason",
    "x-first-death-queue",
    "x-first-death-exchange",
    "x-delivery-count",
    "CC",
];

/// Whether retries, dead-lettering or a broker put a header on a copy of a message.
pub(crate) fn is_added_to_copies(name: &str) -> bool {
    name.starts_with(OWN_PREFIX) || BROKERS_OWN.contains(&name)
}

/// Whether a header was set by the message's sender, for its receiver to see.
pub(super) fn is_custom(name: &str) -> bool {
    !RESERVED.contains(&name) && !is_added_to_copies(name) && !is_echoed(name)
}

/// Whether a header only goes with a request and comes back with its answer.
pub(super) fn is_echoed(name: &str) -> bool {
    name.starts_with(ECHOED_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_copy_got_on_its_way_is_no_custom_header() {
        for name in BROKERS_OWN.into_iter().chain(["x-tavrida-attempt", "reply_to"]) {
            assert!(!is_custom(name), "{name}");
        }
        for name in ["x-trace", "authorization", "x-tavrid", "cc", ""] {
            assert!(is_custom(name), "{name}");
        }
    }
}
