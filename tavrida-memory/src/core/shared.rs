//! Serde support for a shared publication: it is serialised as its content, for `#[serde(with = ..)]`.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tavrida::transport::Publication;

pub(crate) fn serialize<S: Serializer>(
    publication: &Arc<Publication>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (**publication).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Publication>, D::Error> {
    Publication::deserialize(deserializer).map(Arc::new)
}
