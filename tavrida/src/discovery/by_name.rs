//! [`ByName`]: exchanges named after their services.

use super::Discovery;
use crate::field::ShortString;

/// The convention used where no discovery is given: requests and replies of the service `x` go through the exchange
/// `x_exchange`, its notifications through `x_notifications`.
///
/// It knows every name, so that a misspelt service is noticed by the broker (404: no such exchange) and not before. A
/// [`Registry`](super::Registry) lists what exists.
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

    /// None: a server declares the exchanges of its own services and of the publishers that these subscribe to.
    fn exchanges(&self) -> Vec<ShortString> {
        Vec::new()
    }
}
