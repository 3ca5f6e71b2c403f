//! [`MemoryDeliveries`]: the stream of a consumer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tavrida::field::ShortString;
use tavrida::transport::{ConsumerError, Delivery, DeliveryStream, SessionError};

use super::channel::OwnChannel;
use crate::core::{Arrival, Delivered, Method, Sent};

/// A consumer with its own channel.
pub(super) struct MemoryDeliveries {
    channel: Arc<OwnChannel>,
    consumer_tag: ShortString,
    no_ack: bool,
    /// Arrived deliveries that were not polled yet: without a network the whole outbox is taken under one lock.
    arrived: VecDeque<Sent>,
    cancelled: bool,
    end: Option<ConsumerError>,
}

impl MemoryDeliveries {
    pub(super) fn new(channel: Arc<OwnChannel>, consumer_tag: ShortString, no_ack: bool) -> Self {
        Self { channel, consumer_tag, no_ack, arrived: VecDeque::new(), cancelled: false, end: None }
    }

    fn hand_out(&self, delivered: Delivered) -> Delivery {
        let Delivered { delivery_tag, redelivered, publication, .. } = delivered;
        if self.no_ack {
            Delivery::settled(publication, redelivered)
        } else {
            Delivery::new(publication, redelivered, self.channel.clone(), delivery_tag)
        }
    }

    fn ended(&mut self, end: ConsumerError) -> Poll<Result<Delivery, ConsumerError>> {
        self.arrived.clear();
        self.end = Some(end.clone());
        Poll::Ready(Err(end))
    }
}

#[async_trait]
impl DeliveryStream for MemoryDeliveries {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>> {
        if let Some(end) = &self.end {
            return Poll::Ready(Err(end.clone()));
        }
        let Self { channel, arrived, cancelled, .. } = self;
        let received = if let Some(end) = channel.sudden_end() {
            // The end comes first; undelivered arrivals go back to the broker.
            Err(end)
        } else if let Some(sent) = arrived.pop_front() {
            Ok(Some(sent.arrival))
        } else {
            let mut state = channel.handle.shared.lock();
            match channel.sudden_end() {
                Some(end) => Err(end),
                None => {
                    let arrival = state.receive(channel.id, arrived);
                    if arrival.is_none() && (!*cancelled || state.broker.peek(channel.id).is_some()) {
                        state.wait(channel.id, cx.waker());
                        return Poll::Pending;
                    }
                    Ok(arrival)
                }
            }
        };
        match received {
            Ok(Some(Arrival::Delivery(delivered))) => Poll::Ready(Ok(self.hand_out(delivered))),
            Ok(Some(Arrival::Cancel { .. })) => self.ended(ConsumerError::CancelledByBroker),
            Ok(None) => self.ended(ConsumerError::Cancelled),
            Err(end) => self.ended(end),
        }
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { channel, arrived, .. } = self;
        let is_cancel = |sent: &Sent| matches!(sent.arrival, Arrival::Cancel { .. });
        let is_over = || self.end.is_some() || channel.sudden_end().is_some();
        if is_over() || arrived.iter().any(is_cancel) {
            return Poll::Ready(());
        }
        let mut state = channel.handle.shared.lock();
        if is_over() || state.has_received_a_cancel(channel.id) {
            return Poll::Ready(());
        }
        if self.cancelled && state.broker.peek(channel.id).is_none() {
            return Poll::Ready(());
        }
        state.wait(channel.id, cx.waker());
        Poll::Pending
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
    /// Cancels the consumer, and returns undelivered arrivals to the broker; deliveries already returned can still be settled on the same
    /// channel.
    fn drop(&mut self) {
        let mut state = self.channel.handle.shared.lock();
        if state.retired || self.channel.check().is_err() {
            return;
        }
        state.call(self.channel.id, cancel(&self.consumer_tag));
        for delivery_tag in state.take_unreceived(self.channel.id, &mut self.arrived) {
            if !self.no_ack {
                state.call(self.channel.id, Method::BasicReject { delivery_tag, requeue: true });
            }
        }
    }
}
