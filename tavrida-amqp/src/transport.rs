//! [`AmqpTransport`]: opens sessions with RabbitMQ.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tavrida::transport::{Backoff, Session, SessionError, Transport};

use crate::config::AmqpConfig;
use crate::link::{Connections, Pool};
use crate::session::AmqpSession;

/// A [`Transport`] over RabbitMQ.
///
/// It does not connect before [`connect`](Transport::connect). A session uses two connections, one that publishes and one for everything
/// else, and does not recover.
///
/// **Sessions of one transport and its clones share connections**: up to 64 sessions, or as many as `channel_max` allows. Two connections
/// take two threads; a further session takes a few channels (the benchmark `idle` of this crate measures both). A fault that ends a
/// connection ends all sessions on it, for example an exchange of an unknown type; one that closes a channel does not. Connections are
/// closed with their last session. An exclusive queue belongs to its session.
///
/// A third connection of a session opens with its first answer to a direct reply address: RabbitMQ closes the connection that publishes to
/// an address which it cannot decode, and the sender of a request chooses the address.
///
/// Shared connections also share one thread each. For busy servers in one process use [`unshared`](AmqpTransport::unshared).
#[derive(Clone)]
pub struct AmqpTransport {
    config: Arc<AmqpConfig>,
    pool: Option<Arc<Pool>>,
}

impl AmqpTransport {
    /// Returns a transport to the broker that `config` describes.
    pub fn new(config: AmqpConfig) -> Self {
        Self { config: Arc::new(config), pool: Some(Arc::default()) }
    }

    /// Opens two separate connections for each session, instead of sharing them.
    #[must_use = "the transport comes back"]
    pub fn unshared(mut self) -> Self {
        self.pool = None;
        self
    }
}

impl fmt::Debug for AmqpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpTransport")
            .field("config", &self.config)
            .field("shared", &self.pool.is_some())
            .finish()
    }
}

#[async_trait]
impl Transport for AmqpTransport {
    /// Uses open connections if there is room for one more session. Otherwise tries the hosts in turn, each within the connect timeout;
    /// concurrent calls wait for the same attempt. A refusal (wrong password, unknown virtual host) is final: no further host is tried.
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        let lease = match &self.pool {
            Some(pool) => pool.lease(&self.config).await?,
            None => Connections::open(&self.config).await?.lease().expect("nobody else uses them"),
        };
        Ok(Arc::new(AmqpSession::begin(&self.config, lease).await?))
    }

    fn endpoint(&self) -> String {
        self.config.endpoint()
    }

    fn backoff(&self) -> Backoff {
        self.config.backoff()
    }
}
