//! [`Message`]: a message in a queue.

use std::time::Duration;

use tavrida::transport::Properties;
use tavrida_behaviour::Behaviour;

use crate::core::message::container::Container;
use crate::core::settlement::Settlement;

/// A message in a queue. What all copies share is behind the `Arc`; the rest belongs to this queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) container: Container,
    /// Its number in the order of first arrival.
    pub(crate) seq: u64,
    /// When it expires, fixed at its arrival.
    pub(crate) expires_at: Option<Duration>,
    /// How often it was returned; only quorum queues count.
    pub(crate) returns: u32,
    /// How many of these returns count towards a delivery limit.
    pub(crate) counted: u32,
    /// How often its consumer ended before it was settled, and how often another quorum queue failed to deliver it.
    pub(crate) failures: u32,
    /// The effective priority: at most the queue's maximum.
    pub(crate) priority: u8,
    /// Whether it was delivered before.
    pub(crate) redelivered: bool,
}

impl Message {
    pub(crate) fn bytes(&self) -> u64 {
        self.container.publication.body.len() as u64
    }

    /// Returns the number in `x-delivery-count`: returns count, or else what other quorum queues counted.
    pub(crate) fn count(&self) -> u32 {
        if self.returns > 0 { self.returns } else { self.failures }
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.container.publication.properties.delivery_mode == Some(Properties::PERSISTENT)
    }

    pub(crate) fn is_expired(&self, now: Duration) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns the message as it comes back to a quorum queue.
    pub(crate) fn returned(self, settlement: Settlement, behaviour: &Behaviour) -> Self {
        let failed = settlement == Settlement::ChannelEnded;
        let counts = failed || !behaviour.forgives_returns;
        Self {
            redelivered: true,
            returns: self.returns + 1,
            counted: self.counted + u32::from(counts),
            failures: self.failures + u32::from(failed),
            ..self
        }
    }
}
