//! What `#[tavrida::service]` writes around types and results of a handler, so that one which does not fit is an error at its own
//! place, and the only one.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::{Extract, IntoAnswer, IntoReply, OfRequests};
use crate::contract::Rpc;
use crate::message::{Failure, IntoFailure, Reply};

/// What can come from the payload by name. Implemented for all types that serde reads, and that no thread or borrow holds back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an extractor nor a parameter",
    label = "cannot be read from the payload",
    note = "a parameter from the payload: write `#[derive(serde::Deserialize)]` above `{Self}`, and let it own what it holds",
    note = "an extractor of your own: implement `tavrida::handler::Extract` for it, and write `#[extract]` before the argument; those \
            of the library are Request, Response, ErrorReply, Notification, Message, Proxy, Context, Headers, Json<T>, State<T>, \
            Responder<C>, Attempt and Deadline"
)]
pub trait Parameter {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> Parameter for T {}

/// What is an [`Extract`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no extractor",
    label = "a handler cannot be given this",
    note = "implement `tavrida::handler::Extract` for it; or leave `#[extract]` out if it comes from the payload by name"
)]
pub trait Extractor {}

#[diagnostic::do_not_recommend]
impl<T: Extract> Extractor for T {}

/// `T` itself, if it is a [`Parameter`].
pub type Param<T> = <IfParameter<T> as Itself>::Type;

/// `T` itself, if it is an [`Extractor`].
pub type Extracted<T> = <IfExtractor<T> as Itself>::Type;

/// Stands for a type that is a [`Parameter`].
#[derive(Debug)]
pub struct IfParameter<T: Parameter>(PhantomData<T>);

/// Stands for a type that is an [`Extractor`].
#[derive(Debug)]
pub struct IfExtractor<T: Extractor>(PhantomData<T>);

/// The type that another one stands for.
pub trait Itself {
    /// That type.
    type Type;
}

impl<T: Parameter> Itself for IfParameter<T> {
    type Type = T;
}

impl<T: Extractor> Itself for IfExtractor<T> {
    type Type = T;
}

/// What a handler returned, as a reply.
///
/// # Errors
///
/// As [`IntoReply::into_reply`].
pub fn reply<R: IntoReply<M>, M>(returned: R) -> Result<Reply, Failure> {
    returned.into_reply()
}

/// What a handler of a contract returned, as a reply.
///
/// # Errors
///
/// As [`IntoAnswer::into_answer`].
pub fn answer<C: Rpc, R: IntoAnswer<OfRequests<C>, M>, M>(returned: R) -> Result<Reply, Failure> {
    returned.into_answer()
}

/// The result that a handler returned, as a reply.
///
/// # Errors
///
/// The handler's own, or as [`IntoReply::into_reply`].
pub fn outcome<T: IntoReply<M>, E: IntoFailure, M>(returned: Result<T, E>) -> Result<Reply, Failure> {
    returned.map_err(IntoFailure::into_failure)?.into_reply()
}
