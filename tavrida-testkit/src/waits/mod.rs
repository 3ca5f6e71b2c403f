//! [`Waits`]: who waits for whom at a moment of a run, read from its trace.

mod cycle;
mod text;

use std::time::Duration;

pub(crate) use text::time;

use rustc_hash::{FxHashMap, FxHashSet};
use tavrida::message::MessageKind;

use crate::trace::{ActorId, ActorKind, ChannelNumber, Event, MessageId, SentMessage, Trace, What};

/// What is unfinished at a moment of a run.
pub(crate) struct Waits<'t> {
    trace: &'t Trace,
    /// Handlers that have begun, and what they ask for.
    handlers: Vec<Handler>,
    /// Asks of clients.
    asks: Vec<Ask>,
    /// Messages that no handler has begun.
    idle: Vec<Idle>,
}

/// A delivery: the actor, the message, and which delivery of it.
type Delivery = (ActorId, Option<MessageId>, u32);

/// A running handler.
struct Handler {
    delivery: Delivery,
    since: Duration,
    asks: Vec<Ask>,
}

/// An ask without an answer.
struct Ask {
    request: MessageId,
    asker: ActorId,
    since: Duration,
}

/// A message that no handler has begun.
struct Idle {
    message: MessageId,
    since: Duration,
    place: WaitsAt,
}

/// Where a message waits.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WaitsAt {
    /// An actor has it.
    Prefetched(ActorId),
    /// A queue has it, and its consumers do not take it.
    Queued(String),
}

impl<'t> Waits<'t> {
    /// Returns what is unfinished after these many events, at this time.
    pub(crate) fn of(trace: &'t Trace, events: usize, at: Duration) -> Self {
        let mut scan = Scan::of(trace);
        trace.events()[..events].iter().for_each(|event| scan.event(event));
        scan.finish(at)
    }

    /// Returns what is unfinished at the end of the trace.
    pub(crate) fn at_end(trace: &'t Trace, at: Duration) -> Self {
        Self::of(trace, trace.events().len(), at)
    }

    /// Returns whether nothing is.
    pub(crate) fn is_empty(&self) -> bool {
        self.handlers.is_empty() && self.asks.is_empty() && self.idle.is_empty()
    }
}

/// The state after some events.
struct Scan<'t> {
    trace: &'t Trace,
    handlers: Vec<Handler>,
    /// Deliveries without a verdict, with their channel.
    held: Vec<(Delivery, Option<ChannelNumber>, Duration)>,
    asks: Vec<Ask>,
    /// Messages that queues have, with the number of copies that were not delivered.
    queued: FxHashMap<MessageId, (usize, Duration)>,
}

impl<'t> Scan<'t> {
    fn of(trace: &'t Trace) -> Self {
        Self { trace, handlers: Vec::new(), held: Vec::new(), asks: Vec::new(), queued: FxHashMap::default() }
    }

    fn event(&mut self, event: &Event) {
        let delivery = (event.actor, event.message, event.delivery);
        match &event.what {
            What::Published(outcome) => {
                if let Some(message) = event.message {
                    self.published(event, message, outcome.is_taken());
                }
            }
            What::Delivered { redelivered } => {
                self.delivered(event, *redelivered);
                self.held.push((delivery, event.channel, event.at));
            }
            What::Started { .. } => {
                self.handlers.push(Handler { delivery, since: event.at, asks: Vec::new() });
            }
            What::Ended(_) => {
                remove(&mut self.handlers, |handler| handler.delivery == delivery);
                let sent = self.trace;
                self.asks.retain(|ask| {
                    ask.asker != event.actor || sent.message(ask.request).cause() != event.message
                });
            }
            What::Acked | What::Rejected | What::Zombie => {
                remove(&mut self.held, |(held, ..)| *held == delivery);
            }
            What::Requeued | What::AckLost => {
                remove(&mut self.held, |(held, ..)| *held == delivery);
                self.returned(event.message, event.at);
            }
            What::TimedOut { .. } => {
                remove(&mut self.asks, |ask| Some(ask.request) == event.message);
            }
            What::Crashed | What::Disconnected(_) => self.lost(event),
            _ => {}
        }
    }

    fn published(&mut self, event: &Event, message: MessageId, is_taken: bool) {
        let sent = self.trace.message(message);
        if is_taken {
            let copies = sent.copies();
            self.queued.entry(message).or_insert((copies, event.at));
        }
        let is_known = self.asks.iter().any(|ask| ask.request == message);
        if sent.is_ask() && !is_known && !sent.is_copy() {
            self.asks.push(Ask { request: message, asker: event.actor, since: event.at });
        }
    }

