//! The copy of a message as its sender sent it.

use crate::envelope;
use crate::field::ShortString;
use crate::transport::{Delivery, Publication};

/// Returns the same message without the headers of retries and brokers.
///
/// `x-death` must be removed: RabbitMQ silently drops a message in a dead-letter cycle. An expiration would expire the copy early, and CC
/// would multiply it. RabbitMQ accepts the property `user_id` only from that user, so it moves to the header `user`, or is removed.
pub(super) fn bare_copy(delivery: &Delivery, user: Option<ShortString>) -> Publication {
    let mut copy = Publication::clone(delivery.publication());
    copy.properties.expiration = None;
    copy.mandatory = true;
    if let Some(headers) = &mut copy.properties.headers {
        headers.retain(|name, _| !envelope::is_added_to_copies(name));
    }
    if let (Some(user_id), Some(name)) = (copy.properties.user_id.take(), user) {
        copy.properties.headers.get_or_insert_default().insert(name, user_id);
    }
    copy
}
