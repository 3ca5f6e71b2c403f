//! The fence: a message to nobody that ends doubts which nothing else would end.
//!
//! A publish whose ack carried another message's return is [in doubt](super::ledger) until all older ones are confirmed, or
//! until something that was published later is. An older one that is never confirmed (its quorum queue has lost its majority,
//! say), with nothing published later, would leave it in doubt for ever.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::{ConnectionLost, Publication};
use tokio::time::{Sleep, sleep};

use super::job::Job;
use super::lane::Lane;
use super::pipe::Pipe;

/// How long a doubt may last while no answer comes.
const PATIENCE: Duration = Duration::from_millis(100);

/// A queue that cannot be: RabbitMQ reserves the prefix.
const NOBODY: &str = "amq.tavrida.fence";

/// When the next fence is due.
#[derive(Default)]
pub(super) struct Fence {
    due: Option<Pin<Box<Sleep>>>,
    /// The broker lets this user not publish to the default exchange.
    forbidden: bool,
}

impl Fence {
    /// An answer came: others may follow by themselves.
    pub(super) fn put_off(&mut self) {
        self.due = None;
    }
}

impl Lane {
    /// Ready when something is in doubt for long enough.
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

    /// Publishes a fence on each channel with doubts, whether there is room in the window or not. Its confirm carries no return,
    /// which ends the doubts; or it takes one more off their heap, and the next fence is due.
    pub(super) async fn raise_fence(&mut self) -> Result<(), ConnectionLost> {
        if !self.proven.contains("") {
            // It goes on a channel to itself, which proves the exchange, or not.
            self.publish(fence()).await?;
            self.fence.forbidden = !self.proven.contains("");
            return Ok(());
        }
        for pipe in [&mut self.main].into_iter().chain(&mut self.retired.pipes) {
            if pipe.is_in_doubt() {
                // A channel that is closed ends its doubts in another way.
                let _ = pipe.send(fence());
            }
        }
        Ok(())
    }
}

/// A message to nobody, for whose outcome nobody waits.
fn fence() -> Job {
    let nobody = ShortString::from_static(NOBODY);
    Job::new(Publication { mandatory: false, ..Publication::new(ShortString::default(), nobody, "") }).0
}
