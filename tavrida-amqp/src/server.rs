//! Servers from a configuration file.

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;

use std::error::Error;

use tavrida::discovery::Registry;
use tavrida::entry_point::TopicPattern;
use tavrida::server::ServerBuilder;
use tavrida::transport::Transport;
use tavrida::{Server, Service};

use crate::config::{ConfigError, ServerConfig};
use crate::transport::AmqpTransport;

impl ServerConfig {
    /// Returns a builder for the server in the file; the program offers its services, and the file names those that run.
    ///
    /// Each service finds others through the discovery file as it [sees it](Registry::from_ds_file), and subscribes to the publishers that
    /// its handlers name. A discovery set on the service in code takes precedence over the file.
    ///
    /// ```
    /// use tavrida::Service;
    /// use tavrida_amqp::ConfigFile;
    ///
    /// let file = ConfigFile::of_text(
    ///     r#"
    ///     [server]
    ///     queue = "shop"
    ///     exchange = "shop_exchange"
    ///     services = ["orders"]
    ///     "#,
    /// );
    /// let orders = Service::new("orders").rpc("count", || async {});
    /// let billing = Service::new("billing").rpc("charge", || async {});
    /// let server = file.server()?.builder([orders, billing])?.build()?;
    /// assert!(server.plan().to_string().contains("orders.#"));
    /// assert!(!server.plan().to_string().contains("billing.#"));
    /// # Ok::<(), tavrida::message::Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The file names a service that is not offered; the discovery file cannot be read, or lacks a service or a publisher that it
    /// subscribes to.
    pub fn builder(&self, offered: impl IntoIterator<Item = Service>) -> Result<ServerBuilder, ConfigError> {
        self.builder_on(AmqpTransport::new(self.connection.clone()), offered)
    }

    /// As [`builder`](ServerConfig::builder), over another transport than in the file, such as an in-process broker in tests.
    ///
    /// # Errors
    ///
    /// As [`builder`](ServerConfig::builder).
    pub fn builder_on(
        &self,
        transport: impl Transport,
        offered: impl IntoIterator<Item = Service>,
    ) -> Result<ServerBuilder, ConfigError> {
        let mut builder =
            Server::builder(transport).queue(self.queue.as_str()).exchange(self.exchange.as_str());
        if let Some(prefetch) = self.prefetch {
            builder = builder.prefetch(prefetch);
        }
        if let Some(concurrency) = self.concurrency {
            builder = builder.concurrency(concurrency);
        }
        if let Some(mode) = self.declare_mode {
            builder = builder.declare_mode(mode);
        }
        for service in self.chosen(offered.into_iter().collect())? {
            builder = builder.service(self.discovering(service)?);
        }
        Ok(builder)
    }

    fn chosen(&self, mut offered: Vec<Service>) -> Result<Vec<Service>, ConfigError> {
        let Some(names) = &self.services else { return Ok(offered) };
        for name in &names.value {
            if !offered.iter().any(|service| service.name() == name) {
                let there: Vec<_> = offered.iter().map(Service::name).collect();
                let problem = format!("the program has no service \"{name}\"; it has: {}", there.join(", "));
                return Err(names.wrong(problem));
            }
        }
        offered.retain(|service| names.value.iter().any(|name| name == service.name()));
        Ok(offered)
    }

    fn discovering(&self, service: Service) -> Result<Service, ConfigError> {
        let Some(file) = &self.discovery else { return Ok(service) };
        let subscriptions = service.subscriptions();
        let mut publishers: Vec<_> = subscriptions.iter().map(TopicPattern::publisher).collect();
        publishers.sort_unstable();
        publishers.dedup();
        let registry = Registry::from_ds_file(&file.value, service.name(), &publishers);
        let registry = registry.map_err(|error| file.wrong(chain(&error)))?;
        Ok(service.fallback_discovery(registry))
    }
}

/// Formats an error with its causes.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
