//! Handles one message: delivery -> decode -> incoming middleware -> router -> handler -> reply. Only after that the delivery is settled.

mod asker;
mod bare;
mod copy;
mod execution;
mod given_up;
mod hold;
mod late;
mod limit;
mod parts;
mod queues;
mod returned;

use std::pin::pin;
use std::sync::atomic::Ordering;

use smol_str::SmolStr;
use tokio::time::Instant;
use tracing::Instrument;

pub(crate) use copy::{Copies, History};
use copy::{CopyKind, CopyTarget, NoCopy};
use hold::Held;
use late::{has_ended, tell_of_loss};
pub(crate) use limit::HandlerLimit;
pub(crate) use parts::{Arrived, Inbound};
pub use queues::QueueType;
pub(crate) use queues::Queues;

use crate::caught::Caught;
use crate::cold::cold;
use crate::disposition::{Disposition, Outcome};
use crate::envelope::{self, UndecodableError};
use crate::error::{Error, Kind};
use crate::handler::{Attempt, Deadline};
use crate::id::{IdScope, Purpose};
use crate::link::Epoch;
use crate::message::{Context, Failure, Message, Request};
use crate::outbound::SendOptions;
use crate::proxy;
use crate::show::shown;
use crate::slots::Slot;
use crate::task::OwnTask;
use crate::time::{Stopwatch, later};
use crate::transport::Delivery;
use execution::Execution;

/// How a message was handled, and the services that still have to see it.
struct Handled {
    outcome: Outcome,
    due: Vec<SmolStr>,
}

impl Handled {
    /// Adds the services that a copy names and that this server does not have (any more): none has handled it for them.
    fn with_missing(mut self, missing: Vec<SmolStr>, message: &Message) -> Self {
        if missing.is_empty() {
            return self;
        }
        if matches!(self.outcome, Outcome::Handled) {
            let names = missing.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            let text =
                format!("a copy of the {message} is for {names}, and no such service is subscribed here");
            tracing::warn!(%message, names = %shown(&names), "a copy is for services that are not here");
            self.outcome = Outcome::Hopeless(Error::new(Kind::ServiceNotFound, text).into());
        }
        self.due.extend(missing);
        self
    }
}

impl Inbound {
    /// Returns what the server cannot do though its consumers consume: send to an exchange that is missing, or copy failed messages, which
    /// occupy places of the prefetch until they are settled.
    pub(crate) fn degraded(&self) -> Option<String> {
        self.outbound.repair.degraded().or_else(|| {
            let (stuck, prefetch) = (self.tally.stuck.get(), self.server_asks.prefetch());
            (stuck > 0).then(|| {
                format!("no copy can be made of failed messages, which occupy {stuck} of {prefetch} places of the prefetch")
            })
        })
    }

    /// Works one delivery to its end, settlement included, in a slot that is held.
    pub(crate) async fn work(&self, arrived: Arrived, slot: &mut Slot) {
        let _counted = self.tally.in_flight.during();
        let history = History::of(arrived.delivery.properties());
        let message = match envelope::decode(arrived.delivery.publication()) {
            Ok(message) => message,
            Err(undecodable) => {
                return cold(self.work_undecodable(undecodable, arrived, &history)).await;
            }
        };
        let span = span_of(&message, &history);
        self.work_message(message, arrived, &history, slot).instrument(span).await;
    }

    async fn work_undecodable(&self, undecodable: UndecodableError, arrived: Arrived, history: &History) {
        let Arrived { delivery, epoch, .. } = arrived;
        let error = match self.log_payloads {
            true => undecodable.error,
            false => undecodable.error.without_payload(),
        };
        let failure = Failure::from(Error::from(error));
        tracing::warn!(failure = %shown(&failure), "a message cannot be read");
        if let Some(asker) = undecodable.asker {
            let answering = pin!(self.answer_error(asker, &failure, &epoch));
            // What panics here is users' code on the way out: the error cannot be sent then.
            drop(Caught::new(answering).await);
        }
        let outcome = Outcome::Hopeless(failure);
        let disposition = self.policy.decide(&outcome, history.attempt, "");
        self.settle(delivery, history, outcome, disposition, history.due(), &epoch).await;
    }

