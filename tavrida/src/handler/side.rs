//! [`Side`]: the side of a contract that a handler is on, which determines its argument and its return type.

use std::marker::PhantomData;

use super::IntoReply;
use super::into_reply::marker;
use crate::contract::{self, CallError, Event, Rpc, Wire};
use crate::message::{ErrorReply, Failure, Message, Reply, Response};
use crate::proxy::{Answer, Answered, recognised};

/// One side of a contract.
pub trait Side: Send + Sync + 'static {
    /// The last argument of a handler on this side.
    type Argument: Send + 'static;

    /// Reads the argument from a message.
    ///
    /// # Errors
    ///
    /// The message does not fit the contract; the error says where.
    fn read(message: &Message) -> Result<Self::Argument, Failure>;
}

/// A service answers requests: the handler gets the request, and returns the reply or the contract's error.
#[derive(Debug)]
pub struct OfRequests<C>(PhantomData<fn() -> C>);

/// A service gets the replies to its calls: the handler gets an [`Answer`].
#[derive(Debug)]
pub struct OfResponses<C>(PhantomData<fn() -> C>);

/// A service gets the errors of its calls: the handler gets a [`CallError`].
#[derive(Debug)]
pub struct OfErrors<C>(PhantomData<fn() -> C>);

/// A service subscribes to an event: the handler gets the event.
#[derive(Debug)]
pub struct OfEvents<E>(PhantomData<fn() -> E>);

impl<C: Rpc> Side for OfRequests<C> {
    type Argument = C;

    fn read(message: &Message) -> Result<C, Failure> {
        Ok(Wire::from_payload(message.payload())?)
    }
}

impl<C: Rpc> Side for OfResponses<C> {
    type Argument = Answer<C>;

    fn read(message: &Message) -> Result<Answer<C>, Failure> {
        Ok(Answer { reply: Wire::from_payload(message.payload())?, response: Response(message.clone()) })
    }
}

impl<C: Rpc> Side for OfErrors<C> {
    type Argument = CallError<C>;

    fn read(message: &Message) -> Result<CallError<C>, Failure> {
        Ok(CallError::of(&ErrorReply(message.clone())))
    }
}

impl<E: Event> Side for OfEvents<E> {
    type Argument = E;

    fn read(message: &Message) -> Result<E, Failure> {
        Ok(Wire::from_payload(message.payload())?)
    }
}

/// A type that a handler on a side of a contract may return. For a request this is the contract's reply, or a `Result` of it with the
/// contract's error or with [`Failure`]; on the other sides it is what any handler may return.
#[diagnostic::on_unimplemented(
    message = "a handler of this contract cannot return `{Self}`",
    label = "not what the contract says",
    note = "return the contract's `Reply`, or a `Result` of it whose error is the contract's `Error` or `tavrida::message::Failure` \
            (as `tavrida::prelude::Result<Reply>` is), so that `?` works for every error; a handler that takes a \
            `tavrida::proxy::Responder` returns `Answered` in the place of the contract's `Reply`"
)]
pub trait IntoAnswer<S, M> {
    /// Converts it to a reply.
    ///
    /// # Errors
    ///
    /// The handler's own error, or an error if its value does not serialise to an object.
    fn into_answer(self) -> Result<Reply, Failure>;
}

fn answer<C: Rpc>(reply: &C::Reply) -> Result<Reply, Failure> {
    Ok(Reply::Payload(reply.to_payload()?))
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Json> for C::Reply {
    fn into_answer(self) -> Result<Reply, Failure> {
        answer::<C>(&self)
    }
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Declared> for Result<C::Reply, C::Error> {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.map_err(|error| contract::failure_of::<C>(&error)).and_then(|reply| answer::<C>(&reply))
    }
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Fallible<marker::Json>> for Result<C::Reply, Failure> {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.map_err(recognised::<C>).and_then(|reply| answer::<C>(&reply))
    }
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Ready> for Result<Reply, Failure> {
    fn into_answer(self) -> Result<Reply, Failure> {
        self
    }
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Message> for Answered {
    fn into_answer(self) -> Result<Reply, Failure> {
        Ok(self.into())
    }
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Fallible<marker::Declared>> for Result<Answered, C::Error> {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.map(Reply::from).map_err(|error| contract::failure_of::<C>(&error))
    }
}

impl<C: Rpc> IntoAnswer<OfRequests<C>, marker::Fallible<marker::Message>> for Result<Answered, Failure> {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.map(Reply::from).map_err(recognised::<C>)
    }
}

impl<C: Rpc, R: IntoReply<M>, M> IntoAnswer<OfResponses<C>, M> for R {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.into_reply()
    }
}

impl<C: Rpc, R: IntoReply<M>, M> IntoAnswer<OfErrors<C>, M> for R {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.into_reply()
    }
}

impl<E: Event, R: IntoReply<M>, M> IntoAnswer<OfEvents<E>, M> for R {
    fn into_answer(self) -> Result<Reply, Failure> {
        self.into_reply()
    }
}

#[cfg(test)]
mod tests;
