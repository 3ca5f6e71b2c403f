//! Tavrida over RabbitMQ: the [`Transport`](tavrida::transport::Transport) for production, on lapin.

mod config;
mod consume;
mod link;
mod manage;
mod publish;
mod session;
mod transport;
mod wire;

pub use config::{AmqpConfig, AuthMechanism, ConfigError, Tls};
pub use transport::AmqpTransport;
