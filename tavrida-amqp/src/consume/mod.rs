//! Consuming: a channel for each consumer, deliveries from lapin's stream, acks in batches.

mod acks;
mod get;
mod settler;
mod source;
mod stream;

pub(crate) use get::get;
pub(crate) use settler::Settler;
pub(crate) use stream::{consume, consume_replies};
