//! [`Draft`]: the parts of a message before it is sent.
//!
//! An error (an invalid entry point, a value that does not serialise, a reserved header) is kept and returned by the send, so that a
//! message can be built in one expression.

use serde::Serialize;
use smol_str::SmolStr;

use super::Sender;
use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::field::{ShortString, Table, Value};
use crate::id::Purpose;
use crate::json::{self, Object};
use crate::message::{
    Addresses, Context, CorrelationId, Headers, Message, MessageKind, Parts, Payload, ReservedHeaderError,
};

pub(crate) struct Draft {
    pub(crate) sender: Sender,
    pub(crate) source: Option<EntryPoint>,
    pub(crate) correlation_id: Option<CorrelationId>,
    pub(crate) context: Option<Object>,
    headers: Headers,
    whole: Option<Payload>,
    /// The named parameters as the beginning of a JSON object; empty if there are none.
    params: Vec<u8>,
    flaw: Option<Error>,
}

impl Draft {
    pub(crate) fn new(sender: Sender) -> Self {
        let headers = sender.headers().clone();
        Self {
            sender,
            source: None,
            correlation_id: None,
            context: None,
            headers,
            whole: None,
            params: Vec::new(),
            flaw: None,
        }
    }

    /// Keeps the first error: later ones often result from it.
    pub(crate) fn keep<T>(&mut self, result: Result<T, impl Into<Error>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.flaw.get_or_insert(error.into());
                None
            }
        }
    }

    pub(crate) fn param(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        let len = self.params.len();
        self.params.push(if len == 0 { b'{' } else { b',' });
        let written = json::write(&mut self.params, name).and_then(|()| {
            self.params.push(b':');
            json::write(&mut self.params, value)
        });
        if let Err(error) = written {
            self.params.truncate(len);
            let flaw = Error::new(Kind::WrongParameters, format!("the parameter '{name}': {error}"));
            self.flaw.get_or_insert(flaw);
        }
    }

    pub(crate) fn params(&mut self, params: &(impl Serialize + ?Sized)) {
        self.whole = self.keep(Payload::new(params));
    }

    pub(crate) fn payload(&mut self, payload: Payload) {
        self.whole = Some(payload);
    }

    /// Returns whether a payload or parameters were given.
    pub(crate) fn has_payload(&self) -> bool {
        self.whole.is_some() || !self.params.is_empty()
    }

    pub(crate) fn context(&mut self, context: &(impl Serialize + ?Sized)) {
        let context = Object::from_serialize(context)
            .map_err(|error| Error::new(Kind::WrongParameters, format!("the context: {error}")));
        self.context = self.keep(context);
    }

    pub(crate) fn header(
        &mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) {
        let inserted = self.headers.insert(name, value);
        self.keep(inserted);
    }

    /// Sets what the answer must bring back: the caller to answer later.
    pub(crate) fn later(&mut self, later: Table) {
        self.headers.set_later(later);
    }

    pub(crate) fn source_or_own(&self) -> EntryPoint {
        self.source.clone().unwrap_or_else(|| self.sender.source().clone())
    }

    /// Returns the message, and the error that prevents sending it.
    pub(crate) fn message(mut self, kind: MessageKind, addresses: Addresses) -> (Message, Option<Error>) {
        let correlation_id = self.correlation_id.take().or_else(|| self.sender.correlation_id().cloned());
        let correlation_id =
            correlation_id.unwrap_or_else(|| self.sender.ids().next(Purpose::Correlation).into());
        let payload = self.whole.take().unwrap_or_default();
        let payload = self.with_params(payload);
        let context = match self.context.take() {
            Some(given) => given,
            None => self.sender.context().object(),
        };
        let parts = Parts {
            kind,
            correlation_id,
            request_id: SmolStr::new_static(""),
            message_id: SmolStr::new_static(""),
            addresses,
            deadline: None,
            headers: self.headers,
            context: Context::from(context),
            payload,
        };
        (parts.into(), self.flaw)
    }

    fn with_params(&mut self, whole: Payload) -> Payload {
        if self.params.is_empty() {
            return whole;
        }
        let mut named = std::mem::take(&mut self.params);
        named.push(b'}');
        let named = String::from_utf8(named).expect("JSON is UTF-8");
        let named = Object::from_json(named).expect("names with JSON values are an object");
        if whole.is_empty() { named.into() } else { whole.object().merged([&named]).into() }
    }
}
