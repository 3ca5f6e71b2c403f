//! Replaces a channel on which a queue refused a message.
//!
//! A channel of RabbitMQ remembers the leader of a quorum queue. A channel that first publishes to the queue while its leader is lost may
//! keep asking that leader, and nack every message, long after another leads [M: 3.10.8, each of 16,000 publishes in half a minute, where a
//! new channel is confirmed at once]. A full queue nacks as well, on any channel.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lapin::Channel;
use tavrida::transport::ConnectionLost;
use tokio::time::Instant;

use super::lane::Lane;
use super::pipe::Pipe;
use crate::link::close_quietly;
use crate::wire::Fate;

/// The minimum time for which a channel is used: queues may be full for long.
const TERM: Duration = Duration::from_secs(1);

/// The maximum number of retired channels that wait for missing confirms, beside the one that publishes.
const MOST_RETIRED: usize = 8;

/// Former main channels with unconfirmed publishes.
pub(super) struct Retired {
    pub(super) pipes: Vec<Pipe>,
    last: Instant,
}

impl Retired {
    pub(super) fn new() -> Self {
        Self { pipes: Vec::new(), last: Instant::now() }
    }

    /// Returns how many publishes are under way on them.
    pub(super) fn len(&self) -> usize {
        self.pipes.iter().map(Pipe::len).sum()
    }

    /// Reads all available answers. Is ready if there were any.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut answers = Poll::Pending;
        self.pipes.retain_mut(|pipe| {
            if pipe.poll_answers(cx).is_ready() {
                answers = Poll::Ready(());
            }
            if pipe.broken().is_some() && pipe.is_over() {
                let loss = ConnectionLost::broken("the channel that it was sent on was closed");
                pipe.take_all().into_iter().for_each(|job| job.lose(loss.clone()));
            }
            if pipe.len() == 0 {
                close(pipe.channel());
                return false;
            }
            true
        });
        answers
    }
}

impl Lane {
    /// Returns whether the main channel may be nacking without a valid reason. If the consumer of direct replies is on it, it is kept
    /// unless no publish was ever acked on it.
    pub(super) fn is_stale(&self) -> bool {
        self.main.nacked()
            && (!self.takes_replies() || !self.main.acked())
            && self.retired.pipes.len() < MOST_RETIRED
            && self.retired.last.elapsed() >= TERM
    }

    /// Replaces the main channel, once the broker has processed everything on it: this keeps the order.
    pub(super) async fn refresh(&mut self) -> Result<(), ConnectionLost> {
        self.settle_main().await?;
        self.retired.last = Instant::now();
        let opening = self.open();
        let fresh = match self.alongside(opening).await? {
            Ok(pipe) => pipe,
            Err(error) => {
                return match self.life.fate_on(&self.connection, &error).await {
                    Fate::Connection(loss) => Err(loss),
                    // No channel is left: continue with the old one.
                    Fate::Channel(_) | Fate::ChannelGone => Ok(()),
                };
            }
        };
        self.replies = super::replies::none();
        // The next check closes it when it is empty.
        self.retired.pipes.push(mem::replace(&mut self.main, fresh));
        Ok(())
    }

    /// Closes careful channels on which a queue refused a message.
    pub(super) fn drop_stale_careful(&mut self) {
        self.careful.retain(|pipe| {
            let stale = (pipe.nacked() && pipe.len() == 0) || pipe.is_given_up();
            if stale {
                close(pipe.channel());
            }
            !stale && !pipe.is_done_for()
        });
    }
}

pub(super) fn close(channel: Arc<Channel>) {
    tokio::spawn(async move { close_quietly(&channel).await });
}
