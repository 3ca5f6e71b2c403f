//! [`OwnChannel`]: a channel that a consumer, or a message that was got, has for itself.

use std::sync::{Arc, OnceLock};

use tavrida::transport::{Loss, Refusal, Settle, Verdict};

use super::handle::Handle;
use crate::core::{ChannelId, Method};

/// A channel, open as long as somebody may settle deliveries on it.
pub(super) struct OwnChannel {
    pub(super) handle: Arc<Handle>,
    pub(super) id: ChannelId,
    /// The broker's words, when it has closed the channel.
    pub(super) end: Arc<OnceLock<Refusal>>,
}

impl OwnChannel {
    /// Whether the channel and its session live.
    pub(super) fn check(&self) -> Result<(), Loss> {
        self.handle.life.check()?;
        self.end.get().map_or(Ok(()), |refusal| Err(Loss::closed_by_broker(refusal.clone())))
    }
}

impl Settle for OwnChannel {
    fn settle(&self, delivery_tag: u64, verdict: Verdict) -> Result<(), Loss> {
        let mut state = self.handle.shared.lock();
        self.check()?;
        if state.retired {
            return Ok(());
        }
        if let Some(network) = state.network.clone() {
            return state.settle_by(&network, self.id, delivery_tag, verdict);
        }
        state.call(self.id, method_of(delivery_tag, verdict));
        Ok(())
    }
}

/// A verdict as AMQP says it.
pub(super) fn method_of(delivery_tag: u64, verdict: Verdict) -> Method {
    match verdict {
        Verdict::Ack => Method::BasicAck { delivery_tag, multiple: false },
        Verdict::Reject => Method::BasicReject { delivery_tag, requeue: false },
        Verdict::Requeue => Method::BasicReject { delivery_tag, requeue: true },
    }
}

impl Drop for OwnChannel {
    fn drop(&mut self) {
        self.handle.shared.lock().close_channel(self.id);
    }
}
