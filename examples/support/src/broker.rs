//! Which broker an example runs on.

use std::sync::Arc;

use tavrida::prelude::{Failure, Result};
use tavrida::transport::Transport;
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_memory::MemoryBroker;

/// The transport chosen on the command line.
pub type Broker = Arc<dyn Transport>;

/// Returns the transport for the command line: RabbitMQ with `--amqp URI`, a broker in this process without arguments.
///
/// # Errors
///
/// Any other argument, or an invalid URI.
pub fn broker_of_arguments() -> Result<Broker> {
    broker_of(std::env::args().skip(1))
}

/// Returns the transport for these arguments.
///
/// # Errors
///
/// As [`broker_of_arguments`].
pub fn broker_of(arguments: impl IntoIterator<Item = String>) -> Result<Broker> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Arc::new(MemoryBroker::new().transport())),
        ["--amqp", uri] => Ok(Arc::new(AmqpTransport::new(AmqpConfig::from_uri(uri)?))),
        ref other => {
            let text =
                format!("expected nothing, or `--amqp amqp://user:password@host:port/vhost`, not {other:?}");
            Err(Failure::new("example.Arguments", text))
        }
    }
}
