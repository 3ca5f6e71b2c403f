//! From the document to topologies.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tavrida_behaviour::{Behaviour, RabbitMq};

use crate::broker_error::BrokerError;
use crate::definitions::error::DefinitionsError;
use crate::definitions::json::At;
use crate::definitions::policy::{self, Policies, Policy};
use crate::definitions::{Definitions, VirtualHost};
use crate::topology::{Binding, Destination, Exchange, ExchangeType, Queue, Topology};

const MEMBERS: [&str; 20] = [
    "bindings",
    "default_queue_type",
    "description",
    "exchanges",
    "explanation",
    "global_parameters",
    "limits",
    "metadata",
    "original_vhost_name",
    "parameters",
    "permissions",
    "policies",
    "product_name",
    "product_version",
    "queues",
    "rabbit_version",
    "rabbitmq_definition_format",
    "rabbitmq_version",
    "users",
    "vhosts",
];
const EXCHANGE: [&str; 7] = ["name", "vhost", "type", "durable", "auto_delete", "internal", "arguments"];
const QUEUE: [&str; 7] = ["name", "vhost", "type", "durable", "auto_delete", "exclusive", "arguments"];
const BINDING: [&str; 6] = ["source", "vhost", "destination", "destination_type", "routing_key", "arguments"];

pub(super) fn read(document: Json, behaviour: Option<Behaviour>) -> Result<Definitions, DefinitionsError> {
    let root = At::root(&document);
    let mut notes = Vec::new();
    let behaviour = behaviour.map_or_else(|| behaviour_of(&root, &mut notes), Ok)?;
    let mut reader = Reader { behaviour, hosts: BTreeMap::new(), listed: false, notes };
    reader.note_unknown(&root, &MEMBERS)?;
    reader.hosts(&root)?;
    for at in root.items("exchanges")? {
        reader.exchange(&at)?;
    }
    for at in root.items("queues")? {
        reader.queue(&at)?;
    }
    for at in root.items("bindings")? {
        reader.binding(&at)?;
    }
    reader.policies(&root)?;
    let Reader { hosts, notes, .. } = reader;
    Ok(Definitions { document, behaviour, virtual_hosts: hosts, notes })
}

/// Returns the behaviour of the node that wrote the file.
fn behaviour_of(root: &At<'_>, notes: &mut Vec<String>) -> Result<Behaviour, DefinitionsError> {
    let text = root.optional_text("rabbit_version")?.or(root.optional_text("rabbitmq_version")?);
    let Some(text) = text else { return Ok(Behaviour::default()) };
    let major = text.split('.').next().and_then(|major| major.parse().ok());
    let version = if major.is_some_and(|major: u32| major >= 4) { RabbitMq::V4_0 } else { RabbitMq::V3_10 };
    let is_proven = |proven: &str| text == proven || text.starts_with(&format!("{proven}."));
    if !is_proven(if version == RabbitMq::V4_0 { "4.0" } else { "3.10" }) {
        notes.push(format!("$.rabbit_version: {text:?} is read like {version}"));
    }
    Ok(version.into())
}

struct Reader {
    behaviour: Behaviour,
    hosts: BTreeMap<String, VirtualHost>,
    /// Returns whether the file lists its virtual hosts: then there are no others.
    listed: bool,
    notes: Vec<String>,
}

impl VirtualHost {
    /// Gives a queue without a type that of the virtual host, if it can have it (R139).
    fn fill_in_type(&self, queue: &mut Queue) {
        let fits = queue.durable && !queue.exclusive && !queue.auto_delete;
        let fits =
            fits && self.topology.behaviour().declares_types && !queue.arguments.contains("x-queue-type");
        if let Some(default) =
            self.default_queue_type.as_deref().filter(|default| fits && *default != "classic")
        {
            queue.arguments.insert("x-queue-type", default);
        }
    }
}

impl Reader {
    fn hosts(&mut self, root: &At<'_>) -> Result<(), DefinitionsError> {
        for at in root.items("vhosts")? {
            let name = at.text("name")?;
            self.listed = true;
            if self.hosts.contains_key(name) {
                self.notes.push(format!("{}: virtual host '{name}' appears twice", at.path));
            }
            let metadata = at.member("metadata")?.unwrap_or_else(|| at.clone());
            let default_type = metadata.optional_text("default_queue_type")?;
            self.add_host(name).default_queue_type = default_type.map(str::to_owned);
        }
        Ok(())
    }

    fn add_host(&mut self, name: &str) -> &mut VirtualHost {
        let behaviour = self.behaviour;
        self.hosts.entry(name.to_owned()).or_insert_with(|| VirtualHost {
            topology: Topology::of(name, behaviour),
            policies: Policies::default(),
            default_queue_type: None,
        })
    }

