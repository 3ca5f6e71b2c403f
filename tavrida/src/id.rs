//! The source of ids of a client or server.
//!
//! The default is random ids. A simulation derives them from their causes, so that the same run makes the same ids, and independent steps
//! do not affect each other's ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use smol_str::SmolStr;
use uuid::Uuid;

/// The purpose of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A chain of calls. The original writes a uuid with dashes.
    Correlation,
    /// A request and its answer. The original writes a uuid without dashes.
    Request,
    /// One message. The original writes a uuid without dashes.
    Message,
    /// An instance of a client or server, part of its reply address.
    Instance,
}

/// The cause of an id: the message being handled (or the client), and how many ids it has caused before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The id of the handled message; outside a handler, the name of the client or server.
    pub parent: &'a str,
    /// 0 for the first id of this parent, then 1, ...
    pub ordinal: u64,
}

/// Makes ids. Equal purpose and cause may (in a simulation: must) return equal ids.
pub trait IdSource: Send + Sync + 'static {
    /// Returns a new id, unique among all that exist at the same time. It must be valid as an AMQP short string (255 bytes), and for
    /// [`Purpose::Instance`] as a word of a routing key (no dot, `*` or `#`).
    fn id(&self, purpose: Purpose, cause: Cause<'_>) -> SmolStr;
}

/// Random uuids (version 4): the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn id(&self, purpose: Purpose, _cause: Cause<'_>) -> SmolStr {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the injected source that everybody else must use"
        )]
        let id = Uuid::new_v4();
        let mut buffer = Uuid::encode_buffer();
        let text: &str = match purpose {
            Purpose::Correlation => id.hyphenated().encode_lower(&mut buffer),
            _ => id.simple().encode_lower(&mut buffer),
        };
        text.into()
    }
}

/// The ids that one parent causes: a handled message, a client, a server.
pub(crate) struct IdScope {
    source: Arc<dyn IdSource>,
    parent: SmolStr,
    made: AtomicU64,
}

impl IdScope {
    pub(crate) fn new(source: Arc<dyn IdSource>, parent: SmolStr) -> Self {
        Self { source, parent, made: AtomicU64::new(0) }
    }

    /// Returns the scope of a parent that this one caused.
    pub(crate) fn child(&self, parent: SmolStr) -> Self {
        Self::new(self.source.clone(), parent)
    }

    pub(crate) fn next(&self, purpose: Purpose) -> SmolStr {
        let ordinal = self.made.fetch_add(1, Ordering::Relaxed);
        self.source.id(purpose, Cause { parent: &self.parent, ordinal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_have_the_shapes_of_the_original() {
        let cause = Cause { parent: "client_app", ordinal: 0 };
        let correlation = RandomIds.id(Purpose::Correlation, cause);
        let request = RandomIds.id(Purpose::Request, cause);
        assert_eq!((correlation.len(), correlation.matches('-').count()), (36, 4));
        assert_eq!(request.len(), 32);
        assert!(request.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{request}");
        assert_ne!(request, RandomIds.id(Purpose::Request, cause));
    }
}
