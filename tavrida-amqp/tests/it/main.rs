//! `AmqpTransport` against real RabbitMQ nodes, which the tests start.
//!
//! One binary, so that all tests share one node (each in its own virtual host) and are linked once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "runs print their seeds, counts and times")]

mod asks;
mod causes;
mod cluster;
#[cfg(feature = "config-file")]
mod config_file;
mod default_type;
mod conformance;
mod connection;
mod consuming;
mod extremes;
mod failover;
mod frames;
mod gone;
mod hostile;
mod interop;
mod life;
mod limits;
#[path = "../lines/mod.rs"]
mod lines;
mod nested;
mod operator;
mod outcomes;
mod queues;
mod readme;
mod recovery;
mod services;
mod sharing;
mod shutdown;
#[path = "../../../tavrida/tests/stories/mod.rs"]
mod stories;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod topologies;
mod fixture;
