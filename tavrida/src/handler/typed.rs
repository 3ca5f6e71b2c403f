//! [`TypedHandler`]: async functions whose last argument comes from a contract.

use std::future::Future;
use std::marker::PhantomData;

use futures_util::future::BoxFuture;

use super::{Extract, Handler, IntoAnswer, Invocation, Side, Site};
use crate::message::{Failure, Reply};

/// A function that a service can register for a side of a contract.
///
/// Implemented for async functions of up to seven [extractors](Extract) followed by the argument of the contract's side. `M` is a marker that
/// distinguishes the implementations; user code does not name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler of this contract",
    label = "not an async function of extractors and what the contract hands over",
    note = "the last argument says which contract it is: for `handle` it is the request `C`, for `handle_answer` an `Answer<C>`, for \
            `handle_error` a `CallError<C>`, for `subscribe` the event; all before it are extractors",
    note = "a handler of the request `C` returns C's `Reply`, or a `Result` of it whose error is C's `Error` or \
            `tavrida::message::Failure`"
)]
pub trait TypedHandler<S, M>: Send + Sync + 'static {
    /// Handles one message.
    fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>>;

    /// Checks, when a server is built, that the handler can work at this place.
    ///
    /// # Errors
    ///
    /// What is missing or does not fit, for the author of the service.
    fn check(&self, site: &Site<'_>) -> Result<(), String>;
}

/// A [`TypedHandler`] as a [`Handler`].
pub(crate) struct Typed<S, H> {
    handler: H,
    side: PhantomData<fn() -> S>,
}

impl<S, H> Typed<S, H> {
    pub(crate) fn new(handler: H) -> Self {
        Self { handler, side: PhantomData }
    }
}

impl<S: Side, M, H: TypedHandler<S, M>> Handler<(S, M)> for Typed<S, H> {
    fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.handler.call(invocation)
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        self.handler.check(site)
    }
}

macro_rules! typed_handler_of {
    ($($argument:ident)*) => {
        impl<S, F, Fut, R, M, $($argument,)*> TypedHandler<S, (M, $($argument,)*)> for F
        where
            S: Side,
            F: Fn($($argument,)* S::Argument) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoAnswer<S, M>,
            $($argument: Extract,)*
        {
            fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>> {
                let extract = || {
                    Ok::<_, Failure>(($($argument::extract(&invocation)?,)* S::read(invocation.message())?,))
                };
                match extract() {
                    #[allow(non_snake_case, reason = "one name serves the type and its value")]
                    Ok(($($argument,)* handed_over,)) => {
                        let handled = self($($argument,)* handed_over);
                        Box::pin(async move { handled.await.into_answer() })
                    }
                    Err(failure) => Box::pin(std::future::ready(Err(failure))),
                }
            }

            #[allow(unused_variables, reason = "a function without extractors needs nothing")]
            fn check(&self, site: &Site<'_>) -> Result<(), String> {
                $($argument::check(site)?;)*
                Ok(())
            }
        }
    };
}

typed_handler_of!();
typed_handler_of!(A);
typed_handler_of!(A B);
typed_handler_of!(A B C);
typed_handler_of!(A B C D);
typed_handler_of!(A B C D E);
typed_handler_of!(A B C D E G);
typed_handler_of!(A B C D E G H);
