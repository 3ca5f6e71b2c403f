//! All channels of the publishing task, whose answers are read whatever the task waits for.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use lapin::Connection;
use lapin::options::{BasicConsumeOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use tavrida::transport::{BrokerError, ConnectionLost, DIRECT_REPLY_TO, SessionError};

use super::confirm_channel::ConfirmChannel;
use super::confirm_timeout::{CONFIRM_TIMEOUT, ConfirmTimeout};
use super::isolated::IsolatedChannels;
use super::pending::PendingPublish;
use super::reply_consumer::DirectReplies;
use super::retired::RetiredChannels;
use crate::link::{Liveness, close_quietly, open_channel};
use crate::wire::{Closed, short};

/// The channels, and the connection that they are on.
pub(super) struct Channels {
    life: Arc<Liveness>,
    connection: Arc<Connection>,
    main: ConfirmChannel,
    isolated: IsolatedChannels,
    retired: RetiredChannels,
    timeout: ConfirmTimeout,
    ended: Pin<Box<dyn Future<Output = ConnectionLost> + Send>>,
}

/// Names a channel.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChannelId {
    Main,
    Isolated(usize),
}

/// Why an operation failed that had a channel to itself.
#[derive(Debug)]
pub(super) enum ChannelError {
    /// The broker refused it; the session stays alive.
    Refused(BrokerError),
    /// The session has ended.
    Lost(ConnectionLost),
}

impl From<ConnectionLost> for ChannelError {
    fn from(loss: ConnectionLost) -> Self {
        Self::Lost(loss)
    }
}

impl Channels {
    /// Opens the main channel.
    pub(super) async fn open(life: Arc<Liveness>, connection: Arc<Connection>) -> lapin::Result<Self> {
        let main = ConfirmChannel::open(&life, &connection).await?;
        let ended = Box::pin({
            let life = life.clone();
            async move { life.ended().await }
        });
        let (isolated, retired, timeout) =
            (IsolatedChannels::default(), RetiredChannels::new(), ConfirmTimeout::default());
        Ok(Self { life, connection, main, isolated, retired, timeout, ended })
    }

    pub(super) fn main(&self) -> &ConfirmChannel {
        &self.main
    }

    /// Returns the number of publishes under way.
    pub(super) fn unconfirmed(&self) -> usize {
        self.iter().map(ConfirmChannel::len).sum()
    }

