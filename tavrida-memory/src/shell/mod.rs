//! The async shell around the [core](crate::core): one lock, tokio's clock, and sessions.

mod aftermath;
mod broker;
mod channel;
mod clock;
mod consumer;
mod handle;
mod heads;
mod network;
mod publish;
#[cfg(feature = "port")]
mod remote;
mod session;
mod shared;
mod state;
mod timer;
mod transport;

pub use broker::{Builder, MemoryBroker};
pub use heads::{Head, Heads};
pub use network::{Network, NetworkSession, PublishFate, SettleFate};
#[cfg(feature = "port")]
pub(crate) use remote::{Attended, Remote};
pub use transport::MemoryTransport;
