//! Types instead of strings: [`Rpc`], a method with its parameters, reply and error; [`Event`], a topic with its parameters.
//!
//! Both sides share the types, for example in a separate crate, and neither repeats an address or a parameter's name. With the feature
//! `macros` (on by default) both traits can be derived.
//!
//! ```
//! use std::fmt;
//!
//! use serde::{Deserialize, Serialize};
//! use tavrida::contract::{Event, Rpc};
//! use tavrida::prelude::{Proxy, Service};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Charge { order: u64, cents: u64 }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Receipt { number: String }
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! enum Declined { NoFunds { left: u64 }, Blocked }
//!
//! impl fmt::Display for Declined {
//!     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!         f.write_str("the charge was declined")
//!     }
//! }
//! impl std::error::Error for Declined {}
//!
//! impl Rpc for Charge {
//!     const ENTRY_POINT: &'static str = "billing.charge";
//!     type Reply = Receipt;
//!     type Error = Declined;
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Charged { order: u64 }
//!
//! impl Event for Charged {
//!     const TOPIC: &'static str = "billing.charged";
//! }
//!
//! async fn charge(proxy: Proxy, new: Charge) -> Result<Receipt, Declined> {
//!     if new.cents > 500 {
//!         return Err(Declined::NoFunds { left: 500 });
//!     }
//!     Ok(Receipt { number: format!("{}-1", new.order) })
//! }
//!
//! let billing = Service::new("billing").handle(charge);
//! ```
//!
//! # On the wire
//!
//! The members of a request or event are the parameters, the members of a reply are the payload of the response. A service without these
//! types, such as one of the Python original, reads and writes the same messages. A value that serialises to `null` (a unit, a unit struct,
//! `None`) becomes the empty object. An error has the [class](Rpc::error_class), its `Display` text as message, the
//! [code](Rpc::error_code), and its body, any JSON, under `detail`.
//!
//! # Versions
//!
//! Unknown members are ignored, so that a sender may have more members than a receiver. A member that older senders do not send must be an
//! `Option`, or have `#[serde(default)]`. To rename a member and accept the old name: `#[serde(rename = "...", alias = "...")]`.

mod call_error;
mod wire;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use call_error::{CallError, declared, failure_of};
pub use wire::Wire;
pub(crate) use wire::payload_of;

use crate::entry_point::{EntryPoint, EntryPointError};
use crate::error::UNKNOWN_CODE;

/// A method of a service: its parameters are the members of this type.
///
/// Derive it with `#[derive(Rpc)]` and `#[rpc("service.method", reply = ..., error = ...)]`. The type and its reply must serialise to a
/// JSON object, or to `null` for no members.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no contract of a method",
    label = "does not say which method it calls",
    note = "write `#[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]` and `#[rpc(\"service.method\", reply = ..., error = ...)]` \
            above `{Self}`"
)]
pub trait Rpc: Wire {
    /// The address of the method: `service.method`.
    const ENTRY_POINT: &'static str;

    /// The reply of the method.
    type Reply: Wire;

    /// The declared error of the method, in addition to errors that any method can have; [`NoError`] if it declares none.
    type Error: Wire + std::error::Error + Sync;

    /// Returns the class of the error on the wire. The default is the service and the name of the type, such as `billing.Declined`.
    fn error_class() -> String {
        let service = Self::ENTRY_POINT.split('.').next().unwrap_or_default();
        let name = std::any::type_name::<Self::Error>();
        let name = name.split('<').next().unwrap_or_default();
        format!("{service}.{}", name.rsplit("::").next().unwrap_or_default())
    }

    /// Returns the code of an error on the wire. The default is 1000.
    fn error_code(error: &Self::Error) -> i64 {
        let _ = error;
        UNKNOWN_CODE
    }
}

/// An event that a service publishes to its subscribers: its parameters are the members of this type.
///
/// Derive it with `#[derive(Event)]` and `#[event("publisher.event")]`. The type must serialise to a JSON object, or to `null` for no
/// members.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "does not say which topic it belongs to",
    note = "write `#[derive(serde::Serialize, serde::Deserialize, tavrida::Event)]` and `#[event(\"publisher.event\")]` above `{Self}`"
)]
pub trait Event: Wire {
    /// The topic: `publisher.event`.
    const TOPIC: &'static str;
}

/// The error of a method that declares none: it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoError {}

impl fmt::Display for NoError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for NoError {}

/// Returns the address of a contract's method.
///
/// # Errors
///
/// [`Rpc::ENTRY_POINT`] is not an entry point.
pub fn entry_point<C: Rpc>() -> Result<EntryPoint, EntryPointError> {
    EntryPoint::parse(C::ENTRY_POINT)
}

/// Returns the topic of an event.
///
/// # Errors
///
/// [`Event::TOPIC`] is not an entry point.
pub fn topic<E: Event>() -> Result<EntryPoint, EntryPointError> {
    EntryPoint::parse(E::TOPIC)
}

#[cfg(test)]
mod tests;
