//! [`PortSettings`]: how a port introduces itself, and whom it lets in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tavrida::field::{ShortString, Table, Value};

use super::password::Password;
use crate::core::{Behaviour, Permissions};

/// What a port says and allows, the same for all its connections.
#[derive(Debug, Clone)]
pub(super) struct PortSettings {
    /// The version of RabbitMQ that clients see.
    pub(super) version: &'static str,
    pub(super) users: BTreeMap<String, Password>,
    pub(super) virtual_hosts: BTreeSet<ShortString>,
    /// What users may do in virtual hosts; `None` permits all to everyone.
    pub(super) permissions: Option<BTreeMap<(String, String), Arc<Permissions>>>,
    pub(super) channel_max: u16,
    pub(super) frame_max: u32,
    /// The seconds between heartbeats that a client is asked for.
    pub(super) heartbeat: u16,
    /// The time in which a client has to have logged in.
    pub(super) login_timeout: Duration,
}

/// The user of a new RabbitMQ, and its password.
pub(super) const GUEST: &str = "guest";

/// The mechanisms of authentication, in RabbitMQ's order.
pub(super) const MECHANISMS: &str = "AMQPLAIN PLAIN";

/// The smallest frame that a client may ask for.
pub(super) const LEAST_FRAME_MAX: u32 = 4096;

const CAPABILITIES: [&str; 9] = [
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
];

impl PortSettings {
    /// Returns the settings of a new RabbitMQ that behaves so: user guest, no virtual host yet.
    pub(super) fn new(behaviour: &Behaviour) -> Self {
        Self {
            // What clients choose by the version is decided by the behaviour that came with it.
            version: if behaviour.records_deaths { "4.0.5" } else { "3.10.8" },
            users: BTreeMap::from([(GUEST.to_owned(), Password::plain(GUEST))]),
            virtual_hosts: BTreeSet::new(),
            permissions: None,
            channel_max: 2047,
            frame_max: 131_072,
            heartbeat: 60,
            login_timeout: Duration::from_secs(10),
        }
    }

    /// Returns whether error texts name the permission that is missing.
    pub(super) fn names_permissions(&self) -> bool {
        self.version.starts_with('4')
    }

    pub(super) fn permits(&self, user: &str, virtual_host: &str) -> bool {
        user == GUEST || self.permissions.is_none() || self.permissions_of(user, virtual_host).is_some()
    }

    /// Returns what a user may do in a virtual host. `None` for a user with all permissions, or none.
    pub(super) fn permissions_of(&self, user: &str, virtual_host: &str) -> Option<Arc<Permissions>> {
        let pair = (user.to_owned(), virtual_host.to_owned());
        self.permissions.as_ref().filter(|_| user != GUEST)?.get(&pair).cloned()
    }

    /// Returns the properties of the server, by which clients recognise RabbitMQ.
    pub(super) fn properties(&self) -> Table {
        let name = ShortString::from_static;
        let capabilities: Table = CAPABILITIES.iter().map(|ability| (name(ability), true)).collect();
        Table::new()
            .with(name("capabilities"), Value::Table(capabilities))
            .with(name("cluster_name"), "tavrida-memory")
            .with(name("copyright"), "the authors of Tavrida")
            .with(name("information"), "An in-process broker for tests that behaves as RabbitMQ does")
            .with(name("platform"), "Rust")
            .with(name("product"), "RabbitMQ")
            .with(name("version"), self.version)
    }
}
