//! [`Responder`]: a handle for answering a call later.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use super::responder_state::ReplyState;
use super::typed::recognised;
use super::{Proxy, RequestBuilder, Sender, Untyped, later};
use crate::contract::{self, Rpc, Wire};
use crate::error::{Error, Kind};
use crate::field::Table;
use crate::message::{Failure, IntoFailure, Message, Payload, Request};
use crate::outbound::SendError;

/// A handle for answering a call [now](Responder::answer), or after [other services have answered](super::RequestBuilder::call_with) calls
/// of this handler.
///
/// A handler of a call that takes it returns [`Answered`] or a `Result` of it; one without a contract may also return nothing. To answer later, it sends the responder with another call; the
/// handler of that call's answer takes it again, and answers the first caller, or sends it on again. `C` is the [contract](crate::contract)
/// to answer, and `S` a small state of the handler that is [sent with it](Responder::keeping).
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tavrida::contract::{NoError, CallError, Rpc};
/// # use tavrida::prelude::{Proxy, Result, Service};
/// # #[derive(Serialize, Deserialize)] struct Charge { order: u64, cents: u64 }
/// # #[derive(Serialize, Deserialize)] struct Receipt { number: String }
/// # impl Rpc for Charge { const ENTRY_POINT: &'static str = "billing.charge"; type Reply = Receipt; type Error = NoError; }
/// # #[derive(Serialize, Deserialize)] struct Create { id: u64, cents: u64 }
/// # #[derive(Serialize, Deserialize)] struct Created { id: u64, receipt: String }
/// # impl Rpc for Create { const ENTRY_POINT: &'static str = "orders.create"; type Reply = Created; type Error = NoError; }
/// use tavrida::proxy::{Answer, Answered, Responder};
///
/// async fn create(reply: Responder<Create>, proxy: Proxy, new: Create) -> Result<Answered> {
///     let charge = Charge { order: new.id, cents: new.cents };
///     Ok(proxy.request(charge).call_with(reply.keeping(new.id)).await?) // this handler ends; no task waits
/// }
///
/// async fn charged(reply: Responder<Create, u64>, receipt: Answer<Charge>) {
///     let id = *reply.state();
///     reply.answer(Created { id, receipt: receipt.reply.number });
/// }
///
/// async fn not_charged(reply: Responder<Create, u64>, error: CallError<Charge>) {
///     reply.fail(tavrida::message::Failure::new("orders.NotCharged", "billing said no"));
/// }
///
/// let orders = Service::new("orders")
///     .handle(create)
///     .handle_answer(charged)
///     .handle_error(not_charged);
/// ```
///
/// # One answer
///
/// A responder is used once: answering, failing and sending it on take it by value. If it is dropped without any of these, the caller gets
/// an error reply: the handler's failure, if the handler failed. While a responder is alive in a task that the handler started, the message
/// is not settled, and the handler's deadline still runs.
///
/// # Where it is stored
///
/// The first caller's address and the state are in a header of the call, which the answering service echoes, including services of the
/// Python original: the service may restart in between. The other service could read that header, so do not store secrets in the state.
/// Delivery is at least once, so a second answer may come; an asker ignores it.
///
/// The handler of a cast may take a responder too: the answer is dropped.
#[must_use = "a reply that is dropped is an error for the caller"]
pub struct Responder<C = Untyped, S = ()> {
    open: Open,
    state: S,
    contract: PhantomData<fn() -> C>,
}

/// A responder was used: the handler has answered, or has sent it with a call.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered;

/// A responder that was not used yet; dropping it is reported.
struct Open {
    sender: Sender,
    request: Arc<Request>,
    used: bool,
}

impl Open {
    fn use_up(mut self, state: ReplyState) -> Answered {
        self.used = true;
        self.sender.responder_state().settle(state);
        Answered
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.used {
            self.sender.responder_state().settle(ReplyState::Dropped);
        }
    }
}

impl<C, S: Wire> Responder<C, S> {
    /// Takes the responder of a message from its execution.
    pub(crate) fn take(message: &Message, proxy: &Proxy) -> Result<Self, Failure> {
        let Some(request) = later::request_to_answer(message, proxy.0.seal())? else {
            let text = format!(
                "the {} {} brought no reply along: none was sent with the request",
                message.kind(),
                message.topic()
            );
            return Err(Error::new(Kind::WrongParameters, text).into());
        };
        let state = state_of(message.headers().later())?;
        let (request, sender) = (Arc::new(request), proxy.0.clone());
        if sender.responder_state().take(request.clone()).is_err() {
            return Err(Error::new(Kind::WrongParameters, "a handler takes its Responder once").into());
        }
        Ok(Self { open: Open { sender, request, used: false }, state, contract: PhantomData })
    }

    /// Returns whether it can answer a new call, which brings no state.
    pub(crate) fn needs_no_state() -> bool {
        state_of::<S>(None).is_ok()
    }
}

