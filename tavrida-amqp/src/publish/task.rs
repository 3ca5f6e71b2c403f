//! The task that publishes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use lapin::Connection;
use tavrida::transport::{BrokerError, ConnectionLost, Publication};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::channels::{ChannelError, ChannelId, Channels};
use super::doubt_probe::{DoubtProbe, probe};
use super::exchanges::{KnownExchanges, names_exchange};
use super::pending::{PendingPublish, channel_closed};
use super::publisher::{Publisher, Request};
use super::refusable::{may_be_refused, wants_direct_reply};
use crate::link::Liveness;

/// How many requests are handled before answers are read again.
const BURST: usize = 64;

/// The state of the task. See the [module](super) for what each value answers.
pub(crate) struct PublishTask {
    life: Arc<Liveness>,
    /// The maximum number of publishes under way.
    window: usize,
    /// The user name, if the broker knows the user by it.
    login: Option<String>,
    requests: mpsc::UnboundedReceiver<Request>,
    /// Requests that come before those in `requests`.
    backlog: VecDeque<Request>,
    channels: Channels,
    exchanges: KnownExchanges,
    doubt_probe: DoubtProbe,
}

/// The next step.
enum Next {
    /// Handle requests.
    Requests,
    /// Send a probe: a doubt lasts too long.
    Probe,
    /// End: no caller is left, and all publishes have an outcome.
    End,
}

/// How a message is published.
enum Path {
    /// Not at all: its exchange was refused recently.
    Refused(BrokerError),
    /// On the main channel, together with others.
    Pipelined,
    /// Alone on the main channel, because the consumer of direct replies is there; and only if its exchange exists, because a refusal would
    /// end the consumer.
    AloneOnMain,
    /// Alone on an isolated channel.
    Isolated,
}

impl PublishTask {
    /// Opens the main channel and starts the task, which closes its channels at the end of the session. `login` is the user name, if the
    /// broker knows the user by it.
    pub(crate) async fn start(
        life: Arc<Liveness>,
        connection: Arc<Connection>,
        window: usize,
        login: Option<String>,
    ) -> lapin::Result<(Publisher, JoinHandle<()>)> {
        let frame_max = connection.configuration().frame_max() as usize;
        let channels = Channels::open(life.clone(), connection).await?;
        let (publisher, requests) = Publisher::new(life.clone(), frame_max);
        let (backlog, exchanges, doubt_probe) =
            (VecDeque::new(), KnownExchanges::default(), DoubtProbe::default());
        let task = Self { life, window, login, requests, backlog, channels, exchanges, doubt_probe };
        Ok((publisher, tokio::spawn(task.run())))
    }

    async fn run(mut self) {
        if let Err(loss) = self.work().await {
            self.lose_all(&loss).await;
        }
        match self.life.has_connections() {
            // Other sessions still use the connection.
            true => self.channels.close().await,
            false => self.life.connections_closed().await,
        }
    }

    /// Sends what the window allows, then waits for more to do. Returns when nothing more can come.
    async fn work(&mut self) -> Result<(), ConnectionLost> {
        loop {
            self.handle_requests().await?;
            match poll_fn(|cx| self.poll_next(cx)).await? {
                Next::Requests => {}
                Next::Probe => self.send_probe().await?,
                Next::End => return Ok(()),
            }
        }
    }

