//! A channel in confirm mode with many publishes under way.
//!
//! lapin has two constraints. Two concurrent `basic_publish` calls that are polled for the first time can swap their confirms: a pipe is
//! owned by one task. The call returns only when the frame is written: frames are written in turn, so that only the oldest is awaited. And
//! confirms must be read in closed sets (see the ledger): reading continues until nothing is left.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use lapin::options::{BasicPublishOptions, ChannelFlowOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection, PublisherConfirm};
use tavrida::transport::Publication;

use super::job::Job;
use super::ledger::{Confirmed, Ledger, Slot, Verdict};
use super::ready::Ready;
use crate::link::{Life, open_channel};
use crate::wire::{delivered, properties_out, short};

type Writing = Pin<Box<dyn Future<Output = lapin::Result<PublisherConfirm>> + Send>>;

pub(super) struct Pipe {
    channel: Arc<Channel>,
    ledger: Ledger<Job>,
    writing: VecDeque<(Slot, Writing)>,
    confirms: Vec<Option<PublisherConfirm>>,
    ready: Ready,
    /// How many were sent and have neither a confirm nor an error.
    open: usize,
    broken: Option<lapin::Error>,
    acked: bool,
    nacked: bool,
    /// Nothing more is sent or awaited on it.
    given_up: bool,
    /// The number of the oldest publish without a confirm at the last check.
    pub(super) seen: Option<u64>,
    // Kept for its allocation.
    woken: Vec<Slot>,
    confirmed: Vec<Confirmed>,
    decided: Vec<(Job, Verdict)>,
}

impl Pipe {
    /// Opens a channel for publishing.
    pub(super) async fn open(life: &Life, connection: &Connection) -> lapin::Result<Self> {
        let channel = open_channel(life, connection).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self {
            channel,
            ledger: Ledger::default(),
            writing: VecDeque::new(),
            confirms: Vec::new(),
            ready: Ready::default(),
            open: 0,
            broken: None,
            acked: false,
            nacked: false,
            given_up: false,
            seen: None,
            woken: Vec::new(),
            confirmed: Vec::new(),
            decided: Vec::new(),
        })
    }

    /// Returns the number of publishes under way.
    pub(super) fn len(&self) -> usize {
        self.ledger.len()
    }

    /// Returns whether some publish is confirmed without a known outcome.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.ledger.is_in_doubt()
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
    pub(super) fn is_done_for(&self) -> bool {
        self.given_up || self.broken.is_some()
    }

    /// Returns whether it was given up; the broker does not know.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Returns the number of the oldest publish without a verdict.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.ledger.oldest()
    }

    /// Stops waiting. Returns what is under way, in the order of publishing.
    pub(super) fn give_up(&mut self) -> Vec<Job> {
        self.given_up = true;
        self.open = 0;
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
    pub(super) fn broken(&self) -> Option<&lapin::Error> {
        self.broken.as_ref()
    }

    /// Sends a job. Returns it unsent if the channel is closed.
    pub(super) fn send(&mut self, mut job: Job) -> Result<(), Job> {
        if self.given_up {
            return Err(job);
        }
        let mut writing = write(self.channel.clone(), job.as_ref());
        // lapin queues the frames at the first poll. The waker is registered when this is the oldest.
        let first = writing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(Err(error)) = first {
            self.set_broken(error);
            return Err(job);
        }
        job.set_sent(true);
        self.open += 1;
        let slot = self.ledger.enter(job);
        match first {
            Poll::Ready(Ok(confirm)) => self.await_confirm(slot, confirm),
            _ => self.writing.push_back((slot, writing)),
        }
        Ok(())
    }

    /// Returns whether no further answer can come.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0
    }

    /// Reads all available answers. Is ready if there was one, or if the channel broke; otherwise the next one wakes `cx`.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.given_up {
            return Poll::Pending;
        }
        self.ready.register(cx);
        let was_broken = self.broken.is_some();
        loop {
            let wrote = self.poll_writing(cx);
            let woken = self.poll_woken();
            if !wrote && !woken {
                break;
            }
        }
        if self.confirmed.is_empty() && (was_broken || self.broken.is_none()) {
            return Poll::Pending;
        }
        self.ledger.confirm(&mut self.confirmed, &mut self.decided);
        for (job, verdict) in self.decided.drain(..) {
            job.decide(verdict);
        }
        Poll::Ready(())
    }

    /// Returns a future that completes when the broker has processed all that was written, with the error that ended the channel if there
    /// was one. (RabbitMQ answers methods of a channel in turn.)
    pub(super) fn barrier(&self) -> impl Future<Output = lapin::Result<()>> + Send + 'static {
        let channel = self.channel.clone();
        async move { channel.channel_flow(ChannelFlowOptions { active: true }).await.map(drop) }
    }

    /// Removes what is under way, in the order of publishing; the pipe can no longer be used.
    pub(super) fn take_all(&mut self) -> Vec<Job> {
        self.writing.clear();
        self.confirms.clear();
        self.ledger.take_all()
    }

    /// Keeps the broker's text, which only some of the errors of one end have.
    fn set_broken(&mut self, error: lapin::Error) {
        let tells_more = |old: &lapin::Error| error.is_amqp_error() && !old.is_amqp_error();
        if self.broken.as_ref().is_none_or(tells_more) {
            self.broken = Some(error);
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
                    self.open -= 1;
                    self.set_broken(error);
                }
            }
        }
        any
    }

    fn await_confirm(&mut self, slot: Slot, confirm: PublisherConfirm) {
        if self.confirms.len() <= slot as usize {
            self.confirms.resize_with(slot as usize + 1, || None);
        }
        self.confirms[slot as usize] = Some(confirm);
        self.poll_confirm(slot);
    }

    fn poll_woken(&mut self) -> bool {
        let mut woken = std::mem::take(&mut self.woken);
        self.ready.take(&mut woken);
        let any = !woken.is_empty();
        for slot in woken.drain(..) {
            self.poll_confirm(slot);
        }
        self.woken = woken;
        any
    }

    fn poll_confirm(&mut self, slot: Slot) {
        let Some(confirm) = &mut self.confirms[slot as usize] else { return };
        let mut cx = Context::from_waker(self.ready.waker(slot));
        let Poll::Ready(confirmation) = Pin::new(confirm).poll(&mut cx) else { return };
        self.confirms[slot as usize] = None;
        self.open -= 1;
        let (ack, carried) = match confirmation {
            Ok(Confirmation::Ack(carried)) => (true, carried),
            Ok(Confirmation::Nack(carried)) => (false, carried),
            Ok(Confirmation::NotRequested) => (true, None),
            Err(error) => return self.set_broken(error),
        };
        self.acked |= ack;
        self.nacked |= !ack;
        let carried = carried.map(|returned| delivered(returned.delivery));
        self.confirmed.push(Confirmed { slot, ack, carried });
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
