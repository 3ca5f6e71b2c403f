//! An in-process broker that behaves as RabbitMQ does.

pub mod core;
