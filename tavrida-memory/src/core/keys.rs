//! The keys of what the broker holds: parts that refer to each other know their keys, not each other.
//!
//! A key may outlive its value; it then finds nothing, also when another value took the slot. Which slot is used next depends only on
//! the history of calls, and iteration is in the order of the slots.

use slotmap::new_key_type;

new_key_type! {
    /// A channel.
    pub(crate) struct ChannelKey;
    /// A consumer, or an ended one with unsettled deliveries.
    pub(crate) struct ConsumerKey;
    /// An exchange.
    pub(crate) struct ExchangeKey;
    /// A queue.
    pub(crate) struct QueueKey;
}
