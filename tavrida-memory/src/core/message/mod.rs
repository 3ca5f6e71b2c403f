//! What a message is inside the broker: its content, with data that only the broker sees.

pub(crate) mod checks;
pub(crate) mod deaths;
pub(crate) mod expiration;
pub(crate) mod headers;
pub(crate) mod container;
pub(crate) mod routing_keys;
