//! Tavrida over RabbitMQ: the [`Transport`](tavrida::transport::Transport) for production, on lapin.

mod config;
mod wire;
mod link;
mod manage;
mod publish;
mod consume;
mod session;
mod transport;

pub use config::{AmqpConfig, AuthMechanism, ConfigError, Tls};
pub use transport::AmqpTransport;
