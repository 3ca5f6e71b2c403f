//! A channel in confirm mode with many publishes under way.
//!
//! lapin has two constraints. Two concurrent `basic_publish` calls that are polled for the first time can swap their confirms: a channel is
//! owned by one task. The call returns only when the frame is written: frames are written in turn, so that only the oldest is awaited. And
//! confirms must be read in closed sets (see [`Outstanding`]): reading continues until nothing is left.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use lapin::options::{BasicPublishOptions, ChannelFlowOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection, PublisherConfirm};
use tavrida::transport::Publication;

use super::outstanding::{Confirm, Outcome, Outstanding, Slot};
use super::pending::PendingPublish;
use super::reply_consumer::{ReplyLease, ReplySlot};
use super::wakers::WokenSlots;
use crate::link::{Liveness, close_quietly, open_channel};
use crate::wire::{delivered, properties_out, short};

type Writing = Pin<Box<dyn Future<Output = lapin::Result<PublisherConfirm>> + Send>>;

pub(super) struct ConfirmChannel {
    channel: Arc<Channel>,
    outstanding: Outstanding<PendingPublish>,
    writing: VecDeque<(Slot, Writing)>,
    awaited: Vec<Option<PublisherConfirm>>,
    woken_slots: WokenSlots,
    /// How many were sent and have neither a confirm nor an error.
    unanswered: usize,
    error: Option<lapin::Error>,
    acked: bool,
    nacked: bool,
    /// Nothing more is sent or awaited on it.
    given_up: bool,
    /// The number of the oldest publish without an outcome at the last check for missing confirms.
    oldest_checked: Option<u64>,
    reply_slot: ReplySlot,
    // Kept for its allocation.
    woken: Vec<Slot>,
    confirms: Vec<Confirm>,
    decided: Vec<(PendingPublish, Outcome)>,
}

