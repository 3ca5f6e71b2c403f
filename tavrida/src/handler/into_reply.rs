//! [`IntoReply`]: the return types of handlers.

use serde::Serialize;

use crate::error::{Error, Kind};
use crate::json::{Object, to_string};
use crate::message::{ErrorReply, Failure, IntoFailure, Payload, Reply, Response};
use crate::proxy::Answered;

/// Markers that distinguish the implementations of [`IntoReply`]. User code does not name them.
pub mod marker {
    /// A value that serialises.
    #[derive(Debug)]
    pub struct Json;
    /// A reply message.
    #[derive(Debug)]
    pub struct Message;
    /// A reply that is already converted.
    #[derive(Debug)]
    pub struct Ready;
    /// A reply message, or none.
    #[derive(Debug)]
    pub struct Maybe;
    /// A result of a contract's reply with the contract's error.
    #[derive(Debug)]
    pub struct Declared;
    /// A result whose value has the marker `M`.
    #[derive(Debug)]
    pub struct Fallible<M>(std::marker::PhantomData<M>);
}

/// A type that a handler may return: nothing (`()`, or anything that serialises to `null`), a value that serialises to an object, a reply
/// message, an `Option` of these, a `Result` of any.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "no reply",
    note = "a reply is (), a value that implements serde::Serialize, a Response, an ErrorReply, or an Option or Result of \
            these; the error type of a Result must implement tavrida::message::IntoFailure"
)]
pub trait IntoReply<M> {
    /// Converts it to a reply.
    ///
    /// # Errors
    ///
    /// The handler's own error, or an error if its value does not serialise to an object.
    fn into_reply(self) -> Result<Reply, Failure>;
}

impl<T: Serialize> IntoReply<marker::Json> for T {
    fn into_reply(self) -> Result<Reply, Failure> {
        let wrong = |error: String| Failure::from(Error::new(Kind::WrongResponse, error));
        let text = to_string(&self)
            .map_err(|error| wrong(format!("the handler's value does not serialise: {error}")))?;
        if text == "null" {
            return Ok(Reply::Nothing);
        }
        match Object::from_json(text) {
            Ok(object) => Ok(Reply::Payload(Payload::from(object))),
            Err(error) => Err(wrong(format!("a handler answers with a JSON object or nothing: {error}"))),
        }
    }
}

/// A message that a handler may answer with.
pub trait ReplyMessage: Into<Reply> {}

impl ReplyMessage for Response {}
impl ReplyMessage for ErrorReply {}
impl ReplyMessage for Payload {}
impl ReplyMessage for Reply {}
impl ReplyMessage for Answered {}

impl<T: ReplyMessage> IntoReply<marker::Message> for T {
    fn into_reply(self) -> Result<Reply, Failure> {
        Ok(self.into())
    }
}

impl<T: ReplyMessage> IntoReply<marker::Maybe> for Option<T> {
    fn into_reply(self) -> Result<Reply, Failure> {
        Ok(self.map_or(Reply::Nothing, Into::into))
    }
}

impl<R: IntoReply<M>, E: IntoFailure, M> IntoReply<marker::Fallible<M>> for Result<R, E> {
    fn into_reply(self) -> Result<Reply, Failure> {
        self.map_err(IntoFailure::into_failure)?.into_reply()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply<M>(value: impl IntoReply<M>) -> Result<Reply, Failure> {
        value.into_reply()
    }

    fn payload(value: serde_json::Value) -> Reply {
        Reply::Payload(Payload::new(&value).unwrap())
    }

    #[derive(Serialize)]
    struct Sum {
        sum: i64,
    }

    #[test]
    fn nothing_in_all_its_forms_is_no_reply() {
        assert_eq!(reply(()), Ok(Reply::Nothing));
        assert_eq!(reply(None::<Sum>), Ok(Reply::Nothing));
        assert_eq!(reply(None::<Response>), Ok(Reply::Nothing));
        assert_eq!(reply(Ok::<(), Failure>(())), Ok(Reply::Nothing));
    }

    #[test]
    fn what_serialises_to_an_object_is_the_payload() {
        assert_eq!(reply(Sum { sum: 3 }), Ok(payload(json!({"sum": 3}))));
        assert_eq!(reply(Ok::<_, Error>(Some(Sum { sum: 3 }))), Ok(payload(json!({"sum": 3}))));
        assert_eq!(reply(json!({})), Ok(payload(json!({}))));
    }

    #[test]
    fn what_is_no_object_is_the_handlers_failure_with_the_originals_code() {
        let failure = reply(vec![1, 2]).unwrap_err();
        assert_eq!((failure.name(), failure.code()), ("WrongResponse", 1009));
        assert!(failure.message().contains("is no object but an array"), "{failure}");
    }

    #[test]
    fn an_error_is_the_failure() {
        let failed = Err::<Sum, _>(Failure::new("a.B", "no").with_code(7));
        assert_eq!(reply(failed).unwrap_err().code(), 7);
    }
}
