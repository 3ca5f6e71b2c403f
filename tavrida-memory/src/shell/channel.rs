//! [`OwnChannel`]: a channel that a consumer, or a message that was got, has for itself.

use std::sync::{Arc, OnceLock};

use tavrida::transport::{ConsumerEnd, Loss, Refusal, Settle, Verdict};

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

    /// The end that came from outside, if it has.
    pub(super) fn sudden_end(&self) -> Option<ConsumerEnd> {
        if let Some(loss) = self.handle.life.loss() {
            return Some(ConsumerEnd::Lost(loss.clone()));
        }
        self.end.get().map(|refusal| ConsumerEnd::Refused(refusal.clone()))
    }
}

impl Settle for OwnChannel {
    fn settle(&self, delivery_tag: u64, verdict: Verdict) -> Result<(), Loss> {
        let mut state = self.handle.shared.lock();
        self.check()?;
        if state.retired {
            return Ok(());
        }
        state.settle(self.id, delivery_tag, verdict)
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
