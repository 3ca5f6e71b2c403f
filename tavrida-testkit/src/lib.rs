//! Tests for Tavrida: a private RabbitMQ node, and the conformance suite of a transport.

pub mod conformance;
pub mod trace;
#[cfg(all(feature = "rabbitmq", unix))]
pub mod rabbitmq;
