//! Settles the deliveries of one channel.

use parking_lot::Mutex;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::Duration;

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicRejectOptions};
use tavrida::transport::{AckKind, Acker, ConnectionLost};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::acks::{Acks, Settlement};
use crate::link::Liveness;

/// The maximum time for which an ack is held. Until then the broker counts the message as unacknowledged.
const MAX_HOLD: Duration = Duration::from_millis(2);

/// Takes the settlements of one channel and sends them, acks in batches.
pub(crate) struct Settler {
    life: Arc<Liveness>,
    channel: Arc<Channel>,
    acks: Mutex<Acks>,
    /// Why the channel ended, if the session did not.
    ended: OnceLock<ConnectionLost>,
    /// Acks are held that only the [flusher](Settler::flusher) will send.
    held: Notify,
    /// No delivery is unsettled.
    settled: Notify,
}

impl Settler {
    pub(super) fn new(life: Arc<Liveness>, channel: Arc<Channel>, prefetch: u16) -> Arc<Self> {
        let acks = Mutex::new(Acks::new(prefetch));
        let (ended, held, settled) = (OnceLock::new(), Notify::new(), Notify::new());
        Arc::new(Self { life, channel, acks, ended, held, settled })
    }

    /// Records a delivery.
    pub(super) fn hand_out(&self, tag: u64) {
        self.acks.lock().hand_out(tag);
    }

    /// Sends held acks: the consumer waits for more deliveries, or is about to end.
    pub(crate) fn flush(&self) {
        self.acks.lock().flush(&mut |settlement| self.send(settlement));
    }

    /// Sends the held acks and closes the channel at the end of the session. The broker has them once it has answered.
    pub(crate) async fn close(&self) -> lapin::Result<()> {
        self.flush();
        let closed = match self.channel.status().connected() {
            true => self.channel.close(200, "OK".into()).await,
            false => Ok(()),
        };
        self.end(ConnectionLost::closed_here());
        closed
    }

    /// Ends it, for a reason that concerns only its channel: settlements fail from now on.
    pub(super) fn end(&self, loss: ConnectionLost) {
        let _acks = self.acks.lock();
        self.gone(loss);
    }

    /// Records why the channel ended; the first reason counts.
    fn gone(&self, loss: ConnectionLost) -> ConnectionLost {
        let loss = self.ended.get_or_init(|| loss).clone();
        self.held.notify_one();
        self.settled.notify_one();
        loss
    }

    /// Waits until all deliveries are settled, or settling has ended.
    pub(super) async fn all_settled(&self) {
        while self.acks.lock().open() > 0 && self.lost().is_none() {
            tokio::select! {
                biased;
                () = self.settled.notified() => {}
                _ = self.life.ended() => {}
            }
        }
    }

    /// Sends acks that were held for the maximum time; runs until settling ends.
    pub(super) async fn flusher(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.held.notified() => {}
                _ = self.life.ended() => {}
            }
            if self.lost().is_some() {
                return;
            }
            sleep(MAX_HOLD).await;
            self.flush();
        }
    }

    fn lost(&self) -> Option<&ConnectionLost> {
        self.life.lost().or_else(|| self.ended.get())
    }

    /// Queues one settlement in lapin. Its futures do that at their first poll and then only wait until the frame is written; a write error
    /// is the end of the session, which is noticed elsewhere.
    fn send(&self, settlement: Settlement) {
        match settlement {
            Settlement::Ack { tag, multiple } => {
                start(self.channel.basic_ack(tag, BasicAckOptions { multiple }));
            }
            Settlement::Reject { tag, requeue } => {
                start(self.channel.basic_reject(tag, BasicRejectOptions { requeue }));
            }
        }
    }
}

impl Acker for Settler {
    fn settle(&self, tag: u64, kind: AckKind) -> Result<(), ConnectionLost> {
        let mut acks = self.acks.lock();
        // Under the lock: what is accepted here is included in the last flush.
        if let Some(loss) = self.lost() {
            return Err(loss.clone());
        }
        if !self.channel.status().connected() {
            return Err(self.gone(ConnectionLost::broken("the channel of the delivery is closed")));
        }
        let held = acks.held();
        acks.settle(tag, kind, &mut |settlement| self.send(settlement));
        if held == 0 && acks.held() > 0 {
            self.held.notify_one();
        }
        if acks.open() == 0 {
            self.settled.notify_one();
        }
        Ok(())
    }
}

pub(super) fn start(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}
