//! Former main channels, replaced because a queue refused a message on them.
//!
//! A channel of RabbitMQ remembers the leader of a quorum queue. A channel that first publishes to the queue while its leader is lost may
//! keep asking that leader, and nack every message, long after another leads [M: 3.10.8, each of 16,000 publishes in half a minute, where a
//! new channel is confirmed at once]. A full queue nacks as well, on any channel.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::confirm_channel::ConfirmChannel;
use super::pending::channel_closed;

/// The minimum time between replacements: queues may be full for long.
const MINIMUM_USE: Duration = Duration::from_secs(1);

/// The maximum number of retired channels that wait for missing confirms, beside the one that publishes.
const MOST_RETIRED: usize = 8;

/// Former main channels with unconfirmed publishes.
pub(super) struct RetiredChannels {
    channels: Vec<ConfirmChannel>,
    /// The time of the last replacement, or of the last attempt.
    last: Instant,
}

impl RetiredChannels {
    pub(super) fn new() -> Self {
        Self { channels: Vec::new(), last: Instant::now() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ConfirmChannel> {
        self.channels.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut ConfirmChannel> {
        self.channels.iter_mut()
    }

    /// Returns whether the main channel may be replaced now.
    pub(super) fn may_replace(&self) -> bool {
        self.channels.len() < MOST_RETIRED && self.last.elapsed() >= MINIMUM_USE
    }

    /// Records an attempt to replace the main channel.
    pub(super) fn note_attempt(&mut self) {
        self.last = Instant::now();
    }

    /// Adds a former main channel, which is closed once nothing is under way on it.
    pub(super) fn add(&mut self, channel: ConfirmChannel) {
        self.channels.push(channel);
    }

    /// Reads all available answers. Is ready if there were any.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut answers = Poll::Pending;
        self.channels.retain_mut(|channel| {
            if channel.poll_answers(cx).is_ready() {
                answers = Poll::Ready(());
            }
            if channel.error().is_some() && channel.has_all_answers() {
                channel.take_all().into_iter().for_each(|publish| publish.lose(channel_closed()));
            }
            if channel.len() == 0 {
                channel.close();
                return false;
            }
            true
        });
        answers
    }
}
