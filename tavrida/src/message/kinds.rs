//! The four kinds as types, and how replies are created from requests.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::{Addresses, Failure, Message, MessageKind, Parts, Payload};
use crate::error::Error;

/// A call (the sender waits for the answer) or a cast (no answer).
#[derive(Debug, Clone, PartialEq)]
pub struct Request(pub(crate) Message);

/// The answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Response(pub(crate) Message);

/// The error that answers a call. Its payload has `class`, `message` and `code`.
///
/// Its `Debug` output shows them, too.
#[derive(Clone, PartialEq)]
pub struct ErrorReply(pub(crate) Message);

/// An event that a service publishes to its subscribers.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification(pub(crate) Message);

impl Message {
    /// Converts it to a request.
    ///
    /// # Errors
    ///
    /// The message, if it is of another kind.
    pub fn into_request(self) -> Result<Request, Message> {
        if self.kind() == MessageKind::Request { Ok(Request(self)) } else { Err(self) }
    }

    /// Converts it to a response.
    ///
    /// # Errors
    ///
    /// The message, if it is of another kind.
    pub fn into_response(self) -> Result<Response, Message> {
        if self.kind() == MessageKind::Response { Ok(Response(self)) } else { Err(self) }
    }

    /// Converts it to an error reply.
    ///
    /// # Errors
    ///
    /// The message, if it is of another kind.
    pub fn into_error(self) -> Result<ErrorReply, Message> {
        if self.kind() == MessageKind::Error { Ok(ErrorReply(self)) } else { Err(self) }
    }

    /// Converts it to a notification.
    ///
    /// # Errors
    ///
    /// The message, if it is of another kind.
    pub fn into_notification(self) -> Result<Notification, Message> {
        if self.kind() == MessageKind::Notification { Ok(Notification(self)) } else { Err(self) }
    }
}

impl Request {
    /// Returns the response to this request: it keeps the correlation id with its type, the request id and the custom headers, and goes to
    /// the reply address. It gets its own message id when it is sent.
    pub fn respond(&self, payload: Payload) -> Response {
        Response(self.reply(MessageKind::Response, payload))
    }

    /// Returns the error that answers this request; it keeps what a response keeps.
    pub fn fail(&self, failure: &Failure) -> ErrorReply {
        ErrorReply(self.reply(MessageKind::Error, failure.to_payload()))
    }

    fn reply(&self, kind: MessageKind, payload: Payload) -> Message {
        let Parts { correlation_id, request_id, addresses: request, headers, context, .. } = self.parts();
        // The original falls back to the source: a call always has a reply address, so this only applies to replies to casts.
        let destination = if request.reply_to.is_none() { &request.source } else { &request.reply_to };
        let addresses = Addresses {
            source: request.destination.clone(),
            destination: destination.clone(),
            reply_to: Default::default(),
            reply_queue: request.reply_queue.clone(),
        };
        Parts {
            kind,
            correlation_id: correlation_id.clone(),
            request_id: request_id.clone(),
            message_id: SmolStr::new_static(""),
            addresses,
            deadline: None,
            headers: headers.clone(),
            context: context.fork(),
            payload,
        }
        .into()
    }
}

impl Failure {
    /// Writes exactly `class`, `message` and `code`, as on the wire of the original; a typed body is added under `detail`.
    fn to_payload(&self) -> Payload {
        #[derive(serde::Serialize)]
        struct Wire<'a> {
            class: &'a str,
            message: &'a str,
            code: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a RawValue>,
        }
        let detail =
            self.detail().map(|body| RawValue::from_string(body.to_owned()).expect("a body is JSON"));
        let wire = Wire {
            class: self.class(),
            message: self.message(),
            code: self.code(),
            detail: detail.as_deref(),
        };
        Payload::new(&wire).expect("texts and a number serialise to an object")
    }
}

impl ErrorReply {
    /// Returns the class of the error: a dotted path such as `exceptions.ValueError`. Empty if the sender gave none.
    pub fn class(&self) -> String {
        self.payload().get("class").unwrap_or_default()
    }

    /// Returns the last part of the class.
    pub fn name(&self) -> String {
        self.class().rsplit('.').next().unwrap_or_default().to_owned()
    }

