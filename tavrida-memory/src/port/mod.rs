//! An AMQP 0-9-1 port: clients in any language talk to a [`MemoryBroker`](crate::MemoryBroker).
//!
#![doc = include_str!("../../docs/port.md")]

mod connection;
mod definitions;
mod error;
mod listen;
mod password;
mod policies;
mod settings;
mod socket;
mod shutdown;
mod wire;

pub use definitions::{Definitions, DefinitionsError};
pub use error::ListenError;
pub use listen::{Port, PortBuilder};
