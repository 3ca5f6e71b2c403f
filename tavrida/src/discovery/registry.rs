//! [`Registry`]: a discovery that is filled in code, before and while services run.

use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::registration::{self, RegistrationError};
use super::{Discovery, Role};
use crate::error::{Error, Kind};
use crate::field::ShortString;

/// Exchanges by name, in each [`Role`].
///
/// Clones are handles to the same registry: services and clients that share it see changes at once.
///
/// There are two ways to fill it. The chain ([`remote_service`](Registry::remote_service), ...) is for building a service. It does not
/// fail, so that it fits into one expression; invalid entries are reported when the server or client is built ([`Discovery::check`]):
///
/// ```
/// use tavrida::discovery::{Discovery, Registry, Role};
///
/// let registry = Registry::new()
///     .remote_service("test_world", "test_world_exchange")
///     .remote_publisher("test_chuck", "test_chuck_notifications")
///     .local_publisher("test_hello", "test_hello_notifications");
/// assert_eq!(registry.find(Role::Service, "test_world")?, "test_world_exchange");
///
/// let wrong = Registry::new().remote_service("test.world", "test_world_exchange");
/// assert!(wrong.check().unwrap_err().to_string().contains("has a dot"));
/// # Ok::<(), tavrida::Error>(())
/// ```
///
/// [`register`](Registry::register) and [`unregister`](Registry::unregister) are for changes while services run. They take effect at once:
///
/// ```
/// # use tavrida::discovery::{Discovery, Registry, Role};
/// # let registry = Registry::new().remote_service("test_world", "test_world_exchange");
/// let former = registry.register(Role::Service, "test_world", "another_exchange")?;
/// assert_eq!(former.as_deref(), Some("test_world_exchange"));
/// registry.unregister(Role::Service, "test_world");
/// assert!(registry.find(Role::Service, "test_world").is_err());
/// # Ok::<(), tavrida::Error>(())
/// ```
///
/// A running server sends to a changed exchange at once. It declares and binds only at the start of a session: sends to an exchange that
/// was not declared before then are refused.
#[derive(Clone, Default)]
pub struct Registry(Arc<RwLock<Book>>);

#[derive(Default)]
struct Book {
    services: Page,
    publishers: Page,
    local_publishers: Page,
    /// Invalid entries of the chain.
    refused: Vec<RegistrationError>,
}

/// Sorted, as errors and declarations list it.
type Page = BTreeMap<ShortString, ShortString>;

impl Registry {
    /// Returns an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a remote service: where it takes requests, responses and errors.
    ///
    /// [`Discovery::check`] reports an invalid name, or a second and different exchange for the service.
    #[must_use = "this is a step of a chain: to change a registry that is in use, call `register`"]
    pub fn remote_service(self, service: impl AsRef<str>, exchange: impl AsRef<str>) -> Self {
        self.with(Role::Service, service.as_ref(), exchange.as_ref())
    }

    /// Adds a remote publisher: where its notifications can be subscribed to.
    ///
    /// [`Discovery::check`] reports an invalid name, or a second and different exchange for the publisher.
    #[must_use = "this is a step of a chain: to change a registry that is in use, call `register`"]
    pub fn remote_publisher(self, publisher: impl AsRef<str>, exchange: impl AsRef<str>) -> Self {
        self.with(Role::Publisher, publisher.as_ref(), exchange.as_ref())
    }

    /// Adds a local service that publishes: where it sends its notifications.
    ///
    /// [`Discovery::check`] reports an invalid name, or a second and different exchange for the service.
    #[must_use = "this is a step of a chain: to change a registry that is in use, call `register`"]
    pub fn local_publisher(self, service: impl AsRef<str>, exchange: impl AsRef<str>) -> Self {
        self.with(Role::LocalPublisher, service.as_ref(), exchange.as_ref())
    }

    /// Sets the exchange of `name` in a role. Returns its previous exchange.
    ///
    /// # Errors
    ///
    /// One of the names is invalid; then nothing changes.
    pub fn register(
        &self,
        role: Role,
        name: impl AsRef<str>,
        exchange: impl AsRef<str>,
    ) -> Result<Option<ShortString>, RegistrationError> {
        let (name, exchange) = registration::checked(role, name.as_ref(), exchange.as_ref())?;
        Ok(self.set(role, name, exchange))
    }

    /// Removes `name` in a role. Returns its previous exchange.
    pub fn unregister(&self, role: Role, name: impl AsRef<str>) -> Option<ShortString> {
        self.0.write().page_mut(role).remove(name.as_ref())
    }

    fn with(self, role: Role, name: &str, exchange: &str) -> Self {
        let mut book = self.0.write();
        if let Err(refused) = book.add(role, name, exchange) {
            book.refused.push(refused);
        }
        drop(book);
        self
    }

    /// As [`Registry::register`], with names that are known to be valid.
    pub(super) fn set(&self, role: Role, name: ShortString, exchange: ShortString) -> Option<ShortString> {
        self.0.write().page_mut(role).insert(name, exchange)
    }

    fn lookup(&self, role: Role, name: &str) -> Option<ShortString> {
        self.0.read().page(role).get(name).cloned()
    }
}

impl Discovery for Registry {
    fn service_exchange(&self, service: &str) -> Option<ShortString> {
        self.lookup(Role::Service, service)
    }

    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString> {
        self.lookup(Role::Publisher, publisher)
    }

    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString> {
        self.lookup(Role::LocalPublisher, service)
    }

