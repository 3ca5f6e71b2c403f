//! [`Pending`]: the asks that wait for an answer. Pure: no session, no clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;
use smol_str::SmolStr;
use tokio::sync::oneshot;

use super::OpenAsk;
use crate::message::Message;
use crate::transport::ConnectionLost;

/// The asks that have no answer yet, by request id.
pub(crate) struct Pending {
    asks: DashMap<SmolStr, PendingAsk, FxBuildHasher>,
    /// The epoch whose reply queue is consumed; 0 if there is none.
    open: AtomicU64,
}

struct PendingAsk {
    epoch: u64,
    answer: oneshot::Sender<Result<Message, ConnectionLost>>,
    /// Ends with the wait for the answer, and not only when the handler has noticed.
    _open: Option<OpenAsk>,
}

impl Default for Pending {
    fn default() -> Self {
        /// An ask needs two look-ups in its life, so that few shards serve many threads, and one created for a simulated run is cheap.
        const SHARDS: usize = 4;
        let asks = DashMap::with_hasher_and_shard_amount(FxBuildHasher, SHARDS);
        Self { asks, open: AtomicU64::default() }
    }
}

impl Pending {
    /// Starts to wait, in a handler if there is an `open` ask; dropping the guard ends it.
    pub(crate) fn wait(self: &Arc<Self>, request_id: SmolStr, epoch: u64, open: Option<OpenAsk>) -> Waiting {
        let (answer, arrives) = oneshot::channel();
        self.asks.insert(request_id.clone(), PendingAsk { epoch, answer, _open: open });
        let waiting = Waiting { pending: self.clone(), request_id, arrives };
        if !self.is_open(epoch) {
            // The session ended after the ask got its queue and before it waits here.
            waiting.pending.fail(&waiting.request_id, &ConnectionLost::broken("the session is over"));
        }
        waiting
    }

    /// Delivers an answer to the ask that waits for it.
    ///
    /// # Errors
    ///
    /// The answer, if no ask waits for it (any more).
    pub(crate) fn resolve(&self, message: Message) -> Result<(), Message> {
        match self.forget(message.request_id()) {
            Some(ask) => ask.answer.send(Ok(message)).map_err(|back| match back {
                Ok(message) => message,
                Err(_) => unreachable!("an answer was sent, not a loss"),
            }),
            None => Err(message),
        }
    }

    pub(crate) fn open(&self, epoch: u64) {
        self.open.store(epoch, Ordering::SeqCst);
    }

    pub(crate) fn is_open(&self, epoch: u64) -> bool {
        self.open.load(Ordering::SeqCst) == epoch
    }

    /// Fails all asks on the reply queue of an epoch that ended, in the order of their request ids.
    pub(crate) fn close(&self, epoch: u64, loss: &ConnectionLost) {
        let _ = self.open.compare_exchange(epoch, 0, Ordering::SeqCst, Ordering::SeqCst);
        let lost = self.asks.iter().filter(|ask| ask.epoch == epoch).map(|ask| ask.key().clone());
        let mut lost: Vec<SmolStr> = lost.collect();
        lost.sort();
        for request_id in lost {
            self.fail(&request_id, loss);
        }
    }

    fn fail(&self, request_id: &SmolStr, loss: &ConnectionLost) {
        if let Some(ask) = self.forget(request_id) {
            // The ask may have been dropped.
            let _ = ask.answer.send(Err(loss.clone()));
        }
    }

    fn forget(&self, request_id: &str) -> Option<PendingAsk> {
        self.asks.remove(request_id).map(|(_, ask)| ask)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.asks.len()
    }
}

/// An entry in [`Pending`], removed when dropped.
pub(crate) struct Waiting {
    pending: Arc<Pending>,
    request_id: SmolStr,
    arrives: oneshot::Receiver<Result<Message, ConnectionLost>>,
}

impl Waiting {
    /// Waits for the answer. Fails with the loss of the session on which it was expected.
    pub(crate) async fn answer(mut self) -> Result<Message, ConnectionLost> {
        (&mut self.arrives).await.unwrap_or_else(|_| Err(ConnectionLost::broken("the asker is gone")))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.pending.forget(&self.request_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Addresses, MessageKind};

    fn answer_to(request_id: &str) -> Message {
        let mut message = Message::new(MessageKind::Response, "chain".into(), Addresses::default());
        message.parts_mut().request_id = request_id.into();
        message
    }

    fn pending() -> Arc<Pending> {
        let pending = Arc::new(Pending::default());
        pending.open(1);
        pending
    }

    #[tokio::test]
    async fn each_answer_finds_its_own_asker() {
        let pending = pending();
        let (first, second) = (pending.wait("1".into(), 1, None), pending.wait("2".into(), 1, None));
        pending.resolve(answer_to("2")).expect("the second waits");
        pending.resolve(answer_to("1")).expect("the first waits");
        assert_eq!(first.answer().await.unwrap().request_id(), "1");
        assert_eq!(second.answer().await.unwrap().request_id(), "2");
    }

    #[tokio::test]
    async fn a_second_answer_and_one_after_the_asker_left_come_back() {
        let pending = pending();
        let waiting = pending.wait("1".into(), 1, None);
        pending.resolve(answer_to("1")).expect("waited for");
        assert!(pending.resolve(answer_to("1")).is_err());
        drop(waiting);
        drop(pending.wait("2".into(), 1, None));
        assert!(pending.resolve(answer_to("2")).is_err());
        assert_eq!(pending.len(), 0);
    }

    #[tokio::test]
    async fn a_loss_tells_those_of_its_epoch_alone() {
        let pending = pending();
        let old = pending.wait("1".into(), 1, None);
        pending.open(2);
        let new = pending.wait("2".into(), 2, None);
        pending.close(1, &ConnectionLost::broken("cut"));
        assert_eq!(old.answer().await.unwrap_err(), ConnectionLost::broken("cut"));
        pending.resolve(answer_to("2")).expect("the new epoch is untouched");
        assert!(new.answer().await.is_ok());
    }

    #[tokio::test]
    async fn waiting_on_an_epoch_that_is_over_ends_at_once() {
        let pending = pending();
        pending.close(1, &ConnectionLost::broken("cut"));
        assert!(pending.wait("1".into(), 1, None).answer().await.is_err());
    }
}
