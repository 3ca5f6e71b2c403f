//! The names of the wire format's headers, in one table.

/// The kind of message: the word of [`MessageKind::as_str`](super::MessageKind::as_str).
pub(crate) const MESSAGE_TYPE: &str = "message_type";
/// The correlation id of the chain.
pub(crate) const CORRELATION_ID: &str = "correlation_id";
/// The id that a request and its answer share.
pub(crate) const REQUEST_ID: &str = "request_id";
/// The message's own id.
pub(crate) const MESSAGE_ID: &str = "message_id";
/// The sender.
pub(crate) const SOURCE: &str = "source";
/// The receiver; empty in a notification.
pub(crate) const DESTINATION: &str = "destination";
/// The reply address; empty if no answer is expected.
pub(crate) const REPLY_TO: &str = "reply_to";

/// All of them. They are properties of a message, not custom headers.
pub(crate) const RESERVED: [&str; 7] =
    [MESSAGE_TYPE, CORRELATION_ID, REQUEST_ID, MESSAGE_ID, SOURCE, DESTINATION, REPLY_TO];

/// Prefix of the headers that this library adds to copies of a message, and that end with the copy.
pub(crate) const OWN_PREFIX: &str = "x-tavrida-";

/// Until when the asker of a request waits, in milliseconds since 1970-01-01 00:00 UTC. Copies of the request keep it.
pub(crate) const DEADLINE: &str = "x-tavrida-deadline";

/// Prefix of the headers that this library sends with a request and gets back with its answer, because the answering side echoes them. User
/// code does not see them, and no other message carries them.
pub(crate) const ECHOED_PREFIX: &str = "tavrida-";

/// The caller to answer later, by the handler of the answer to this request.
pub(crate) const LATER: &str = "tavrida-later";
