//! Messages that came back to their queue again and again: dead-lettered before the broker drops them.

use std::pin::pin;

use super::{Arrived, Desk, History};
use crate::caught::Caught;
use crate::disposition::{Disposition, Outcome};
use crate::envelope;
use crate::field::Value;
use crate::message::Failure;
use crate::show::shown;
use crate::transport::Delivery;

/// After how many returns a message is given up. RabbitMQ 4 drops it at the next one after 20, from a quorum queue that has neither a limit
/// nor a dead-letter exchange: such is the server's queue, declared without arguments, where quorum is the default type.
const MOST_RETURNS: i64 = 15;

impl Desk {
    /// How often a message has come back, if that is too often and its queue does not dead-letter it itself.
    pub(crate) fn returned_too_often(&self, delivery: &Delivery) -> Option<i64> {
        // A count that a client made up is delivered too, but not marked.
        if self.copies.broker_dead_letters() || !delivery.redelivered() {
            return None;
        }
        let count = delivery.properties().headers().get("x-delivery-count").and_then(Value::as_i64)?;
        (count >= MOST_RETURNS).then_some(count)
    }

    /// Dead-letters a message that came back too often, and answers who waits for it. It needs no slot: no handler runs.
    pub(crate) async fn give_up(&self, arrived: Arrived, returns: i64) {
        let _counted = self.tally.in_flight.during();
        let Arrived { delivery, epoch, .. } = arrived;
        let text = format!(
            "the message came back {returns} times to the queue '{}': its process ended, its session was lost, or it was requeued",
            self.copies.queue_name()
        );
        let failure = Failure::new("tavrida.ReturnedTooOften", text).permanent();
        tracing::error!(failure = %shown(&failure), "a message is given up");
        if let Ok(message) = envelope::decode(delivery.publication()) {
            // What panics here is users' code on the way out: the error cannot be sent then.
            drop(Caught::new(pin!(self.answer_unwanted(message, &failure, &epoch))).await);
        }
        let history = History::of(delivery.properties());
        let disposition = Disposition::DeadLetter("returned");
        self.settle(delivery, &history, Outcome::Hopeless(failure), disposition, history.due(), &epoch).await;
    }
}
