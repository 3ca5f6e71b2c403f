//! One publish, from its first poll to its outcome.

use tavrida::transport::{ConnectionLost, Publication, PublishError, PublishErrorKind};
use tokio::sync::oneshot;

use super::ledger::Verdict;

pub(super) type Outcome = Result<(), PublishError>;

/// A publish with a waiting caller. Whatever happens, the caller is answered and gets the publication back, even if the job is dropped with
/// its task.
#[derive(Debug)]
pub(super) struct Job {
    /// Taken when it is answered. Boxed, because jobs are moved more often than they are read.
    publication: Option<Box<Publication>>,
    sent: bool,
    caller: Option<oneshot::Sender<Outcome>>,
}

impl Job {
    pub(super) fn new(publication: Publication) -> (Self, oneshot::Receiver<Outcome>) {
        let (caller, outcome) = oneshot::channel();
        (Self { publication: Some(Box::new(publication)), sent: false, caller: Some(caller) }, outcome)
    }

    /// Records whether the broker may have seen it.
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

    /// Fails it with the loss of the channel or session.
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
            // The caller may have stopped waiting.
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
