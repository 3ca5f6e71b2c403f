//! [`ResponderState`]: the state of the [`Responder`](super::Responder) that a handler took.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::error::{Error, Kind};
use crate::message::{Failure, Payload, Reply, Request};
use crate::show::shown;

/// The answer that one execution of a handler owes after the handler took its responder.
#[derive(Default)]
pub(crate) struct ResponderState {
    owed: OnceLock<Arc<Request>>,
    state: Mutex<ReplyState>,
    settled: Notify,
    /// The call was transferred: another service answers it.
    transferred: AtomicBool,
}

/// What became of a reply.
#[derive(Debug, Default, PartialEq)]
pub(super) enum ReplyState {
    /// The handler has it, or a task that the handler started.
    #[default]
    Open,
    Answered(Box<Result<Payload, Failure>>),
    /// It was sent with a call, whose answer brings it back.
    Gone,
    Dropped,
}

impl ResponderState {
    /// Takes the reply, at most once.
    pub(super) fn take(&self, owed: Arc<Request>) -> Result<(), Arc<Request>> {
        self.owed.set(owed)
    }

    pub(super) fn settle(&self, state: ReplyState) {
        *self.state.lock() = state;
        self.settled.notify_one();
    }

    /// Returns whether the handler took its reply.
    pub(crate) fn is_taken(&self) -> bool {
        self.owed.get().is_some()
    }

    /// Records that another service answers the handled call.
    pub(super) fn mark_transferred(&self) {
        self.transferred.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_transferred(&self) -> bool {
        self.transferred.load(Ordering::Relaxed)
    }

    /// Returns whether the reply was sent with a call.
    pub(crate) fn is_gone(&self) -> bool {
        *self.state.lock() == ReplyState::Gone
    }

    /// Returns the result of the handler. Waits while the reply outlives the handler.
    pub(crate) async fn result(&self, returned: Result<Reply, Failure>) -> Result<Reply, Failure> {
        let Some(owed) = self.owed.get() else { return returned };
        while *self.state.lock() == ReplyState::Open {
            self.settled.notified().await;
        }
        let state = std::mem::take(&mut *self.state.lock());
        match (returned, state) {
            (Err(failure), state) => {
                self.keep(state);
                Err(failure)
            }
            (Ok(returned), ReplyState::Answered(answer)) => {
                if returned != Reply::Nothing {
                    tracing::error!(request = %shown(&**owed), "a handler answered with its Responder, and returned another: that is dropped");
                }
                Ok(answer.map_or_else(|failure| owed.fail(&failure).into(), Reply::from))
            }
            (Ok(Reply::Nothing), ReplyState::Dropped) if owed.is_call() && !self.is_transferred() => {
                Ok(owed.fail(&unanswered(owed)).into())
            }
            (Ok(returned), state) => {
                self.keep(state);
                Ok(returned)
            }
        }
    }

    fn keep(&self, state: ReplyState) {
        *self.state.lock() = state;
    }
}

/// Returns the failure for a caller whose call should have been answered and was not.
pub(crate) fn unanswered(request: &Request) -> Failure {
    let text = format!("{} was handled to its end, and nobody answered", request.destination());
    tracing::error!(request = %shown(&**request), "a Responder was dropped without an answer");
    Error::new(Kind::WrongResponse, text).into()
}