    async fn work_message(&self, message: Message, arrived: Arrived, history: &History, slot: &mut Slot) {
        let started = Stopwatch::start();
        let message_id = message.parts().message_id.clone();
        // Whatever panics beside the handler is users' code too: middleware, a discovery, ids.
        let handled = Caught::new(pin!(self.handle(message, &arrived, history, slot))).await;
        let Handled { outcome, due } = handled.unwrap_or_else(|failure| {
            tracing::error!(failure = %shown(&failure), "a message's way to or from its handler panicked");
            Handled { outcome: Outcome::Failed(failure), due: history.due().to_vec() }
        });
        let Arrived { delivery, epoch, .. } = arrived;
        let disposition = self.policy.decide(&outcome, history.attempt, &message_id);
        tracing::debug!(outcome = %shown(&outcome), ?disposition, elapsed = ?started, "worked");
        if let (Disposition::Ack, Outcome::Handled) = (&disposition, &outcome) {
            self.tally.handled.add_one();
            tell_of_loss(delivery.ack());
        } else {
            cold(self.settle(delivery, history, outcome, disposition, &due, &epoch)).await;
        }
    }

    /// Handles a message in all services that are due.
    async fn handle(
        &self,
        mut message: Message,
        arrived: &Arrived,
        history: &History,
        slot: &mut Slot,
    ) -> Handled {
        if message.message_id().is_empty() {
            let no_parent = IdScope::new(self.ids.clone(), message.parts().request_id.clone());
            message.parts_mut().message_id = no_parent.next(Purpose::Message);
        }
        self.log(&message);
        let unsettled = |outcome| Handled { outcome, due: history.due().to_vec() };
        if message.is_copy_of_an_answer() {
            return unsettled(Outcome::NotOurs);
        }
        let routed = match self.router.route(&message) {
            Ok(routed) => routed,
            Err(_) if self.is_overheard(&message, &arrived.delivery) => return unsettled(Outcome::NotOurs),
            Err(unwanted) => {
                let failure = Failure::from(unwanted.0);
                cold(self.answer_unwanted(message, &failure, &arrived.epoch)).await;
                return unsettled(Outcome::Hopeless(failure));
            }
        };
        let time_to_live = asker::time_to_live(arrived.delivery.properties());
        let asker_waits_until = asker::waits_until(&message, time_to_live, arrived.at, &*self.clock);
        if asker::is_over(asker_waits_until) {
            return unsettled(Outcome::Expired);
        }
        let attempt = Attempt { number: history.attempt, redelivered: arrived.delivery.redelivered() };
        let mut handled = Handled { outcome: Outcome::Handled, due: Vec::new() };
        let several = routed.len() > 1;
        for (service, handler) in &routed {
            if !history.is_due(&message, service.name.as_str()) {
                continue;
            }
            let mut own = message.clone();
            if several {
                own.parts_mut().context = Context::from(message.context().object());
            }
            let deadline = Deadline(later(Instant::now(), self.limit.get()));
            let epoch = &arrived.epoch;
            let execution = Execution { inbound: self, service, epoch, attempt, deadline, asker_waits_until };
            match execution.run(own, handler, slot).await {
                Outcome::Handled => {}
                other => {
                    handled.due.push(service.name.as_str().into());
                    handled.outcome = other;
                }
            }
        }
        handled.with_missing(history.missing(&message, &routed), &message)
    }