    fn delivered(&mut self, event: &Event, redelivered: bool) {
        let Some(message) = event.message else { return };
        if let Some((left, _)) = self.queued.get_mut(&message)
            && (!redelivered || *left > 0)
        {
            *left -= 1;
            if *left == 0 {
                self.queued.remove(&message);
            }
        }
        let sent = self.trace.message(message);
        if matches!(sent.kind(), Some(MessageKind::Response | MessageKind::Error)) {
            let id = sent.request_id();
            let trace = self.trace;
            self.asks.retain(|ask| ask.asker != event.actor || trace.message(ask.request).request_id() != id);
        }
    }

    /// A message is back in its queue.
    fn returned(&mut self, message: Option<MessageId>, at: Duration) {
        if let Some(message) = message {
            self.queued.entry(message).or_insert((0, at)).0 += 1;
        }
    }

    /// A session ended: what it held is back in its queue, and nobody waits for its answers.
    fn lost(&mut self, event: &Event) {
        self.asks.retain(|ask| ask.asker != event.actor);
        let (lost, held) =
            std::mem::take(&mut self.held).into_iter().partition(|((actor, ..), ..)| *actor == event.actor);
        self.held = held;
        let lost: Vec<(Delivery, Option<ChannelNumber>, Duration)> = lost;
        for ((_, message, _), channel, _) in lost {
            if self.needs_verdict(channel) {
                self.returned(message, event.at);
            }
        }
    }

    fn needs_verdict(&self, channel: Option<ChannelNumber>) -> bool {
        channel.is_some_and(|channel| !self.trace.channels()[channel.index()].no_ack)
    }

    fn finish(mut self, at: Duration) -> Waits<'t> {
        let trace = self.trace;
        let mut of_clients = Vec::new();
        for ask in std::mem::take(&mut self.asks) {
            let cause = trace.message(ask.request).cause();
            let is_it = |handler: &&mut Handler| {
                (handler.delivery.0, handler.delivery.1) == (ask.asker, cause) && cause.is_some()
            };
            match self.handlers.iter_mut().rev().find(is_it) {
                Some(handler) => handler.asks.push(ask),
                None if trace.actor(ask.asker).kind() == ActorKind::Client => of_clients.push(ask),
                None => {}
            }
        }
        let worked: FxHashSet<Delivery> = self.handlers.iter().map(|handler| handler.delivery).collect();
        let mut idle: Vec<Idle> = Vec::new();
        for (delivery, channel, since) in &self.held {
            let (actor, Some(message), _) = *delivery else { continue };
            if !worked.contains(delivery) && self.needs_verdict(*channel) {
                idle.push(Idle { message, since: *since, place: WaitsAt::Prefetched(actor) });
            }
        }
        let mut queued: Vec<_> = self.queued.iter().collect();
        queued.sort_by_key(|(message, _)| **message);
        for (message, (_, since)) in queued {
            let queue = trace.queues_of(*message).find(|queue| will_go_on(trace, *message, queue));
            let is_over = trace.message(*message).expires_after().is_some_and(|within| *since + within < at);
            if let Some(queue) = queue.filter(|_| !is_over) {
                idle.push(Idle {
                    message: *message,
                    since: *since,
                    place: WaitsAt::Queued(queue.to_owned()),
                });
            }
        }
        Waits { trace, handlers: self.handlers, asks: of_clients, idle }
    }
}

/// Returns whether a consumer takes messages from a queue, or it keeps a message only for a time.
fn will_go_on(trace: &Trace, message: MessageId, queue: &str) -> bool {
    let sent = trace.message(message);
    let is_consumed = trace.channels().iter().any(|channel| channel.queue == queue && !channel.no_ack);
    is_consumed || sent.is_retry()
}

fn remove<T>(all: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) {
    if let Some(place) = all.iter().position(is_it) {
        all.remove(place);
    }
}

impl SentMessage {
    /// Returns whether its sender waits for its answer with a deadline.
    pub(crate) fn is_ask(&self) -> bool {
        self.kind() == Some(MessageKind::Request) && self.publication().properties.reply_to.is_some()
    }

    /// Returns how long it lives in a queue, if that is limited: an ask lives as long as its asker waits.
    pub(crate) fn expires_after(&self) -> Option<Duration> {
        let limit = self.publication().properties.expiration.as_deref()?;
        limit.parse().ok().map(Duration::from_millis)
    }
}
