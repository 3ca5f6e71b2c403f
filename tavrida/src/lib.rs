//! Services that talk by messages.

#[cfg(test)]
mod seeded;

pub mod field;
pub mod entry_point;
pub mod error;
pub mod id;
pub mod time;
pub mod counters;
pub mod json;
pub mod message;
pub mod contract;
pub mod transport;
pub mod envelope;
pub mod link;
pub mod discovery;
pub mod middleware;
pub mod outbound;
mod asks;
pub mod proxy;
pub mod client;
pub mod handler;
pub mod service;
mod disposition;
mod inbound;
pub mod server;
pub mod prelude;
pub mod docs;

pub use client::Client;
pub use contract::{Event, Rpc};
pub use disposition::{FailurePolicy, Retry};
pub use entry_point::EntryPoint;
pub use error::Error;
pub use link::{Backoff, Health};
pub use proxy::Proxy;
pub use server::Server;
pub use service::Service;
#[cfg(feature = "macros")]
pub use tavrida_macros::{Event, Rpc, service};
