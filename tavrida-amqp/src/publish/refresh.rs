//! A channel on which a queue refused a message is replaced by a new one.
//!
//! A channel of RabbitMQ's keeps its own idea of who leads a quorum queue. One that first publishes to the queue while the
//! leader is lost may ask that lost one for ever, and nack every message, long after another leads [M: 3.10.8, each of 16,000
//! publishes in half a minute, where a new channel is confirmed at once]. A queue that is full nacks as well, on whichever channel.

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

/// How long a channel serves at least: queues may be full for long.
const TERM: Duration = Duration::from_secs(1);

/// How many channels may wait for confirms that do not come, beside the one that publishes.
const MOST_RETIRED: usize = 8;

/// Main channels that publish no more and have no confirm for something yet.
pub(super) struct Retired {
    pub(super) pipes: Vec<Pipe>,
    last: Instant,
}

impl Retired {
    pub(super) fn new() -> Self {
        Self { pipes: Vec::new(), last: Instant::now() }
    }

    /// How many publishes are under way on them.
    pub(super) fn len(&self) -> usize {
        self.pipes.iter().map(Pipe::len).sum()
    }

    /// Reads all answers that are there; ready when there were some.
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
    /// Whether the main channel may be one that refuses for no good reason. The consumer of direct replies lives on it: where there
    /// is one, the channel is kept unless it has taken nothing yet.
    pub(super) fn is_stale(&self) -> bool {
        self.main.nacked()
            && (!self.takes_replies() || !self.main.acked())
            && self.retired.pipes.len() < MOST_RETIRED
            && self.retired.last.elapsed() >= TERM
    }

    /// Replaces the main channel, once the broker has processed all that is on it: order holds.
    pub(super) async fn refresh(&mut self) -> Result<(), ConnectionLost> {
        self.settle_main().await?;
        self.retired.last = Instant::now();
        let opening = self.open();
        let fresh = match self.alongside(opening).await? {
            Ok(pipe) => pipe,
            Err(error) => {
                return match self.life.fate_on(&self.connection, &error).await {
                    Fate::Connection(loss) => Err(loss),
                    // No channel is left: the old one has to do.
                    Fate::Channel(_) | Fate::ChannelGone => Ok(()),
                };
            }
        };
        self.replies = super::replies::none();
        // The next look at it closes it when it is empty.
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
