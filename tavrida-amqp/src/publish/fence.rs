//! The fence: a message without a receiver that resolves doubts which would otherwise last.
//!
//! A publish whose ack carried another message's return is [in doubt](super::ledger) until all older ones are confirmed, or until a later
//! one is. If an older one is never confirmed (for example because its quorum queue has lost its majority) and nothing is published later,
//! it would stay in doubt forever.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::{ConnectionLost, Publication};
use tokio::time::{Sleep, sleep};

use super::job::Job;
use super::lane::Lane;
use super::pipe::Pipe;

/// How long a doubt may last without an answer.
const PATIENCE: Duration = Duration::from_millis(100);

/// A queue that cannot exist: RabbitMQ reserves the prefix.
const NOBODY: &str = "amq.tavrida.fence";

/// When the next fence is due.
#[derive(Default)]
pub(super) struct Fence {
    due: Option<Pin<Box<Sleep>>>,
    /// The broker does not let this user publish to the default exchange.
    forbidden: bool,
}

impl Fence {
    /// Delays the fence: an answer came, and others may follow without one.
    pub(super) fn put_off(&mut self) {
        self.due = None;
    }
}

impl Lane {
    /// Is ready when something has been in doubt for long enough.
    pub(super) fn poll_fence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let in_doubt = self.main.is_in_doubt() || self.retired.pipes.iter().any(Pipe::is_in_doubt);
        if !in_doubt || self.fence.forbidden {
            self.fence.due = None;
            return Poll::Pending;
        }
        let due = self.fence.due.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        ready!(due.as_mut().poll(cx));
        self.fence.due = None;
        Poll::Ready(())
    }

    /// Publishes a fence on each channel with doubts, even beyond the window. Its confirm carries no return, which resolves the doubts; or
    /// it takes one more return from the queue, and the next fence is due.
    pub(super) async fn raise_fence(&mut self) -> Result<(), ConnectionLost> {
        if !self.proven.contains("") {
            // It gets a channel to itself, which shows whether the exchange can be published to.
            self.publish(fence()).await?;
            self.fence.forbidden = !self.proven.contains("");
            return Ok(());
        }
        for pipe in [&mut self.main].into_iter().chain(&mut self.retired.pipes) {
            if pipe.is_in_doubt() {
                // The doubts of a closed channel are resolved in another way.
                let _ = pipe.send(fence());
            }
        }
        Ok(())
    }
}

/// Returns a message without a receiver, whose outcome is ignored.
fn fence() -> Job {
    let nobody = ShortString::from_static(NOBODY);
    Job::new(Publication { mandatory: false, ..Publication::new(ShortString::default(), nobody, "") }).0
}
