//! The caller to answer later, as a header: it is sent with another request, and comes back with the answer to that.

use smol_str::SmolStr;

use crate::entry_point::EntryPoint;
use crate::envelope;
use crate::error::{Error, Kind};
use crate::field::{ShortString, Table, Value};
use crate::message::names::LATER;
use crate::message::{Addresses, Context, Headers, Message, MessageKind, Parts, Payload, Request};
use crate::outbound::Seal;
use crate::show::beginning;
use crate::transport::is_reply_queue;

const SOURCE: ShortString = ShortString::from_static("source");
const DESTINATION: ShortString = ShortString::from_static("destination");
const REPLY_TO: ShortString = ShortString::from_static("reply_to");
const REPLY_QUEUE: ShortString = ShortString::from_static("reply_queue");
const REQUEST_ID: ShortString = ShortString::from_static("request_id");
const CORRELATION_ID: ShortString = ShortString::from_static("correlation_id");
const HEADERS: ShortString = ShortString::from_static("headers");
const DEADLINE: ShortString = ShortString::from_static("deadline");
const STATE: ShortString = ShortString::from_static("state");

/// The maximum size of a reply with its state, in bytes. All headers of a message share one AMQP frame, of 128 KiB by default, and replies
/// nest: one includes what its caller wants back.
pub(super) const LIMIT: usize = 32 * 1024;

/// Encodes what pairs an answer with its request, its destination, and the state of the handler as JSON.
pub(super) fn to_table(request: &Request, state: String) -> Table {
    let Addresses { source, destination, reply_to, reply_queue } = request.parts().addresses.clone();
    let headers: Table =
        request.headers().wire().map(|(name, value)| (name.clone(), value.clone())).collect();
    let table = Table::with_capacity(9)
        .with(SOURCE, source.routing_key())
        .with(DESTINATION, destination.routing_key())
        .with(REPLY_TO, reply_to.routing_key())
        .with(REQUEST_ID, request.parts().request_id.clone())
        .with(CORRELATION_ID, request.correlation_id().as_value().clone())
        .with(HEADERS, headers)
        .with(STATE, state);
    let table = match reply_queue {
        Some(queue) => table.with(REPLY_QUEUE, queue),
        None => table,
    };
    match request.parts().deadline.and_then(|deadline| i64::try_from(deadline).ok()) {
        Some(deadline) => table.with(DEADLINE, deadline),
        None => table,
    }
}

/// Returns the approximate size of a table on the wire.
pub(super) fn size(table: &Table) -> usize {
    table.iter().map(|(name, value)| name.len() + 8 + size_of_value(value)).sum()
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::LongString(bytes) | Value::Bytes(bytes) => bytes.len(),
        Value::Array(items) => items.iter().map(|item| 8 + size_of_value(item)).sum(),
        Value::Table(table) => size(table),
        _ => 8,
    }
}

/// Returns the request of the first caller (without payload), to be answered in this context.
fn request_of(table: &Table, context: Context) -> Result<Request, Error> {
    let addresses = Addresses {
        source: address(table, &SOURCE)?,
        destination: address(table, &DESTINATION)?,
        reply_to: address(table, &REPLY_TO)?,
        reply_queue: match table.get(&REPLY_QUEUE) {
            Some(_) => Some(ShortString::try_from(text(table, &REPLY_QUEUE)?)?),
            None => None,
        },
    };
    let correlation_id = table.get(&CORRELATION_ID).ok_or_else(|| malformed(&CORRELATION_ID))?.clone();
    let Some(Value::Table(headers)) = table.get(&HEADERS) else { return Err(malformed(&HEADERS)) };
    if let Some((name, _)) = headers.iter().find(|(name, _)| !envelope::is_senders(name)) {
        let text =
            format!("the header '{LATER}' has '{}' among the caller's headers: forged", beginning(name));
        return Err(Error::new(Kind::UnsuitableFieldValue, text));
    }
    let request = Parts {
        kind: MessageKind::Request,
        correlation_id: correlation_id.into(),
        request_id: text(table, &REQUEST_ID)?,
        message_id: SmolStr::new_static(""),
        addresses,
        deadline: table.get(&DEADLINE).and_then(Value::as_i64).and_then(|at| u64::try_from(at).ok()),
        headers: Headers::from_own(headers),
        context,
        payload: Payload::EMPTY,
    };
    Ok(Request(request.into()))
}

pub(super) fn state_of(table: &Table) -> Result<SmolStr, Error> {
    text(table, &STATE)
}

fn address(table: &Table, name: &str) -> Result<EntryPoint, Error> {
    Ok(EntryPoint::parse(text(table, name)?)?)
}

fn text(table: &Table, name: &str) -> Result<SmolStr, Error> {
    match table.get(name) {
        Some(Value::LongString(octets)) => octets.to_text().ok_or_else(|| malformed(name)),
        _ => Err(malformed(name)),
    }
}

fn malformed(name: &str) -> Error {
    let text = format!("the header '{LATER}' has no proper '{name}': somebody changed it");
    Error::new(Kind::UnsuitableFieldValue, text)
}

/// Returns the request that the handler of this message must answer: the message itself, or the request whose answer was deferred until
/// this message (an answer itself) came.
///
/// The sender of the message may have forged the header. So the answer is only ever that of the service that handles the message, and
/// goes to a reply queue or through discovery, as that to any request does; and where there is a secret, the header must be signed with it.
///
/// # Errors
///
/// The header cannot be decoded, or is not this service's.
pub(super) fn request_to_answer(message: &Message, seal: Option<&Seal>) -> Result<Option<Request>, Error> {
    match message.kind() {
        MessageKind::Request => Ok(Some(Request(message.clone()))),
        MessageKind::Notification => Ok(None),
        MessageKind::Response | MessageKind::Error => {
            let Some(table) = message.headers().later() else { return Ok(None) };
            if let Some(seal) = seal {
                seal.check(table)?;
            }
            let request = request_of(table, message.context().clone())?;
            check_own(&request, message)?;
            Ok(Some(request))
        }
    }
}

/// Checks that a deferred answer is one that the service of this message owes, to where answers go.
fn check_own(request: &Request, message: &Message) -> Result<(), Error> {
    let refused = |text: String| Err(Error::new(Kind::UnsuitableFieldValue, text));
    let (owing, handling) = (request.destination().service(), message.destination().service());
    if owing != handling {
        let (owing, handling) = (owing.unwrap_or_default(), handling.unwrap_or_default());
        return refused(format!("the header '{LATER}' is an answer of '{owing}', and came to '{handling}'"));
    }
    match &request.parts().addresses.reply_queue {
        Some(queue) if !is_reply_queue(queue) => {
            refused(format!("the header '{LATER}' names '{}', which is not a reply queue", beginning(queue)))
        }
        _ => Ok(()),
    }
}

/// Returns the call to answer after this message is handled. `None` if no caller waits.
///
/// # Errors
///
/// As [`request_to_answer`].
pub(crate) fn owed(message: &Message, seal: Option<&Seal>) -> Result<Option<Request>, Error> {
    let is_owed = match message.kind() {
        MessageKind::Request => message.is_call(),
        _ => message.headers().later().is_some(),
    };
    let request = if is_owed { request_to_answer(message, seal)? } else { None };
    Ok(request.filter(|request| request.is_call()))
}
