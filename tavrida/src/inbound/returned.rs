//! Messages that came back to their queue again and again: dead-lettered before the broker drops them.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::bare::bare_copy;
use super::copy::{Copies, CopyKind, CopyTarget, History, NoCopy, add_history, place};
use super::given_up::{Progress, RETURNS, has_begun_again};
use super::late::tell_of_loss;
use super::parts::{Arrived, Inbound};
use crate::caught::Caught;
use crate::disposition::{Disposition, Outcome};
use crate::envelope;
use crate::field::Value;
use crate::message::Failure;
use crate::show::shown;
use crate::transport::{ConnectionLost, Delivery, Session};

/// After how many returns a message is given up. RabbitMQ 4 drops it at the next one after 20, from a quorum queue that has neither a limit
/// nor a dead-letter exchange: such is the server's queue, declared without arguments, where quorum is the default type.
const MOST_RETURNS: i64 = 15;

/// The pause between two attempts to copy what must be copied before anything is consumed.
const PAUSE: Duration = Duration::from_secs(1);

impl Copies {
    /// How often the broker has taken this delivery back, if that is too often and its queue does not dead-letter it itself.
    fn returns(&self, delivery: &Delivery) -> Option<i64> {
        // A count that a client made up is delivered too, but not marked at first; once marked, it ends its own message early.
        if self.broker_dead_letters() || !delivery.redelivered() {
            return None;
        }
        let count = delivery.properties().headers().get("x-delivery-count").and_then(Value::as_i64)?;
        self.warn_of_default_type();
        (count >= MOST_RETURNS).then_some(count)
    }

    /// Warns once of a quorum queue that nobody asked for: only such a queue counts. Asking the broker for the type at the start would close a
    /// channel, which lapin and RabbitMQ log as an error.
    fn warn_of_default_type(&self) {
        if !self.given_up.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                queue = self.queue_name(),
                "the queue is a quorum queue, as its virtual host's default queue type: RabbitMQ 4 drops a message that comes back more \
                 than 20 times. This server dead-letters it in time; other consumers need a policy with a dead-letter-exchange"
            );
        }
    }

    fn failure(&self, returns: i64) -> Failure {
        let text = format!(
            "the message came back {returns} times to the queue '{}': its process ended, its session was lost, or it was requeued",
            self.queue_name()
        );
        Failure::new("tavrida.ReturnedTooOften", text).permanent()
    }

    /// Puts a copy of a message that came back too often at the end of its queue, where the broker counts its returns from 0: while the
    /// dead-letter queue takes nothing, the message would be dropped otherwise. `None` if the message is in no such danger.
    pub(super) async fn begin_again(
        &self,
        delivery: &Delivery,
        refused: &NoCopy,
        session: &dyn Session,
    ) -> Option<CopyTarget> {
        let returns = self.returns(delivery).filter(|_| !refused.is_lost())?;
        let mut copy = bare_copy(delivery, None);
        let headers = copy.properties.headers.get_or_insert_default();
        let history = History::of(delivery.properties());
        add_history(headers, history.attempt, history.due());
        headers.insert(RETURNS, returns);
        let placed = place(copy, self.own_queue().ok()?, session).await;
        let reason = shown(refused);
        match &placed {
            Ok(()) => {
                tracing::error!(%reason, returns, "no dead letter can be made: the message begins again in its queue")
            }
            Err(error) => {
                tracing::error!(%reason, error = %shown(error), returns, "neither a dead letter nor a new beginning")
            }
        }
        placed.ok().map(|()| CopyTarget::Own)
    }

    /// Acknowledges a delivery whose copy is confirmed.
    pub(super) fn ack(&self, delivery: Delivery) {
        let message = delivery.publication().clone();
        let acked = delivery.ack();
        self.given_up.end(&message, acked.is_ok());
        tell_of_loss(acked);
    }
}

impl Inbound {
    /// How often a message has come back, if that is too often and its queue does not dead-letter it itself.
    pub(crate) fn returned_too_often(&self, delivery: &Delivery) -> Option<i64> {
        self.copies.returns(delivery).or_else(|| has_begun_again(delivery))
    }

    /// Answers who waits for a message that came back too often, and dead-letters it. It needs no slot: no handler runs.
    ///
    /// The answer precedes the copy, as with every failure: a caller does not wait for a dead-letter queue.
    pub(crate) async fn give_up(&self, arrived: Arrived, returns: i64) {
        let _counted = self.tally.in_flight.during();
        let Arrived { delivery, epoch, .. } = arrived;
        let failure = self.copies.failure(returns);
        tracing::error!(failure = %shown(&failure), "a message is given up");
        let done = match self.copies.returns(&delivery) {
            Some(returns) => self.copies.given_up.begin(&delivery, returns),
            // It has begun again, after it was answered, and is in no danger.
            None => Progress { answered: true, copied: false },
        };
        if !done.answered
            && let Ok(message) = envelope::decode(delivery.publication())
        {
            // What panics here is users' code on the way out: the error cannot be sent then.
            let answered = Caught::new(pin!(self.answer_unwanted(message, &failure, &epoch))).await;
            let answered = answered.unwrap_or(false);
            self.copies.given_up.change(delivery.publication(), |progress| progress.answered = answered);
        }
        if done.copied {
            return self.copies.ack(delivery);
        }
        let history = History::of(delivery.properties());
        let disposition = Disposition::DeadLetter("returned");
        self.settle(delivery, &history, Outcome::Hopeless(failure), disposition, history.due(), &epoch).await;
    }

    /// Copies the given-up messages of earlier sessions that have no copy yet. Nothing is consumed until that is done: each delivery of
    /// such a message may be its last.
    pub(crate) async fn copy_given_up(&self, session: &dyn Session) -> Result<(), ConnectionLost> {
        self.copies.given_up.next_session();
        let mut tried = 0_u32;
        while let Some((delivery, returns)) = self.copies.given_up.first_without_copy() {
            let history = History::of(delivery.properties());
            let copy = CopyKind::DeadLetter { reason: "returned", failure: self.copies.failure(returns) };
            match self.copies.make(&delivery, &copy, history.due(), session).await {
                Ok(place) => {
                    place.count(&self.tally);
                    self.copies.given_up.end(delivery.publication(), false);
                }
                Err(reason) => {
                    tried += 1;
                    if tried.is_power_of_two() {
                        let (reason, queue) = (shown(&reason), self.copies.queue_name());
                        tracing::error!(%reason, queue, returns, tried, "nothing is consumed until a message is dead-lettered");
                    }
                    tokio::select! {
                        biased;
                        loss = session.closed() => return Err(loss),
                        () = sleep(PAUSE) => {}
                    }
                }
            }
        }
        Ok(())
    }
}
