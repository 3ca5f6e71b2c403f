//! Answers to direct reply addresses, on a separate connection.
//!
//! RabbitMQ closes the connection that publishes to an address which it cannot decode (541), and the sender of a request chooses the
//! address. On its own connection such an answer ends no other publish.

use std::sync::Arc;

use tavrida::transport::{
    ConnectionLost, Publication, PublishError, PublishErrorKind, PublishFuture, SessionError,
    is_direct_reply_address,
};
use tokio::sync::Mutex;

use super::{PublishTask, Publisher};
use crate::config::{AmqpConfig, Host};
use crate::link::{Liveness, dial, watch_alone};

/// Publishes answers to direct reply addresses of one session. It connects with the first.
pub(crate) struct ReplyPublisher {
    config: AmqpConfig,
    host: Host,
    session: Arc<Liveness>,
    connection: Mutex<Option<Arc<ReplyConnection>>>,
    /// Held by what is published again, alone on its connection.
    alone: Mutex<()>,
}

/// A connection.
struct ReplyConnection {
    life: Arc<Liveness>,
    publisher: Publisher,
}

impl Drop for ReplyConnection {
    fn drop(&mut self) {
        self.life.lose(ConnectionLost::closed_here());
    }
}

impl ReplyPublisher {
    pub(crate) fn new(config: AmqpConfig, host: Host, session: Arc<Liveness>) -> Self {
        Self { config, host, session, connection: Mutex::default(), alone: Mutex::default() }
    }

    /// Whether a publication is an answer to such an address.
    pub(crate) fn takes(publication: &Publication) -> bool {
        publication.exchange.is_empty() && is_direct_reply_address(&publication.routing_key)
    }

    /// What is under way when the connection ends is published once more, each alone: then it is known whose end it was.
    pub(crate) fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        PublishFuture::waiting(async move {
            let connection = match self.connection().await {
                Ok(connection) => connection,
                Err(error) => return Err(not_sent(error, publication)),
            };
            match connection.publisher.publish(publication).await {
                Err(PublishError {
                    reason: PublishErrorKind::Ambiguous(_) | PublishErrorKind::NotSent(_),
                    publication,
                }) if self.session.lost().is_none() => self.publish_alone(*publication).await,
                outcome => outcome,
            }
        })
    }

    /// Waits until everything that was published before has its outcome.
    pub(crate) async fn flush(&self) {
        let connection = self.connection.lock().await.clone();
        if let Some(connection) = connection {
            connection.publisher.flush().await;
        }
    }

    async fn publish_alone(&self, publication: Publication) -> Result<(), PublishError> {
        let _alone = self.alone.lock().await;
        let connection = match self.open().await {
            Ok(connection) => connection,
            Err(error) => return Err(not_sent(error, publication)),
        };
        let outcome = connection.publisher.publish(publication).await;
        connection.publisher.flush().await;
        outcome.map_err(|mut unpublished| {
            if let PublishErrorKind::Ambiguous(loss) | PublishErrorKind::NotSent(loss) = &unpublished.reason
                && let Some(refusal) = loss.refusal()
            {
                unpublished.reason = PublishErrorKind::Refused(refusal.clone());
            }
            unpublished
        })
    }

    async fn connection(&self) -> Result<Arc<ReplyConnection>, SessionError> {
        let mut kept = self.connection.lock().await;
        match &*kept {
            Some(connection) if connection.life.lost().is_none() => Ok(connection.clone()),
            _ => Ok(kept.insert(Arc::new(self.open().await?)).clone()),
        }
    }

    async fn open(&self) -> Result<ReplyConnection, SessionError> {
        self.session.check()?;
        let opened = dial(&self.config, &self.host, "reply").await?;
        let connection = opened.connection.clone();
        let life = Arc::new(Liveness::new(self.host.to_string()));
        watch_alone(life.clone(), self.session.clone(), opened);
        let login = self.config.login().map(Into::into);
        match PublishTask::start(life.clone(), connection, self.config.publish_window, login).await {
            Ok((publisher, _)) => Ok(ReplyConnection { life, publisher }),
            Err(error) => {
                let error = life.error(&error);
                life.lose(ConnectionLost::closed_here());
                Err(error)
            }
        }
    }
}

fn not_sent(error: SessionError, publication: Publication) -> PublishError {
    let loss = match error {
        SessionError::Lost(loss) => loss,
        other => ConnectionLost::broken(format!("no connection for a direct reply: {other}")),
    };
    PublishError::new(PublishErrorKind::NotSent(loss), publication)
}