    /// Returns the text for people. Empty if the sender gave none.
    pub fn message(&self) -> String {
        self.payload().get("message").unwrap_or_default()
    }

    /// Returns the code. `None` if the sender gave none, or something other than a whole number.
    pub fn code(&self) -> Option<i64> {
        self.payload().get("code").ok()
    }

    /// Converts it to a failure, for a handler that passes it on.
    pub fn failure(&self) -> Failure {
        let failure = Failure::new(self.class(), self.message())
            .with_code(self.code().unwrap_or(crate::error::UNKNOWN_CODE));
        match self.payload().members().raw("detail") {
            Some(detail) => failure.with_detail_json(detail),
            None => failure,
        }
    }

    /// Returns the typed body.
    ///
    /// # Errors
    ///
    /// There is none, or it does not fit.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.payload().get("detail")
    }
}

impl fmt::Debug for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ErrorReply").field(&format_args!("{self}")).field(&self.0).finish()
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered with the error {}", self.source(), self.failure())
    }
}

/// Allows the error of another service to be an error here, and to be passed on unchanged.
impl std::error::Error for ErrorReply {}

impl Deref for Request {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut Message {
        &mut self.0
    }
}

impl Deref for Response {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl DerefMut for Response {
    fn deref_mut(&mut self) -> &mut Message {
        &mut self.0
    }
}

impl Deref for ErrorReply {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl DerefMut for ErrorReply {
    fn deref_mut(&mut self) -> &mut Message {
        &mut self.0
    }
}

impl Deref for Notification {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl DerefMut for Notification {
    fn deref_mut(&mut self) -> &mut Message {
        &mut self.0
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        request.0
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        response.0
    }
}

impl From<ErrorReply> for Message {
    fn from(error: ErrorReply) -> Self {
        error.0
    }
}

impl From<Notification> for Message {
    fn from(notification: Notification) -> Self {
        notification.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Value;
    use crate::message::CorrelationId;

    fn call() -> Request {
        let addresses = Addresses {
            source: "client.main".parse().unwrap(),
            destination: "billing.charge".parse().unwrap(),
            reply_to: "client".parse().unwrap(),
            reply_queue: None,
        };
        let mut message = Message::new(MessageKind::Request, Value::I32(516).into(), addresses);
        message.parts_mut().request_id = "r-1".into();
        message.parts_mut().message_id = "m-1".into();
        message.headers_mut().insert("x-trace", "abc").unwrap();
        message.context().insert("param", &123).unwrap();
        Request(message)
    }

    #[test]
    fn a_response_keeps_what_pairs_it_with_its_request_and_gets_an_id_of_its_own() {
        let response = call().respond(Payload::new(&serde_json::json!({"answer": 42})).unwrap());
        assert_eq!(response.correlation_id(), &CorrelationId::from(Value::I32(516)));
        assert_eq!(response.request_id(), "r-1");
        assert_eq!(response.message_id(), "");
        assert_eq!(response.headers().get_str("x-trace"), Some("abc"));
        assert_eq!(response.source().as_str(), "billing.charge");
        assert_eq!(response.destination().as_str(), "client");
        assert!(response.reply_to().is_none());
        assert_eq!(response.context().object().as_str(), r#"{"param":123}"#);
    }

    #[test]
    fn an_error_has_class_message_and_code_and_its_body_under_detail() {
        let failure = Failure::new("billing.Declined", "no funds").with_code(4002);
        let error = call().fail(&failure.clone().with_detail(&serde_json::json!({"left": 3})).unwrap());
        assert_eq!(
            error.payload().as_str(),
            r#"{"class":"billing.Declined","message":"no funds","code":4002,"detail":{"left":3}}"#
        );
        assert_eq!((error.name().as_str(), error.code()), ("Declined", Some(4002)));
        assert_eq!(error.detail::<serde_json::Value>().unwrap()["left"], 3);
        let plain = call().fail(&failure);
        assert_eq!(
            plain.payload().as_str(),
            r#"{"class":"billing.Declined","message":"no funds","code":4002}"#
        );
    }

    #[test]
    fn an_error_of_a_stranger_may_have_any_payload() {
        let mut error = ErrorReply(call().0);
        error.set_payload(Payload::EMPTY);
        assert_eq!((error.class().as_str(), error.message().as_str(), error.code()), ("", "", None));
    }
}
