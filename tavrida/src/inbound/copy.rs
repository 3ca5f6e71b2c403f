//! Copies of failed deliveries: scheduled for a retry, or dead-lettered, with their history in headers.
//!
//! A retry queue for each delay holds a copy for its time and dead-letters it back to the service queue. The delay is set on the queue, not
//! on the message: RabbitMQ expires messages at the head of a queue only, so that a long delay would block the short ones behind it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use super::Queues;
use super::bare::bare_copy;
use super::given_up::GivenUp;
use crate::counters::Tally;
use crate::envelope;
use crate::field::{ShortString, Table, Value};
use crate::message::{Failure, Message, MessageKind};
use crate::service::Target;
use crate::show::cut;
use crate::time::{Clock, unix_seconds};
use crate::transport::{
    BrokerError, ConnectionLost, Delivery, Properties, Publication, PublishErrorKind, Queue, Session,
    SessionError,
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
const ORIGIN_USER: ShortString = ShortString::from_static("x-tavrida-origin-user-id");
const DEAD_AT: ShortString = ShortString::from_static("x-tavrida-dead-at");

/// The history of a delivery.
#[derive(Debug, PartialEq)]
pub(crate) struct History {
    /// 1 at the first attempt.
    pub(crate) attempt: u32,
    /// The services that still have to handle it; `None` means all.
    due: Option<Vec<SmolStr>>,
}

impl History {
    pub(crate) fn of(properties: &Properties) -> Self {
        let headers = properties.headers();
        let attempt = headers.get(&ATTEMPT).and_then(Value::as_i64).and_then(|n| u32::try_from(n).ok());
        Self { attempt: attempt.unwrap_or(1).max(1), due: headers.get(&DUE).and_then(names) }
    }

    /// The services that a copy is for; none where it is for all.
    pub(crate) fn due(&self) -> &[SmolStr] {
        self.due.as_deref().unwrap_or_default()
    }

    /// Whether a service has to work a message. A request is for the service that answers to its address today, under any name.
    pub(crate) fn is_due(&self, message: &Message, service: &str) -> bool {
        let due = self.due.as_ref().filter(|_| message.kind() == MessageKind::Notification);
        due.is_none_or(|due| due.iter().any(|name| name == service))
    }

    /// The services that a copy is for and that are not among those that get it.
    pub(crate) fn missing(&self, message: &Message, routed: &[Target<'_>]) -> Vec<SmolStr> {
        if message.kind() != MessageKind::Notification {
            return Vec::new();
        }
        let is_here = |name: &&SmolStr| routed.iter().any(|(service, _)| service.name.as_str() == **name);
        self.due().iter().filter(|name| !is_here(name)).cloned().collect()
    }
}

/// The names of services in a header: a list, or (as older copies have them) one text with commas.
fn names(value: &Value) -> Option<Vec<SmolStr>> {
    match value {
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).map(SmolStr::from).collect()),
        value => Some(value.as_str()?.split(',').map(SmolStr::from).collect()),
    }
}

/// What a delivery that failed is to become.
#[derive(Debug)]
pub(crate) enum CopyKind {
    /// Another try after a delay.
    Retry { delay: Duration, attempt: u32 },
    /// A dead letter.
    DeadLetter { reason: &'static str, failure: Failure },
}

/// Where a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyTarget {
    /// In a retry queue.
    Waiting,
    /// In the dead-letter queue.
    Dead,
    /// At the end of the server's own queue, as nowhere else takes it.
    Own,
}

impl CopyTarget {
    /// Counts a copy that was made.
    pub(super) fn count(self, tally: &Tally) {
        match self {
            Self::Waiting => tally.retried.add_one(),
            Self::Dead => tally.dead_lettered.add_one(),
            Self::Own => {}
        }
    }
}

/// How much a copy says beside what the message is. Headers travel in one frame, which the message's own may fill: the next smaller
/// extent is then the one to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// All that is known.
    Full,
    /// The reason in a few words.
    Brief,
    /// The message alone: what went wrong is in the log.
    Bare,
    /// The reason and the message's body: for properties that the broker refuses from this user.
    Body,
}

