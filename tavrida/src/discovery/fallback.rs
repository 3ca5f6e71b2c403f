//! [`Fallback`]: tries one discovery, then another.

use std::sync::Arc;

use super::{Discovery, Role};
use crate::error::Error;
use crate::field::ShortString;

/// Uses the first discovery, and the second for names that the first does not know.
///
/// ```
/// use std::sync::Arc;
/// use tavrida::discovery::{Discovery, Fallback, Registry};
///
/// let own = Registry::new().remote_service("billing", "billing_of_ours");
/// let shared = Registry::new().remote_service("billing", "billing").remote_service("stock", "stock");
/// let both = Fallback { first: Arc::new(own), second: Arc::new(shared) };
/// assert_eq!(both.service_exchange("billing").as_deref(), Some("billing_of_ours"));
/// assert_eq!(both.service_exchange("stock").as_deref(), Some("stock"));
/// ```
#[derive(Clone)]
pub struct Fallback {
    /// Used first.
    pub first: Arc<dyn Discovery>,
    /// Used for names that the first does not know.
    pub second: Arc<dyn Discovery>,
}

impl Discovery for Fallback {
    fn service_exchange(&self, service: &str) -> Option<ShortString> {
        self.first.service_exchange(service).or_else(|| self.second.service_exchange(service))
    }

    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString> {
        self.first.publisher_exchange(publisher).or_else(|| self.second.publisher_exchange(publisher))
    }

    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString> {
        self.first.local_publisher_exchange(service).or_else(|| self.second.local_publisher_exchange(service))
    }

    fn exchanges(&self) -> Vec<ShortString> {
        merged(self.first.exchanges(), self.second.exchanges())
    }

    fn known(&self, role: Role) -> Vec<ShortString> {
        merged(self.first.known(role), self.second.known(role))
    }

    fn check(&self) -> Result<(), Error> {
        self.first.check()?;
        self.second.check()
    }
}

fn merged(mut names: Vec<ShortString>, more: Vec<ShortString>) -> Vec<ShortString> {
    names.extend(more);
    names.sort();
    names.dedup();
    names
}

impl std::fmt::Debug for Fallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fallback").finish_non_exhaustive()
    }
}
