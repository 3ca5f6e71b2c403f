//! The envelope: the wire format of a [`Message`](crate::message::Message), in both directions.
//!
//! It is the wire format of the Python original (Tavrida 1.0.0): seven mandatory headers, custom headers beside them, and a JSON body of
//! payload and context. [`decode`] checks in the original's order and has one [`DecodeError`] for each reason; [`encode`] writes what the
//! original would, and AMQP's own properties too.
//!
//! Payload and context of a decoded message are slices of the received body; nothing is copied.
//!
//! ```
//! use tavrida::envelope::{decode, encode};
//! use tavrida::field::{ShortString, Table};
//! use tavrida::transport::Publication;
//!
//! let exchange = ShortString::from_static("test_exchange");
//! let key = ShortString::from_static("test_hello.hello");
//! let body = r#"{"payload": {"param": 123}, "context": {}}"#;
//! let mut publication = Publication::new(exchange.clone(), key, body);
//! let headers = [
//!     ("message_type", "request"),
//!     ("correlation_id", "123-456"),
//!     ("request_id", "r-1"),
//!     ("message_id", "m-1"),
//!     ("source", "client_app"),
//!     ("destination", "test_hello.hello"),
//!     ("reply_to", ""),
//! ];
//! publication.properties.headers =
//!     Some(headers.into_iter().map(|(name, text)| (ShortString::from_static(name), text)).collect());
//!
//! let message = decode(&publication)?;
//! assert_eq!(message.payload().get::<i64>("param")?, 123);
//! assert_eq!(decode(&encode(&message, exchange))?, message);
//!
//! publication.properties.headers = Some(Table::new());
//! let refused = decode(&publication).unwrap_err();
//! assert_eq!(refused.to_string(), "the header 'correlation_id' is missing");
//! # Ok::<(), tavrida::Error>(())
//! ```

#[cfg(test)]
mod against_python;
mod body;
mod decode;
mod encode;
mod error;
mod names;
#[cfg(test)]
mod round_trip;

pub use decode::decode;
pub use encode::{encode, encode_to_queue};
pub use error::{DecodeError, Shown, UndecodableError};
pub(crate) use names::{DEADLINE, is_added_to_copies, is_senders};
