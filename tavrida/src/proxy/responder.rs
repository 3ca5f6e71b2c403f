//! [`Responder`]: the answer to a call in a handler's own hands, to be given later.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use super::debt::Fate;
use super::typed::recognised;
use super::{Proxy, Sender, later};
use crate::contract::{self, Rpc, Wire};
use crate::error::{Error, Kind};
use crate::field::Table;
use crate::message::{Failure, IntoFailure, Message, Payload, Request};
use crate::outbound::SendError;

/// The answer to a call, in the handler's own hands: given [now](Responder::answer), or after others have
/// [answered](super::RequestBuilder::call_with) calls of this handler.
///
/// A handler of a call that takes it returns nothing, or [`Answered`]. To answer later it sends the reply along with a call of
/// its own; the handler of the answer to that takes it again, and answers the first caller, or sends it on again. `C` is the
/// [contract](crate::contract) that is answered, and `S` a small state of the handler that [travels with it](Responder::keeping).
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
/// use tavrida::proxy::{Answered, Responder};
///
/// async fn create(reply: Responder<Create>, proxy: Proxy, new: Create) -> Result<Answered> {
///     let charge = Charge { order: new.id, cents: new.cents };
///     Ok(proxy.request(charge).call_with(reply.keeping(new.id)).await?) // this handler is done; nobody waits
/// }
///
/// async fn charged(reply: Responder<Create, u64>, receipt: Receipt) {
///     let id = *reply.state();
///     reply.answer(Created { id, receipt: receipt.number });
/// }
///
/// async fn not_charged(reply: Responder<Create, u64>, refusal: CallError<NoError>) {
///     reply.fail(tavrida::message::Failure::new("orders.NotCharged", "billing said no"));
/// }
///
/// let orders = Service::new("orders")
///     .rpc_of::<Create, _>(create)
///     .on_response_of::<Charge, _>(charged)
///     .on_error_of::<Charge, _>(not_charged);
/// ```
///
/// # One answer
///
/// A reply is used once: answering, failing and sending it on take it by value. One that is dropped without any of these is an
/// error reply to the caller, not a silence: when the handler has failed, with its failure. While a reply lives, in a task that
/// the handler left it to, the message that it answers is not settled, and the handler's deadline runs on.
///
/// # Where it is meanwhile
///
/// The first caller's address and the state ride in a header of the call, which whoever answers it echoes, the services of the
/// Python original included: a service may be started anew in between. The other service could read that header, so a secret
/// is no state. Delivery is at least once, so a second answer may come; an asker ignores it.
///
/// The handler of a cast may take a reply too: nobody gets the answer.
#[must_use = "a reply that is dropped is an error for the caller"]
pub struct Responder<C = Untyped, S = ()> {
    open: Open,
    state: S,
    contract: PhantomData<fn() -> C>,
}

/// The contract of a [`Responder`] that has none: it is answered with whatever serialises to an object.
#[derive(Debug, Clone, Copy)]
pub enum Untyped {}

/// A reply was used: the handler has answered, or has sent the reply on with a call.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered;

/// A reply that was not used yet; dropping it is told.
struct Open {
    sender: Sender,
    request: Arc<Request>,
    used: bool,
}

impl Open {
    fn use_up(mut self, fate: Fate) -> Answered {
        self.used = true;
        self.sender.debt().settle(fate);
        Answered
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.used {
            self.sender.debt().settle(Fate::Dropped);
        }
    }
}

impl<C, S: Wire> Responder<C, S> {
    /// Takes the reply to a message out of the hands of its execution.
    pub(crate) fn take(message: &Message, proxy: &Proxy) -> Result<Self, Failure> {
        let Some(request) = later::request_to_answer(message)? else {
            let text = format!(
                "the {} {} brought no reply along: none was sent with the request",
                message.kind(),
                message.topic()
            );
            return Err(Error::new(Kind::WrongParameters, text).into());
        };
        let state = state_of(message.headers().later())?;
        let (request, sender) = (Arc::new(request), proxy.0.clone());
        if sender.debt().take(request.clone()).is_err() {
            return Err(Error::new(Kind::WrongParameters, "a handler takes its reply once").into());
        }
        Ok(Self { open: Open { sender, request, used: false }, state, contract: PhantomData })
    }

    /// Whether a new call, which brings no state, could be answered with this.
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
    /// The state that was sent along.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The same reply with a state, which is there again when the reply comes back: a type that serde writes and reads, of a
    /// few hundred bytes rather than more (32 KiB is the most, address included).
    pub fn keeping<T: Wire>(self, state: T) -> Responder<C, T> {
        Responder { open: self.open, state, contract: PhantomData }
    }

    /// Whether somebody waits for the answer: not so in the handler of a cast.
    pub fn is_awaited(&self) -> bool {
        self.open.request.is_call()
    }

    /// The form in which it travels.
    pub(super) fn to_table(&self) -> Result<Table, Error>
    where
        S: Wire,
    {
        let state = self.state.to_json().map_err(wrong_state)?;
        let table = later::to_table(&self.open.request, state);
        match later::size(&table) {
            ..=later::LIMIT => Ok(table),
            size => {
                Err(wrong_state(format!("{size} bytes with the address, and {} are the most", later::LIMIT)))
            }
        }
    }

    /// It went on with a call.
    pub(super) fn gone(self) -> Answered {
        self.open.use_up(Fate::Gone)
    }
}

impl<S> Responder<Untyped, S> {
    /// Answers, with a value that serialises to an object or to nothing (`()`).
    ///
    /// The answer leaves when the handler is done, and only then is the handled message settled; what cannot be sent is the
    /// failure policy's. A value that does not serialise is an error reply.
    pub fn answer(self, value: impl Serialize) -> Answered {
        let payload = contract::payload_of(&value).map_err(Failure::from);
        self.open.use_up(Fate::Answered(Box::new(payload)))
    }

    /// Answers with an error. It leaves as an [answer](Responder::answer) does; a mark to retry it means nothing.
    pub fn fail(self, failure: impl Into<Failure>) -> Answered {
        self.open.use_up(Fate::Answered(Box::new(Err(failure.into()))))
    }
}

impl<C: Rpc, S> Responder<C, S> {
    /// Answers with the contract's reply.
    ///
    /// The answer leaves when the handler is done, and only then is the handled message settled; what cannot be sent is the
    /// failure policy's. A value that does not serialise is an error reply.
    pub fn answer(self, reply: C::Reply) -> Answered {
        let payload: Result<Payload, Failure> = reply.to_payload().map_err(Failure::from);
        self.open.use_up(Fate::Answered(Box::new(payload)))
    }

    /// Answers with an error: the contract's, or any other. It leaves as an [answer](Responder::answer) does; a mark to retry it means
    /// nothing.
    pub fn fail(self, failure: impl Into<Failure>) -> Answered {
        self.open.use_up(Fate::Answered(Box::new(Err(recognised::<C>(failure.into())))))
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

/// A call that was to bring a reply back was not, or not surely, sent.
///
/// With `?` it fails the handler, and the caller gets that as an error reply.
#[derive(Debug)]
pub struct CallWithError<C, S> {
    /// Why not.
    pub error: SendError,
    /// The reply, to answer otherwise.
    pub reply: Responder<C, S>,
}

impl<C, S> fmt::Display for CallWithError<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Not by way of [`std::error::Error`], which it is not: a failure keeps the error that it was made of, and would keep the reply.
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
