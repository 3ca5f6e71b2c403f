//! The stream of one consumer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::{Channel, Connection};
use tavrida::transport::{
    BrokerError, ConnectionLost, Consume, Consumer, ConsumerError, Delivery, DeliveryStream, SessionError,
};
use tokio::runtime::Handle;
use tokio::task::coop;

use super::Settler;
use super::source::Source;
use crate::link::{Liveness, close_quietly, open_channel};
use crate::publish::{DirectReplies, Publisher, ReplyLease};
use crate::wire::{Closed, delivered, short, table_out};

/// Starts a consumer on a separate channel. A closing session flushes the settler.
pub(crate) async fn consume(
    life: &Arc<Liveness>,
    connection: &Connection,
    consume: &Consume,
) -> Result<(Consumer, Arc<Settler>), SessionError> {
    let channel = match open_channel(life, connection).await {
        Ok(channel) => channel,
        Err(error) => return Err(life.error_on(connection, error).await),
    };
    let started = start(&channel, consume).await;
    let source = match started {
        Ok(source) => source,
        Err(error) => {
            close_quietly(&channel).await;
            return Err(life.error_on(connection, error).await);
        }
    };
    let settler = Settler::new(life.clone(), channel.clone(), consume.prefetch);
    if !consume.no_ack {
        tokio::spawn(settler.clone().flusher());
    }
    let deliveries = AmqpDeliveries {
        life: life.clone(),
        tag: source.tag(),
        source: Some(Source::new(source)),
        channel,
        reply_lease: None,
        settler: settler.clone(),
        no_ack: consume.no_ack,
        cancelled: false,
        end: None,
        runtime: Handle::current(),
    };
    Ok((Consumer::new(deliveries), settler))
}

/// Starts the consumer of direct replies, on the publishing channel.
pub(crate) async fn consume_replies(
    life: &Arc<Liveness>,
    publisher: &Publisher,
    consume: &Consume,
) -> Result<Consumer, SessionError> {
    if !consume.no_ack {
        return Err(
            BrokerError::channel(406, "PRECONDITION_FAILED - reply consumer cannot acknowledge").into()
        );
    }
    let DirectReplies { channel, source, lease } = publisher.consume_replies().await?;
    let settler = Settler::new(life.clone(), channel.clone(), 0);
    Ok(Consumer::new(AmqpDeliveries {
        life: life.clone(),
        tag: source.tag(),
        source: Some(Source::new(source)),
        channel,
        reply_lease: Some(lease),
        settler,
        no_ack: true,
        cancelled: false,
        end: None,
        runtime: Handle::current(),
    }))
}

async fn start(channel: &Channel, consume: &Consume) -> lapin::Result<lapin::Consumer> {
    if consume.prefetch > 0 && !consume.no_ack {
        channel.basic_qos(consume.prefetch, BasicQosOptions { global: false }).await?;
    }
    let options = BasicConsumeOptions {
        no_ack: consume.no_ack,
        exclusive: consume.exclusive,
        ..BasicConsumeOptions::default()
    };
    let tag = lapin::types::ShortString::default();
    channel.basic_consume(short(&consume.queue), tag, options, table_out(&consume.arguments)).await
}

struct AmqpDeliveries {
    life: Arc<Liveness>,
    tag: lapin::types::ShortString,
    source: Option<Source>,
    channel: Arc<Channel>,
    /// Set if the channel is the publisher's: held until the consumer is cancelled.
    reply_lease: Option<ReplyLease>,
    settler: Arc<Settler>,
    no_ack: bool,
    cancelled: bool,
    end: Option<ConsumerError>,
    runtime: Handle,
}

impl AmqpDeliveries {
    fn deliver(&self, delivery: lapin::message::Delivery) -> Delivery {
        let (tag, redelivered) = (delivery.delivery_tag, delivery.redelivered);
        let publication = Arc::new(delivered(delivery));
        if self.no_ack {
            return Delivery::settled(publication, redelivered);
        }
        self.settler.hand_out(tag);
        Delivery::new(publication, redelivered, self.settler.clone(), tag)
    }

    fn source(&mut self) -> &mut Source {
        self.source.as_mut().expect("it is taken by drop alone")
    }

    fn end(&mut self, end: ConsumerError) -> ConsumerError {
        if let ConsumerError::Refused(refusal) = &end {
            self.settler.end(ConnectionLost::closed_by_broker(refusal.clone()));
        }
        self.settler.flush();
        self.end.insert(end).clone()
    }

