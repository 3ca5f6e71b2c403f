//! [`OwnChannel`]: a channel private to one consumer or to one fetched message.

use std::sync::{Arc, OnceLock};

use tavrida::transport::{AckKind, Acker, BrokerError, ConnectionLost, ConsumerError};

use super::handle::Handle;
use crate::core::{ChannelId, Method};

/// A channel that stays open while deliveries may be settled on it.
pub(super) struct OwnChannel {
    pub(super) handle: Arc<Handle>,
    pub(super) id: ChannelId,
    /// The broker's error, once it has closed the channel.
    pub(super) end: Arc<OnceLock<BrokerError>>,
}

impl OwnChannel {
    /// Returns an error if the channel or its session has ended.
    pub(super) fn check(&self) -> Result<(), ConnectionLost> {
        self.handle.life.check()?;
        self.end.get().map_or(Ok(()), |refusal| Err(ConnectionLost::closed_by_broker(refusal.clone())))
    }

    /// Returns why the channel was closed from outside, if it was.
    pub(super) fn sudden_end(&self) -> Option<ConsumerError> {
        if let Some(loss) = self.handle.life.loss() {
            return Some(ConsumerError::Lost(loss.clone()));
        }
        self.end.get().map(|refusal| ConsumerError::Refused(refusal.clone()))
    }
}

impl Acker for OwnChannel {
    fn settle(&self, delivery_tag: u64, verdict: AckKind) -> Result<(), ConnectionLost> {
        let mut state = self.handle.shared.lock();
        self.check()?;
        if state.retired {
            return Ok(());
        }
        state.settle(self.id, delivery_tag, verdict)
    }
}

/// Returns the AMQP method of a settlement.
pub(super) fn method_of(delivery_tag: u64, verdict: AckKind) -> Method {
    match verdict {
        AckKind::Ack => Method::BasicAck { delivery_tag, multiple: false },
        AckKind::Reject => Method::BasicReject { delivery_tag, requeue: false },
        AckKind::Requeue => Method::BasicReject { delivery_tag, requeue: true },
    }
}

impl Drop for OwnChannel {
    fn drop(&mut self) {
        self.handle.shared.lock().close_channel(self.id);
    }
}
