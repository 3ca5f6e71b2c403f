//! [`AmqpTransport`]: opens sessions with RabbitMQ.

use std::sync::Arc;

use async_trait::async_trait;
use tavrida::transport::{Backoff, ConnectionLost, Session, SessionError, Transport};

use crate::config::AmqpConfig;
use crate::session::AmqpSession;

/// A [`Transport`] over RabbitMQ.
///
/// It only holds the configuration: it does not connect before [`connect`](Transport::connect). Each session has two connections, one that
/// publishes and one for everything else, and does not recover.
#[derive(Debug, Clone)]
pub struct AmqpTransport {
    config: Arc<AmqpConfig>,
}

impl AmqpTransport {
    /// Returns a transport to the broker that `config` describes.
    pub fn new(config: AmqpConfig) -> Self {
        Self { config: Arc::new(config) }
    }
}

#[async_trait]
impl Transport for AmqpTransport {
    /// Tries the hosts in turn, each within the connect timeout. A refusal (wrong password, unknown virtual host) is final: no further host
    /// is tried.
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        let mut failures = Vec::new();
        for host in &self.config.hosts {
            match AmqpSession::open(&self.config, host).await {
                Ok(session) => return Ok(Arc::new(session)),
                Err(SessionError::Lost(loss)) if loss.refusal().is_none() => failures.push(loss),
                Err(error) => return Err(error),
            }
        }
        Err(together(failures).into())
    }

    fn endpoint(&self) -> String {
        self.config.endpoint()
    }

    fn backoff(&self) -> Backoff {
        self.config.backoff()
    }
}

fn together(mut failures: Vec<ConnectionLost>) -> ConnectionLost {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let texts: Vec<_> = failures.iter().map(ToString::to_string).collect();
    ConnectionLost::broken(texts.join("; "))
}