    /// Returns the virtual host of an object. An export of one virtual host names none: it is `/` here.
    fn host(&mut self, at: &At<'_>) -> Result<&mut VirtualHost, DefinitionsError> {
        let name = at.optional_text("vhost")?.unwrap_or("/");
        if self.listed && !self.hosts.contains_key(name) {
            let known: Vec<String> = self.hosts.keys().map(|name| format!("'{name}'")).collect();
            let problem = format!("found virtual host '{name}', expected one of {}", known.join(", "));
            return Err(DefinitionsError::new(format!("{}.vhost", at.path), problem));
        }
        Ok(self.add_host(name))
    }

    fn exchange(&mut self, at: &At<'_>) -> Result<(), DefinitionsError> {
        self.note_unknown(at, &EXCHANGE)?;
        let (name, type_name) = (at.text("name")?, at.text("type")?);
        let refused = |error| DefinitionsError::refused(&at.path, error);
        BrokerError::check_length("exchange name", name).map_err(refused)?;
        let topology = &mut self.host(at)?.topology;
        let kind = ExchangeType::of(type_name);
        let kind = kind.ok_or_else(|| {
            DefinitionsError::refused(format!("{}.type", at.path), topology.unknown_type(type_name))
        })?;
        let known = topology.exchange(name).is_some() && !name.starts_with("amq.");
        topology
            .restore_exchange(Exchange {
                durable: at.flag("durable", true)?,
                auto_delete: at.flag("auto_delete", false)?,
                internal: at.flag("internal", false)?,
                arguments: at.table("arguments")?,
                ..Exchange::new(name, kind)
            })
            .map_err(refused)?;
        self.note_twice(known, at, format_args!("exchange '{name}'"));
        Ok(())
    }

    fn queue(&mut self, at: &At<'_>) -> Result<(), DefinitionsError> {
        self.note_unknown(at, &QUEUE)?;
        let name = at.text("name")?;
        let refused = |error| DefinitionsError::refused(&at.path, error);
        BrokerError::check_length("queue name", name).map_err(refused)?;
        if name.is_empty() {
            return Err(DefinitionsError::new(
                format!("{}.name", at.path),
                "found an empty name, expected the name of a queue",
            ));
        }
        let mut queue = Queue {
            durable: at.flag("durable", true)?,
            exclusive: at.flag("exclusive", false)?,
            auto_delete: at.flag("auto_delete", false)?,
            arguments: at.table("arguments")?,
            ..Queue::new(name)
        };
        let host = self.host(at)?;
        host.fill_in_type(&mut queue);
        let known = host.topology.queue(name).is_some();
        host.topology.restore_queue(queue).map_err(refused)?;
        self.note_twice(known, at, format_args!("queue '{name}'"));
        Ok(())
    }

    fn binding(&mut self, at: &At<'_>) -> Result<(), DefinitionsError> {
        self.note_unknown(at, &BINDING)?;
        let destination = at.text("destination")?.to_owned();
        let destination = match at.text("destination_type")? {
            "queue" => Destination::Queue(destination),
            "exchange" => Destination::Exchange(destination),
            _ => {
                let kind = at.member("destination_type")?.unwrap_or_else(|| at.clone());
                return Err(kind.wrong("\"queue\" or \"exchange\""));
            }
        };
        let binding = Binding {
            source: at.text("source")?.to_owned(),
            destination,
            routing_key: at.text("routing_key")?.to_owned(),
            arguments: at.table("arguments")?,
        };
        let topology = &mut self.host(at)?.topology;
        let before = topology.bindings().len();
        let text = binding.to_string();
        topology
            .restore_binding(binding)
            .map_err(|error| DefinitionsError::refused(&at.path, error).with_hint())?;
        let twice = topology.bindings().len() == before;
        self.note_twice(twice, at, format_args!("binding {text}"));
        Ok(())
    }

    fn policies(&mut self, root: &At<'_>) -> Result<(), DefinitionsError> {
        let steps = policy::steps(root)?;
        for at in root.items("policies")? {
            let policy = Policy::read(&at, &self.behaviour, steps)?;
            self.host(&at)?.policies.users.push(policy);
        }
        for at in root.items("parameters")? {
            if at.optional_text("component")? == Some("operator_policy") {
                let value = at.member("value")?.ok_or_else(|| at.wrong("a member \"value\""))?;
                let policy = Policy::read(&value, &self.behaviour, steps)?;
                self.host(&at)?.policies.operators.push(policy);
            }
        }
        self.hosts.values_mut().try_for_each(|host| host.policies.apply(&mut host.topology))
    }

    fn note_unknown(&mut self, at: &At<'_>, known: &[&str]) -> Result<(), DefinitionsError> {
        // Permissions are of several kinds, all kept.
        let ignored = |name: &str| known.contains(&name) || name.ends_with("permissions");
        let unknown = at.object()?.keys().filter(|name| !ignored(name));
        self.notes.extend(unknown.map(|name| format!("{}.{name}: unknown, kept as it is", at.path)));
        Ok(())
    }

    fn note_twice(&mut self, twice: bool, at: &At<'_>, what: std::fmt::Arguments<'_>) {
        if twice {
            self.notes.push(format!("{}: {what} appears twice", at.path));
        }
    }
}
