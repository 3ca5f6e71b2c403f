//! Channels that carry one publish at a time, which the broker may refuse.

use std::ops::{Index, IndexMut};
use std::task::{Context, Poll};

use super::confirm_channel::ConfirmChannel;
use crate::link::Liveness;

/// The maximum number of isolated channels, and so of unconfirmed publishes on them.
const MOST_ISOLATED: usize = 16;

/// How many channels of a connection are reserved for other uses.
const OTHER_CHANNELS: usize = 4;

/// The isolated channels, by index.
#[derive(Default)]
pub(super) struct IsolatedChannels(Vec<ConfirmChannel>);

impl IsolatedChannels {
    pub(super) fn iter(&self) -> impl Iterator<Item = &ConfirmChannel> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut ConfirmChannel> {
        self.0.iter_mut()
    }

    /// Returns whether a connection with `channel_max` channels has room for one more.
    pub(super) fn has_room(&self, channel_max: u16) -> bool {
        self.0.len() < MOST_ISOLATED.min(usize::from(channel_max).saturating_sub(OTHER_CHANNELS))
    }

    /// Returns whether nothing is under way on one of them, usable or not.
    pub(super) fn any_is_idle(&self) -> bool {
        self.0.iter().any(|channel| channel.len() == 0)
    }

    /// Returns the index of a usable channel on which nothing is under way.
    pub(super) fn idle(&self) -> Option<usize> {
        self.0.iter().position(|channel| channel.len() == 0 && !channel.is_unusable())
    }

    /// Adds a channel. Returns its index.
    pub(super) fn add(&mut self, channel: ConfirmChannel) -> usize {
        self.0.push(channel);
        self.0.len() - 1
    }

    /// Removes unusable channels, and closes those on which a queue refused a message (see [`RetiredChannels`](super::retired)).
    pub(super) fn remove_stale(&mut self) {
        self.0.retain(|channel| {
            let stale = (channel.nacked() && channel.len() == 0) || channel.is_given_up();
            if stale {
                channel.close();
            }
            !stale && !channel.is_unusable()
        });
    }

    /// Reads all available answers, and answers the publishes of closed channels. Is ready if the broker answered.
    pub(super) fn poll_answers(&mut self, life: &Liveness, cx: &mut Context<'_>) -> Poll<()> {
        let mut answers = Poll::Pending;
        for channel in &mut self.0 {
            if channel.poll_answers(cx).is_ready() {
                answers = Poll::Ready(());
            }
            // It may also have broken while it sent.
            channel.answer_closed(life);
        }
        answers
    }
}

impl Index<usize> for IsolatedChannels {
    type Output = ConfirmChannel;

    fn index(&self, at: usize) -> &ConfirmChannel {
        &self.0[at]
    }
}

impl IndexMut<usize> for IsolatedChannels {
    fn index_mut(&mut self, at: usize) -> &mut ConfirmChannel {
        &mut self.0[at]
    }
}
