//! Missing confirms: a channel on which a publish waits for too long is given up.
//!
//! RabbitMQ may never answer: a publish to a quorum queue without a leader waits until there is one [M: 3.10.8: most of its nodes are down,
//! or its node was killed a moment after it was declared]. What waits on such a channel becomes ambiguous, and later publishes use a new
//! one; the session stays alive.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tavrida::transport::ConnectionLost;
use tokio::time::{Sleep, sleep};

use super::lane::Lane;
use super::pipe::Pipe;

/// The minimum time for a confirm; the maximum is twice as long.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// When channels are checked next.
#[derive(Default)]
pub(super) struct Overdue(Option<Pin<Box<Sleep>>>);

impl Lane {
    /// Gives up the channels whose oldest publish has not changed since the last check. Returns whether there were any.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        if self.is_idle() {
            // The timer stays: what the next check finds was not there at the last one.
            return false;
        }
        let mut any = false;
        loop {
            let due = self.overdue.0.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
            if due.as_mut().poll(cx).is_pending() {
                return any;
            }
            self.overdue.0 = None;
            // During an alarm the broker reads nothing, and says so.
            let blocked = self.life.blocked().is_some();
            let pipes = [&mut self.main].into_iter().chain(&mut self.retired.pipes).chain(&mut self.careful);
            for pipe in pipes {
                any |= pipe.is_overdue(blocked);
            }
        }
    }
}

impl Pipe {
    /// Checks the oldest publish, and abandons the channel if it was the oldest at the last check.
    fn is_overdue(&mut self, blocked: bool) -> bool {
        let oldest = if blocked { None } else { self.oldest() };
        let overdue = oldest.is_some() && oldest == self.seen;
        self.seen = oldest;
        if overdue {
            let loss = ConnectionLost::broken(format!("no confirm came within {PATIENCE:?}"));
            tracing::warn!(under_way = self.len(), "the broker does not confirm: a channel is given up");
            self.give_up().into_iter().for_each(|job| job.lose(loss.clone()));
        }
        overdue
    }
}
