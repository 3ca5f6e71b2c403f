//! [`Definitions`]: the file that `rabbitmqctl export_definitions` and the management interface write.

mod error;
mod json;
mod policy;
mod read;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use tavrida_behaviour::Behaviour;

use crate::topology::Topology;

pub use error::DefinitionsError;

use policy::Policies;

/// A definitions file: the topologies of its virtual hosts with the effect of their policies, and all other content unchanged.
///
/// Users, permissions, parameters and unknown members are kept and not interpreted; [`notes`](Self::notes) names the unknown ones. Policies
/// and operator policies are interpreted: `alternate-exchange`, `dead-letter-exchange`, `dead-letter-routing-key` and the limits affect
/// routes and settings.
///
/// ```
/// use tavrida_routing::{Definitions, Message};
///
/// let file = r#"{
///     "rabbit_version": "3.10.8",
///     "vhosts": [{"name": "/"}],
///     "exchanges": [{"name": "orders", "vhost": "/", "type": "topic", "durable": true}],
///     "queues": [{"name": "billing", "vhost": "/", "durable": true}],
///     "bindings": [{"source": "orders", "vhost": "/", "destination": "billing",
///                   "destination_type": "queue", "routing_key": "order.#", "arguments": {}}]
/// }"#;
/// let definitions = Definitions::parse(file)?;
/// let topology = definitions.topology("/").unwrap();
/// assert!(topology.route(&Message::new("orders", "order.placed"))?.reaches("billing"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Definitions {
    /// The document, without exchanges, queues and bindings: they are in the topologies.
    document: Json,
    behaviour: Behaviour,
    virtual_hosts: BTreeMap<String, VirtualHost>,
    notes: Vec<String>,
}

#[derive(Debug, Clone)]
struct VirtualHost {
    topology: Topology,
    policies: Policies,
    /// The type of queues that are declared without one.
    default_queue_type: Option<String>,
}

impl Definitions {
    /// Parses the text of a definitions file. Its topologies behave as the version in `rabbit_version` does.
    ///
    /// # Errors
    ///
    /// The first error, with its JSON path, its value and what was expected. What a node reads and then refuses has the code and text of
    /// the node: see [`DefinitionsError::refusal`].
    pub fn parse(text: &str) -> Result<Self, DefinitionsError> {
        read::read(json::parse(text)?, None)
    }

    /// Parses the text of a definitions file, with topologies that behave as a version of RabbitMQ does, whatever version the file names.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_like(text: &str, behaviour: impl Into<Behaviour>) -> Result<Self, DefinitionsError> {
        read::read(json::parse(text)?, Some(behaviour.into()))
    }

    /// Reads a definitions file.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); the error names the file if it cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DefinitionsError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|error| DefinitionsError::new(path.display().to_string(), error))?;
        Self::parse(&text)
    }

    /// Returns the names of the virtual hosts.
    pub fn virtual_hosts(&self) -> impl Iterator<Item = &str> {
        self.virtual_hosts.keys().map(String::as_str)
    }

    /// Returns the topology of a virtual host. `None` if the file has no such virtual host.
    pub fn topology(&self, virtual_host: &str) -> Option<&Topology> {
        self.virtual_hosts.get(virtual_host).map(|host| &host.topology)
    }

    /// Returns the decisions that the topologies of the file follow.
    pub fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// Returns what was kept without interpretation, what appears twice, and a version of RabbitMQ that is read like another one, each with
    /// its path.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Sets the topology of a virtual host, new or known. The policies of the file apply to it.
    ///
    /// # Errors
    ///
    /// The pattern of a policy does not terminate on a name.
    pub fn set_topology(&mut self, mut topology: Topology) -> Result<(), DefinitionsError> {
        let name = topology.virtual_host().to_owned();
        let known = self.virtual_hosts.get(&name).cloned();
        let (policies, default_queue_type) =
            known.map(|host| (host.policies, host.default_queue_type)).unwrap_or_default();
        policies.apply(&mut topology)?;
        self.virtual_hosts.insert(name, VirtualHost { topology, policies, default_queue_type });
        Ok(())
    }
}

impl From<Topology> for Definitions {
    /// Creates a file with one virtual host and nothing else.
    fn from(topology: Topology) -> Self {
        let name = topology.virtual_host().to_owned();
        let behaviour = *topology.behaviour();
        let host = VirtualHost { topology, policies: Policies::default(), default_queue_type: None };
        Self {
            document: serde_json::json!({ "vhosts": [{ "name": name }] }),
            behaviour,
            virtual_hosts: [(name, host)].into(),
            notes: Vec::new(),
        }
    }
}
