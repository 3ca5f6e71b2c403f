//! One publish, from its first poll to its outcome.

use tavrida::transport::{BrokerError, ConnectionLost, Publication, PublishError, PublishErrorKind};
use tokio::sync::oneshot;

use super::outstanding::Outcome;
use crate::wire::Closed;

pub(super) type PublishResult = Result<(), PublishError>;

/// A publish with a waiting caller. Whatever happens, the caller is answered and gets the publication back, even if the publish is dropped
/// with its task.
#[derive(Debug)]
pub(super) struct PendingPublish {
    /// Taken when it is answered. Boxed, because it is moved more often than it is read.
    publication: Option<Box<Publication>>,
    sent: bool,
    caller: Option<oneshot::Sender<PublishResult>>,
}

impl PendingPublish {
    pub(super) fn new(publication: Publication) -> (Self, oneshot::Receiver<PublishResult>) {
        let (caller, result) = oneshot::channel();
        (Self { publication: Some(Box::new(publication)), sent: false, caller: Some(caller) }, result)
    }

    /// Records that the broker may have seen it.
    pub(super) fn set_sent(&mut self) {
        self.sent = true;
    }

    /// Records that the broker ignored it.
    pub(super) fn unsent(mut self) -> Self {
        self.sent = false;
        self
    }

    /// Answers it with the outcome that the broker confirmed.
    pub(super) fn resolve(mut self, outcome: Outcome) {
        match outcome {
            Outcome::Routed => self.answer(Ok(())),
            Outcome::Unroutable => self.fail(PublishErrorKind::Unroutable),
            Outcome::Nacked => self.fail(PublishErrorKind::Nacked),
        }
    }

    /// Fails it with an error of the broker.
    pub(super) fn refuse(mut self, refusal: BrokerError) {
        self.fail(PublishErrorKind::Refused(refusal));
    }

    /// Fails it with the loss of the channel or session.
    pub(super) fn lose(mut self, loss: ConnectionLost) {
        self.fail_lost(loss);
    }

    /// Fails it with the end of its channel, on which nothing else was under way.
    pub(super) fn end(self, closed: Closed) {
        match closed {
            Closed::Channel(refusal) => self.refuse(refusal),
            Closed::ChannelGone => self.lose(channel_closed()),
            Closed::Connection(loss) => self.lose(loss),
        }
    }

    fn fail_lost(&mut self, loss: ConnectionLost) {
        self.fail(if self.sent {
            PublishErrorKind::Ambiguous(loss)
        } else {
            PublishErrorKind::NotSent(loss)
        });
    }

    fn fail(&mut self, reason: PublishErrorKind) {
        if let Some(publication) = self.publication.take() {
            self.answer(Err(PublishError { reason, publication }));
        }
    }

    fn answer(&mut self, result: PublishResult) {
        if let Some(caller) = self.caller.take() {
            // The caller may have stopped waiting.
            let _ = caller.send(result);
        }
    }
}

impl AsRef<Publication> for PendingPublish {
    fn as_ref(&self) -> &Publication {
        self.publication.as_ref().expect("it is not answered yet")
    }
}

impl Drop for PendingPublish {
    fn drop(&mut self) {
        if self.caller.is_some() {
            self.fail_lost(ConnectionLost::broken("the runtime that published was shut down"));
        }
    }
}

/// Returns the loss of what was sent on a channel that was closed for an unknown reason.
pub(super) fn channel_closed() -> ConnectionLost {
    ConnectionLost::broken("the channel that it was sent on was closed")
}
