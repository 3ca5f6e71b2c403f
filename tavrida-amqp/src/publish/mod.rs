//! Publishing: in order, pipelined, with an exact outcome for each publish.
//!
//! A [`Publisher`] passes requests to one task, the [`PublishTask`]. Only the task acts: it decides on which channel a publish goes, and when
//! a channel is replaced. What it decides by is kept in values that answer questions:
//!
//! | value | owns | answers |
//! |---|---|---|
//! | [`Channels`](channels) | all channels of the task | what the broker has answered or processed |
//! | [`ConfirmChannel`](confirm_channel) | one channel in confirm mode, and what is under way on it | whether it is usable, acked or nacked |
//! | [`Outstanding`](outstanding) | publishes without an outcome | which publish was returned |
//! | [`IsolatedChannels`](isolated), [`RetiredChannels`](retired) | channels for one publish each; former main channels | which one is idle; how many publishes are left |
//! | [`KnownExchanges`](exchanges) | exchanges that accepted or refused a message | whether a publish to an exchange is safe |
//! | [`refusable`] | nothing | whether the broker may refuse a message for its content |
//! | [`ConfirmTimeout`](confirm_timeout), [`DoubtProbe`](doubt_probe) | a timer each | whether to look for missing confirms; whether to send a probe |
//!
//! **The main channel** carries what RabbitMQ cannot refuse with a channel error: messages whose content it does not refuse, to exchanges
//! that accepted a message in this session before. **Everything else is published alone**: on an isolated channel, after the broker has
//! processed earlier publishes, and before later ones are sent. This keeps the order, and a refused publish only delays others.

mod channels;
mod confirm_channel;
mod confirm_timeout;
mod doubt_probe;
mod exchanges;
mod isolated;
mod outstanding;
#[cfg(test)]
mod outstanding_tests;
mod pending;
mod publisher;
mod refusable;
mod reply_consumer;
mod reply_publisher;
mod retired;
mod task;
mod wakers;

pub(crate) use publisher::Publisher;
pub(crate) use reply_consumer::{DirectReplies, ReplyLease};
pub(crate) use reply_publisher::ReplyPublisher;
pub(crate) use task::PublishTask;
