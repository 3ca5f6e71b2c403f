//! An in-process broker that behaves as RabbitMQ does.
//!
//! [`MemoryBroker`] is the broker, and a transport to it for as many servers and clients as you like; [`core`] is the same as
//! a value, for those who drive it themselves. What it does as RabbitMQ, what it does otherwise and what it leaves out is
//! told by [the table of features](features), which tests hold.

pub mod core;
mod shell;

#[doc = include_str!("../docs/features.md")]
pub mod features {}

pub use shell::{
    Builder, Head, Heads, Line, MemoryBroker, MemoryTransport, Network, PublishFate, SettleFate,
};