    async fn handle_requests(&mut self) -> Result<(), ConnectionLost> {
        for _ in 0..BURST {
            if self.channels.main().is_unusable() {
                self.reopen_main().await?;
            }
            if self.channels.main_is_stale() {
                self.settle_main().await?;
                self.channels.replace_main().await?;
            }
            if self.is_full() {
                break;
            }
            let Some(request) = self.backlog.pop_front().or_else(|| self.requests.try_recv().ok()) else {
                break;
            };
            match request {
                Request::Publish(publish) => self.publish(publish).await?,
                Request::Flush(flushed) if self.channels.is_idle() => {
                    // The caller may have stopped waiting.
                    let _ = flushed.send(());
                }
                Request::Flush(flushed) => {
                    self.backlog.push_front(Request::Flush(flushed));
                    break;
                }
                Request::ConsumeReplies(caller) => {
                    // Dropped with its content if the caller stopped waiting.
                    let _ = caller.send(self.channels.consume_replies().await);
                    self.life.check()?;
                }
                Request::Declared(exchange) => self.exchanges.note_declared(&exchange),
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.channels.unconfirmed() >= self.window
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Next, ConnectionLost>> {
        let answers = self.channels.poll_answers(cx)?;
        if answers.is_ready() || self.channels.main().is_unusable() {
            self.doubt_probe.postpone();
            return Poll::Ready(Ok(Next::Requests));
        }
        if self.doubt_probe.poll_due(self.channels.is_in_doubt(), cx).is_ready() {
            return Poll::Ready(Ok(Next::Probe));
        }
        match self.backlog.front() {
            _ if self.is_full() => return Poll::Pending,
            Some(Request::Flush(_)) if !self.channels.is_idle() => return Poll::Pending,
            Some(_) => return Poll::Ready(Ok(Next::Requests)),
            None => {}
        }
        match self.requests.poll_recv(cx) {
            Poll::Ready(Some(request)) => {
                self.backlog.push_back(request);
                Poll::Ready(Ok(Next::Requests))
            }
            Poll::Ready(None) if self.channels.is_idle() => Poll::Ready(Ok(Next::End)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    async fn publish(&mut self, publish: PendingPublish) -> Result<(), ConnectionLost> {
        match self.path(publish.as_ref()) {
            Path::Refused(refusal) => publish.refuse(refusal),
            Path::Pipelined => {
                if let Err(publish) = self.channels.send(ChannelId::Main, publish) {
                    self.retry(publish);
                }
            }
            Path::AloneOnMain => {
                let channel = self.vacate_main(&publish.as_ref().exchange.clone()).await;
                self.publish_alone(channel, publish).await?;
            }
            Path::Isolated => {
                let channel = self.isolated_channel().await;
                self.publish_alone(channel, publish).await?;
            }
        }
        Ok(())
    }

    fn path(&self, publication: &Publication) -> Path {
        let exchange = &publication.exchange;
        if let Some(refusal) = self.exchanges.refusal(exchange, Instant::now()) {
            return Path::Refused(refusal.clone());
        }
        let is_safe = self.exchanges.accepts(exchange) && !may_be_refused(publication, self.login.as_deref());
        // The broker refuses a request for a direct reply on a channel without a consumer for it.
        let has_consumer = self.channels.main().has_reply_consumer();
        match (is_safe, wants_direct_reply(publication)) {
            (true, false) => Path::Pipelined,
            (true, true) if has_consumer => Path::Pipelined,
            (false, true) if has_consumer => Path::AloneOnMain,
            _ => Path::Isolated,
        }
    }

    /// Publishes on a channel where nothing else is under way, before later publishes are sent.
    async fn publish_alone(
        &mut self,
        channel: Result<ChannelId, ChannelError>,
        publish: PendingPublish,
    ) -> Result<(), ConnectionLost> {
        let exchange = publish.as_ref().exchange.clone();
        let channel = match channel {
            Ok(channel) => channel,
            Err(ChannelError::Refused(refusal)) => {
                self.exchanges.note_refused(&exchange, &refusal, Instant::now());
                publish.refuse(refusal);
                return Ok(());
            }
            Err(ChannelError::Lost(loss)) => {
                publish.lose(loss.clone());
                return Err(loss);
            }
        };
        if let Err(publish) = self.channels.send(channel, publish) {
            self.retry(publish);
            return Ok(());
        }
        if self.channels.is_processed(channel).await? {
            self.exchanges.note_accepted(exchange);
            return Ok(());
        }
        // Refused: the channel is closed, or about to be.
        let refusal = self.channels.refusal(channel).await?;
        self.channels.answer_closed(channel);
        if let Some(refusal) = refusal {
            self.exchanges.note_refused(&exchange, &refusal, Instant::now());
        }
        Ok(())
    }

    /// Returns an isolated channel, once the broker has processed earlier publishes.
    async fn isolated_channel(&mut self) -> Result<ChannelId, ChannelError> {
        self.settle_main().await?;
        self.channels.idle_isolated().await
    }

    /// Returns the main channel, if the exchange exists, and once the broker has processed earlier publishes.
    async fn vacate_main(&mut self, exchange: &str) -> Result<ChannelId, ChannelError> {
        self.channels.check_exchange(exchange).await?;
        self.settle_main().await?;
        Ok(ChannelId::Main)
    }

    /// Waits until the broker has processed all that was published on the main channel.
    async fn settle_main(&mut self) -> Result<(), ConnectionLost> {
        while !self.channels.is_processed(ChannelId::Main).await? {
            self.reopen_main().await?;
        }
        Ok(())
    }

    /// Publishes it before all other requests, on another channel: its own was closed before the broker saw it.
    fn retry(&mut self, publish: PendingPublish) {
        self.backlog.push_front(Request::Publish(publish));
    }

    async fn send_probe(&mut self) -> Result<(), ConnectionLost> {
        if self.exchanges.accepts("") {
            self.channels.send_probes(probe);
            return Ok(());
        }
        // It gets a channel to itself, which shows whether the default exchange can be published to.
        self.publish(probe()).await?;
        self.doubt_probe.set_forbidden(!self.exchanges.accepts(""));
        Ok(())
    }

    /// Replaces the main channel, which the broker closed because of one of its publishes, or which was given up.
    ///
    /// A close should not happen: it takes an exchange that was deleted, or a permission that was revoked, between two publishes.
    async fn reopen_main(&mut self) -> Result<(), ConnectionLost> {
        let refusal = self.channels.refusal(ChannelId::Main).await?;
        let publishes = self.channels.take_main();
        match refusal {
            Some(refusal) => self.answer_refused(publishes, &refusal),
            None => publishes.into_iter().for_each(|publish| publish.lose(channel_closed())),
        }
        self.channels.reopen_main().await
    }

    /// Answers the publishes of a channel that the broker closed with `refusal`.
    ///
    /// RabbitMQ processes a channel in order, ignores what follows the culprit, and names its exchange. The culprit is therefore the last
    /// publish to that exchange, or an earlier one: that last one was refused or ignored, and later ones were ignored. Earlier ones may have
    /// been accepted, although the confirms are lost.
    fn answer_refused(&mut self, mut publishes: Vec<PendingPublish>, refusal: &BrokerError) {
        let culprit =
            publishes.iter().rposition(|publish| names_exchange(refusal, &publish.as_ref().exchange));
        match culprit {
            Some(at) => {
                let ignored = publishes.split_off(at + 1).into_iter().map(PendingPublish::unsent);
                ignored.rev().for_each(|publish| self.retry(publish));
                if let Some(culprit) = publishes.pop() {
                    self.exchanges.note_closed(&culprit.as_ref().exchange, refusal, Instant::now());
                    culprit.refuse(refusal.clone());
                }
            }
            None => self.exchanges.forget_accepted(),
        }
        let loss =
            ConnectionLost::broken(format!("the broker closed its channel for another message: {refusal}"));
        publishes.into_iter().for_each(|publish| publish.lose(loss.clone()));
    }

    /// Fails all publishes with the loss of the session.
    async fn lose_all(&mut self, loss: &ConnectionLost) {
        self.channels.take_all().into_iter().for_each(|publish| publish.lose(loss.clone()));
        self.requests.close();
        // Includes those that are being enqueued at this moment.
        while let Some(request) = self.next_request().await {
            if let Request::Publish(publish) = request {
                publish.lose(loss.clone());
            }
        }
    }

    async fn next_request(&mut self) -> Option<Request> {
        match self.backlog.pop_front() {
            Some(request) => Some(request),
            None => self.requests.recv().await,
        }
    }
}