impl ConfirmChannel {
    /// Opens a channel for publishing.
    pub(super) async fn open(life: &Liveness, connection: &Connection) -> lapin::Result<Self> {
        let channel = open_channel(life, connection).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self {
            channel,
            outstanding: Outstanding::default(),
            writing: VecDeque::new(),
            awaited: Vec::new(),
            woken_slots: WokenSlots::default(),
            unanswered: 0,
            error: None,
            acked: false,
            nacked: false,
            given_up: false,
            oldest_checked: None,
            reply_slot: ReplySlot::default(),
            woken: Vec::new(),
            confirms: Vec::new(),
            decided: Vec::new(),
        })
    }

    /// Returns the number of publishes under way.
    pub(super) fn len(&self) -> usize {
        self.outstanding.len()
    }

    /// Returns whether some publish is confirmed without a known outcome.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.outstanding.is_in_doubt()
    }

    /// Returns whether some publish was acked.
    pub(super) fn acked(&self) -> bool {
        self.acked
    }

    /// Returns whether some queue refused a publish.
    pub(super) fn nacked(&self) -> bool {
        self.nacked
    }

    /// Returns whether the channel is unusable: it broke, or was given up.
    pub(super) fn is_unusable(&self) -> bool {
        self.given_up || self.error.is_some()
    }

    /// Returns whether it was given up; the broker does not know.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Returns whether the oldest publish without an outcome was the oldest at the last check already. `blocked` says that the broker reads
    /// nothing, during an alarm.
    pub(super) fn check_overdue(&mut self, blocked: bool) -> bool {
        let oldest = if blocked { None } else { self.outstanding.oldest() };
        let overdue = oldest.is_some() && oldest == self.oldest_checked;
        self.oldest_checked = oldest;
        overdue
    }

    /// Stops sending and waiting. Returns what is under way, in the order of publishing.
    pub(super) fn give_up(&mut self) -> Vec<PendingPublish> {
        self.given_up = true;
        self.unanswered = 0;
        self.take_all()
    }

    pub(super) fn channel(&self) -> Arc<Channel> {
        self.channel.clone()
    }

    /// Returns whether all frames were passed to the broker.
    pub(super) fn is_written(&self) -> bool {
        self.writing.is_empty()
    }

    /// Returns the error that ended the channel.
    pub(super) fn error(&self) -> Option<&lapin::Error> {
        self.error.as_ref()
    }

    /// Returns whether a consumer of direct replies is on it.
    pub(super) fn has_reply_consumer(&self) -> bool {
        self.reply_slot.is_taken()
    }

    /// Makes the holder of the lease its consumer of direct replies.
    pub(super) fn lease_replies(&mut self) -> ReplyLease {
        self.reply_slot.take()
    }

    /// Sends a publish. Returns it unsent if the channel is closed.
    pub(super) fn send(&mut self, mut publish: PendingPublish) -> Result<(), PendingPublish> {
        if self.given_up {
            return Err(publish);
        }
        let mut writing = write(self.channel.clone(), publish.as_ref());
        // lapin queues the frames at the first poll. The waker is registered when this is the oldest.
        let first = writing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(Err(error)) = first {
            self.set_error(error);
            return Err(publish);
        }
        publish.set_sent();
        self.unanswered += 1;
        let slot = self.outstanding.add(publish);
        match first {
            Poll::Ready(Ok(confirm)) => self.await_confirm(slot, confirm),
            _ => self.writing.push_back((slot, writing)),
        }
        Ok(())
    }

    /// Returns whether no further answer can come.
    pub(super) fn has_all_answers(&self) -> bool {
        self.unanswered == 0
    }

    /// Reads all available answers. Is ready if there was one, or if the channel broke; otherwise the next one wakes `cx`.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.given_up {
            return Poll::Pending;
        }
        self.woken_slots.register(cx);
        let was_closed = self.error.is_some();
        loop {
            let wrote = self.poll_writing(cx);
            let woken = self.poll_woken();
            if !wrote && !woken {
                break;
            }
        }
        if self.confirms.is_empty() && (was_closed || self.error.is_none()) {
            return Poll::Pending;
        }
        self.outstanding.confirm(&mut self.confirms, &mut self.decided);
        for (publish, outcome) in self.decided.drain(..) {
            publish.resolve(outcome);
        }
        Poll::Ready(())
    }

    /// Returns a future that completes when the broker has processed all that was written, with the error that ended the channel if there
    /// was one. (RabbitMQ answers methods of a channel in turn.)
    pub(super) fn barrier(&self) -> impl Future<Output = lapin::Result<()>> + Send + 'static {
        let channel = self.channel.clone();
        async move { channel.channel_flow(ChannelFlowOptions { active: true }).await.map(drop) }
    }

    /// Removes what is under way, in the order of publishing; the channel can no longer be used.
    pub(super) fn take_all(&mut self) -> Vec<PendingPublish> {
        self.writing.clear();
        self.awaited.clear();
        self.outstanding.take_all()
    }

    /// Answers what was under way when it broke, which is at most one publish.
    pub(super) fn answer_closed(&mut self, life: &Liveness) {
        if !self.has_all_answers() {
            return;
        }
        if let Some(closed) = self.error().map(|error| life.interpret(error)) {
            for publish in self.take_all() {
                publish.end(closed.clone());
            }
        }
    }

    /// Closes it in a separate task.
    pub(super) fn close(&self) {
        let channel = self.channel();
        tokio::spawn(async move { close_quietly(&channel).await });
    }

    /// Keeps the broker's text, which only some of the errors of one end have.
    fn set_error(&mut self, error: lapin::Error) {
        let tells_more = |old: &lapin::Error| error.is_amqp_error() && !old.is_amqp_error();
        if self.error.as_ref().is_none_or(tells_more) {
            self.error = Some(error);
        }
    }

    fn poll_writing(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while let Some((slot, writing)) = self.writing.front_mut() {
            let Poll::Ready(written) = writing.as_mut().poll(cx) else { break };
            let slot = *slot;
            self.writing.pop_front();
            any = true;
            match written {
                Ok(confirm) => self.await_confirm(slot, confirm),
                Err(error) => {
                    self.unanswered -= 1;
                    self.set_error(error);
                }
            }
        }
        any
    }

    fn await_confirm(&mut self, slot: Slot, confirm: PublisherConfirm) {
        if self.awaited.len() <= slot as usize {
            self.awaited.resize_with(slot as usize + 1, || None);
        }
        self.awaited[slot as usize] = Some(confirm);
        self.poll_confirm(slot);
    }

    fn poll_woken(&mut self) -> bool {
        let mut woken = std::mem::take(&mut self.woken);
        self.woken_slots.take(&mut woken);
        let any = !woken.is_empty();
        for slot in woken.drain(..) {
            self.poll_confirm(slot);
        }
        self.woken = woken;
        any
    }

    fn poll_confirm(&mut self, slot: Slot) {
        let Some(confirm) = &mut self.awaited[slot as usize] else { return };
        let mut cx = Context::from_waker(self.woken_slots.waker(slot));
        let Poll::Ready(confirmation) = Pin::new(confirm).poll(&mut cx) else { return };
        self.awaited[slot as usize] = None;
        self.unanswered -= 1;
        let (ack, carried) = match confirmation {
            Ok(Confirmation::Ack(carried)) => (true, carried),
            Ok(Confirmation::Nack(carried)) => (false, carried),
            Ok(Confirmation::NotRequested) => (true, None),
            Err(error) => return self.set_error(error),
        };
        self.acked |= ack;
        self.nacked |= !ack;
        let carried = carried.map(|returned| delivered(returned.delivery));
        self.confirms.push(Confirm { slot, ack, carried });
    }
}

fn write(channel: Arc<Channel>, publication: &Publication) -> Writing {
    let exchange = short(&publication.exchange);
    let routing_key = short(&publication.routing_key);
    let options = BasicPublishOptions { mandatory: publication.mandatory, immediate: false };
    let body = publication.body.clone();
    let properties = properties_out(&publication.properties);
    Box::pin(async move { channel.basic_publish(exchange, routing_key, options, &body, properties).await })
}
