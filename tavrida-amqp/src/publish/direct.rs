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

use super::{Lane, Publisher};
use crate::config::{AmqpConfig, Host};
use crate::link::{Life, dial, watch_alone};

/// Publishes answers to direct reply addresses of one session. It connects with the first.
pub(crate) struct DirectReplies {
    config: AmqpConfig,
    host: Host,
    session: Arc<Life>,
    line: Mutex<Option<Arc<Line>>>,
    /// Held by what is published again, alone on its connection.
    alone: Mutex<()>,
}

/// A connection.
struct Line {
    life: Arc<Life>,
    publisher: Publisher,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.life.lose(ConnectionLost::closed_here());
    }
}

impl DirectReplies {
    pub(crate) fn new(config: AmqpConfig, host: Host, session: Arc<Life>) -> Self {
        Self { config, host, session, line: Mutex::default(), alone: Mutex::default() }
    }

    /// Whether a publication is an answer to such an address.
    pub(crate) fn takes(publication: &Publication) -> bool {
        publication.exchange.is_empty() && is_direct_reply_address(&publication.routing_key)
    }

    /// What is under way when the connection ends is published once more, each alone: then it is known whose end it was.
    pub(crate) fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        PublishFuture::waiting(async move {
            let line = match self.line().await {
                Ok(line) => line,
                Err(error) => return Err(not_sent(error, publication)),
            };
            match line.publisher.publish(publication).await {
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
        let line = self.line.lock().await.clone();
        if let Some(line) = line {
            line.publisher.flush().await;
        }
    }

    async fn publish_alone(&self, publication: Publication) -> Result<(), PublishError> {
        let _alone = self.alone.lock().await;
        let line = match self.open().await {
            Ok(line) => line,
            Err(error) => return Err(not_sent(error, publication)),
        };
        let outcome = line.publisher.publish(publication).await;
        line.publisher.flush().await;
        outcome.map_err(|mut unpublished| {
            if let PublishErrorKind::Ambiguous(loss) | PublishErrorKind::NotSent(loss) = &unpublished.reason
                && let Some(refusal) = loss.refusal()
            {
                unpublished.reason = PublishErrorKind::Refused(refusal.clone());
            }
            unpublished
        })
    }

    async fn line(&self) -> Result<Arc<Line>, SessionError> {
        let mut kept = self.line.lock().await;
        match &*kept {
            Some(line) if line.life.lost().is_none() => Ok(line.clone()),
            _ => Ok(kept.insert(Arc::new(self.open().await?)).clone()),
        }
    }

    async fn open(&self) -> Result<Line, SessionError> {
        self.session.check()?;
        let dialled = dial(&self.config, &self.host, "reply").await?;
        let connection = dialled.connection.clone();
        let life = Arc::new(Life::new(self.host.to_string()));
        watch_alone(life.clone(), self.session.clone(), dialled);
        let login = self.config.login().map(Into::into);
        match Lane::start(life.clone(), connection, self.config.publish_window, login).await {
            Ok((publisher, _)) => Ok(Line { life, publisher }),
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
