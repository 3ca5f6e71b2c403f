//! [`Extract`]: the trait of handler arguments.

use super::Invocation;
use super::invocation::StateMap;
use crate::message::{Failure, MessageKind};

/// An argument that is extracted from the message and its environment.
///
/// Implement it for your own type to use it as an argument:
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
    /// Extracts the argument.
    ///
    /// # Errors
    ///
    /// Why it cannot be extracted: becomes an error reply for a call, and goes to the failure policy otherwise.
    fn extract(invocation: &Invocation) -> Result<Self, Failure>;

    /// Checks, when a server is built, that this argument can be extracted here. The default accepts everything.
    ///
    /// # Errors
    ///
    /// What is missing or does not fit, for the author of the service.
    fn check(site: &Site<'_>) -> Result<(), String> {
        let _ = site;
        Ok(())
    }
}

/// The place where a handler is registered.
#[derive(Debug)]
pub struct Site<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) state: &'a StateMap,
}

impl Site<'_> {
    /// Returns the kind of messages that the handler will receive.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Returns whether the service has a state of this type.
    pub fn has_state<T: Send + Sync + 'static>(&self) -> bool {
        self.state.get::<T>().is_some()
    }
}
