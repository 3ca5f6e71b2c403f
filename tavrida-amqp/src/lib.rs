//! Tavrida over RabbitMQ: the [`Transport`](tavrida::transport::Transport) for production, on lapin.
//!
//! ```no_run
//! use tavrida::prelude::*;
//! use tavrida_amqp::{AmqpConfig, AmqpTransport};
//!
//! # async fn example(hello: Service) -> Result<(), Box<dyn std::error::Error>> {
//! let config = AmqpConfig::from_uri("amqp://guest:guest@localhost")?;
//! let server = Server::builder(AmqpTransport::new(config)).queue("test_service").exchange("test_exchange");
//! server.service(hello).build()?.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where the broker is
//!
//! [`AmqpConfig`] comes from parts in code, from a [URI](AmqpConfig::from_uri), or from a TOML file with environment variables
//! over it (`ConfigFile`, `ServerConfig`; feature `config-file`); all three say the same things under the same names, and what
//! is wrong is an error that names the key and, for a file, the line or the variable. No error and no `Debug` shows a password.
//!
//! **Several hosts** (`amqp://rabbit-1,rabbit-2`, [`or_host`](AmqpConfig::or_host)) are tried in turn, at the start and after each
//! loss, each within the [connect timeout](AmqpConfig::connect_timeout). A refusal (wrong password, missing virtual host) is not
//! tried on the next host.
//!
//! **How often**: [`connection_attempts`](AmqpConfig::connection_attempts) until the first session is there,
//! [`reconnect_attempts`](AmqpConfig::reconnect_attempts) after a loss, with a [delay](AmqpConfig::retry_delay) that grows. By
//! default there is no limit. What a server or client is told in [code](tavrida::server::ServerBuilder::reconnect) comes first.
//!
//! # TLS
//!
//! Feature `tls`, on rustls. The broker's certificate is always verified: against the authorities of the system, or of a file of
//! your own. With a client certificate, `EXTERNAL` logs in by it (the broker needs its plugin `rabbitmq_auth_mechanism_ssl`):
//!
//! ```no_run
//! use tavrida_amqp::{AmqpConfig, AuthMechanism, Tls};
//!
//! # fn example() -> Result<(), tavrida_amqp::ConfigError> {
//! let tls = Tls::new().ca_file("/etc/tavrida/ca.pem")?.identity_files("/etc/tavrida/billing.pem", "/etc/tavrida/billing.key")?;
//! let config = AmqpConfig::new("rabbit-1", 5671).tls(tls).auth_mechanism(AuthMechanism::External);
//! # Ok(())
//! # }
//! ```
//!
//! What fails is told within moments: an unknown authority, another name in the certificate, a broker that does not speak TLS,
//! a login that is refused, in the broker's words.
//!
//! # With services of the Python original
//!
//! Nothing has to be configured: exchanges, queues, messages and answers are those that the original knows. A client that asks
//! its services declares a [reply exchange](tavrida::client::ClientBuilder::reply_exchange).

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
