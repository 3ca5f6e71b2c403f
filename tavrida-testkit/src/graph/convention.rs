//! [`Convention`]: how the servers and clients of a graph find each other.

use std::sync::Arc;

use tavrida::discovery::{ByName, Discovery, Role};
use tavrida::field::ShortString;

/// The services of a graph: each takes requests at the exchange of its server, and publishes at `name.notifications`; in a strict graph,
/// at the exchange that [`ByName`] says.
#[derive(Clone)]
pub(crate) struct Convention(Arc<Inner>);

struct Inner {
    /// Sorted by their names.
    services: Vec<Known>,
    /// The exchanges of all services, sorted.
    exchanges: Vec<ShortString>,
}

struct Known {
    service: ShortString,
    /// The exchange that takes its requests.
    exchange: ShortString,
    notifications: ShortString,
}

impl Convention {
    /// Services by their names, each with its exchange.
    pub(crate) fn of(services: impl IntoIterator<Item = (String, String)>, is_strict: bool) -> Self {
        let name = |parts: &[&str]| ShortString::joined(parts).expect("a service's name fits a routing key");
        let notifications = |service: &str| match is_strict {
            true => ByName.publisher_exchange(service).expect("the name of its server's exchange is as long"),
            false => name(&[service, ".notifications"]),
        };
        let mut known: Vec<Known> = services
            .into_iter()
            .map(|(service, exchange)| Known {
                service: name(&[&service]),
                exchange: name(&[&exchange]),
                notifications: notifications(&service),
            })
            .collect();
        known.sort_by(|a, b| a.service.cmp(&b.service));
        let both = |known: &Known| [known.exchange.clone(), known.notifications.clone()];
        let mut exchanges: Vec<ShortString> = known.iter().flat_map(both).collect();
        exchanges.sort_unstable();
        exchanges.dedup();
        Self(Arc::new(Inner { services: known, exchanges }))
    }

    fn find(&self, service: &str) -> Option<&Known> {
        self.0.services.iter().find(|known| known.service == *service)
    }
}

impl Discovery for Convention {
    fn service_exchange(&self, service: &str) -> Option<ShortString> {
        self.find(service).map(|known| known.exchange.clone())
    }

    fn publisher_exchange(&self, publisher: &str) -> Option<ShortString> {
        self.find(publisher).map(|known| known.notifications.clone())
    }

    fn local_publisher_exchange(&self, service: &str) -> Option<ShortString> {
        self.publisher_exchange(service)
    }

    fn exchanges(&self) -> Vec<ShortString> {
        self.0.exchanges.clone()
    }

    fn known(&self, _role: Role) -> Vec<ShortString> {
        self.0.services.iter().map(|known| known.service.clone()).collect()
    }
}
