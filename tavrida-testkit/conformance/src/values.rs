//! Short ways to write names, tables and expected texts.

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::{Delivery, Publication};

/// Returns a name known at compile time.
pub(crate) const fn short(text: &'static str) -> ShortString {
    ShortString::from_static(text)
}

/// Returns a name built at run time.
pub(crate) fn named(text: impl AsRef<str>) -> ShortString {
    ShortString::try_from(text.as_ref()).expect("the suite's names are far below 255 bytes")
}

/// Returns a table written as a list.
pub(crate) fn table<const N: usize>(entries: [(&'static str, Value); N]) -> Table {
    entries.into_iter().map(|(name, value)| (short(name), value)).collect()
}

/// Returns the body of a delivery as text.
pub(crate) fn body(delivery: &Delivery) -> String {
    String::from_utf8_lossy(delivery.body()).into_owned()
}

/// Makes a message non-mandatory: the broker drops it if no queue is bound for it.
pub(crate) fn optional(publication: Publication) -> Publication {
    Publication { mandatory: false, ..publication }
}

/// Returns a publication with these headers.
pub(crate) fn with_headers(mut publication: Publication, headers: Table) -> Publication {
    publication.properties.headers = Some(headers);
    publication
}

/// Returns the part of a delivered publication that can be compared with the sent one: only the publisher knows whether it was mandatory.
pub(crate) fn as_sent(delivery: &Delivery) -> Publication {
    Publication { mandatory: true, ..(**delivery.publication()).clone() }
}

/// Cuts texts of over 255 bytes as RabbitMQ does (R1).
pub(crate) fn worded(text: String) -> String {
    if text.len() <= 255 { text } else { format!("{}...", &text[..252]) }
}
