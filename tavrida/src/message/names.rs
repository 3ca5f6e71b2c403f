//! The names of the wire format's headers: one table, which everybody reads.

/// Which of the four messages it is: the word of [`MessageKind::as_str`](super::MessageKind::as_str).
pub(crate) const MESSAGE_TYPE: &str = "message_type";
/// The chain's id.
pub(crate) const CORRELATION_ID: &str = "correlation_id";
/// The id that a request and its answer share.
pub(crate) const REQUEST_ID: &str = "request_id";
/// The message's own id.
pub(crate) const MESSAGE_ID: &str = "message_id";
/// Who sent it.
pub(crate) const SOURCE: &str = "source";
/// To whom; empty in a notification.
pub(crate) const DESTINATION: &str = "destination";
/// Where the answer goes; empty where nobody waits for one.
pub(crate) const REPLY_TO: &str = "reply_to";

/// All of them. They are properties of a message, not custom headers.
pub(crate) const RESERVED: [&str; 7] =
    [MESSAGE_TYPE, CORRELATION_ID, REQUEST_ID, MESSAGE_ID, SOURCE, DESTINATION, REPLY_TO];

/// Prefix of the headers that this library puts on copies of a message, and that end with the copy.
pub(crate) const OWN_PREFIX: &str = "x-tavrida-";

/// Prefix of the headers that this library sends with a request and gets back with its answer, as whoever answers echoes them.
/// Nobody else sees them, and no other message carries them on.
pub(crate) const ECHOED_PREFIX: &str = "tavrida-";

/// To whom a call is answered later, by whoever handles the answer to this request.
pub(crate) const LATER: &str = "tavrida-later";
