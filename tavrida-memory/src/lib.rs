//! An in-process broker that behaves as RabbitMQ does.

pub mod core;
mod shell;

pub use shell::{Builder, MemoryBroker, MemoryTransport};