    /// Returns why the source ended without an error.
    fn quiet_end(&self) -> ConsumerError {
        match self.life.lost() {
            Some(loss) => ConsumerError::Lost(loss.clone()),
            None if self.cancelled => ConsumerError::Cancelled,
            None => ConsumerError::CancelledByBroker,
        }
    }

    fn error_end(&self, error: &lapin::Error) -> ConsumerError {
        match self.life.interpret(error) {
            Closed::Channel(refusal) => ConsumerError::Refused(refusal),
            Closed::ChannelGone => {
                ConsumerError::Lost(ConnectionLost::broken(format!("the consumer's channel: {error}")))
            }
            Closed::Connection(loss) => ConsumerError::Lost(loss),
        }
    }
}

#[async_trait]
impl DeliveryStream for AmqpDeliveries {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery, ConsumerError>> {
        if let Some(end) = &self.end {
            return Poll::Ready(Err(end.clone()));
        }
        if let Some(loss) = self.life.lost() {
            let end = ConsumerError::Lost(loss.clone());
            return Poll::Ready(Err(self.end(end)));
        }
        // Under load lapin always has a delivery ready: without this, a loop over deliveries would starve other tasks of its thread.
        let budget = ready!(coop::poll_proceed(cx));
        match self.source().poll_next(cx) {
            Poll::Ready(Ok(delivery)) => {
                budget.made_progress();
                Poll::Ready(Ok(self.deliver(delivery)))
            }
            Poll::Ready(Err(ended)) => {
                let end = ended.map_or_else(|error| self.error_end(&error), |()| self.quiet_end());
                Poll::Ready(Err(self.end(end)))
            }
            Poll::Pending => {
                self.settler.flush();
                Poll::Pending
            }
        }
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.end.is_some() || self.life.lost().is_some() {
            return Poll::Ready(());
        }
        self.source().poll_ended(cx)
    }

    async fn cancel(&mut self) -> Result<(), SessionError> {
        if self.cancelled {
            return Ok(());
        }
        self.life.check()?;
        self.cancelled = true;
        self.settler.flush();
        let cancelled = self.channel.basic_cancel(self.tag.clone(), BasicCancelOptions::default()).await;
        cancelled.map_err(|error| match self.life.error(&error) {
            SessionError::Lost(loss) => loss.into(),
            other => ConnectionLost::broken(other.to_string()).into(),
        })
    }
}

impl Drop for AmqpDeliveries {
    fn drop(&mut self) {
        let source = self.source.take().expect("it is taken here alone");
        let teardown = Teardown {
            source,
            tag: self.tag.clone(),
            channel: self.channel.clone(),
            reply_lease: self.reply_lease.take(),
            settler: self.settler.clone(),
            cancelled: self.cancelled,
            ended: self.end.is_some(),
            no_ack: self.no_ack,
        };
        self.runtime.spawn(teardown.run());
    }
}

/// The remaining work when a consumer is dropped.
struct Teardown {
    source: Source,
    tag: lapin::types::ShortString,
    channel: Arc<Channel>,
    reply_lease: Option<ReplyLease>,
    settler: Arc<Settler>,
    cancelled: bool,
    /// Its end was already reported: the broker has requeued the rest.
    ended: bool,
    no_ack: bool,
}

impl Teardown {
    /// Cancels, requeues what was not taken, and closes the channel once what was taken is settled.
    async fn run(mut self) {
        if !self.cancelled && !self.ended && !self.source.has_ended() && self.channel.status().connected() {
            // An error is the end of the channel, which also requeues everything.
            let _ = self.channel.basic_cancel(self.tag.clone(), BasicCancelOptions::default()).await;
        }
        if !self.ended {
            self.give_back().await;
        }
        if self.channel.status().connected() {
            self.settler.all_settled().await;
        }
        self.settler.flush();
        if self.reply_lease.is_none() {
            close_quietly(&self.channel).await;
        }
        self.settler.end(ConnectionLost::closed_here());
    }

    /// Requeues what was not taken. The source ends: it is cancelled, or its channel is closed.
    async fn give_back(&mut self) {
        while let Ok(delivery) = poll_fn(|cx| self.source.poll_next(cx)).await {
            if !self.no_ack {
                let options = BasicRejectOptions { requeue: true };
                let _ = self.channel.basic_reject(delivery.delivery_tag, options).await;
            }
        }
    }
}
