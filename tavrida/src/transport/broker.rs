//! [`Broker`]: which broker a session is connected to.

use std::fmt;

/// The product and version that a broker reported when a session connected.
///
/// ```
/// use tavrida::transport::Broker;
///
/// let broker = Broker::new("RabbitMQ", "4.0.5");
/// assert_eq!(broker.to_string(), "RabbitMQ 4.0.5");
/// assert_eq!(broker.rabbitmq(), Some((4, 0)));
/// assert_eq!(Broker::new("Other", "4.0").rabbitmq(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broker {
    /// Such as `RabbitMQ`; empty if the broker does not say.
    pub product: String,
    /// Such as `4.0.5`; empty if the broker does not say.
    pub version: String,
}

impl Broker {
    /// Returns a broker of this product and version.
    pub fn new(product: impl Into<String>, version: impl Into<String>) -> Self {
        Self { product: product.into(), version: version.into() }
    }

    /// Returns the major and minor version, if it is RabbitMQ and says so.
    #[must_use]
    pub fn rabbitmq(&self) -> Option<(u16, u16)> {
        if self.product != "RabbitMQ" {
            return None;
        }
        let mut numbers = self.version.split('.').map(|part| part.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let product = if self.product.is_empty() { "an unnamed broker" } else { &self.product };
        f.write_str(product)?;
        if self.version.is_empty() { Ok(()) } else { write!(f, " {}", self.version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broker_does_not_say_is_left_out() {
        assert_eq!(Broker::new("", "").to_string(), "an unnamed broker");
        assert_eq!(Broker::new("RabbitMQ", "").to_string(), "RabbitMQ");
        assert_eq!(Broker::new("RabbitMQ", "").rabbitmq(), None);
        assert_eq!(Broker::new("RabbitMQ", "4.1.0-rc.1").rabbitmq(), Some((4, 1)));
    }
}
