//! Copies of failed deliveries: scheduled for a retry, or dead-lettered, with their history in headers.
//!
//! A retry queue for each delay holds a copy for its time and dead-letters it back to the service queue. The delay is set on the queue, not
//! on the message: RabbitMQ expires messages at the head of a queue only, so that a long delay would block the short ones behind it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Queues;
use crate::envelope;
use crate::field::{ShortString, Value};
use crate::message::Failure;
use crate::time::{Clock, unix_seconds};
use crate::transport::{
    ConnectionLost, Delivery, Properties, Publication, PublishErrorKind, Queue, Session, SessionError,
};

const ATTEMPT: ShortString = ShortString::from_static("x-tavrida-attempt");
const DUE: ShortString = ShortString::from_static("x-tavrida-due");
const REASON: ShortString = ShortString::from_static("x-tavrida-reason");
const ERROR_CLASS: ShortString = ShortString::from_static("x-tavrida-error-class");
const ERROR_MESSAGE: ShortString = ShortString::from_static("x-tavrida-error-message");
const ERROR_CODE: ShortString = ShortString::from_static("x-tavrida-error-code");
const ORIGIN_QUEUE: ShortString = ShortString::from_static("x-tavrida-origin-queue");
const ORIGIN_EXCHANGE: ShortString = ShortString::from_static("x-tavrida-origin-exchange");
const ORIGIN_KEY: ShortString = ShortString::from_static("x-tavrida-origin-routing-key");
const DEAD_AT: ShortString = ShortString::from_static("x-tavrida-dead-at");

/// The history of a delivery.
#[derive(Debug, PartialEq)]
pub(crate) struct History {
    /// 1 at the first attempt.
    pub(crate) attempt: u32,
    /// The services that still have to handle it; `None` means all.
    due: Option<Vec<String>>,
}

impl History {
    pub(crate) fn of(properties: &Properties) -> Self {
        let headers = properties.headers();
        let attempt = headers.get(&ATTEMPT).and_then(Value::as_i64).and_then(|n| u32::try_from(n).ok());
        let due = headers.get(&DUE).and_then(Value::as_str);
        Self {
            attempt: attempt.unwrap_or(1).max(1),
            due: due.map(|services| services.split(',').map(str::to_owned).collect()),
        }
    }

    pub(crate) fn is_due(&self, service: &str) -> bool {
        self.due.as_ref().is_none_or(|due| due.iter().any(|name| name == service))
    }
}

/// Makes copies for one service queue.
pub(crate) struct Copies {
    queues: Queues,
    clock: Arc<dyn Clock>,
}

impl Copies {
    pub(crate) fn new(queues: Queues, clock: Arc<dyn Clock>) -> Self {
        Self { queues, clock }
    }

    /// Publishes a copy to the retry queue of this delay.
    pub(crate) async fn put_off(
        &self,
        delivery: &Delivery,
        delay: Duration,
        attempt: u32,
        due: &[String],
        session: &dyn Session,
    ) -> Result<(), NoCopy> {
        let mut copy = bare_copy(delivery);
        let headers = copy.properties.headers.get_or_insert_default();
        headers.insert(ATTEMPT, i32::try_from(attempt).unwrap_or(i32::MAX));
        if !due.is_empty() {
            headers.insert(DUE, due.join(","));
        }
        let queue = self.queues.waiting(delay).map_err(NoCopy::Name)?;
        place(copy, queue, session).await
    }

    /// Publishes a copy to the dead-letter queue, with the reason and the origin.
    pub(crate) async fn dead_letter(
        &self,
        delivery: &Delivery,
        reason: &str,
        failure: &Failure,
        due: &[String],
        session: &dyn Session,
    ) -> Result<(), NoCopy> {
        let mut copy = bare_copy(delivery);
        let headers = copy.properties.headers.get_or_insert_default();
        if !due.is_empty() {
            headers.insert(DUE, due.join(","));
        }
        let origin = delivery.publication();
        headers
            .insert(ATTEMPT, i32::try_from(History::of(delivery.properties()).attempt).unwrap_or(i32::MAX));
        headers.insert(REASON, reason);
        headers.insert(ERROR_CLASS, failure.class());
        headers.insert(ERROR_MESSAGE, failure.message());
        headers.insert(ERROR_CODE, failure.code());
        headers.insert(ORIGIN_QUEUE, self.queues.name.clone());
        headers.insert(ORIGIN_EXCHANGE, origin.exchange.clone());
        headers.insert(ORIGIN_KEY, origin.routing_key.clone());
        headers.insert(DEAD_AT, Value::Timestamp(unix_seconds(self.clock.now())));
        let queue = self.queues.dead_letters().map_err(NoCopy::Name)?;
        place(copy, queue, session).await
    }

