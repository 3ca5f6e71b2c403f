//! [`Extract`]: what an argument of a handler can be.

use super::Invocation;
use super::invocation::StateMap;
use crate::message::{Failure, MessageKind};

/// An argument that is made from the message at hand and what surrounds it.
///
/// Implement it for a type of yours to use it as an argument:
///
/// ```
/// use tavrida::handler::{Extract, Invocation};
/// use tavrida::message::Failure;
///
/// struct Tenant(String);
///
/// impl Extract for Tenant {
///     fn extract(invocation: &Invocation) -> Result<Self, Failure> {
///         match invocation.message().headers().get_str("x-tenant") {
///             Some(tenant) => Ok(Self(tenant.to_owned())),
///             None => Err(Failure::new("auth.NoTenant", "the header 'x-tenant' is missing")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no extractor",
    label = "a handler cannot have an argument of this type",
    note = "extractors are Request, Response, ErrorReply, Notification, Proxy, Context, Headers, Json<T>, State<T>, Attempt \
            and Deadline; an argument that comes from the payload by name is given with `params([\"name\"], function)`"
)]
pub trait Extract: Sized + Send + 'static {
    /// Makes the argument.
    ///
    /// # Errors
    ///
    /// Why it cannot be made: an error reply for a call, the failure policy for the rest.
    fn extract(invocation: &Invocation) -> Result<Self, Failure>;

    /// Looks, when a server is built, whether the argument can ever be made at this place. It can, unless implemented.
    ///
    /// # Errors
    ///
    /// What is missing or does not fit, for the one who writes the service.
    fn check(site: &Site<'_>) -> Result<(), String> {
        let _ = site;
        Ok(())
    }
}

/// Where a handler is registered.
#[derive(Debug)]
pub struct Site<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) state: &'a StateMap,
}

impl Site<'_> {
    /// The kind of the messages that the handler will get.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Whether the service has a state of this type.
    pub fn has_state<T: Send + Sync + 'static>(&self) -> bool {
        self.state.get::<T>().is_some()
    }
}
