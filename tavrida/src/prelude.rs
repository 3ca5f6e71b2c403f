//! What an application needs, in one line: `use tavrida::prelude::*;`.

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
pub use crate::proxy::{Answered, Proxy, Responder};
pub use crate::server::Server;
pub use crate::service::Service;
#[cfg(feature = "macros")]
pub use tavrida_macros::{Event, Rpc};

/// What a handler returns; every error becomes its [`Failure`] with `?`.
pub type Result<T, E = Failure> = std::result::Result<T, E>;
