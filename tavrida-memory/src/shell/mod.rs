//! The async shell around the [core](crate::core): one lock, tokio's clock, and sessions.

mod aftermath;
mod broker;
mod channel;
mod clock;
mod consumer;
mod handle;
mod network;
mod publish;
mod session;
mod shared;
mod state;
mod timer;
mod transport;

pub use broker::{Builder, MemoryBroker};
pub use network::{Head, Line, Network, PublishFate, SettleFate};
pub use transport::MemoryTransport;
