//! Consuming: a channel for each consumer, deliveries straight from lapin's stream, acks in bundles.

mod acks;
mod get;
mod settler;
mod source;
mod stream;

pub(crate) use get::get;
pub(crate) use settler::Settler;
pub(crate) use stream::{consume, consume_replies};
