//! Direct replies: their consumer is on the main channel, and requests for them are published there.

use std::sync::{Arc, Weak};

use lapin::options::{BasicConsumeOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer, ExchangeKind};
use tavrida::transport::{BrokerError, ConnectionLost, DIRECT_REPLY_TO, SessionError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::job::Job;
use super::lane::Lane;
use crate::link::{close_quietly, open_channel};
use crate::wire::{Fate, short};

/// A consumer of direct replies, on a channel that it must not close.
pub(crate) struct Replies {
    pub(crate) channel: Arc<Channel>,
    pub(crate) source: Consumer,
    /// Held until the consumer is cancelled.
    pub(crate) place: Place,
}

/// The place of the only possible consumer.
#[derive(Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "it is held, not looked at")] Arc<()>);

impl Lane {
    /// Returns whether there is a consumer on the main channel.
    pub(super) fn takes_replies(&self) -> bool {
        self.replies.strong_count() > 0
    }

    /// Starts the consumer. What RabbitMQ would refuse is refused here, since it would close the channel of all publishes.
    pub(super) async fn consume_replies(
        &mut self,
        told: oneshot::Sender<Result<Replies, SessionError>>,
    ) -> Result<(), ConnectionLost> {
        let started = if self.takes_replies() {
            Err(BrokerError::channel(406, "PRECONDITION_FAILED - reply consumer already set").into())
        } else {
            let channel = self.main.channel();
            let starting = {
                let channel = channel.clone();
                async move {
                    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
                    let tag = lapin::types::ShortString::default();
                    channel.basic_consume(short(DIRECT_REPLY_TO), tag, options, FieldTable::default()).await
                }
            };
            match self.alongside(starting).await? {
                Ok(source) => {
                    let place = Arc::new(());
                    self.replies = Arc::downgrade(&place);
                    Ok(Replies { channel, source, place: Place(place) })
                }
                Err(error) => Err(self.life.error_on(&self.connection, error).await),
            }
        };
        // Dropped with its content if the caller stopped waiting.
        let _ = told.send(started);
        Ok(())
    }

    /// Publishes on the main channel what the broker may refuse: alone, and only if its exchange exists, because a refusal would end the
    /// consumer.
    pub(super) async fn publish_request_carefully(&mut self, job: Job) -> Result<(), ConnectionLost> {
        let exchange = job.as_ref().exchange.clone();
        if let Err(refusal) = self.declare_exchange_passive(&exchange).await? {
            self.absent.note(&exchange, &refusal, Instant::now());
            job.refuse(refusal);
            return Ok(());
        }
        self.settle_main().await?;
        if let Err(job) = self.main.send(job) {
            // It broke while it was idle; the next turn opens another, without a consumer.
            self.backlog.push_front(super::publisher::Request::Publish(job));
            return Ok(());
        }
        self.until(|lane| lane.main.is_written() || lane.main.is_done_for()).await?;
        let barrier = self.main.barrier();
        if !self.main.is_done_for() && self.passes(barrier, |lane| &lane.main).await? {
            self.proven.insert(exchange);
            return Ok(());
        }
        self.until(|lane| lane.main.is_over()).await?;
        self.main.bury(&self.life);
        Ok(())
    }

    /// Checks whether an exchange exists, on a separate channel.
    async fn declare_exchange_passive(
        &mut self,
        exchange: &str,
    ) -> Result<Result<(), BrokerError>, ConnectionLost> {
        if exchange.is_empty() {
            return Ok(Ok(()));
        }
        let (life, connection, exchange) = (self.life.clone(), self.connection.clone(), short(exchange));
        let checking = async move {
            let channel = open_channel(&life, &connection).await?;
            let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
            let there =
                channel.exchange_declare(exchange, ExchangeKind::Direct, options, FieldTable::default());
            let there = there.await;
            close_quietly(&channel).await;
            there
        };
        match self.alongside(checking).await? {
            Ok(()) => Ok(Ok(())),
            Err(error) => match self.life.fate_on(&self.connection, &error).await {
                Fate::Connection(loss) => Err(loss),
                Fate::Channel(refusal) => Ok(Err(refusal)),
                Fate::ChannelGone => Ok(Err(BrokerError::channel(504, format!("CHANNEL_ERROR - {error}")))),
            },
        }
    }
}

/// Returns a place without a consumer.
pub(super) fn none() -> Weak<()> {
    Weak::new()
}