    /// Returns whether a message that no service here takes came only by the pattern of a subscription.
    fn is_overheard(&self, message: &Message, delivery: &Delivery) -> bool {
        // Copies and requeued messages come through the default exchange, which has no patterns.
        let is_overheard = !delivery.publication().exchange.is_empty() && self.router.is_overheard(message);
        if is_overheard && !self.overheard.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                message = %shown(message),
                exchange = %shown(&delivery.publication().exchange),
                "a subscription with a wildcard brings more than notifications: its publisher takes requests at the exchange where it \
                 publishes; they are ignored, and said once"
            );
        }
        is_overheard
    }

    fn log(&self, message: &Message) {
        let payload = self.log_payloads.then(|| message.payload().as_str());
        tracing::debug!(headers = ?message.headers(), payload, "received");
    }

    /// Answers a call without a handler with the error, if it can be answered; the same for a call whose answer depended on this message.
    /// Returns whether nothing is owed any more.
    async fn answer_unwanted(&self, message: Message, failure: &Failure, epoch: &Epoch) -> bool {
        tracing::warn!(message = %shown(&message), failure = %shown(failure), "a message has no handler");
        match proxy::owed(&message, self.outbound.seal.as_deref()) {
            Ok(Some(request)) => self.answer_error(request, failure, epoch).await,
            Ok(None) => true,
            Err(forged) => {
                tracing::warn!(error = %shown(&forged), "an answer is owed to no caller");
                true
            }
        }
    }

    async fn answer_error(&self, request: Request, failure: &Failure, epoch: &Epoch) -> bool {
        if request.destination().is_none() {
            // Receivers reject a message without a source.
            tracing::warn!(request = %shown(&request), "a request without a destination is not answered");
            return true;
        }
        let ids = IdScope::new(self.ids.clone(), request.parts().message_id.clone());
        let reply = request.fail(failure).into();
        let sent = self.outbound.send(&*epoch.session, reply, &ids, SendOptions::default()).await;
        if let Err(error) = &sent {
            tracing::warn!(error = %shown(error), "an error answer was not sent");
        }
        sent.is_ok()
    }

    /// Carries out the decision on a message that was not simply handled. A copy that has to be made is confirmed before the delivery is
    /// acked.
    async fn settle(
        &self,
        delivery: Delivery,
        history: &History,
        outcome: Outcome,
        disposition: Disposition,
        due: &[SmolStr],
        epoch: &Epoch,
    ) {
        let copy = match (disposition, outcome) {
            (Disposition::Leave, _) => return,
            (Disposition::Ack, outcome) => {
                if matches!(outcome, Outcome::Expired) {
                    tracing::info!("a request expired: its asker waits no longer");
                    self.tally.expired.add_one();
                }
                return tell_of_loss(delivery.ack());
            }
            (Disposition::Discard, outcome) => {
                tracing::warn!(outcome = %shown(&outcome), "a message is dropped, as the failure policy says");
                self.tally.discarded.add_one();
                return tell_of_loss(delivery.ack());
            }
            (Disposition::Retry(delay), Outcome::Failed(failure)) => {
                let retry = CopyKind::Retry { delay, attempt: history.attempt.saturating_add(1) };
                match self.copies.make(&delivery, &retry, due, &*epoch.session).await {
                    // Without its number the next try would be the first again.
                    Err(reason) if reason.is_too_large() => {
                        CopyKind::DeadLetter { reason: "failed", failure }
                    }
                    made => return self.conclude(made, retry, delivery, due, epoch),
                }
            }
            (Disposition::DeadLetter(reason), Outcome::Hopeless(failure) | Outcome::Failed(failure)) => {
                CopyKind::DeadLetter { reason, failure }
            }
            (Disposition::DeadLetter(_) | Disposition::Retry(_), _) => {
                unreachable!("only failures are copied")
            }
        };
        if let CopyKind::DeadLetter { reason, failure } = &copy {
            tracing::warn!(reason, failure = %shown(failure), "a message is dead-lettered");
        }
        let made = self.copies.make(&delivery, &copy, due, &*epoch.session).await;
        self.conclude(made, copy, delivery, due, epoch);
    }

    /// Settles a delivery after its copy is made. While none can be made it waits beside the handlers.
    fn conclude(
        &self,
        made: Result<CopyTarget, NoCopy>,
        copy: CopyKind,
        delivery: Delivery,
        due: &[SmolStr],
        epoch: &Epoch,
    ) {
        match made {
            Ok(place) => {
                place.count(&self.tally);
                self.copies.ack(delivery);
            }
            // The broker delivers the message again, whatever became of the copy.
            Err(_) if has_ended(&*epoch.session) => {}
            Err(reason) => {
                let (copies, tally) = (self.copies.clone(), self.tally.clone());
                let held = Held { delivery, copy, due: due.to_vec(), epoch: epoch.clone(), copies, tally };
                let own = OwnTask::begin();
                tokio::spawn(async move {
                    let _own = own;
                    held.wait(reason).await;
                });
            }
        }
    }
}

/// Returns the span of one message at one hop: it contains everything that is logged meanwhile, by handlers too.
fn span_of(message: &Message, history: &History) -> tracing::Span {
    tracing::debug_span!(
        "message",
        kind = message.kind().as_str(),
        source = message.source().as_str(),
        destination = message.destination().as_str(),
        correlation_id = %shown(message.correlation_id()),
        request_id = %shown(message.request_id()),
        message_id = %shown(message.message_id()),
        attempt = history.attempt,
    )
}
