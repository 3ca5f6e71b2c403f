//! The names that an application needs: `use tavrida::prelude::*;`.

pub use crate::client::Client;
pub use crate::contract::{CallError, Event, NoError, Rpc};
pub use crate::discovery::Registry;
pub use crate::disposition::{FailurePolicy, Retry};
pub use crate::entry_point::EntryPoint;
pub use crate::handler::{Attempt, Deadline, Json, State, params};
pub use crate::message::{
    Context, ErrorReply, Failure, Headers, IntoFailure, Notification, Request, Response,
};
pub use crate::outbound::Sent;
pub use crate::proxy::{Answer, Answered, Proxy, Responder};
pub use crate::server::Server;
pub use crate::service::Service;
#[cfg(feature = "macros")]
pub use tavrida_macros::{Event, Rpc};

/// The result of a handler; `?` converts every error to its [`Failure`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;
