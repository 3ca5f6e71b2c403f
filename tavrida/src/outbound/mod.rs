//! Sends messages: message -> outgoing middleware -> encode -> discovery -> publication -> session.
//!
//! Replies, calls, casts and notifications are all sent through [`Outbound::send`], which returns an outcome for each.

mod emits;
mod repair;
mod seal;
mod send_error;
mod sent;

use std::convert::identity;
use std::sync::Arc;
use std::time::Duration;

use smol_str::format_smolstr;

pub(crate) use emits::Emits;
pub(crate) use repair::{OwnExchanges, Repair};
pub(crate) use seal::Seal;
pub use send_error::SendError;
pub use sent::Sent;

use crate::caught::Caught;
use crate::cold::cold;
use crate::counters::Tally;
use crate::discovery::{Discovery, DiscoveryError, Role};
use crate::envelope;
use crate::error::{Error, Kind};
use crate::id::{IdScope, Purpose};
use crate::message::{Message, MessageKind};
use crate::middleware::{self, Outgoing};
use crate::show::shown;
use crate::time::{Clock, LONGEST_TIME_TO_LIVE, Stopwatch, unix_millis};
use crate::transport::{Properties, Publication, PublishError, PublishErrorKind, Session};

/// Sends the messages of one service, or of one client.
pub(crate) struct Outbound {
    pub(crate) discovery: Arc<dyn Discovery>,
    pub(crate) emits: Emits,
    pub(crate) outgoing: Arc<[Arc<dyn Outgoing>]>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) repair: Arc<Repair>,
    /// Signs the addresses of callers that are answered later, where there is a secret.
    pub(crate) seal: Option<Arc<Seal>>,
}

/// The options of a send, beside its message.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct SendOptions {
    /// Whether a notification without a subscriber is an error.
    pub(crate) mandatory: bool,
    /// How long the message is worth to be delivered: how long its asker waits.
    pub(crate) expires_in: Option<Duration>,
    /// Whether the message need not survive a restart of the broker.
    pub(crate) transient: bool,
}

impl Outbound {
    /// Sends a message, and returns once the broker has accepted it or the error is known.
    ///
    /// Missing ids are generated here, so that middleware sees what is sent.
    pub(crate) async fn send(
        &self,
        session: &dyn Session,
        mut message: Message,
        ids: &IdScope,
        options: SendOptions,
    ) -> Result<Sent, SendError> {
        give_ids(&mut message, ids);
        if let Some(expires_in) = options.expires_in {
            self.give_deadline(&mut message, expires_in);
        }
        if !self.outgoing.is_empty() {
            message = cold(self.pass(message)).await?;
        }
        let started = Stopwatch::start();
        let outcome = match self.publication(&message, options) {
            Ok(publication) => self.repair.publish(session, publication).await,
            Err(undiscovered) => return Err(SendError::new(undiscovered.into(), message)),
        };
        let judged = self.judge(outcome, &message, options);
        tracing::debug!(
            kind = message.kind().as_str(),
            source = message.source().as_str(),
            destination = message.destination().as_str(),
            correlation_id = %shown(message.correlation_id()),
            message_id = %shown(message.message_id()),
            outcome = ?judged.as_ref().map_err(|error| shown(error).to_string()),
            elapsed = ?started,
            "sent"
        );
        judged.map_err(|error| SendError::new(error, message))
    }

    /// Says until when the asker waits, unless another that passes its request on has said so.
    fn give_deadline(&self, message: &mut Message, expires_in: Duration) {
        let milliseconds = u64::try_from(expires_in.as_millis()).unwrap_or(u64::MAX);
        let deadline = || unix_millis(self.clock.now()).saturating_add(milliseconds);
        message.parts_mut().deadline.get_or_insert_with(deadline);
    }

    /// How long the asker of a request waits, where one does and its time is not over by this clock.
    pub(crate) fn time_left(&self, request: &Message) -> Option<Duration> {
        let left = request.parts().deadline?.checked_sub(unix_millis(self.clock.now()))?;
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// Passes a message through the outgoing middleware.
    async fn pass(&self, message: Message) -> Result<Message, SendError> {
        let before = message.clone();
        let passed = Caught::new(cold(middleware::pass(&self.outgoing, message))).await;
        passed.and_then(identity).map_err(|failure| {
            let text = format!("an outgoing middleware failed: {failure}");
            SendError::new(Error::new(Kind::IncorrectOutgoingMessage, text), before)
        })
    }

    fn publication(&self, message: &Message, options: SendOptions) -> Result<Publication, DiscoveryError> {
        let mut publication = self.address(message)?;
        if let Some(expires_in) = options.expires_in.filter(|time| *time <= LONGEST_TIME_TO_LIVE) {
            let milliseconds = format_smolstr!("{}", expires_in.as_millis());
            publication.properties.expiration = milliseconds.try_into().ok();
        }
        if options.transient {
            publication.properties.delivery_mode = Some(Properties::TRANSIENT);
        }
        Ok(publication)
    }

    /// Returns the publication of a message: a reply with a queue goes there, everything else through the exchange of a service.
    fn address(&self, message: &Message) -> Result<Publication, DiscoveryError> {
        if let Some(queue) = message.reply_queue_of_reply() {
            return Ok(envelope::encode_to_queue(message, queue.clone()));
        }
        let exchange = match message.kind() {
            MessageKind::Notification => {
                self.emits.notice(message.source());
                self.discovery.find(Role::LocalPublisher, message.source().service().unwrap_or_default())?
            }
            _ => self.discovery.find(Role::Service, message.destination().service().unwrap_or_default())?,
        };
        Ok(envelope::encode(message, exchange))
    }

    fn judge(
        &self,
        outcome: Result<(), PublishError>,
        message: &Message,
        options: SendOptions,
    ) -> Result<Sent, Error> {
        let reason = match outcome {
            Ok(()) => return Ok(Sent::Routed),
            Err(unpublished) => unpublished.reason,
        };
        let kind = match &reason {
            PublishErrorKind::Unroutable if message.kind() == MessageKind::Notification => {
                self.tally.unheard.add_one();
                if !options.mandatory {
                    return Ok(Sent::Unheard);
                }
                Kind::Unroutable
            }
            PublishErrorKind::Unroutable => {
                self.tally.unroutable.add_one();
                Kind::Unroutable
            }
            PublishErrorKind::Refused(refusal) if refusal.is_of_message() => Kind::Unacceptable,
            PublishErrorKind::Nacked | PublishErrorKind::Refused(_) => Kind::Refused,
            PublishErrorKind::Ambiguous(_) => {
                self.tally.ambiguous.add_one();
                Kind::Ambiguous
            }
            PublishErrorKind::NotSent(_) => Kind::Closed,
        };
        Err(Error::new(kind, format!("the {message} was not sent: {reason}")))
    }
}

fn give_ids(message: &mut Message, ids: &IdScope) {
    if message.request_id().is_empty() {
        message.parts_mut().request_id = ids.next(Purpose::Request);
    }
    if message.message_id().is_empty() {
        message.parts_mut().message_id = ids.next(Purpose::Message);
    }
}
