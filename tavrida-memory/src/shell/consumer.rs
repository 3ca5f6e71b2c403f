//! [`MemoryDeliveries`]: the stream of a consumer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tavrida::field::ShortString;
use tavrida::transport::{ConsumerEnd, Deliveries, Delivery, SessionError};

use super::channel::OwnChannel;
use crate::core::{Arrival, Delivered, Method};

/// A consumer with a channel of its own.
pub(super) struct MemoryDeliveries {
    channel: Arc<OwnChannel>,
    consumer_tag: ShortString,
    no_ack: bool,
    /// What has arrived and was not asked for yet: the whole outbox is taken under one lock.
    arrived: VecDeque<Arrival>,
    cancelled: bool,
    end: Option<ConsumerEnd>,
}

impl MemoryDeliveries {
    pub(super) fn new(channel: Arc<OwnChannel>, consumer_tag: ShortString, no_ack: bool) -> Self {
        Self { channel, consumer_tag, no_ack, arrived: VecDeque::new(), cancelled: false, end: None }
    }

    /// The end that came from outside, if it has: it overtakes what has arrived, which is the broker's again.
    fn sudden_end(&self) -> Option<ConsumerEnd> {
        if let Some(loss) = self.channel.handle.life.loss() {
            return Some(ConsumerEnd::Lost(loss.clone()));
        }
        self.channel.end.get().map(|refusal| ConsumerEnd::Refused(refusal.clone()))
    }

    fn hand_out(&self, delivered: Delivered) -> Delivery {
        let Delivered { delivery_tag, redelivered, publication, .. } = delivered;
        if self.no_ack {
            Delivery::settled(publication, redelivered)
        } else {
            Delivery::new(publication, redelivered, self.channel.clone(), delivery_tag)
        }
    }

    fn ended(&mut self, end: ConsumerEnd) -> Poll<Result<Delivery, ConsumerEnd>> {
        self.arrived.clear();
        self.end = Some(end.clone());
        Poll::Ready(Err(end))
    }
}

#[async_trait]
impl Deliveries for MemoryDeliveries {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerEnd>> {
        if let Some(end) = &self.end {
            return Poll::Ready(Err(end.clone()));
        }
        if let Some(end) = self.sudden_end() {
            return self.ended(end);
        }
        if self.arrived.is_empty() {
            let channel = self.channel.clone();
            let mut state = channel.handle.shared.lock();
            if let Some(end) = self.sudden_end() {
                return self.ended(end);
            }
            let more = state.take_arrived(channel.id, &mut self.arrived);
            if self.arrived.is_empty() && (more || !self.cancelled) {
                state.wait(channel.id, cx.waker());
                return Poll::Pending;
            }
        }
        match self.arrived.pop_front() {
            Some(Arrival::Delivery(delivered)) => Poll::Ready(Ok(self.hand_out(delivered))),
            Some(Arrival::Cancel { .. }) => self.ended(ConsumerEnd::CancelledByBroker),
            None => self.ended(ConsumerEnd::Cancelled),
        }
    }

    async fn cancel(&mut self) -> Result<(), SessionError> {
        let mut state = self.channel.handle.lock()?;
        self.channel.check()?;
        self.cancelled = true;
        state.call(self.channel.id, cancel(&self.consumer_tag));
        Ok(())
    }
}

fn cancel(consumer_tag: &ShortString) -> Method {
    Method::BasicCancel { consumer_tag: consumer_tag.clone(), nowait: true }
}

impl Drop for MemoryDeliveries {
    /// Cancels, and gives back what was not taken; what was taken can still be settled, on the same channel.
    fn drop(&mut self) {
        let mut state = self.channel.handle.shared.lock();
        if state.retired || self.channel.check().is_err() {
            return;
        }
        state.call(self.channel.id, cancel(&self.consumer_tag));
        state.take_arrived(self.channel.id, &mut self.arrived);
        // What is still on its way comes too late.
        state.broker.take_all(self.channel.id, &mut self.arrived);
        for arrival in self.arrived.drain(..) {
            if let Arrival::Delivery(Delivered { delivery_tag, .. }) = arrival
                && !self.no_ack
            {
                state.call(self.channel.id, Method::BasicReject { delivery_tag, requeue: true });
            }
        }
    }
}
