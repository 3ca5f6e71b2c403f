//! Tests for Tavrida: whole graphs of services in a deterministic simulation, a private RabbitMQ node, and the conformance suite
//! of a transport.

pub mod conformance;
#[cfg(all(feature = "rabbitmq", unix))]
pub mod rabbitmq;
pub mod random;
pub mod trace;
pub mod run;
pub mod problem;
pub mod laws;
pub mod fault;
pub mod schedule;
pub mod sim;
mod twice;
pub mod picture;
pub mod graph;
pub mod explore;
pub mod check;
pub mod exhaustive;

pub use check::{Options, check};
pub use exhaustive::exhaustive;
pub use explore::{explore, replay};
pub use tavrida_testkit_macros::test;
