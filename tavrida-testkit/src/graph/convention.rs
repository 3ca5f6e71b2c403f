//! [`Convention`]: how the servers of a graph find each other.

use std::sync::Arc;

use tavrida::discovery::{Discovery, Role};
use tavrida::field::ShortString;

/// The services of a graph: each takes requests at the exchange of its name, and publishes at `name.notifications`.
#[derive(Clone)]
pub(crate) struct Convention(Arc<Inner>);

struct Inner {
    /// Sorted by their names.
    services: Vec<Known>,
    /// The exchanges of all services, sorted.
    exchanges: Vec<ShortString>,
}

struct Known {
    /// The name of the service, and of its exchange.
    service: ShortString,
    notifications: ShortString,
}

impl Convention {
    /// Services by their names.
    pub(crate) fn of<'a>(services: impl IntoIterator<Item = &'a str>) -> Self {
        let name = |parts: &[&str]| ShortString::joined(parts).expect("a service's name fits a routing key");
        let mut known: Vec<Known> = services
            .into_iter()
            .map(|service| Known {
                service: name(&[service]),
                notifications: name(&[service, ".notifications"]),
            })
            .collect();
        known.sort_by(|a, b| a.service.cmp(&b.service));
        let both = |known: &Known| [known.service.clone(), known.notifications.clone()];
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
        self.find(service).map(|known| known.service.clone())
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
