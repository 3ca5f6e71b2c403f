//! Tavrida over RabbitMQ: the [`Transport`](tavrida::transport::Transport) for production, on lapin.
//!
//! ```no_run
//! use tavrida::prelude::*;
//! use tavrida_amqp::{AmqpConfig, AmqpTransport};
//!
//! # async fn example(hello: Service) -> Result<()> {
//! let config = AmqpConfig::from_uri("amqp://guest:guest@localhost")?;
//! let server = Server::builder(AmqpTransport::new(config)).queue("test_service").exchange("test_exchange");
//! server.service(hello).build()?.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Connecting to the broker
//!
//! [`AmqpConfig`] is built in code, from a [URI](AmqpConfig::from_uri), or from a TOML file with environment variables overriding it
//! (`ConfigFile`, `ServerConfig`; feature `config-file`). All three have the same settings under the same names. Errors name the key and,
//! for a file, the line or the variable. No error and no `Debug` output shows a password.
//!
//! **Several hosts** (`amqp://rabbit-1,rabbit-2`, [`or_host`](AmqpConfig::or_host)) are tried in turn, at the start and after each loss,
//! each within the [connect timeout](AmqpConfig::connect_timeout). After a refusal (wrong password, missing virtual host) no further host
//! is tried.
//!
//! **Attempts**: [`connection_attempts`](AmqpConfig::connection_attempts) limits them before the first session,
//! [`reconnect_attempts`](AmqpConfig::reconnect_attempts) after a loss, with a growing [delay](AmqpConfig::retry_delay). By default there
//! is no limit. A server's or client's [own setting](tavrida::server::ServerBuilder::reconnect) takes precedence.
//!
//! # Connections and channels
//!
//! Sessions of one [`AmqpTransport`] and its clones share two connections: clone the transport for servers and clients of one process.
//! [`unshared`](AmqpTransport::unshared) gives a session two separate ones. A connection has [at least 8](AmqpConfig::MIN_CHANNELS)
//! channels, or is refused. Each publish that the broker refuses costs a channel number, which the AMQP library cannot use again. For 100
//! ms to 10 s after a refusal, publishes to the refused exchange therefore fail with the same error, unless the session declares it.
//!
//! **Heartbeats** are 10 s: a silent broker is given up after 20 s.
//!
//! # TLS
//!
//! Feature `tls`, on rustls. The broker's certificate is always verified: against the authorities of the system, or of a file. With a
//! client certificate, `EXTERNAL` logs in with it (the broker needs its plugin `rabbitmq_auth_mechanism_ssl`):
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
//! Failures are reported within moments: an unknown authority, another name in the certificate, a broker that does not speak TLS, a refused
//! login, with the broker's text.
//!
//! # With services of the Python original
//!
//! No configuration is needed: exchanges, queues, messages and answers are those that the original knows. A client that asks its services
//! declares a [reply exchange](tavrida::client::ClientBuilder::reply_exchange).

mod config;
mod wire;
mod guard;
mod link;
mod manage;
mod publish;
mod consume;
mod consume_side;
mod session;
mod transport;
#[cfg(feature = "config-file")]
mod server;

pub use config::{AmqpConfig, AuthMechanism, ConfigError, Tls};
#[cfg(feature = "config-file")]
pub use config::{ConfigFile, ServerConfig};
pub use transport::AmqpTransport;
