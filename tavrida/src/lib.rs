//! Services that talk by messages.

pub mod field;
pub mod entry_point;
pub mod error;
pub mod id;
pub mod time;
pub mod counters;
pub mod json;
pub mod message;
pub mod transport;
pub mod envelope;
pub mod link;
pub mod discovery;
pub mod middleware;
pub mod outbound;
mod asks;
pub mod proxy;
pub mod client;

pub use client::Client;
pub use entry_point::EntryPoint;
pub use error::Error;
pub use proxy::Proxy;
