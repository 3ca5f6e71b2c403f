//! [`Worker`]: consumes deliveries and handles them, with limited concurrency.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::{DeclareMode, Plan};
use crate::field::ShortString;
use crate::inbound::{Arrived, Inbound};
use crate::link::{Ended, Epoch, Stop, Work};
use crate::slots::{Slot, Slots};
use crate::task::OwnTask;
use crate::transport::{Consume, Consumer, ConsumerError, Session, SessionError};

pub(super) struct Worker {
    pub(super) inbound: Arc<Inbound>,
    pub(super) plan: Arc<Plan>,
    pub(super) declare_mode: DeclareMode,
    pub(super) queue: ShortString,
    pub(super) prefetch: u16,
    pub(super) concurrency: usize,
    pub(super) slots: Slots,
    pub(super) drain: Duration,
    pub(super) stop: Stop,
    /// Set by `prepare`, taken by `serve`.
    pub(super) consumer: Option<Consumer>,
    /// Deliveries that wait for a slot, at most as many as the prefetch for each consumer.
    pub(super) waiting: VecDeque<Arrived>,
    /// Deliveries being handled. Those of a lost session are handled to the end: they may already have had effects.
    pub(super) tasks: JoinSet<()>,
}

#[async_trait]
impl Work for Worker {
    async fn prepare(&mut self, session: &Arc<dyn Session>) -> Result<(), SessionError> {
        self.plan.apply(&**session, self.declare_mode).await?;
        self.inbound.outbound.repair.clear();
        self.inbound.copy_given_up(&**session).await?;
        let prefetch = self.prefetch();
        self.inbound.server_asks.set_prefetch(prefetch);
        let consume = Consume::new(&self.queue, prefetch);
        self.consumer = Some(session.consume(&consume).await?);
        tracing::info!(queue = &*self.queue, "consuming");
        Ok(())
    }

    async fn serve(&mut self, epoch: &Epoch) -> Ended {
        let mut consumer = self.consumer.take().expect("a session is prepared before it is served");
        // Deliveries of a lost session will be redelivered.
        self.waiting.retain(|arrived| Arc::ptr_eq(&arrived.epoch.session, &epoch.session));
        // Registered once, not for each message.
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.triggered());
        // Dropped at the end: a place in line that is not polled would hold up those behind it.
        let mut slot = self.slots.slot();
        let end = loop {
            let slot_for_next = poll_fn(|cx| slot.poll_hold(cx));
            tokio::select! {
                biased;
                () = &mut stopped => {
                    self.drain(consumer).await;
                    return Ended::Stopped;
                }
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => tell(ended),
                () = slot_for_next, if !self.waiting.is_empty() => {
                    let arrived = self.waiting.pop_front().expect("it was looked at");
                    self.begin(arrived, std::mem::replace(&mut slot, self.slots.slot()));
                }
                // Taken even where there is no slot for it: only so it is known when it came, and when the consumer ends.
                next = consumer.next() => match next {
                    Ok(delivery) => self.take(Arrived { delivery, epoch: epoch.clone(), at: Instant::now() }),
                    Err(end) => break end,
                },
            }
        };
        match end {
            ConsumerError::Lost(loss) => Ended::Lost(loss),
            end => {
                self.learn_from(&end);
                Ended::Idle(end)
            }
        }
    }
}

impl Worker {
    /// Reads the broker's consumer timeout from the end of a consumer that exceeded it.
    fn learn_from(&self, end: &ConsumerError) {
        let ConsumerError::Refused(refusal) = end else { return };
        if !refusal.is_consumer_timeout() {
            return;
        }
        self.inbound.tally.consumer_timeouts.add_one();
        if let Some(timeout) = refusal.consumer_timeout() {
            self.inbound.limit.learn(timeout);
        }
        tracing::error!(
            queue = &*self.queue,
            handler_limit = %self.inbound.limit,
            prefetch = self.prefetch(),
            "a handler took longer than the broker's consumer timeout, its message is delivered again"
        );
    }

    /// Returns the prefetch. With a known consumer timeout, no delivery waits for a handler, because waiting counts too.
    fn prefetch(&self) -> u16 {
        match self.inbound.limit.consumer_timeout() {
            Some(_) => self.prefetch.min(u16::try_from(self.concurrency).unwrap_or(u16::MAX)),
            None => self.prefetch,
        }
    }

    /// Lets a delivery wait for a slot; one that came back too often ends at once.
    fn take(&mut self, arrived: Arrived) {
        match self.inbound.returned_too_often(&arrived.delivery) {
            None => self.waiting.push_back(arrived),
            Some(returns) => {
                let (inbound, own) = (self.inbound.clone(), OwnTask::begin());
                self.tasks.spawn(Box::pin(async move {
                    let _own = own;
                    inbound.give_up(arrived, returns).await
                }));
            }
        }
    }

    fn begin(&mut self, arrived: Arrived, mut slot: Slot) {
        let (inbound, own) = (self.inbound.clone(), OwnTask::begin());
        // Boxed: a task is moved several times before it runs, and this one is large.
        self.tasks.spawn(Box::pin(async move {
            let _own = own;
            inbound.work(arrived, &mut slot).await
        }));
    }

    /// Stops consuming and waits for running handlers; those that do not end in time are dropped, and their messages are requeued.
    async fn drain(&mut self, mut consumer: Consumer) {
        tracing::info!(under_way = self.tasks.len(), "stopping");
        if let Err(error) = consumer.cancel().await {
            tracing::debug!(%error, "the consumer was over before it was cancelled");
        }
        // Deliveries that were not taken are requeued.
        drop(consumer);
        self.waiting.clear();
        let all_done = async {
            while let Some(ended) = self.tasks.join_next().await {
                tell(ended);
            }
        };
        let drained = tokio::select! {
            biased;
            drained = tokio::time::timeout(self.drain, all_done) => drained.is_ok(),
            () = self.stop.wished_at_once() => self.tasks.is_empty(),
        };
        if !drained {
            let dropped = self.tasks.len();
            tracing::warn!(dropped, "handlers dropped at the end of the drain, messages requeued");
            self.tasks.shutdown().await;
        }
    }
}

/// Logs a panic that was not caught where the handler is called: it is a bug of the library (or of a type's `Drop`). Its delivery was
/// requeued.
fn tell(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a delivery was dropped in the middle of its work, and goes back to its queue");
    }
}
