//! Tavrida over RabbitMQ: the [`Transport`](tavrida::transport::Transport) for production, on lapin.

mod config;
mod wire;
mod link;
mod manage;
mod publish;
mod consume;
mod session;
mod transport;
#[cfg(feature = "config-file")]
mod server;

pub use config::{AmqpConfig, AuthMechanism, ConfigError, Tls};
#[cfg(feature = "config-file")]
pub use config::{ConfigFile, ServerConfig};
pub use transport::AmqpTransport;
