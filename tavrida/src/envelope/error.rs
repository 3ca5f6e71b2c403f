//! Decoding errors: one [`DecodeError`] for each reason.

use std::fmt;

use crate::entry_point::EntryPointError;
use crate::error::{Error, Kind};
use crate::field::Value;
use crate::message::Request;
use crate::show::beginning;

/// A message that cannot be decoded, and its caller if known.
#[derive(Debug, Clone, PartialEq)]
pub struct UndecodableError {
    /// The reason.
    pub error: DecodeError,
    /// The call whose caller waits for an answer, as far as it could be decoded. `None` if the message is not a call, or lacks its
    /// destination or reply address. [`Request::fail`] makes the error that answers it; its payload is empty.
    pub asker: Option<Request>,
}

/// Why a message cannot be decoded. Each variant names the header or the part of the body, and shows the beginning of the value found.
///
/// The order is that of the checks: a message with two faults gets the error of the first. (The last three are checked header by header:
/// addresses, then ids.)
///
/// It is non-exhaustive, since a message accepted today may turn out to harm a peer: dead-letter messages with unknown reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The transport could not read a part of the message, and left it out.
    Unreadable {
        /// The transport's reason.
        reason: Shown,
    },
    /// There is no header table.
    NoHeaders,
    /// One of the seven headers is missing.
    MissingHeader {
        /// The header.
        header: &'static str,
    },
    /// The header `message_type` is none of the four known values.
    UnknownMessageType {
        /// The value found.
        found: Shown,
    },
    /// The header `source` is empty: the message has no sender.
    EmptySource,
    /// The body has no bytes, or only white space.
    EmptyBody,
    /// The body begins with a byte order mark.
    ByteOrderMark,
    /// The body is not UTF-8.
    BodyNotUtf8 {
        /// How many bytes are UTF-8.
        valid_up_to: usize,
    },
    /// The body is not JSON.
    BodyNotJson {
        /// The parser's error.
        flaw: String,
        /// The body.
        found: Shown,
    },
    /// The body is JSON, but not an object.
    BodyNotObject {
        /// The body.
        found: Shown,
    },
    /// The body lacks `payload` or `context`.
    MissingMember {
        /// The name.
        member: &'static str,
    },
    /// `payload` or `context` is not an object.
    MemberNotObject {
        /// The name.
        member: &'static str,
        /// The value.
        found: Shown,
    },
    /// A header that must be text has another AMQP type.
    HeaderNotText {
        /// The header.
        header: &'static str,
        /// The letter of its type.
        letter: char,
        /// The value.
        found: Shown,
    },
    /// A header has the type of text, but its bytes are not UTF-8.
    HeaderNotUtf8 {
        /// The header.
        header: &'static str,
        /// The bytes.
        found: Shown,
    },
    /// The property `reply_to` of a request names a queue that is not a [reply queue](crate::transport::is_reply_queue). The answer could
    /// reach a queue of another service.
    NoReplyQueue {
        /// The name.
        found: Shown,
    },
    /// The header `source`, `destination` or `reply_to` is not an entry point.
    BadAddress {
        /// The header.
        header: &'static str,
        /// The error, with the text.
        flaw: EntryPointError,
    },
}

impl DecodeError {
    /// The same reason without what the body holds, for logs that must not show payloads.
    pub(crate) fn without_payload(mut self) -> Self {
        match &mut self {
            Self::BodyNotJson { flaw, found } => {
                *found = Shown::hidden();
                flaw.truncate(flaw.find(['`', '"']).unwrap_or(flaw.len()));
            }
            Self::BodyNotObject { found } | Self::MemberNotObject { found, .. } => *found = Shown::hidden(),
            _ => {}
        }
        self
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NoHeaders | Self::MissingHeader { .. } | Self::MissingMember { .. } => Kind::FieldMustExist,
            Self::UnknownMessageType { .. }
            | Self::HeaderNotText { .. }
            | Self::NoReplyQueue { .. }
            | Self::HeaderNotUtf8 { .. }
            | Self::MemberNotObject { .. } => Kind::UnsuitableFieldValue,
            Self::EmptySource => Kind::FieldMustFullyDefined,
            Self::BadAddress { .. } => Kind::WrongEntryPointFormat,
            Self::EmptyBody
            | Self::ByteOrderMark
            | Self::Unreadable { .. }
            | Self::BodyNotUtf8 { .. }
            | Self::BodyNotJson { .. }
            | Self::BodyNotObject { .. } => Kind::IncorrectMessage,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { reason } => write!(f, "a part of the message is unreadable: {reason}"),
            Self::NoHeaders => f.write_str("the message has no headers; the wire format has seven"),
            Self::MissingHeader { header } => write!(f, "the header '{header}' is missing"),
            Self::UnknownMessageType { found } => write!(
                f,
                "the header 'message_type' is {found}; it must be 'request', 'response', 'error' or 'notification'"
            ),
            Self::EmptySource => {
                f.write_str("the header 'source' is empty; it must say who sent the message")
            }
            Self::EmptyBody => f.write_str("the body is empty; it must be a JSON object"),
            Self::ByteOrderMark => {
                f.write_str("the body begins with a byte order mark, which JSON does not allow")
            }
            Self::BodyNotUtf8 { valid_up_to } => {
                write!(f, "the body is not UTF-8 from its byte {valid_up_to} (counted from 0)")
            }
            Self::BodyNotJson { flaw, found } => write!(f, "the body is no JSON: {flaw}, in {found}"),
            Self::BodyNotObject { found } => write!(f, "the body is no JSON object but {found}"),
            Self::MissingMember { member } => write!(f, "the body has no '{member}'"),
            Self::MemberNotObject { member, found } => {
                write!(f, "the body's '{member}' is no JSON object but {found}")
            }
            Self::HeaderNotText { header, letter, found } => {
                write!(
                    f,
                    "the header '{header}' is {found}, of the AMQP type '{letter}'; it must be text ('S')"
                )
            }
            Self::HeaderNotUtf8 { header, found } => {
                write!(f, "the header '{header}' is {found}, which is not UTF-8")
            }
            Self::NoReplyQueue { found } => write!(
                f,
                "the property 'reply_to' is {found}; it must be a queue that the broker named ('amq.gen-...') or an \
                 address for direct replies that it made"
            ),
            Self::BadAddress { header, flaw } => write!(f, "the header '{header}': {flaw}"),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.kind().source())
    }
}

impl fmt::Display for UndecodableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for UndecodableError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error.kind().source())
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

impl From<UndecodableError> for Error {
    fn from(undecodable: UndecodableError) -> Self {
        undecodable.error.into()
    }
}

/// The beginning of a rejected value, as shown to people: at most 64 characters and three dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// Shows JSON as received.
    pub(super) fn json(text: &str) -> Self {
        Self::of(format_args!("{text}"))
    }

    /// A name.
    pub(super) fn name(text: &str) -> Self {
        Self::of(format_args!("'{text}'"))
    }

    /// A header's value: text in quotes, other values in Rust's debug format.
    pub(super) fn value(value: &Value) -> Self {
        match value.as_str() {
            Some(text) => Self::of(format_args!("'{text}'")),
            None => Self::of(format_args!("{value:?}")),
        }
    }

    /// What stands in place of a payload that must not be logged.
    fn hidden() -> Self {
        Self("(not shown)".to_owned())
    }

    fn of(value: fmt::Arguments<'_>) -> Self {
        Self(beginning(value).to_string())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
