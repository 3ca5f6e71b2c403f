//! Tests for Tavrida: a private RabbitMQ node, and the conformance suite of a transport.

pub mod conformance;
pub mod fault;
pub mod graph;
pub mod laws;
pub mod run;
pub mod schedule;
pub mod sim;
pub mod trace;
#[cfg(all(feature = "rabbitmq", unix))]
pub mod rabbitmq;
