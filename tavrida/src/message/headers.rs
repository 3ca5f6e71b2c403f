//! [`Headers`]: the custom headers of a message.

use std::fmt;

use super::names::{ECHOED_PREFIX, LATER, OWN_PREFIX, RESERVED};
use crate::field::{ShortString, Table, Value};
use crate::show::shown;

/// Custom headers. Reserved names of the wire format are excluded, since they are properties of the message.
///
/// Its `Debug` output shows `<masked>` in place of the values of secrets, which are recognised by their names: `authorization`, `cookie`,
/// `token`, `secret`, `password` or `api-key` as part of the name, in any case. On the wire they are not masked.
#[derive(Clone, Default, PartialEq)]
pub struct Headers {
    custom: Table,
    /// Headers that are echoed from a request to its answer, invisible to users.
    echoed: Table,
}

impl Headers {
    /// Returns empty headers.
    pub const fn new() -> Self {
        Self { custom: Table::new(), echoed: Table::new() }
    }

    /// Inserts or replaces a header.
    ///
    /// # Errors
    ///
    /// [`ReservedHeaderError`] for the seven names of the wire format (`message_type`, `correlation_id`, `request_id`,
    /// `message_id`, `source`, `destination`, `reply_to`) and for those that begin with `x-tavrida-` or `tavrida-`; and for
    /// values whose type would harm a Python peer (see [`ReservedHeaderError`]).
    pub fn insert(
        &mut self,
        name: impl TryInto<ShortString, Error = impl Into<ReservedHeaderError>>,
        value: impl Into<Value>,
    ) -> Result<(), ReservedHeaderError> {
        let (name, value) = (name.try_into().map_err(Into::into)?, value.into());
        let ours = name.starts_with(OWN_PREFIX) || name.starts_with(ECHOED_PREFIX);
        if ours || RESERVED.contains(&name.as_str()) {
            return Err(ReservedHeaderError(HeaderFlaw::Reserved(name)));
        }
        if !is_harmless(&value) {
            return Err(ReservedHeaderError(HeaderFlaw::Harmful(name, value.type_letter())));
        }
        self.custom.insert(name, value);
        Ok(())
    }

    /// Creates headers from the wire: without the reserved ones, and with the echoed ones separate.
    pub(crate) fn from_wire(custom: Table, echoed: Table) -> Self {
        Self { custom, echoed }
    }

    /// Creates headers of an own message from a table of both.
    pub(crate) fn from_own(table: &Table) -> Self {
        let entries = table.iter().map(|(name, value)| (name.clone(), value.clone()));
        let (echoed, custom): (Vec<_>, Vec<_>) =
            entries.partition(|(name, _)| name.starts_with(ECHOED_PREFIX));
        Self { custom: custom.into_iter().collect(), echoed: echoed.into_iter().collect() }
    }

    /// Returns all headers sent on the wire.
    pub(crate) fn wire(&self) -> impl Iterator<Item = (&ShortString, &Value)> {
        self.custom.iter().chain(self.echoed.iter())
    }

    /// Returns the number of headers sent on the wire.
    pub(crate) fn wire_len(&self) -> usize {
        self.custom.len() + self.echoed.len()
    }

    /// Echoes what other headers echo.
    pub(crate) fn echo(&mut self, other: &Headers) {
        self.echoed = other.echoed.clone();
    }

    /// Returns the caller to answer later, in its wire form.
    pub(crate) fn later(&self) -> Option<&Table> {
        match self.echoed.get(LATER) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// Sets the caller to answer later.
    pub(crate) fn set_later(&mut self, later: Table) {
        self.echoed.insert(ShortString::from_static(LATER), later);
    }

    /// Returns the value of a header.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.custom.get(name)
    }

    /// Returns the text of a header, if it is text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Removes a header. Returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.custom.remove(name)
    }

    /// Returns the number of headers.
    pub fn len(&self) -> usize {
        self.custom.len()
    }

    /// Returns whether there are no headers.
    pub fn is_empty(&self) -> bool {
        self.custom.is_empty()
    }

    /// Returns all headers, in the order in which they came.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ShortString, &Value)> {
        self.custom.iter()
    }

    /// Returns the headers that every peer can read, for messages to services that did not send them. Excluded ones are logged, in one line.
    /// Echoed headers are excluded too: they belong to the sender of the handled message.
    ///
    /// A service of the Python original crashes on some field types. The sender of such a header gets it back with the answer; no other
    /// service gets it.
    pub(crate) fn harmless(&self) -> Self {
        let (mut custom, mut excluded) = (self.custom.clone(), Vec::new());
        custom.retain(|name, value| {
            let harmless = is_harmless(value);
            if !harmless {
                excluded.push(format!("{name} ({})", value.type_letter()));
            }
            harmless
        });
        if !excluded.is_empty() {
            let (count, headers) = (excluded.len(), excluded.join(", "));
            tracing::warn!(count, headers = %shown(headers), "headers are not passed on: their types would harm a Python peer");
        }
        Self { custom, echoed: Table::new() }
    }

    /// Merges others over these: theirs win.
    pub fn update(&mut self, others: &Headers) {
        for (name, value) in others.iter() {
            self.custom.insert(name.clone(), value.clone());
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Masked(&self.custom).fmt(f)
    }
}

/// Headers as logs show them: without the values of secrets.
pub(crate) struct Masked<'a>(pub(crate) &'a Table);

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| match value {
            _ if is_secret(name) => (name, "<masked>".to_owned()),
            value => (name, value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned)),
        });
        f.debug_map().entries(shown).finish()
    }
}