    /// Returns whether no publish is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.iter().all(|channel| channel.len() == 0)
    }

    /// Returns whether some publish is confirmed without a known outcome.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.main.is_in_doubt() || self.retired.iter().any(ConfirmChannel::is_in_doubt)
    }

    /// Returns whether the main channel may be nacking without a valid reason. If the consumer of direct replies is on it, it is kept
    /// unless no publish was ever acked on it.
    pub(super) fn main_is_stale(&self) -> bool {
        self.main.nacked()
            && (!self.main.has_reply_consumer() || !self.main.acked())
            && self.retired.may_replace()
    }

    /// Sends a publish. Returns it unsent if the channel is closed.
    pub(super) fn send(&mut self, on: ChannelId, publish: PendingPublish) -> Result<(), PendingPublish> {
        self.channel_mut(on).send(publish)
    }

    /// Sends one message on each channel with doubts, even beyond the window. Its confirm carries no return, which resolves the doubts; or
    /// it takes one more return from the queue, and the next probe is due.
    pub(super) fn send_probes(&mut self, probe: impl Fn() -> PendingPublish) {
        for channel in [&mut self.main].into_iter().chain(self.retired.iter_mut()) {
            if channel.is_in_doubt() {
                // The doubts of a closed channel are resolved in another way.
                let _ = channel.send(probe());
            }
        }
    }

    /// Removes all publishes under way.
    pub(super) fn take_all(&mut self) -> Vec<PendingPublish> {
        self.iter_mut().flat_map(ConfirmChannel::take_all).collect()
    }

    /// Closes all channels, and returns once they are closed.
    pub(super) async fn close(self) {
        let channels: Vec<_> = self.iter().map(ConfirmChannel::channel).collect();
        for channel in channels {
            close_quietly(&channel).await;
        }
    }

    /// Reads all available answers. Is ready if there were any.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, ConnectionLost> {
        self.life.check()?;
        if let Poll::Ready(loss) = self.ended.as_mut().poll(cx) {
            return Err(loss);
        }
        if !self.connection.status().connected() {
            // Its channels were closed with it, and the cause is about to be reported: nothing is judged before.
            return Ok(Poll::Pending);
        }
        let given_up = self.poll_confirm_timeout(cx);
        let answered = [
            self.main.poll_answers(cx),
            self.retired.poll_answers(cx),
            self.isolated.poll_answers(&self.life, cx),
        ];
        // By now an error of the connection has ended the life, if there was one.
        if let Some(Closed::Connection(loss)) = self.main.error().map(|error| self.life.interpret(error)) {
            return Err(loss);
        }
        self.life.check()?;
        let any = given_up || answered.iter().any(Poll::is_ready);
        Ok(if any { Poll::Ready(()) } else { Poll::Pending })
    }

    /// Waits until a channel has all its answers. Returns the broker's error if it closed the channel with one.
    pub(super) async fn refusal(&mut self, on: ChannelId) -> Result<Option<BrokerError>, ConnectionLost> {
        self.until(|channels| channels.channel(on).has_all_answers()).await?;
        let Some(error) = self.channel(on).error().cloned() else { return Ok(None) };
        match self.life.interpret_on(&self.connection, &error).await {
            Closed::Connection(loss) => Err(loss),
            Closed::Channel(refusal) => Ok(Some(refusal)),
            Closed::ChannelGone => Ok(None),
        }
    }

    /// Answers the publish of a closed channel on which nothing else was under way.
    pub(super) fn answer_closed(&mut self, on: ChannelId) {
        let life = self.life.clone();
        self.channel_mut(on).answer_closed(&life);
    }

    /// Removes what is under way on the main channel, in the order of publishing.
    pub(super) fn take_main(&mut self) -> Vec<PendingPublish> {
        self.main.take_all()
    }

    /// Opens a main channel in place of one that is closed or given up. The session ends if that fails.
    pub(super) async fn reopen_main(&mut self) -> Result<(), ConnectionLost> {
        if self.main.is_given_up() {
            self.main.close();
        }
        self.main = match self.open_channel().await {
            Ok(channel) => channel,
            Err(error) => {
                let loss = match error {
                    ChannelError::Lost(loss) => loss,
                    ChannelError::Refused(refusal) => {
                        ConnectionLost::broken(format!("cannot open a channel to publish on: {refusal}"))
                    }
                };
                return Err(self.life.lose(loss).clone());
            }
        };
        Ok(())
    }

    /// Opens a main channel in place of a stale one, on which the broker has processed everything: this keeps the order.
    pub(super) async fn replace_main(&mut self) -> Result<(), ConnectionLost> {
        self.retired.note_attempt();
        match self.open_channel().await {
            Ok(fresh) => self.retired.add(mem::replace(&mut self.main, fresh)),
            Err(ChannelError::Lost(loss)) => return Err(loss),
            // No channel is left: continue with the old one.
            Err(ChannelError::Refused(_)) => {}
        }
        Ok(())
    }

    /// Returns an isolated channel on which nothing is under way.
    pub(super) async fn idle_isolated(&mut self) -> Result<ChannelId, ChannelError> {
        self.isolated.remove_stale();
        if !self.isolated.has_room(self.connection.configuration().channel_max()) {
            self.until(|channels| channels.isolated.any_is_idle()).await?;
        }
        if let Some(at) = self.isolated.idle() {
            return Ok(ChannelId::Isolated(at));
        }
        let channel = self.open_channel().await?;
        Ok(ChannelId::Isolated(self.isolated.add(channel)))
    }

    /// Waits until the broker has processed all that was sent on a channel. Returns whether the channel is still usable.
    pub(super) async fn is_processed(&mut self, on: ChannelId) -> Result<bool, ConnectionLost> {
        self.until(|channels| channels.channel(on).is_written() || channels.channel(on).is_unusable())
            .await?;
        if self.channel(on).is_unusable() {
            return Ok(false);
        }
        Ok(self.channel(on).len() == 0 || self.passes_barrier(on).await?)
    }

    /// Checks that an exchange exists, on a separate channel.
    pub(super) async fn check_exchange(&mut self, exchange: &str) -> Result<(), ChannelError> {
        if exchange.is_empty() {
            return Ok(());
        }
        let (life, connection, exchange) = (self.life.clone(), self.connection.clone(), short(exchange));
        let checking = async move {
            let channel = open_channel(&life, &connection).await?;
            let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
            let kind = lapin::ExchangeKind::Direct;
            let declared = channel.exchange_declare(exchange, kind, options, FieldTable::default()).await;
            close_quietly(&channel).await;
            declared
        };
        match self.alongside(checking).await? {
            Ok(()) => Ok(()),
            Err(error) => Err(self.channel_error(&error).await),
        }
    }

    /// Starts the consumer of direct replies, on the main channel: RabbitMQ delivers them only there. What RabbitMQ would refuse is refused
    /// here, since it would close the channel of all publishes.
    pub(super) async fn consume_replies(&mut self) -> Result<DirectReplies, SessionError> {
        if self.main.has_reply_consumer() {
            return Err(BrokerError::channel(406, "PRECONDITION_FAILED - reply consumer already set").into());
        }
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
            Ok(source) => Ok(DirectReplies { channel, source, lease: self.main.lease_replies() }),
            Err(error) => Err(self.life.error_on(&self.connection, error).await),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &ConfirmChannel> {
        [&self.main].into_iter().chain(self.retired.iter()).chain(self.isolated.iter())
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut ConfirmChannel> {
        [&mut self.main].into_iter().chain(self.retired.iter_mut()).chain(self.isolated.iter_mut())
    }

    fn channel(&self, id: ChannelId) -> &ConfirmChannel {
        match id {
            ChannelId::Main => &self.main,
            ChannelId::Isolated(at) => &self.isolated[at],
        }
    }

    fn channel_mut(&mut self, id: ChannelId) -> &mut ConfirmChannel {
        match id {
            ChannelId::Main => &mut self.main,
            ChannelId::Isolated(at) => &mut self.isolated[at],
        }
    }

    /// Gives up the channels whose oldest publish has not changed since the last check. Returns whether there were any.
    fn poll_confirm_timeout(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        // While nothing is under way the timer stays: what the next check finds was not there at the last one.
        while !self.is_idle() && self.timeout.poll_due(cx).is_ready() {
            let blocked = self.life.blocked().is_some();
            for channel in self.iter_mut() {
                if channel.check_overdue(blocked) {
                    any = true;
                    give_up(channel);
                }
            }
        }
        any
    }

    async fn open_channel(&mut self) -> Result<ConfirmChannel, ChannelError> {
        let (life, connection) = (self.life.clone(), self.connection.clone());
        let opening = async move { ConfirmChannel::open(&life, &connection).await };
        match self.alongside(opening).await? {
            Ok(channel) => Ok(channel),
            Err(error) => Err(self.channel_error(&error).await),
        }
    }

    async fn channel_error(&mut self, error: &lapin::Error) -> ChannelError {
        match self.life.interpret_on(&self.connection, error).await {
            Closed::Connection(loss) => ChannelError::Lost(loss),
            Closed::Channel(refusal) => ChannelError::Refused(refusal),
            Closed::ChannelGone => {
                ChannelError::Refused(BrokerError::channel(504, format!("CHANNEL_ERROR - {error}")))
            }
        }
    }

    /// Waits for `done` while reading answers. The main channel may break meanwhile.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), ConnectionLost> {
        poll_fn(|cx| {
            loop {
                if done(self) {
                    return Poll::Ready(Ok(()));
                }
                if self.poll_answers(cx)?.is_pending() {
                    return if done(self) { Poll::Ready(Ok(())) } else { Poll::Pending };
                }
            }
        })
        .await
    }

    /// Awaits `future` while reading answers.
    async fn alongside<T>(&mut self, future: impl Future<Output = T>) -> Result<T, ConnectionLost> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            while self.poll_answers(cx)?.is_ready() {}
            Poll::Pending
        })
        .await
    }

    /// Awaits a [barrier](ConfirmChannel::barrier) while reading answers. Returns whether the broker has processed everything and the
    /// channel is open. It does not wait for a channel that is given up: one that confirms nothing may answer nothing else either.
    async fn passes_barrier(&mut self, on: ChannelId) -> Result<bool, ConnectionLost> {
        let mut barrier = pin!(self.channel(on).barrier());
        poll_fn(|cx| {
            if let Poll::Ready(passed) = barrier.as_mut().poll(cx) {
                return Poll::Ready(Ok(passed.is_ok()));
            }
            while self.poll_answers(cx)?.is_ready() {}
            if self.channel(on).is_given_up() { Poll::Ready(Ok(false)) } else { Poll::Pending }
        })
        .await
    }
}

/// Stops waiting for a channel: what is under way on it becomes ambiguous.
fn give_up(channel: &mut ConfirmChannel) {
    let loss = ConnectionLost::broken(format!("no confirm came within {CONFIRM_TIMEOUT:?}"));
    tracing::warn!(under_way = channel.len(), "the broker does not confirm: a channel is given up");
    channel.give_up().into_iter().for_each(|publish| publish.lose(loss.clone()));
}
