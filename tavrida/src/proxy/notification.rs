//! [`NotificationBuilder`]: builds a notification to all subscribers.

use serde::Serialize;

use super::Sender;
use super::draft::Draft;
use crate::contract::{self, Event};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::error::{Error, Kind};
use crate::field::{ShortString, Value};
use crate::message::{Addresses, CorrelationId, MessageKind, Payload, ReservedHeaderError};
use crate::outbound::{SendError, SendOptions, Sent};

/// A notification that is being built. See [`Proxy::publish`](crate::Proxy::publish).
#[must_use = "nothing is sent before `send`"]
pub struct NotificationBuilder {
    draft: Draft,
    options: SendOptions,
}

impl NotificationBuilder {
    pub(crate) fn new(sender: Sender) -> Self {
        Self { draft: Draft::new(sender), options: SendOptions::default() }
    }

    /// Returns the notification of a contract.
    pub(crate) fn of<E: Event>(sender: Sender, event: &E) -> Self {
        let mut builder = Self::new(sender);
        builder.draft.source = builder.draft.keep(contract::topic::<E>());
        if let Some(payload) = builder.draft.keep(event.to_payload()) {
            builder.draft.payload(payload);
        }
        builder
    }

    /// Adds one parameter, by name.
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        self.draft.param(name, &value);
        self
    }

    /// Sets all parameters: a value that serialises to an object.
    pub fn params(mut self, params: &(impl Serialize + ?Sized)) -> Self {
        self.draft.params(params);
        self
    }

    /// Sets all parameters, as they came with another message.
    pub fn payload(mut self, payload: Payload) -> Self {
        self.draft.payload(payload);
        self
    }

    /// Sets the topic `<own service>.<event>`, instead of the handler's own entry point. Needed if that has no method, as in response,
    /// error and subscription handlers.
    pub fn event(mut self, event: &str) -> Self {
        let own = self.draft.sender.source().clone();
        let topic = EntryPoint::new(own.service().unwrap_or_default(), event);
        self.draft.source = self.draft.keep(topic);
        self
    }

    /// Sets another topic, `service.event`; the discovery must know where that service publishes.
    pub fn topic(mut self, topic: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>) -> Self {
        self.draft.source = self.draft.keep(topic.try_into().map_err(Into::into));
        self
    }

    /// Sets another correlation id than the chain's.
    pub fn correlation_id(mut self, correlation_id: impl Into<CorrelationId>) -> Self {
        self.draft.correlation_id = Some(correlation_id.into());
        self
    }

    /// Sets another context than the chain's: a value that serialises to an object.
    pub fn context(mut self, context: &(impl Serialize + ?Sized)) -> Self {
        self.draft.context(context);
        self
    }

    /// Adds a custom header to this notification, over those of the proxy.
    pub fn header(
        mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Self {
        self.draft.header(name, value);
        self
    }

    /// Makes it an error if there is no subscriber.
    pub fn mandatory(mut self) -> Self {
        self.options.mandatory = true;
        self
    }

    /// Sends it. Having no subscriber is not an error; it returns [`Sent::Unheard`].
    ///
    /// # Errors
    ///
    /// [`SendError`]: undiscovered, refused, ambiguous; unroutable if it is [mandatory](NotificationBuilder::mandatory); or an invalid
    /// message, such as a topic without an event, which cannot be subscribed to. The error returns the message.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, it sends nothing; later, the message may be sent.
    pub async fn send(self) -> Result<Sent, SendError> {
        let source = self.draft.source_or_own();
        let sender = self.draft.sender.clone();
        let speaks = source.method().is_some();
        let topic = source.to_string();
        let (message, flaw) =
            self.draft.message(MessageKind::Notification, Addresses { source, ..Addresses::default() });
        let flaw = flaw.or_else(|| (!speaks).then(|| no_topic(&topic)));
        match flaw {
            Some(flaw) => Err(SendError::new(flaw, message)),
            None => sender.send(message, self.options).await,
        }
    }
}

fn no_topic(source: &str) -> Error {
    let text = format!(
        "a notification from '{source}' has no topic that anybody can subscribe to: name an event, `.event(\"created\")`, or a \
         topic, `.topic(\"{source}.created\")`"
    );
    Error::new(Kind::FieldMustFullyDefined, text)
}
