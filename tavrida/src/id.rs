//! Where ids come from: one source that a client or server is given.
//!
//! Random ids by default; a simulation derives them from their cause, so that the same run makes the same ids, and
//! steps that do not depend on each other do not number each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use smol_str::SmolStr;
use uuid::Uuid;

/// What an id is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A chain of calls. The original writes a uuid with dashes.
    Correlation,
    /// A request and its answer. The original writes a uuid without dashes.
    Request,
    /// One message. The original writes a uuid without dashes.
    Message,
    /// An instance of a client or server, which its reply address is made of.
    Instance,
}

/// What brought an id about: the message being handled (or the client), and how many ids it has brought about before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The handled message's id; the client's or server's name outside any handler.
    pub parent: &'a str,
    /// 0 for the first id of this parent, then 1, ...
    pub ordinal: u64,
}

/// Makes ids. Equal purpose and cause may, and in a simulation must, make equal ids.
pub trait IdSource: Send + Sync + 'static {
    /// A new id, unique among all that live at the same time; it must be valid as an AMQP short string (255 bytes),
    /// and for [`Purpose::Instance`] as a word of a routing key (no dot, `*` or `#`).
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

/// The ids that one parent brings about: a handled message, a client, a server.
pub(crate) struct IdScope {
    source: Arc<dyn IdSource>,
    parent: SmolStr,
    made: AtomicU64,
}

impl IdScope {
    pub(crate) fn new(source: Arc<dyn IdSource>, parent: SmolStr) -> Self {
        Self { source, parent, made: AtomicU64::new(0) }
    }

    /// The scope of a parent that this one brought about.
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