    fn exchanges(&self) -> Vec<ShortString> {
        let book = self.0.read();
        let pages = [&book.services, &book.publishers, &book.local_publishers];
        let sorted: BTreeSet<_> = pages.into_iter().flat_map(BTreeMap::values).collect();
        sorted.into_iter().cloned().collect()
    }

    fn known(&self, role: Role) -> Vec<ShortString> {
        self.0.read().page(role).keys().cloned().collect()
    }

    fn check(&self) -> Result<(), Error> {
        let book = self.0.read();
        if book.refused.is_empty() {
            return Ok(());
        }
        let all = book.refused.iter().map(RegistrationError::to_string).collect::<Vec<_>>();
        Err(Error::new(Kind::Build, all.join("; ")))
    }
}

impl Book {
    fn page(&self, role: Role) -> &Page {
        match role {
            Role::Service => &self.services,
            Role::Publisher => &self.publishers,
            Role::LocalPublisher => &self.local_publishers,
        }
    }

    fn page_mut(&mut self, role: Role) -> &mut Page {
        match role {
            Role::Service => &mut self.services,
            Role::Publisher => &mut self.publishers,
            Role::LocalPublisher => &mut self.local_publishers,
        }
    }

    /// Adds an entry, but never replaces one.
    fn add(&mut self, role: Role, name: &str, exchange: &str) -> Result<(), RegistrationError> {
        let (key, exchange) = registration::checked(role, name, exchange)?;
        let kept = self.page_mut(role).entry(key).or_insert_with(|| exchange.clone());
        if *kept != exchange {
            let why = format!("it is registered twice, with the exchanges '{kept}' and '{exchange}'");
            return Err(RegistrationError::new(role, name, &why));
        }
        Ok(())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = self.0.read();
        f.debug_struct("Registry")
            .field("services", &book.services)
            .field("publishers", &book.publishers)
            .field("local_publishers", &book.local_publishers)
            .field("refused", &book.refused)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Registry {
        Registry::new()
            .remote_service("world", "world_exchange")
            .remote_publisher("chuck", "chuck_notifications")
            .local_publisher("hello", "hello_notifications")
    }

    #[test]
    fn a_name_is_known_in_its_role_alone() {
        let registry = filled();
        assert_eq!(registry.service_exchange("world").unwrap(), "world_exchange");
        assert_eq!(registry.publisher_exchange("chuck").unwrap(), "chuck_notifications");
        assert_eq!(registry.local_publisher_exchange("hello").unwrap(), "hello_notifications");
        assert_eq!(registry.service_exchange("hello"), None);
        assert_eq!(registry.publisher_exchange("world"), None);
        assert_eq!(registry.local_publisher_exchange("chuck"), None);
    }

    #[test]
    fn exchanges_are_sorted_and_each_is_there_once() {
        let registry =
            filled().remote_service("second", "chuck_notifications").remote_service("a", "an_exchange");
        assert_eq!(
            registry.exchanges(),
            ["an_exchange", "chuck_notifications", "hello_notifications", "world_exchange"]
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let registry = filled().remote_service("billing", "billing_exchange");
        let error = Error::from(registry.find(Role::Service, "wrold").unwrap_err());
        assert_eq!(
            error.to_string(),
            "no discovery knows the service 'wrold'; known in this role: 'billing', 'world'"
        );
        assert!(error.is_undiscovered());
    }

    #[test]
    fn a_clone_is_the_same_registry() {
        let registry = filled();
        let shared: Arc<dyn Discovery> = Arc::new(registry.clone());
        registry.register(Role::Service, "late", "late_exchange").unwrap();
        assert_eq!(shared.find(Role::Service, "late").unwrap(), "late_exchange");
    }

    #[test]
    fn registering_again_replaces_and_unregistering_forgets_that_role_alone() {
        let registry = filled().local_publisher("world", "world_notifications");
        let former = registry.register(Role::Service, "world", "new_exchange").unwrap();
        assert_eq!(former.unwrap(), "world_exchange");
        assert_eq!(registry.unregister(Role::Service, "world").unwrap(), "new_exchange");
        assert_eq!(registry.unregister(Role::Service, "world"), None);
        assert_eq!(registry.service_exchange("world"), None);
        assert_eq!(registry.local_publisher_exchange("world").unwrap(), "world_notifications");
    }

    #[test]
    fn a_bad_registration_is_refused_at_once_and_changes_nothing() {
        let registry = filled();
        let error = registry.register(Role::Publisher, "a.b", "exchange").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the publisher 'a.b' cannot be registered: its name has a dot, which parts a service from its method"
        );
        let error = registry.register(Role::Service, "world", "").unwrap_err();
        assert!(error.to_string().contains("default one"), "{error}");
        assert_eq!(registry.service_exchange("world").unwrap(), "world_exchange");
        assert!(registry.check().is_ok());
    }

    #[test]
    fn a_chain_keeps_all_that_is_wrong_for_the_build() {
        let registry = filled().remote_service("", "exchange").local_publisher("#", "exchange");
        let error = registry.check().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("the service '' cannot be registered: its name is empty"), "{text}");
        assert!(text.contains("the local publisher '#' cannot be registered"), "{text}");
        assert!(error.is_build());
    }

    #[test]
    fn a_chain_refuses_a_second_exchange_but_not_the_same_one_again() {
        let registry = filled().remote_service("world", "world_exchange");
        assert!(registry.check().is_ok());
        let registry = registry.remote_service("world", "other");
        let text = registry.check().unwrap_err().to_string();
        assert!(text.contains("the service 'world'"), "{text}");
        assert!(text.contains("'world_exchange' and 'other'"), "{text}");
        assert_eq!(registry.service_exchange("world").unwrap(), "world_exchange");
    }
}