/// Words in the names of headers with secret values.
const SECRETS: [&str; 6] = ["authorization", "cookie", "token", "secret", "password", "api-key"];

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

/// Returns whether the Python original's AMQP client reads a value of this type correctly, and can send it back.
fn is_harmless(value: &Value) -> bool {
    match value {
        Value::Void | Value::Bool(_) | Value::I32(_) => true,
        Value::I64(number) => *number >= 0,
        Value::LongString(bytes) => std::str::from_utf8(bytes).is_ok(),
        Value::Array(items) => items.iter().all(is_harmless),
        Value::Table(table) => table.iter().all(|(_, value)| is_harmless(value)),
        _ => false,
    }
}

/// A header cannot be set: its name is reserved or too long, or the type of its value would harm a peer.
///
/// The original's client truncates floating-point numbers, swaps the sign of single bytes, cannot send back negative 64-bit integers, and
/// crashes on byte arrays and on text that is not UTF-8. Allowed are: text, booleans, 32-bit integers, 64-bit integers from 0, void, and
/// arrays and tables of these. (Observed on the original, with its pika 0.10.)
#[derive(Debug, Clone, PartialEq)]
pub struct ReservedHeaderError(HeaderFlaw);

#[derive(Debug, Clone, PartialEq)]
enum HeaderFlaw {
    Reserved(ShortString),
    Harmful(ShortString, char),
    TooLongError(crate::field::TooLongError),
}

impl From<crate::field::TooLongError> for ReservedHeaderError {
    fn from(error: crate::field::TooLongError) -> Self {
        Self(HeaderFlaw::TooLongError(error))
    }
}

impl From<std::convert::Infallible> for ReservedHeaderError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for ReservedHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            HeaderFlaw::Reserved(name) => {
                write!(f, "the header '{name}' belongs to the wire format; it is a property of the message")
            }
            HeaderFlaw::Harmful(name, letter) => write!(
                f,
                "the header '{name}' has the AMQP type '{letter}', or a value of its type, that a Python peer cannot take; \
                 send text, a boolean, an integer (32 bits, or 64 bits from 0), nothing, or arrays and tables of these"
            ),
            HeaderFlaw::TooLongError(error) => write!(f, "the header has no AMQP name: {error}"),
        }
    }
}

impl std::error::Error for ReservedHeaderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(crate::error::Kind::ForbiddenHeaders.source())
    }
}

impl From<ReservedHeaderError> for crate::Error {
    fn from(error: ReservedHeaderError) -> Self {
        Self::new(crate::error::Kind::ForbiddenHeaders, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seven_names_of_the_wire_cannot_be_overwritten() {
        let mut headers = Headers::new();
        for name in RESERVED {
            let error = headers.insert(name, "forged").unwrap_err();
            assert!(error.to_string().contains(&format!("'{name}' belongs to the wire format")), "{error}");
        }
        assert!(headers.is_empty());
    }

    #[test]
    fn names_of_the_librarys_own_cannot_be_set() {
        for name in ["x-tavrida-attempt", "tavrida-later", "tavrida-anything"] {
            let error = Headers::new().insert(name, "forged").unwrap_err();
            assert!(error.to_string().contains(&format!("'{name}' belongs to the wire format")), "{error}");
        }
    }

    #[test]
    fn what_is_only_echoed_is_seen_by_nobody_and_carried_on_by_nothing() {
        let mut headers = Headers::new();
        headers.insert("x-trace", "abc").unwrap();
        headers.set_later(Table::new());
        assert_eq!((headers.len(), headers.wire_len()), (1, 2));
        assert!(headers.get(LATER).is_none() && headers.iter().all(|(name, _)| name != LATER));
        assert_eq!(format!("{headers:?}"), r#"{"x-trace": "abc"}"#);
        assert!(headers.later().is_some() && headers.harmless().later().is_none());
    }

    #[test]
    fn a_name_of_256_bytes_is_refused_with_its_length() {
        let error = Headers::new().insert("h".repeat(256), "value").unwrap_err();
        assert!(error.to_string().contains("has 256 bytes; AMQP allows at most 255"), "{error}");
    }

    #[test]
    fn secrets_are_masked_when_headers_are_printed() {
        let mut headers = Headers::new();
        headers.insert("Proxy-Authorization", "Basic abc").unwrap();
        headers.insert("x-trace", "abc").unwrap();
        assert_eq!(format!("{headers:?}"), r#"{"Proxy-Authorization": "<masked>", "x-trace": "abc"}"#);
    }

    #[test]
    fn what_would_harm_others_is_not_passed_on() {
        let wire = Table::new()
            .with(ShortString::from_static("x-bytes"), Value::Bytes("b".into()))
            .with(ShortString::from_static("x-trace"), "abc");
        let names: Vec<_> = Headers::from_wire(wire, Table::new())
            .harmless()
            .iter()
            .map(|(name, _)| name.to_string())
            .collect();
        assert_eq!(names, ["x-trace"]);
    }

    #[test]
    fn types_that_would_harm_a_python_peer_are_refused() {
        let mut headers = Headers::new();
        for value in
            [Value::F64(1.5), Value::I64(-1), Value::Bytes("x".into()), Value::LongString("\u{fffd}".into())]
        {
            let harmless = matches!(value, Value::LongString(_));
            assert_eq!(headers.insert("x-value", value).is_ok(), harmless);
        }
        assert!(headers.insert("x-list", vec![Value::F32(1.0)]).is_err());
    }
}
