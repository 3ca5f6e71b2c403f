//! Strategies for [proptest](https://docs.rs/proptest): topologies, patterns, and messages near the bindings of a topology.
//!
//! ```
//! use proptest::prelude::*;
//! use tavrida_routing::{Exchange, Queue, Topology, strategy};
//!
//! let topology = Topology::builder()
//!     .exchange(Exchange::topic("orders"))
//!     .queue(Queue::new("billing"))
//!     .queue(Queue::new("audit"))
//!     .bind_queue("billing", "orders", "order.*.paid")
//!     .bind_queue("audit", "orders", "order.#")
//!     .build()
//!     .unwrap();
//!
//! proptest!(|(message in strategy::message(&topology))| {
//!     let routing = topology.route(&message)?;
//!     prop_assert!(!routing.reaches("billing") || routing.reaches("audit"), "{routing}");
//! });
//! ```
//!
//! Everything shrinks by structure: a failing case loses the exchanges, queues, bindings, words and headers that it does not need.

mod keys;
mod message;
mod services;
mod tables;
mod topology;

pub use keys::{key, key_near, pattern};
pub use message::{Messages, message, messages, topology_and_message};
pub use services::call_chain;
pub use tables::{headers_near, value};
pub use topology::{Topologies, topology};
