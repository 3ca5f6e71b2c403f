//! An in-process broker that behaves as RabbitMQ does.

pub mod core;
mod shell;

pub use shell::{Builder, Head, Line, MemoryBroker, MemoryTransport, Network, PublishFate, SettleFate};