fn state_of<S: Wire>(later: Option<&Table>) -> Result<S, Error> {
    let unasked = std::any::TypeId::of::<S>() == std::any::TypeId::of::<()>();
    let state = match later {
        Some(table) if !unasked => S::from_json(&later::state_of(table)?),
        _ => S::from_json("null"),
    };
    state.map_err(wrong_state)
}

fn wrong_state(why: impl fmt::Display) -> Error {
    Error::new(Kind::WrongParameters, format!("the state of the reply: {why}"))
}

impl<C, S> Responder<C, S> {
    /// Returns the state that was sent along.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Adds a state, which comes back with the responder: a type that serde serialises and deserialises. Keep it to a few hundred bytes
    /// (the maximum is 32 KiB, including the address).
    pub fn keeping<T: Wire>(self, state: T) -> Responder<C, T> {
        Responder { open: self.open, state, contract: PhantomData }
    }

    /// Returns whether the caller waits for the answer: not so in the handler of a cast.
    pub fn is_awaited(&self) -> bool {
        self.open.request.is_call()
    }

    /// Encodes it for the wire.
    pub(super) fn to_table(&self) -> Result<Table, Error>
    where
        S: Wire,
    {
        let state = self.state.to_json().map_err(wrong_state)?;
        let mut table = later::to_table(&self.open.request, state);
        if let Some(seal) = self.open.sender.seal() {
            seal.sign(&mut table);
        }
        match later::size(&table) {
            ..=later::LIMIT => Ok(table),
            size => {
                Err(wrong_state(format!("{size} bytes with the address, and {} are the most", later::LIMIT)))
            }
        }
    }

    /// Marks it as sent with a call.
    pub(super) fn gone(self) -> Answered {
        self.open.use_up(ReplyState::Gone)
    }
}

impl<S> Responder<Untyped, S> {
    /// Answers with a value that serialises to an object or to nothing (`()`).
    ///
    /// The answer is sent after the handler has ended, and only then the handled message is settled; if it cannot be sent, the failure
    /// policy applies. A value that does not serialise is an error reply.
    pub fn answer(self, value: impl Serialize) -> Answered {
        let payload = contract::payload_of(&value).map_err(Failure::from);
        self.open.use_up(ReplyState::Answered(Box::new(payload)))
    }

    /// Answers with an error. Sent like an [answer](Responder::answer); the retryable flag is ignored.
    pub fn fail(self, failure: impl Into<Failure>) -> Answered {
        self.open.use_up(ReplyState::Answered(Box::new(Err(failure.into()))))
    }
}

impl<C: Rpc, S> Responder<C, S> {
    /// Answers with the contract's reply.
    ///
    /// The answer is sent after the handler has ended, and only then the handled message is settled; if it cannot be sent, the failure
    /// policy applies. A value that does not serialise is an error reply.
    pub fn answer(self, reply: C::Reply) -> Answered {
        let payload: Result<Payload, Failure> = reply.to_payload().map_err(Failure::from);
        self.open.use_up(ReplyState::Answered(Box::new(payload)))
    }

    /// Answers with an error: the contract's, or any other. Sent like an [answer](Responder::answer); the retryable flag is ignored.
    pub fn fail(self, failure: impl Into<Failure>) -> Answered {
        self.open.use_up(ReplyState::Answered(Box::new(Err(recognised::<C>(failure.into())))))
    }
}

impl<C, S> fmt::Debug for Responder<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("to", &self.open.request.to_string()).finish_non_exhaustive()
    }
}

impl From<Answered> for crate::message::Reply {
    fn from(_: Answered) -> Self {
        Self::Nothing
    }
}

impl<C> RequestBuilder<C> {
    /// Sends a [call](RequestBuilder::call) whose answer brings this reply back, to be [taken](Responder) by the handler of the answer.
    ///
    /// # Errors
    ///
    /// [`CallWithError`] returns the reply, to answer otherwise; the reasons are those of [`call`](RequestBuilder::call), and a state that
    /// does not serialise or is too large.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the reply, which is an error for the caller; after the first poll the call may have been sent.
    pub async fn call_with<D, S: Wire>(
        self,
        reply: Responder<D, S>,
    ) -> Result<Answered, CallWithError<D, S>> {
        match self.bringing(reply.to_table()).call().await {
            Ok(_) => Ok(reply.gone()),
            Err(error) => Err(CallWithError { error, reply }),
        }
    }
}

/// A call that was to bring a responder back was not sent, or perhaps not.
///
/// With `?` it fails the handler, and the caller gets it as an error reply.
#[derive(Debug)]
pub struct CallWithError<C, S> {
    /// The reason.
    pub error: SendError,
    /// The responder, to answer otherwise.
    pub reply: Responder<C, S>,
}

impl<C, S> fmt::Display for CallWithError<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Not through [`std::error::Error`], which it does not implement: a failure keeps the error that it was made from, and would keep the
/// responder.
impl<C, S> From<CallWithError<C, S>> for Failure {
    fn from(not_carried: CallWithError<C, S>) -> Self {
        not_carried.error.into()
    }
}

impl<C, S> IntoFailure for CallWithError<C, S> {
    fn into_failure(self) -> Failure {
        self.into()
    }
}
