//! [`Worker`]: consumes deliveries and handles them, with limited concurrency.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::{JoinError, JoinSet};

use super::{DeclareMode, Plan};
use crate::field::ShortString;
use crate::inbound::Desk;
use crate::link::{Ended, Epoch, Stop, Work};
use crate::transport::{ConnectionLost, Consume, Consumer, ConsumerError, Delivery, Session, SessionError};

pub(super) struct Worker {
    pub(super) desk: Arc<Desk>,
    pub(super) plan: Arc<Plan>,
    pub(super) declare_mode: DeclareMode,
    pub(super) queue: ShortString,
    pub(super) prefetch: u16,
    pub(super) concurrency: usize,
    pub(super) drain: Duration,
    pub(super) stop: Stop,
    /// Set by `prepare`, taken by `serve`.
    pub(super) consumer: Option<Consumer>,
    /// Deliveries of consumers that ended while all handlers were busy.
    pub(super) left: VecDeque<(Delivery, Epoch)>,
    /// Deliveries being handled. Those of a lost session are handled to the end: they may already have had effects.
    pub(super) tasks: JoinSet<()>,
}

#[async_trait]
impl Work for Worker {
    async fn prepare(&mut self, session: &Arc<dyn Session>) -> Result<(), SessionError> {
        self.plan.apply(&**session, self.declare_mode).await?;
        self.desk.outbound.repair.clear();
        let consume = Consume::new(&self.queue, self.prefetch());
        self.consumer = Some(session.consume(&consume).await?);
        tracing::info!(queue = &*self.queue, "consuming");
        Ok(())
    }

    async fn serve(&mut self, epoch: &Epoch) -> Ended {
        let mut consumer = self.consumer.take().expect("a session is prepared before it is served");
        // Deliveries of a lost session will be redelivered.
        self.left.retain(|(_, of)| Arc::ptr_eq(&of.session, &epoch.session));
        let mut lost = epoch.session.closed();
        // Registered once, not for each message.
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.wished());
        let end = loop {
            match self.next(&mut consumer, &mut lost, &mut stopped, epoch).await {
                Next::Delivery(delivery, epoch) => self.begin(delivery, epoch),
                Next::End(end) => break end,
                Next::Stop => {
                    self.drain(consumer).await;
                    return Ended::Stopped;
                }
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

enum Next {
    Delivery(Delivery, Epoch),
    End(ConsumerError),
    Stop,
}

impl Worker {
    /// Returns the next delivery when a handler is free. Otherwise it only waits for the end of the consumer and for the loss of the
    /// session, so that slow handlers do not delay the next session.
    async fn next(
        &mut self,
        consumer: &mut Consumer,
        lost: &mut (impl Future<Output = ConnectionLost> + Unpin),
        stopped: &mut (impl Future<Output = ()> + Unpin),
        epoch: &Epoch,
    ) -> Next {
        loop {
            let room = self.tasks.len() < self.concurrency;
            if room
                && !self.stop.is_wished()
                && let Some((delivery, epoch)) = self.left.pop_front()
            {
                return Next::Delivery(delivery, epoch);
            }
            tokio::select! {
                biased;
                () = &mut *stopped => return Next::Stop,
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => tell(ended),
                next = ask(consumer, room) => return match next {
                    Some(Ok(delivery)) => Next::Delivery(delivery, epoch.clone()),
                    Some(Err(end)) => Next::End(end),
                    None => Next::End(self.take_what_is_left(consumer, epoch).await),
                },
                loss = &mut *lost, if !room => return Next::End(ConsumerError::Lost(loss)),
            }
        }
    }

    /// Reads the broker's consumer timeout from the end of a consumer that exceeded it.
    fn learn_from(&self, end: &ConsumerError) {
        let ConsumerError::Refused(refusal) = end else { return };
        if !refusal.is_consumer_timeout() {
            return;
        }
        self.desk.tally.consumer_timeouts.add_one();
        if let Some(timeout) = refusal.consumer_timeout() {
            self.desk.limit.learn(timeout);
        }
        tracing::error!(
            queue = &*self.queue,
            handler_limit = %self.desk.limit,
            prefetch = self.prefetch(),
            "a handler took longer than the broker's consumer timeout, its message is delivered again"
        );
    }

    /// Returns the prefetch. With a known consumer timeout, no delivery waits for a handler, because waiting counts too.
    fn prefetch(&self) -> u16 {
        match self.desk.limit.consumer_timeout() {
            Some(_) => self.prefetch.min(u16::try_from(self.concurrency).unwrap_or(u16::MAX)),
            None => self.prefetch,
        }
    }

    /// Keeps the deliveries that an ended consumer received before its end. Returns why it ended.
    async fn take_what_is_left(&mut self, consumer: &mut Consumer, epoch: &Epoch) -> ConsumerError {
        loop {
            match consumer.next().await {
                Ok(delivery) => self.left.push_back((delivery, epoch.clone())),
                Err(end) => return end,
            }
        }
    }

    fn begin(&mut self, delivery: Delivery, epoch: Epoch) {
        let desk = self.desk.clone();
        // Boxed: a task is moved several times before it runs, and this one is large.
        self.tasks.spawn(Box::pin(async move { desk.work(delivery, &epoch).await }));
    }

    /// Stops consuming and waits for running handlers; those that do not end in time are dropped, and their messages are requeued.
    async fn drain(&mut self, mut consumer: Consumer) {
        tracing::info!(under_way = self.tasks.len(), "stopping");
        if let Err(error) = consumer.cancel().await {
            tracing::debug!(%error, "the consumer was over before it was cancelled");
        }
        // Deliveries that were not taken are requeued.
        drop(consumer);
        self.left.clear();
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

/// Returns the next delivery or the end, if there is room for a delivery; otherwise returns `None` once the consumer has ended.
async fn ask(consumer: &mut Consumer, room: bool) -> Option<Result<Delivery, ConsumerError>> {
    if room {
        return Some(consumer.next().await);
    }
    consumer.ended().await;
    None
}

/// Logs a panic that was not caught where the handler is called: it is a bug of the library (or of a type's `Drop`). Its delivery was
/// requeued.
fn tell(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a delivery was dropped in the middle of its work, and goes back to its queue");
    }
}
