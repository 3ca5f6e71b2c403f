//! Publishing: in order, pipelined, with outcomes that are true.
//!
//! One task, the lane, owns what is sent. Its main [pipe](pipe) carries what RabbitMQ cannot refuse with a channel error:
//! messages that do not [look refusable](screen), for exchanges that took a message in this session before. Everything else
//! goes the [careful way](careful): on a channel to itself, after what was published before is processed, and before what
//! is published after is sent. So order holds, and a refused publish costs nobody else anything but time.

mod careful;
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

pub(crate) use lane::Lane;
pub(crate) use publisher::Publisher;
pub(crate) use replies::{Place, Replies};
