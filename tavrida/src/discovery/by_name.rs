//! [`ByName`]: exchanges named after their services.

use super::Discovery;
use crate::field::ShortString;

/// The default discovery: requests and replies of the service `x` use the exchange `x_exchange`, its notifications `x_notifications`.
///
/// It accepts every name, so that a misspelt service is noticed only by the broker (404: no such exchange). A [`Registry`](super::Registry)
/// lists the known names.
///
/// ```
/// use tavrida::discovery::{ByName, Discovery};
///
/// assert_eq!(ByName.service_exchange("orders").as_deref(), Some("orders_exchange"));
/// assert_eq!(ByName.publisher_exchange("orders").as_deref(), Some("orders_notifications"));
/// assert_eq!(ByName.service_exchange(&"x".repeat(250)), None, "the name of the exchange would be too long");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByName;

impl Discovery for ByName {
    fn service_exchange(&self, service: &str) -> Option<ShortString> {
        ShortString::joined(&[service, "_exchange"]).ok()
    }

    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString> {
        ShortString::joined(&[publisher, "_notifications"]).ok()
    }

    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString> {
        self.publisher_exchange(service)
    }

    /// Returns no exchanges: a server declares those of its services, and of the publishers that these subscribe to.
    fn exchanges(&self) -> Vec<ShortString> {
        Vec::new()
    }
}
