//! The four messages: [`Request`] (a call or a cast), [`Response`], [`ErrorReply`], [`Notification`].
//!
//! Each is a [`Message`] underneath: its properties are read-only and typed, payload and context stay JSON text until they are read. A
//! reply is created from its request, with [`Request::respond`] and [`Request::fail`], and keeps the ids that pair the two.

mod context;
mod correlation;
mod failure;
mod headers;
mod kinds;
pub(crate) mod names;
mod parts;
mod passed_on;
mod payload;
mod reply;

pub use context::Context;
pub use correlation::CorrelationId;
pub use failure::{Failure, IntoFailure};
pub(crate) use headers::Masked;
pub use headers::{Headers, ReservedHeaderError};
pub use kinds::{ErrorReply, Notification, Request, Response};
pub(crate) use parts::{Addresses, Parts};
pub use parts::{Message, MessageKind};
pub use payload::Payload;
pub(crate) use payload::{ill_typed_parameter, missing_parameter};
pub use reply::Reply;