/// The most that a copy keeps of a text, in bytes.
const LONGEST_TEXT: usize = 4096;
const BRIEF_TEXT: usize = 128;

/// Makes copies for one service queue.
pub(crate) struct Copies {
    queues: Queues,
    clock: Arc<dyn Clock>,
    pub(crate) given_up: GivenUp,
}

impl Copies {
    pub(crate) fn new(queues: Queues, clock: Arc<dyn Clock>) -> Self {
        Self { queues, clock, given_up: GivenUp::default() }
    }

    /// The name of the server's own queue.
    pub(crate) fn queue_name(&self) -> &str {
        &self.queues.name
    }

    pub(super) fn own_queue(&self) -> Result<Queue, NoCopy> {
        self.queues.service().map_err(NoCopy::Name)
    }

    /// Whether the broker itself keeps a rejected message as a dead letter.
    pub(crate) fn broker_dead_letters(&self) -> bool {
        matches!(self.queues.own, super::QueueType::Quorum { .. })
    }

    /// Makes a copy and waits until the broker has it. `due` names the services that still have to work the message; none means all.
    ///
    /// The copy of a message that fits into a frame fits too: it says less where there is no room.
    pub(crate) async fn make(
        &self,
        delivery: &Delivery,
        copy: &CopyKind,
        due: &[SmolStr],
        session: &dyn Session,
    ) -> Result<CopyTarget, NoCopy> {
        match copy {
            CopyKind::Retry { delay, attempt } => {
                let mut retry = bare_copy(delivery, None);
                let headers = retry.properties.headers.get_or_insert_default();
                add_history(headers, *attempt, due);
                let queue = self.queues.waiting(*delay).map_err(NoCopy::Name)?;
                place(retry, queue, session).await.map(|()| CopyTarget::Waiting)
            }
            CopyKind::DeadLetter { reason, failure } => {
                let mut extent = Extent::Full;
                loop {
                    let letter = self.dead_letter(delivery, extent, reason, failure, due);
                    let queue = self.queues.dead_letters().map_err(NoCopy::Name)?;
                    let Err(no_copy) = place(letter, queue, session).await else {
                        return Ok(CopyTarget::Dead);
                    };
                    let Some(smaller) = extent.after(&no_copy) else {
                        return self.begin_again(delivery, &no_copy, session).await.ok_or(no_copy);
                    };
                    extent = smaller;
                }
            }
        }
    }

    /// The dead letter of a delivery, with why and where from.
    fn dead_letter(
        &self,
        delivery: &Delivery,
        extent: Extent,
        reason: &str,
        failure: &Failure,
        due: &[SmolStr],
    ) -> Publication {
        let mut letter = match extent {
            Extent::Body => body_copy(delivery),
            _ => bare_copy(delivery, (extent == Extent::Full).then_some(ORIGIN_USER)),
        };
        if extent == Extent::Bare {
            return letter;
        }
        let text = if extent == Extent::Full { LONGEST_TEXT } else { BRIEF_TEXT };
        let headers = letter.properties.headers.get_or_insert_default();
        add_history(headers, History::of(delivery.properties()).attempt, due);
        headers.insert(REASON, reason);
        headers.insert(ERROR_CLASS, &*cut(failure.class(), text));
        headers.insert(ERROR_MESSAGE, &*cut(failure.message(), text));
        headers.insert(ERROR_CODE, failure.code());
        if extent == Extent::Full {
            let origin = delivery.publication();
            headers.insert(ORIGIN_QUEUE, self.queues.name.clone());
            headers.insert(ORIGIN_EXCHANGE, origin.exchange.clone());
            headers.insert(ORIGIN_KEY, origin.routing_key.clone());
            headers.insert(DEAD_AT, Value::Timestamp(unix_seconds(self.clock.now())));
        }
        letter
    }

