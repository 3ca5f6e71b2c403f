//! Publishing: in order, pipelined, with an exact outcome for each.
//!
//! One task, the lane, owns all publishes. Its main [pipe](pipe) carries what RabbitMQ cannot refuse with a channel error: messages that do
//! not [look refusable](screen), to exchanges that accepted a message in this session before. Everything else is published
//! [carefully](careful): on a channel to itself, after earlier publishes are processed, and before later ones are sent. This keeps the
//! order, and a refused publish only delays others.

mod absent;
mod careful;
mod direct;
mod fence;
mod job;
mod lane;
mod ledger;
#[cfg(test)]
mod ledger_tests;
mod overdue;
mod pipe;
mod publisher;
mod ready;
mod refresh;
mod repair;
mod replies;
mod screen;

pub(crate) use direct::DirectReplies;
pub(crate) use lane::Lane;
pub(crate) use publisher::Publisher;
pub(crate) use replies::{Place, Replies};
