//! [`Recorded`]: a session, its consumers and its settlements, recorded as they happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use tavrida::transport::{
    AckKind, Acker, Admin, Broker, ConnectionLost, Consume, Consumer, ConsumerError, Delivery,
    DeliveryStream, GetMessage, Publication, PublishFuture, Session, SessionError,
};
use tavrida_memory::core::{ChannelId, ConnectionId};

use crate::sim::world::{Held, World};
use crate::trace::{ActorId, Channel, ChannelNumber, Outcome, What};

/// A live session.
pub(super) struct Recorded {
    inner: Arc<dyn Session>,
    world: Arc<World>,
    actor: ActorId,
    number: u32,
    consumers: AtomicU16,
}

impl Recorded {
    pub(super) fn new(inner: Arc<dyn Session>, world: Arc<World>, actor: ActorId, number: u32) -> Self {
        Self { inner, world, actor, number, consumers: AtomicU16::new(0) }
    }

    /// Returns a number for a consumer, like the channels of the in-process broker have.
    fn channel(&self) -> ChannelId {
        let number = self.consumers.fetch_add(1, Ordering::Relaxed);
        ConnectionId(self.number * 2).channel(number + 1)
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.world.state().close_live_session(self.actor, self.number, &ConnectionLost::closed_here());
    }
}

#[async_trait]
impl Session for Recorded {
    fn admin(&self) -> &dyn Admin {
        self.inner.admin()
    }

    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        let (inner, world, actor) = (self.inner.clone(), self.world.clone(), self.actor);
        let publishing = async move {
            let message = {
                let mut state = world.state();
                state.publishing += 1;
                state.message(&world, &Arc::new(publication.clone()), actor)
            };
            let outcome = inner.publish(publication).await;
            let told = match &outcome {
                Ok(()) => Outcome::Routed,
                Err(unpublished) => Outcome::of(&unpublished.reason),
            };
            let mut state = world.state();
            state.publishing -= 1;
            state.published(actor, message, told);
            outcome
        };
        // A sender may stop waiting because its answer came before the confirm; the outcome is recorded in any case.
        PublishFuture::waiting(async { tokio::spawn(publishing).await.expect("nothing in it panics") })
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
        self.inner.get(queue).await
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        let inner = self.inner.consume(consume).await?;
        let queue = (!consume.no_ack).then(|| consume.queue.to_string());
        let number = {
            let mut state = self.world.state();
            state.queues.extend(queue);
            state.trace.add_channel(Channel {
                actor: self.actor,
                queue: consume.queue.to_string(),
                prefetch: consume.prefetch,
                no_ack: consume.no_ack,
            })
        };
        let consumer = Arc::new(SharedConsumer {
            number,
            world: self.world.clone(),
            actor: self.actor,
            channel: self.channel(),
            no_ack: consume.no_ack,
            tags: AtomicU64::new(1),
        });
        Ok(Consumer::new(RecordedDeliveries { inner, consumer }))
    }

    async fn close(&self) -> Result<(), SessionError> {
        self.inner.close().await
    }

    async fn closed(&self) -> ConnectionLost {
        let loss = self.inner.closed().await;
        self.world.state().close_live_session(self.actor, self.number, &loss);
        loss
    }

    fn blocked(&self) -> Option<String> {
        self.inner.blocked()
    }

    fn broker(&self) -> Option<Broker> {
        self.inner.broker()
    }
}

/// What a consumer and its deliveries share.
struct SharedConsumer {
    /// Its number in the trace.
    number: ChannelNumber,
    world: Arc<World>,
    actor: ActorId,
    channel: ChannelId,
    no_ack: bool,
    tags: AtomicU64,
}

struct RecordedDeliveries {
    inner: Consumer,
    consumer: Arc<SharedConsumer>,
}

#[async_trait]
impl DeliveryStream for RecordedDeliveries {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>> {
        self.inner.poll_next(cx).map_ok(|delivery| self.consumer.arrived(delivery))
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_ended(cx)
    }

    async fn cancel(&mut self) -> Result<(), SessionError> {
        self.inner.cancel().await
    }
}

impl SharedConsumer {
    /// Records a delivery, and wraps its settlement.
    fn arrived(self: &Arc<Self>, delivery: Delivery) -> Delivery {
        let publication = delivery.publication().clone();
        let redelivered = delivery.redelivered();
        let mut state = self.world.state();
        let message = state.message_like(&self.world, &publication);
        let nth = state.messages.deliver(message);
        let tag = self.tags.fetch_add(1, Ordering::Relaxed);
        let held = Held { message, delivery: nth, channel: Some(self.number), contended: None };
        state.tell_held(self.actor, held, What::Delivered { redelivered });
        if self.no_ack {
            return delivery;
        }
        state.held.insert((self.channel, tag), held);
        drop(state);
        let settle =
            RecordedSettle { consumer: self.clone(), inner: parking_lot::Mutex::new(Some(delivery)) };
        Delivery::new(publication, redelivered, Arc::new(settle), tag)
    }
}

/// The settlement of one delivery.
struct RecordedSettle {
    consumer: Arc<SharedConsumer>,
    inner: parking_lot::Mutex<Option<Delivery>>,
}

impl Acker for RecordedSettle {
    fn settle(&self, tag: u64, verdict: AckKind) -> Result<(), ConnectionLost> {
        let inner = self.inner.lock().take();
        let Some(inner) = inner else { return Ok(()) };
        let settled = inner.settle(verdict);
        let what = match (&settled, verdict) {
            (Err(_), _) => What::Zombie,
            (Ok(()), AckKind::Ack) => What::Acked,
            (Ok(()), AckKind::Reject) => What::Rejected,
            (Ok(()), AckKind::Requeue) => What::Requeued,
        };
        let mut state = self.consumer.world.state();
        if let Some(held) = state.held.remove(&(self.consumer.channel, tag)) {
            state.tell_held(self.consumer.actor, held, what);
        }
        settled
    }
}
