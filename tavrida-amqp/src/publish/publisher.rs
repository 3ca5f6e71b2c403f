//! The handle of the callers.

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::{
    Publication, PublishError, PublishErrorKind, PublishFuture, SessionError, check_properties,
};
use tokio::sync::{mpsc, oneshot};

use super::pending::PendingPublish;
use super::reply_consumer::DirectReplies;
use crate::link::Liveness;

/// Passes publishes to the [task](super::task).
pub(crate) struct Publisher {
    life: Arc<Liveness>,
    frame_max: usize,
    requests: mpsc::UnboundedSender<Request>,
}

/// A request to the task.
pub(super) enum Request {
    Publish(PendingPublish),
    /// Completes when all earlier requests are complete.
    Flush(oneshot::Sender<()>),
    /// An exchange was declared.
    Declared(ShortString),
    /// Starts to consume direct replies.
    ConsumeReplies(oneshot::Sender<Result<DirectReplies, SessionError>>),
}

impl Publisher {
    pub(super) fn new(life: Arc<Liveness>, frame_max: usize) -> (Self, mpsc::UnboundedReceiver<Request>) {
        let (sender, requests) = mpsc::unbounded_channel();
        (Self { life, frame_max, requests: sender }, requests)
    }

    /// See [`Session::publish`](tavrida::transport::Session::publish).
    ///
    /// The queue of requests is unbounded, the window behind it is not. A publish is enqueued at its first poll, so that the order is that
    /// of first polls. The window slows down callers that await the outcome.
    pub(crate) fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        if let Some(loss) = self.life.lost() {
            let reason = PublishErrorKind::NotSent(loss.clone());
            return PublishFuture::ready(Err(PublishError::new(reason, publication)));
        }
        if let Err(refusal) = check_properties(&publication.properties, self.frame_max) {
            return PublishFuture::ready(Err(PublishError::new(
                PublishErrorKind::Refused(refusal),
                publication,
            )));
        }
        let (publish, outcome) = PendingPublish::new(publication);
        PublishFuture::waiting(async move {
            if let Err(mpsc::error::SendError(Request::Publish(publish))) =
                self.requests.send(Request::Publish(publish))
            {
                publish.lose(self.life.ended().await);
            }
            outcome.await.expect("a publish is answered before it is dropped")
        })
    }

    /// Reports a declared exchange, ahead of the next publish.
    pub(crate) fn declared(&self, exchange: &ShortString) {
        // The task has ended if this fails.
        let _ = self.requests.send(Request::Declared(exchange.clone()));
    }

    /// Consumes direct replies, on the publishing channel: RabbitMQ delivers them only there.
    pub(crate) async fn consume_replies(&self) -> Result<DirectReplies, SessionError> {
        let (caller, replies) = oneshot::channel();
        if self.requests.send(Request::ConsumeReplies(caller)).is_ok()
            && let Ok(replies) = replies.await
        {
            return replies;
        }
        Err(self.life.ended().await.into())
    }

    /// Waits until everything that was published before has its outcome, or the session has ended.
    pub(crate) async fn flush(&self) {
        let (flushed, done) = oneshot::channel();
        if self.requests.send(Request::Flush(flushed)).is_ok() {
            // Dropped with the task: the session has ended.
            let _ = done.await;
        }
    }
}
