//! One publish, from its first poll to its outcome.

use tavrida::transport::{ConnectionLost, Publication, PublishError, PublishErrorKind};
use tokio::sync::oneshot;

use super::ledger::Verdict;

/// What became of a publish.
pub(super) type Outcome = Result<(), PublishError>;

/// A publish whose caller waits. Whatever happens, the caller is answered and gets the publication back: dropped with
/// its task, it says so.
#[derive(Debug)]
pub(super) struct Job {
    /// Taken when it is answered. Boxed, for a job changes hands more often than it is looked at.
    publication: Option<Box<Publication>>,
    sent: bool,
    caller: Option<oneshot::Sender<Outcome>>,
}

impl Job {
    pub(super) fn new(publication: Publication) -> (Self, oneshot::Receiver<Outcome>) {
        let (caller, outcome) = oneshot::channel();
        (Self { publication: Some(Box::new(publication)), sent: false, caller: Some(caller) }, outcome)
    }

    /// Notes that the broker may have seen it from now on, or that it has not after all.
    pub(super) fn set_sent(&mut self, sent: bool) {
        self.sent = sent;
    }

    pub(super) fn decide(mut self, verdict: Verdict) {
        match verdict {
            Verdict::Routed => self.answer(Ok(())),
            Verdict::Unroutable => self.fail(PublishErrorKind::Unroutable),
            Verdict::Nacked => self.fail(PublishErrorKind::Nacked),
        }
    }

    /// Ends it for the loss of what it was sent on, or would have been.
    pub(super) fn lose(mut self, loss: ConnectionLost) {
        self.fail(if self.sent {
            PublishErrorKind::Ambiguous(loss)
        } else {
            PublishErrorKind::NotSent(loss)
        });
    }

    pub(super) fn fail(&mut self, reason: PublishErrorKind) {
        if let Some(publication) = self.publication.take() {
            self.answer(Err(PublishError { reason, publication }));
        }
    }

    fn answer(&mut self, outcome: Outcome) {
        if let Some(caller) = self.caller.take() {
            // A caller that went away is not interested.
            let _ = caller.send(outcome);
        }
    }
}

impl AsRef<Publication> for Job {
    fn as_ref(&self) -> &Publication {
        self.publication.as_ref().expect("it is not answered yet")
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.caller.is_some() {
            let loss = ConnectionLost::broken("the runtime that published was shut down");
            let reason =
                if self.sent { PublishErrorKind::Ambiguous(loss) } else { PublishErrorKind::NotSent(loss) };
            self.fail(reason);
        }
    }
}
