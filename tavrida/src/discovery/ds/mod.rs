//! Reads a [`Registry`] from a `.ds` file.

mod key_error;
mod interpolation;
mod sections;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use super::{Registry, Role, registration};
use crate::error::{Error, Kind};
use crate::field::ShortString;

use key_error::KeyError;
use sections::Sections;

/// The key of the exchange where a service takes requests, responses and errors.
const EXCHANGE: &str = "exchange";
/// The key of the exchange where it publishes.
const NOTIFICATIONS: &str = "notifications";

impl Registry {
    /// Reads a [`.ds` file](super#the-ds-file) as `service` sees it, with the publishers that it subscribes to.
    ///
    /// Every other section becomes a remote service, the `notifications` of the service's section a local publisher, and those of the
    /// `subscriptions` remote publishers; the service's own name among the subscriptions is ignored. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// All name the file, and section and key if there is one:
    /// - 1050: the file cannot be read, or is not a valid `.ds` text; a section has no `exchange`; a name is invalid.
    /// - 1026: `service` or a subscription has no section.
    /// - 1030: a subscription's section has no `notifications`.
    pub fn from_ds_file(
        path: impl AsRef<Path>,
        service: &str,
        subscriptions: &[&str],
    ) -> Result<Self, Error> {
        let file = path.as_ref().display();
        let text = fs::read_to_string(path.as_ref()).map_err(|error| {
            Error::new(Kind::ConfigFile, format!("{file}: it cannot be read")).caused_by(error)
        })?;
        read(&text, &file.to_string(), service, subscriptions)
    }

    /// Reads a text as [`from_ds_file`](Registry::from_ds_file) does.
    ///
    /// ```
    /// use tavrida::discovery::{Discovery, Registry, Role};
    ///
    /// let registry = Registry::from_ds(
    ///     "
    ///     [DEFAULT]
    ///     exchange = %(__name__)s_exchange
    ///
    ///     [hello]
    ///     notifications = hello_notifications
    ///
    ///     [world]
    ///
    ///     [chuck]
    ///     exchange: roundhouse            ; another name than by default
    ///     notifications: kicks
    ///     ",
    ///     "hello",
    ///     &["chuck"],
    /// )?;
    /// assert_eq!(registry.find(Role::Service, "world")?, "world_exchange");
    /// assert_eq!(registry.find(Role::Service, "chuck")?, "roundhouse");
    /// assert_eq!(registry.find(Role::Publisher, "chuck")?, "kicks");
    /// assert_eq!(registry.find(Role::LocalPublisher, "hello")?, "hello_notifications");
    /// # Ok::<(), tavrida::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for the file, with `.ds text` in place of the file's name.
    pub fn from_ds(text: &str, service: &str, subscriptions: &[&str]) -> Result<Self, Error> {
        read(text, ".ds text", service, subscriptions)
    }
}

fn read(text: &str, file: &str, service: &str, subscriptions: &[&str]) -> Result<Registry, Error> {
    let sections = Sections::parse(text).map_err(|flaw| flaw.into_error(file))?;
    warn_of_surplus(&sections, file);
    registry(&sections, service, subscriptions).map_err(|flaw| flaw.into_error(file))
}

/// Warns of unused keys: most are misspelt.
fn warn_of_surplus(sections: &Sections, file: &str) {
    for section in sections.names() {
        for key in sections.surplus(section, &[EXCHANGE, NOTIFICATIONS]) {
            tracing::warn!(file, section, key, "unknown key; known are '{EXCHANGE}' and '{NOTIFICATIONS}'");
        }
    }
}

fn registry(sections: &Sections, service: &str, subscriptions: &[&str]) -> Result<Registry, KeyError> {
    must_be_there(sections, service, "the service itself")?;
    let registry = Registry::new();
    for section in sections.names() {
        let name = service_name(section)?;
        let why = "it is missing; each section says the exchange of its service";
        let exchange =
            exchange(sections, section, EXCHANGE)?.ok_or_else(|| KeyError::of_key(section, EXCHANGE, why))?;
        if section != service {
            registry.set(Role::Service, name, exchange);
        }
    }
    if let Some(exchange) = exchange(sections, service, NOTIFICATIONS)? {
        registry.set(Role::LocalPublisher, service_name(service)?, exchange);
    }
    for &publisher in subscriptions.iter().filter(|&&publisher| publisher != service) {
        must_be_there(sections, publisher, "a subscription")?;
        let why = "it is missing, so that nobody can subscribe to the service";
        let exchange = exchange(sections, publisher, NOTIFICATIONS)?.ok_or_else(|| {
            KeyError::of_key(publisher, NOTIFICATIONS, why).kind(Kind::CantRegisterRemotePublisher)
        })?;
        registry.set(Role::Publisher, service_name(publisher)?, exchange);
    }
    Ok(registry)
}

fn must_be_there(sections: &Sections, section: &str, what: &str) -> Result<(), KeyError> {
    if sections.has(section) {
        return Ok(());
    }
    let there = sections.names().map(|name| format!("[{name}]")).collect::<Vec<_>>();
    let why = format!("{what} has no section; sections are: {}", there.join(", "));
    Err(KeyError::of_section(section, why).kind(Kind::ServiceIsNotRegister))
}

fn service_name(section: &str) -> Result<ShortString, KeyError> {
    registration::service_name(section).map_err(|why| KeyError::of_section(section, why))
}

fn exchange(sections: &Sections, section: &str, key: &str) -> Result<Option<ShortString>, KeyError> {
    let value = sections.value(section, key)?;
    let named = value.as_deref().map(registration::exchange_name).transpose();
    named.map_err(|why| KeyError::of_key(section, key, why))
}
