//! Middleware: code around handlers ([`Incoming`]) and before sends ([`Outgoing`]), in order of addition.
//!
//! Incoming middleware sees messages of all four kinds, before the payload is merged into the context. It passes the message on, changed or
//! not, with [`Next::run`], or answers at once. Its errors are treated like a handler's: an error reply for a call, the failure policy for
//! the rest.
//!
//! ```
//! use tavrida::message::{Failure, Message, Reply};
//! use tavrida::middleware::{self, Next};
//!
//! async fn authorise(message: Message, next: Next) -> Result<Reply, Failure> {
//!     if message.headers().get_str("authorization") != Some("secret") {
//!         return Err(Failure::new("auth.Denied", "a key is needed").with_code(401));
//!     }
//!     next.run(message).await
//! }
//!
//! let service = tavrida::Service::new("billing").incoming(middleware::from_fn(authorise));
//! ```
//!
//! With the feature `tower`, tower layers can be used as incoming middleware.
//!
//! Outgoing middleware sees the replies of handlers, and other sends if it [opts in](Outgoing::sees).

mod from_fn;
mod incoming;
mod outgoing;
#[cfg(feature = "tower")]
pub mod tower;

use std::sync::Arc;

pub use from_fn::{FromFn, OutgoingFn, from_fn, outgoing_fn};
pub(crate) use incoming::Endpoint;
pub use incoming::{Incoming, Next};
pub use outgoing::Outgoing;
pub(crate) use outgoing::pass;

/// Converts a chain to shared form; an empty one allocates nothing.
pub(crate) fn shared<M: ?Sized>(chain: Vec<Arc<M>>) -> Arc<[Arc<M>]> {
    if chain.is_empty() { Arc::default() } else { chain.into() }
}
