//! An in-process broker that behaves as RabbitMQ does.
//!
//! It behaves [like](Builder::like) a version of RabbitMQ: 4.0 unless you choose 3.10. [`MemoryBroker`] is the broker, and creates
//! transports to it for any number of servers and clients; [`core`] is the same broker as a value, for callers that drive it themselves.
//! [The table of features](features) lists what equals RabbitMQ, what differs and what is missing; tests hold it.

pub mod core;
mod shell;
#[cfg(feature = "port")]
pub mod port;

#[doc = include_str!("../docs/features.md")]
pub mod features {}

pub use core::{Behaviour, RabbitMq};
pub use shell::{
    Builder, Head, Heads, MemoryBroker, MemoryTransport, Network, NetworkSession, PublishFate, SettleFate,
};
