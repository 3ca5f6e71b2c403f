//! Which exchange leads to a service: [`Discovery`], and [`Registry`], which is filled in code or from a `.ds` file.
//!
//! A message is addressed to a service; a broker wants an exchange. A discovery knows the one for the other, in
//! three roles ([`Role`]): where a service takes requests and replies, where a publisher of another server sends its
//! notifications, and where a service of ours sends its own. A service that is not registered is unknown, even to
//! itself: one that calls itself registers its own name too.
//!
//! # The `.ds` file
//!
//! One INI file can tell a whole landscape, and each service reads its own registry out of it
//! ([`Registry::from_ds_file`]):
//!
//! ```ini
//! [orders]
//! exchange = orders_exchange              ; where requests and replies go
//! notifications = orders_notifications    ; where the service publishes, if it does
//!
//! [billing]
//! exchange: billing_exchange
//! ```
//!
//! The Python original's files are read as it reads them:
//! - A section is a service; its name is case-sensitive, and one word of a routing key. Keys have no case; `=` or
//!   `:` ends them.
//! - A line that begins with `;` or `#` is a comment, and so is the rest of a line from its first `;` on, if a
//!   blank stands before it.
//! - What `[DEFAULT]` says holds for each section that does not say otherwise. `%(key)s` stands for another value
//!   of the section or of `[DEFAULT]`, `%(__name__)s` for the section's name; beside these `%%` is a percent sign.
//! - A section may be repeated, and a key in it too: the later value holds.
//!
//! Refused, with section and key, is what the original takes for a part of the name though nobody means it: a ` #`
//! or second ` ;` in a value, and a value that goes on in an indented line. Refused too: a key written twice in
//! different case with different values, an empty exchange, a service that cannot be addressed. More lenient than
//! the original: lines may be indented, a byte order mark is skipped, and blanks inside the brackets do not count.
//! A key that nobody reads is a warning in the log.
//!
//! # Your own
//!
//! Four methods make a discovery, and each of them answers at once: one that asks a settings store keeps what it
//! learned. By convention over configuration:
//!
//! ```
//! use tavrida::discovery::{Discovery, Role};
//! use tavrida::field::ShortString;
//!
//! /// Requests to `x` go to `x_exchange`, its notifications to `x_notifications`.
//! struct ByName {
//!     services: Vec<String>,
//! }
//!
//! impl ByName {
//!     fn exchange(&self, service: &str, suffix: &str) -> Option<ShortString> {
//!         let known = self.services.iter().any(|name| name == service);
//!         known.then(|| format!("{service}_{suffix}").try_into().ok()).flatten()
//!     }
//! }
//!
//! impl Discovery for ByName {
//!     fn service_exchange(&self, service: &str) -> Option<ShortString> {
//!         self.exchange(service, "exchange")
//!     }
//!
//!     fn publisher_exchange(&self, publisher: &str) -> Option<ShortString> {
//!         self.exchange(publisher, "notifications")
//!     }
//!
//!     fn local_publisher_exchange(&self, service: &str) -> Option<ShortString> {
//!         self.exchange(service, "notifications")
//!     }
//!
//!     fn exchanges(&self) -> Vec<ShortString> {
//!         let both = |name: &String| [self.service_exchange(name), self.publisher_exchange(name)];
//!         let mut all: Vec<_> = self.services.iter().flat_map(both).flatten().collect();
//!         all.sort();
//!         all.dedup();
//!         all
//!     }
//! }
//!
//! let by_name = ByName { services: vec!["orders".into(), "billing".into()] };
//! assert_eq!(by_name.find(Role::Service, "orders")?, "orders_exchange");
//! assert_eq!(by_name.exchanges().len(), 4);
//! let unknown = by_name.find(Role::Service, "oders").unwrap_err();
//! assert_eq!(unknown.to_string(), "no discovery knows the service 'oders'");
//! # Ok::<(), tavrida::discovery::DiscoveryError>(())
//! ```
//!
//! With [`Discovery::known`] as well, that error lists what there is.

mod ds;
mod fallback;
mod registration;
mod registry;
mod error;

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::field::ShortString;

pub use error::DiscoveryError;
pub use fallback::Fallback;
pub use registration::RegistrationError;
pub use registry::Registry;

/// Knows the exchanges of services.
///
/// Each send looks an exchange up, from whichever task sends: a lookup must be quick and must not block. Answers
/// may change while servers run; a server declares [`exchanges`](Discovery::exchanges) at each start of a session.
pub trait Discovery: Send + Sync + 'static {
    /// Where `service` takes requests, responses and errors.
    fn service_exchange(&self, service: &str) -> Option<ShortString>;

    /// Where a `publisher` elsewhere sends its notifications: subscriptions are bound to it.
    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString>;

    /// Where a `service` of ours sends its notifications.
    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString>;

    /// Every exchange that a server shall declare or check before it works; sorted, each one once.
    fn exchanges(&self) -> Vec<ShortString>;

    /// The names known in a role, sorted, for the text of an error. None unless implemented.
    fn known(&self, role: Role) -> Vec<ShortString> {
        let _ = role;
        Vec::new()
    }

    /// Whether it was put together well; a server and a client ask when they are built.
    ///
    /// A discovery that wraps another one passes the question on.
    ///
    /// # Errors
    ///
    /// When it was not, with everything that is wrong. Never, unless implemented.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The exchange of `name` in a role.
    ///
    /// # Errors
    ///
    /// When the name is unknown in this role.
    fn find(&self, role: Role, name: &str) -> Result<ShortString, DiscoveryError> {
        let found = match role {
            Role::Service => self.service_exchange(name),
            Role::Publisher => self.publisher_exchange(name),
            Role::LocalPublisher => self.local_publisher_exchange(name),
        };
        found.ok_or_else(|| DiscoveryError::new(role, name, self.known(role)))
    }
}

/// In what role a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It takes requests, responses and errors.
    Service,
    /// It publishes notifications elsewhere, which are subscribed to.
    Publisher,
    /// It is a service of ours and publishes notifications.
    LocalPublisher,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Service => "service",
            Self::Publisher => "publisher",
            Self::LocalPublisher => "local publisher",
        })
    }
}

impl<D: Discovery + ?Sized> Discovery for Arc<D> {
    fn service_exchange(&self, service: &str) -> Option<ShortString> {
        (**self).service_exchange(service)
    }

    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString> {
        (**self).publisher_exchange(publisher)
    }

    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString> {
        (**self).local_publisher_exchange(service)
    }

    fn exchanges(&self) -> Vec<ShortString> {
        (**self).exchanges()
    }

    fn known(&self, role: Role) -> Vec<ShortString> {
        (**self).known(role)
    }

    fn check(&self) -> Result<(), Error> {
        (**self).check()
    }
}