    /// Requeues up to `most` dead letters to the service queue as new messages, oldest first. Returns the count.
    pub(crate) async fn send_back(&self, most: usize, session: &dyn Session) -> Result<usize, NoCopy> {
        let dead = self.queues.dead_letters().map_err(NoCopy::Name)?;
        for sent in 0..most {
            let Some(fetched) = session.get(&dead.name).await.map_err(NoCopy::Session)? else {
                return Ok(sent);
            };
            let mut copy = bare_copy(&fetched.delivery);
            if let Some(due) = fetched.delivery.properties().headers().get(&DUE) {
                copy.properties.headers.get_or_insert_default().insert(DUE, due.clone());
            }
            place(copy, self.queues.service().map_err(NoCopy::Name)?, session).await?;
            fetched.delivery.ack().map_err(NoCopy::Lost)?;
        }
        Ok(most)
    }
}

/// Returns the same message without the headers of retries and brokers.
///
/// `x-death` must be removed: RabbitMQ silently drops a message in a dead-letter cycle. An expiration would expire the copy early, and CC
/// would multiply it.
fn bare_copy(delivery: &Delivery) -> Publication {
    let mut copy = Publication::clone(delivery.publication());
    copy.properties.expiration = None;
    copy.mandatory = true;
    if let Some(headers) = &mut copy.properties.headers {
        headers.retain(|name, _| !envelope::is_added_to_copies(name));
    }
    copy
}

/// Publishes a copy directly to a queue; a missing queue is declared again, once.
async fn place(mut copy: Publication, queue: Queue, session: &dyn Session) -> Result<(), NoCopy> {
    copy.exchange = ShortString::default();
    copy.routing_key = queue.name.clone();
    let unpublished = match session.publish(copy).await {
        Ok(()) => return Ok(()),
        Err(unpublished) => unpublished,
    };
    if unpublished.reason != PublishErrorKind::Unroutable {
        return Err(NoCopy::Publish(unpublished.reason));
    }
    session.declare_queue(&queue).await.map_err(NoCopy::Session)?;
    session.publish(*unpublished.publication).await.map_err(|unpublished| NoCopy::Publish(unpublished.reason))
}

/// Why no copy could be made.
#[derive(Debug)]
pub(crate) enum NoCopy {
    Name(crate::field::TooLongError),
    Publish(PublishErrorKind),
    Session(SessionError),
    Lost(ConnectionLost),
}

impl NoCopy {
    /// Returns whether the session has ended.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Publish(PublishErrorKind::Ambiguous(_) | PublishErrorKind::NotSent(_))
                | Self::Session(SessionError::Lost(_))
                | Self::Lost(_)
        )
    }
}

impl fmt::Display for NoCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Publish(reason) => reason.fmt(f),
            Self::Session(error) => error.fmt(f),
            Self::Lost(loss) => loss.fmt(f),
        }
    }
}

impl std::error::Error for NoCopy {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Table;

    #[test]
    fn the_first_try_has_no_history() {
        let history = History::of(&Properties::default());
        assert_eq!(history.attempt, 1);
        assert!(history.is_due("anybody"));
    }

    #[test]
    fn a_retry_copy_names_the_try_and_the_services_still_due() {
        let headers = Table::new().with(ATTEMPT, 3).with(DUE, "audit,billing");
        let history = History::of(&Properties { headers: Some(headers), ..Properties::default() });
        assert_eq!(history.attempt, 3);
        assert!(history.is_due("billing") && !history.is_due("orders"));
    }
}
