//! [`Parcel`]: a message inside the broker.

use std::sync::Arc;

use tavrida::field::LongString;
use tavrida::transport::Publication;

use super::publish::header_keys;

/// A message, with data that only the broker sees.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) publication: Arc<Publication>,
    /// The keys of its `BCC` header, which was removed: dead-lettering routes by them again (R79).
    pub(crate) hidden: Option<Arc<Vec<LongString>>>,
}

impl Parcel {
    /// Returns a message as consumers see it: without `BCC` (R87).
    pub(crate) fn published(mut publication: Arc<Publication>) -> Self {
        if !publication.properties.headers().contains("BCC") {
            return Self { publication, hidden: None };
        }
        let hidden = header_keys(publication.properties.headers(), &["BCC"]);
        if let Some(headers) = &mut Arc::make_mut(&mut publication).properties.headers {
            headers.remove("BCC");
        }
        Self { publication, hidden: Some(Arc::new(hidden)) }
    }
}