    /// Requeues up to `most` dead letters to the service queue as new messages, oldest first. Returns the count.
    pub(crate) async fn send_back(&self, most: usize, session: &dyn Session) -> Result<usize, NoCopy> {
        let dead = self.queues.dead_letters().map_err(NoCopy::Name)?;
        for sent in 0..most {
            let Some(fetched) = session.get(&dead.name).await.map_err(NoCopy::Session)? else {
                return Ok(sent);
            };
            let mut copy = bare_copy(&fetched.delivery, None);
            let headers = copy.properties.headers.get_or_insert_default();
            // An operator requeues it to have it handled, though its asker has left long ago.
            headers.remove(envelope::DEADLINE);
            if let Some(due) = fetched.delivery.properties().headers().get(&DUE) {
                headers.insert(DUE, due.clone());
            }
            place(copy, self.own_queue()?, session).await?;
            fetched.delivery.ack().map_err(NoCopy::Lost)?;
        }
        Ok(most)
    }
}

impl Extent {
    /// The next extent to try after the broker, or the transport, refused this one for what it is.
    fn after(self, no_copy: &NoCopy) -> Option<Self> {
        match (self, no_copy.refusal()?.code) {
            (Self::Full, FRAME_ERROR) => Some(Self::Brief),
            (Self::Brief, FRAME_ERROR) => Some(Self::Bare),
            (Self::Body, _) => None,
            (_, FRAME_ERROR | PRECONDITION_FAILED) => Some(Self::Body),
            _ => None,
        }
    }
}

/// The code of what does not fit into a frame.
const FRAME_ERROR: u16 = 501;

/// The code of properties that the broker does not take.
const PRECONDITION_FAILED: u16 = 406;

pub(super) fn add_history(headers: &mut Table, attempt: u32, due: &[SmolStr]) {
    headers.insert(ATTEMPT, i32::try_from(attempt).unwrap_or(i32::MAX));
    if !due.is_empty() {
        headers.insert(DUE, Value::Array(due.iter().cloned().map(Value::from).collect()));
    }
}

/// The body of a message, without properties and headers.
fn body_copy(delivery: &Delivery) -> Publication {
    let mut copy = Publication::new(ShortString::default(), ShortString::default(), delivery.body().clone());
    copy.properties.delivery_mode = Some(Properties::PERSISTENT);
    copy
}

/// Publishes a copy directly to a queue; a missing queue is declared again, once.
pub(super) async fn place(mut copy: Publication, queue: Queue, session: &dyn Session) -> Result<(), NoCopy> {
    copy.exchange = ShortString::default();
    copy.routing_key = queue.name.clone();
    let unpublished = match session.publish(copy).await {
        Ok(()) => return Ok(()),
        Err(unpublished) => unpublished,
    };
    if unpublished.reason != PublishErrorKind::Unroutable {
        return Err(NoCopy::Publish(unpublished.reason));
    }
    session.admin().declare_queue(&queue).await.map_err(NoCopy::Session)?;
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
    /// The broker's words, where it refused.
    pub(crate) fn refusal(&self) -> Option<&BrokerError> {
        match self {
            Self::Publish(PublishErrorKind::Refused(refusal))
            | Self::Session(SessionError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same copy will be refused again.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(self, Self::Name(_)) || self.refusal().is_some()
    }

    /// Whether a copy with fewer headers might fit.
    pub(crate) fn is_too_large(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == FRAME_ERROR)
    }

    /// Whether the publish was lost, with its session or without.
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
    use crate::message::Addresses;

    fn event() -> Message {
        Message::new(MessageKind::Notification, "chain".into(), Addresses::default())
    }

    #[test]
    fn the_first_try_has_no_history() {
        let history = History::of(&Properties::default());
        assert_eq!(history.attempt, 1);
        assert!(history.is_due(&event(), "anybody"));
    }

    #[test]
    fn a_retry_copy_names_the_try_and_the_services_still_due() {
        let headers = Table::new().with(ATTEMPT, 3).with(DUE, "audit,billing");
        let history = History::of(&Properties { headers: Some(headers), ..Properties::default() });
        assert_eq!(history.attempt, 3);
        assert!(history.is_due(&event(), "billing") && !history.is_due(&event(), "orders"));
    }
}
