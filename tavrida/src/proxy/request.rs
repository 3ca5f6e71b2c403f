//! [`RequestBuilder`]: call, cast, transfer, ask.

use std::marker::PhantomData;

use serde::Serialize;

use super::Sender;
use super::draft::Draft;
use crate::contract::{self, Rpc};
use crate::entry_point::{EntryPoint, EntryPointError};
use crate::field::{ShortString, Table, Value};
use crate::json::Object;
use crate::message::{Addresses, CorrelationId, Message, MessageKind, Payload, ReservedHeaderError};
use crate::outbound::{SendError, SendOptions, Sent};

/// The contract of a request or a [`Responder`](super::Responder) that has none: any value that serialises to an object is its payload.
#[derive(Debug, Clone, Copy)]
pub enum Untyped {}

/// A request that is being built. See [`Proxy::to`](crate::Proxy::to) and, for a [contract](crate::contract) `C`,
/// [`Proxy::request`](crate::Proxy::request).
#[must_use = "nothing is sent before `call`, `cast`, `transfer` or `ask`"]
pub struct RequestBuilder<C = Untyped> {
    draft: Draft,
    destination: EntryPoint,
    reply_to: Option<EntryPoint>,
    answer_to_caller: bool,
    contract: PhantomData<fn() -> C>,
}

impl RequestBuilder {
    pub(crate) fn new(sender: Sender, destination: Result<EntryPoint, EntryPointError>) -> Self {
        let mut draft = Draft::new(sender);
        let destination = draft.keep(destination).unwrap_or_default();
        Self { draft, destination, reply_to: None, answer_to_caller: false, contract: PhantomData }
    }

    /// Adds one parameter, by name. It replaces an equal name in [`params`](RequestBuilder::params).
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
}

impl<C: Rpc> RequestBuilder<C> {
    /// Returns the request of a contract.
    pub(crate) fn of(sender: Sender, request: &C) -> Self {
        let mut builder = RequestBuilder::new(sender, contract::entry_point::<C>());
        if let Some(payload) = builder.draft.keep(request.to_payload()) {
            builder.draft.payload(payload);
        }
        builder.retyped()
    }
}

impl<C> RequestBuilder<C> {
    /// Returns the same request as one of another contract.
    pub(crate) fn retyped<D>(self) -> RequestBuilder<D> {
        let Self { draft, destination, reply_to, answer_to_caller, .. } = self;
        RequestBuilder { draft, destination, reply_to, answer_to_caller, contract: PhantomData }
    }

    pub(super) fn draft(&mut self) -> &mut Draft {
        &mut self.draft
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

    /// Sets another sender's name.
    pub fn source(mut self, source: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>) -> Self {
        self.draft.source = self.draft.keep(source.try_into().map_err(Into::into));
        self
    }

    /// Adds a custom header to this request, over those of the proxy.
    pub fn header(
        mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Self {
        self.draft.header(name, value);
        self
    }

    /// Sets where the answer of a [`call`](RequestBuilder::call) or [`transfer`](RequestBuilder::transfer) goes, if not to this service.
    pub fn reply_to(
        mut self,
        reply_to: impl TryInto<EntryPoint, Error = impl Into<EntryPointError>>,
    ) -> Self {
        self.reply_to = self.draft.keep(reply_to.try_into().map_err(Into::into));
        self
    }

    /// Makes a [`transfer`](RequestBuilder::transfer) send the answer to the original caller, which can pair it: the answer keeps the
    /// request id.
    pub fn answer_to_caller(mut self) -> Self {
        self.answer_to_caller = true;
        self
    }

    /// Sends a call: the answer goes to the response or error handler of the sending service.
    ///
    /// # Errors
    ///
    /// [`SendError`]: undiscovered, unroutable, refused, ambiguous; or an invalid message. The error returns the message.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, it sends nothing; later, the message may be sent.
    pub async fn call(self) -> Result<Sent, SendError> {
        let source = self.draft.source_or_own();
        let reply_to = self.reply_to.clone().unwrap_or_else(|| source.to_service());
        self.send(Addresses { source, reply_to, ..Addresses::default() }, None).await
    }

    /// Sends a cast, which is not answered.
    ///
    /// # Errors
    ///
    /// As [`call`](RequestBuilder::call).
    ///
    /// # Cancel safety
    ///
    /// As [`call`](RequestBuilder::call).
    pub async fn cast(self) -> Result<Sent, SendError> {
        let source = self.draft.source_or_own();
        self.send(Addresses { source, ..Addresses::default() }, None).await
    }

    /// Transfers a request to another service: a call that keeps the request's correlation id, payload (unless parameters are given here)
    /// and context (the request's keys win over a context given here).
    ///
    /// As in the original, the answer goes to the transferring service; with [`answer_to_caller`](RequestBuilder::answer_to_caller) it goes
    /// to the original caller.
    ///
    /// # Errors
    ///
    /// As [`call`](RequestBuilder::call).
    ///
    /// # Cancel safety
    ///
    /// As [`call`](RequestBuilder::call).
    pub async fn transfer(mut self, request: &Message) -> Result<Sent, SendError> {
        let given = self.draft.context.take().unwrap_or(Object::EMPTY);
        self.draft.context = Some(given.merged([&request.context().object()]));
        self.draft.correlation_id.get_or_insert_with(|| request.correlation_id().clone());
        if !self.draft.has_payload() {
            self.draft.payload(request.payload().clone());
        }
        let own = self.draft.source_or_own();
        if !self.answer_to_caller {
            let reply_to = self.reply_to.clone().unwrap_or_else(|| own.to_service());
            return self.send(Addresses { source: own, reply_to, ..Addresses::default() }, None).await;
        }
        let addresses = Addresses {
            source: request.source().clone(),
            reply_to: request.reply_to().clone(),
            reply_queue: request.parts().addresses.reply_queue.clone(),
            destination: EntryPoint::NONE,
        };
        let sender = self.draft.sender.clone();
        let sent = self.send(addresses, Some(request)).await?;
        sender.responder_state().mark_transferred();
        Ok(sent)
    }

    /// Adds what the answer is to bring back.
    pub(super) fn bringing(mut self, later: Result<Table, crate::Error>) -> Self {
        if let Some(later) = self.draft.keep(later) {
            self.draft.later(later);
        }
        self
    }

    async fn send(self, addresses: Addresses, paired_with: Option<&Message>) -> Result<Sent, SendError> {
        let sender = self.draft.sender.clone();
        let (mut message, flaw) = self.into_message(addresses);
        if let Some(flaw) = flaw {
            return Err(SendError::new(flaw, message));
        }
        let mut options = SendOptions::default();
        if let Some(request) = paired_with {
            let parts = message.parts_mut();
            parts.request_id = request.parts().request_id.clone();
            parts.deadline = request.parts().deadline;
            parts.headers.echo(request.headers());
            options.expires_in = sender.time_left(request);
        }
        sender.send(message, options).await
    }

    pub(crate) fn destination(&self) -> &EntryPoint {
        &self.destination
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.draft.sender
    }

    pub(crate) fn source_or_own(&self) -> EntryPoint {
        self.draft.source_or_own()
    }

    pub(crate) fn into_message(self, addresses: Addresses) -> (Message, Option<crate::Error>) {
        let addresses = Addresses { destination: self.destination, ..addresses };
        self.draft.message(MessageKind::Request, addresses)
    }
}
