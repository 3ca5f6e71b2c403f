//! Handlers are plain `async fn`s: argument types declare what they need, the return type declares the reply.
//!
//! Arguments are [extractors](Extract): the message ([`Request`](crate::message::Request), ...), a [`Proxy`](crate::Proxy), the
//! [`Context`](crate::message::Context), [`Headers`](crate::message::Headers), the whole [`Json<T>`](Json), shared [`State<T>`](State), the
//! [`Attempt`], the [`Deadline`]. A library cannot see the parameter names of a function: [`params`] adds them, for arguments that come
//! from the payload by name.
//!
//! ```
//! use tavrida::prelude::*;
//!
//! async fn sum(a: i64, b: i64) -> Result<serde_json::Value> {
//!     Ok(serde_json::json!({ "sum": a + b }))
//! }
//!
//! async fn note(request: Request, proxy: Proxy, text: String) -> Result<()> {
//!     proxy.to("audit.store").param("text", text).param("from", request.source().as_str()).cast().await?;
//!     Ok(())
//! }
//!
//! let service = Service::new("calc").rpc("sum", params(["a", "b"], sum)).rpc("note", params(["text"], note));
//! ```
//!
//! A reply is nothing (`()`), a value that serialises to an object, a [`Response`](crate::message::Response), an
//! [`ErrorReply`](crate::message::ErrorReply), an `Option` of these, or a `Result` of any with an error that is
//! [`IntoFailure`](crate::message::IntoFailure).

mod attempt;
mod boxed;
mod extract;
mod extractors;
pub(crate) mod into_reply;
mod invocation;
mod params;
pub(crate) mod side;
mod typed;

use std::future::Future;

use futures_util::future::BoxFuture;

pub use attempt::{Attempt, Deadline};
pub(crate) use boxed::{ErasedHandler, erase};
pub use extract::{Extract, Site};
pub use extractors::{Json, State};
pub use into_reply::IntoReply;
pub use invocation::Invocation;
pub(crate) use invocation::StateMap;
pub use params::{Params, params};
pub use side::IntoAnswer;
pub(crate) use side::Side;
pub(crate) use typed::Typed;
pub use typed::TypedHandler;

use crate::message::{Failure, Reply};

/// A function that a service can register for an entry point.
///
/// Implemented for async functions of up to eight [extractors](Extract), and for [`Params`]. `M` is a marker that distinguishes the
/// implementations; user code does not name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler",
    label = "not an async function of extractors with a reply",
    note = "every argument must be an extractor (Request, Response, ErrorReply, Notification, Proxy, Context, Headers, \
            Json<T>, State<T>, Attempt, Deadline); arguments that come from the payload by name are given with \
            `params([\"name\", ...], function)`",
    note = "the return type must be (), a serialisable value, Response, ErrorReply, or an Option or Result of these; an error \
            type must be IntoFailure"
)]
pub trait Handler<M>: Send + Sync + 'static {
    /// Handles one message.
    fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>>;

    /// Checks, when a server is built, that the handler can work at this place.
    ///
    /// # Errors
    ///
    /// What is missing or does not fit, for the author of the service.
    fn check(&self, site: &Site<'_>) -> Result<(), String>;
}

macro_rules! handler_of {
    ($($argument:ident)*) => {
        impl<F, Fut, R, M, $($argument,)*> Handler<(M, $($argument,)*)> for F
        where
            F: Fn($($argument,)*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoReply<M>,
            $($argument: Extract,)*
        {
            #[allow(unused_variables, reason = "a function without arguments reads nothing")]
            fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>> {
                let extract = || Ok::<_, Failure>(($($argument::extract(&invocation)?,)*));
                match extract() {
                    #[allow(non_snake_case, reason = "one name serves the type and its value")]
                    Ok(($($argument,)*)) => {
                        let handled = self($($argument,)*);
                        Box::pin(async move { handled.await.into_reply() })
                    }
                    Err(failure) => Box::pin(std::future::ready(Err(failure))),
                }
            }

            #[allow(unused_variables, reason = "a function without arguments needs nothing")]
            fn check(&self, site: &Site<'_>) -> Result<(), String> {
                $($argument::check(site)?;)*
                Ok(())
            }
        }
    };
}

handler_of!();
handler_of!(A);
handler_of!(A B);
handler_of!(A B C);
handler_of!(A B C D);
handler_of!(A B C D E);
handler_of!(A B C D E G);
handler_of!(A B C D E G H);
handler_of!(A B C D E G H I);
