//! Finds the exchange of a service: [`Discovery`], and [`Registry`], which is filled in code or from a `.ds` file.
//!
//! A message is addressed to a service; a broker needs an exchange. A discovery maps one to the other, in three roles ([`Role`]): where a
//! service takes requests and replies, where a remote publisher sends its notifications, and where a local service sends its own. A service
//! that is not registered is unknown, even to itself: a service that calls itself must register its own name too.
//!
//! # The `.ds` file
//!
//! One INI file can describe all services of a system, and each service reads its own registry from it ([`Registry::from_ds_file`]):
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
//! The Python original's files are read as the original reads them:
//! - A section is a service; its name is case-sensitive, and one word of a routing key. Keys have no case; `=` or
//!   `:` ends them.
//! - A line that begins with `;` or `#` is a comment, and so is the rest of a line from its first `;` with a blank before it.
//! - Values in `[DEFAULT]` apply to each section without that key. `%(key)s` stands for another value of the section or of `[DEFAULT]`,
//!   `%(__name__)s` for the section's name; with these, `%%` is a percent sign.
//! - A section may be repeated, and so may a key in it: the later value wins.
//!
//! Some texts that the original reads as part of a name are errors here, with section and key: a ` #` or a second ` ;` in a value, and a
//! value that continues on an indented line. Other errors: a key written twice in different case with different values, an empty exchange,
//! a service that cannot be addressed. Some rules are more lenient than the original's: lines may be indented, a byte order mark is
//! skipped, and blanks inside the brackets are ignored. An unused key is a warning in the log.
//!
//! # Your own
//!
//! Without a discovery, services and clients find each other [by name](ByName). A discovery has four methods, which must return at once:
//! one backed by a settings store keeps a cache. For your own naming scheme:
//!
//! ```
//! use tavrida::discovery::{Discovery, Role};
//! use tavrida::field::ShortString;
//!
//! /// Requests to `x` go to `x_exchange`, its notifications to `x_notifications`.
//! struct OurNames {
//!     services: Vec<String>,
//! }
//!
//! impl OurNames {
//!     fn exchange(&self, service: &str, suffix: &str) -> Option<ShortString> {
//!         let known = self.services.iter().any(|name| name == service);
//!         known.then(|| format!("{service}_{suffix}").try_into().ok()).flatten()
//!     }
//! }
//!
//! impl Discovery for OurNames {
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
//! let by_name = OurNames { services: vec!["orders".into(), "billing".into()] };
//! assert_eq!(by_name.find(Role::Service, "orders")?, "orders_exchange");
//! assert_eq!(by_name.exchanges().len(), 4);
//! let unknown = by_name.find(Role::Service, "oders").unwrap_err();
//! assert_eq!(unknown.to_string(), "no discovery knows the service 'oders'");
//! # Ok::<(), tavrida::discovery::DiscoveryError>(())
//! ```
//!
//! With [`Discovery::known`] as well, that error lists the known names.

mod by_name;
mod ds;
mod fallback;
mod registration;
mod registry;
mod error;

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::field::ShortString;

pub use by_name::ByName;
pub use error::DiscoveryError;
pub use fallback::Fallback;
pub use registration::RegistrationError;
pub use registry::Registry;

/// Finds the exchanges of services.
///
/// Each send looks up an exchange, from any task: a lookup must be fast and must not block. Results may change while servers run; a server
/// declares [`exchanges`](Discovery::exchanges) at each start of a session.
pub trait Discovery: Send + Sync + 'static {
    /// Returns the exchange where `service` takes requests, responses and errors.
    fn service_exchange(&self, service: &str) -> Option<ShortString>;

    /// Returns the exchange where a remote `publisher` sends its notifications: subscriptions are bound to it.
    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString>;

    /// Returns the exchange where a local `service` sends its notifications.
    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString>;

    /// Returns every exchange that a server must declare or check before it works; sorted, without duplicates.
    fn exchanges(&self) -> Vec<ShortString>;

    /// Returns the names known in a role, sorted, for the text of an error. The default is none.
    fn known(&self, role: Role) -> Vec<ShortString> {
        let _ = role;
        Vec::new()
    }

    /// Checks the configuration; servers and clients call it when they are built.
    ///
    /// A discovery that wraps another one should forward the call.
    ///
    /// # Errors
    ///
    /// The configuration is invalid; the error lists everything that is wrong. The default returns no error.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the exchange of `name` in a role.
    ///
    /// # Errors
    ///
    /// The name is unknown in this role.
    fn find(&self, role: Role, name: &str) -> Result<ShortString, DiscoveryError> {
        let found = match role {
            Role::Service => self.service_exchange(name),
            Role::Publisher => self.publisher_exchange(name),
            Role::LocalPublisher => self.local_publisher_exchange(name),
        };
        found.ok_or_else(|| DiscoveryError::new(role, name, self.known(role)))
    }
}

/// The role in which a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It takes requests, responses and errors.
    Service,
    /// It publishes notifications from another server, for subscribers here.
    Publisher,
    /// It is a local service that publishes notifications.
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
