//! From topologies to the document.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::definitions::Definitions;
use crate::definitions::error::DefinitionsError;
use crate::definitions::json::from_table;
use crate::topology::{Binding, Destination, Exchange, Queue};

impl Definitions {
    /// Returns the text of the file, for `rabbitmqctl import_definitions`. Unchanged content is written as it was read.
    ///
    /// # Errors
    ///
    /// An argument has a value that a definitions file cannot represent: void, bytes, a timestamp, a decimal. (The types of numbers are
    /// lost in a file, also when a node writes it.)
    pub fn to_json(&self) -> Result<String, DefinitionsError> {
        let mut document = self.document.as_object().cloned().unwrap_or_default();
        let old = |name: &str| index(self.document.get(name).and_then(Json::as_array));
        let (exchanges, queues, bindings) = (old("exchanges"), old("queues"), old("bindings"));
        let mut new = [Vec::new(), Vec::new(), Vec::new()];
        for host in self.virtual_hosts.values() {
            let (topology, name) = (&host.topology, host.topology.virtual_host());
            for exchange in topology.exchanges().filter(|exchange| is_written(exchange, &exchanges, name)) {
                new[0].push(merged(&exchanges, exchange_json(exchange, name)?));
            }
            for queue in topology.queues() {
                new[1].push(merged(&queues, queue_json(queue, name)?));
            }
            for binding in topology.bindings() {
                new[2].push(merged(&bindings, binding_json(binding, name)?));
            }
        }
        let [new_exchanges, new_queues, new_bindings] = new;
        document.insert("exchanges".to_owned(), in_old_order(&exchanges, new_exchanges));
        document.insert("queues".to_owned(), in_old_order(&queues, new_queues));
        document.insert("bindings".to_owned(), in_old_order(&bindings, new_bindings));
        self.add_hosts(&mut document);
        Ok(serde_json::to_string_pretty(&document).expect("a JSON object can be written"))
    }

    /// Lists virtual hosts that were added to a file which lists them.
    fn add_hosts(&self, document: &mut Map<String, Json>) {
        let Some(Json::Array(listed)) = document.get_mut("vhosts") else { return };
        for name in self.virtual_hosts.keys() {
            if !listed.iter().any(|host| host["name"] == name.as_str()) {
                listed.push(json!({ "name": name }));
            }
        }
    }
}

/// Returns what distinguishes objects of one list, as text.
type Identity = String;

/// The objects that were read, by identity, with their places.
type Old<'j> = BTreeMap<Identity, (usize, &'j Json)>;

fn index(items: Option<&Vec<Json>>) -> Old<'_> {
    let mut old = Old::new();
    for (place, item) in items.into_iter().flatten().enumerate() {
        old.entry(identity(item)).or_insert((place, item));
    }
    old
}

fn identity(item: &Json) -> Identity {
    let vhost = item.get("vhost").and_then(Json::as_str).unwrap_or("/");
    let names = ["name", "source", "destination", "destination_type", "routing_key"].map(|name| &item[name]);
    let arguments = match (&item["name"], &item["arguments"]) {
        // The arguments of a binding are a part of what it is.
        (Json::Null, Json::Object(arguments)) if !arguments.is_empty() => item["arguments"].to_string(),
        _ => String::new(),
    };
    format!("{vhost:?}{names:?}{arguments}")
}

/// Returns the object that was read, with the members that the new one changes.
fn merged(old: &Old<'_>, new: Json) -> Json {
    let Some((_, before)) = old.get(&identity(&new)) else { return new };
    let mut object = before.as_object().cloned().unwrap_or_default();
    for (name, value) in new.as_object().cloned().unwrap_or_default() {
        let is_default =
            value == (name == "durable") || value.as_object().is_some_and(Map::is_empty) || name == "vhost";
        let is_empty_list = object.get(&name).and_then(Json::as_array).is_some_and(Vec::is_empty);
        if !(is_default && (is_empty_list || !object.contains_key(&name))) {
            object.insert(name, value);
        }
    }
    object.into()
}

fn in_old_order(old: &Old<'_>, mut new: Vec<Json>) -> Json {
    new.sort_by_key(|item| old.get(&identity(item)).map_or(usize::MAX, |(place, _)| *place));
    new.into()
}

/// Predeclared exchanges are in no export, unless the file had them.
fn is_written(exchange: &Exchange, old: &Old<'_>, host: &str) -> bool {
    !exchange.name.starts_with("amq.")
        || old.contains_key(&identity(&json!({ "name": exchange.name, "vhost": host })))
}

fn exchange_json(exchange: &Exchange, host: &str) -> Result<Json, DefinitionsError> {
    Ok(json!({
        "name": exchange.name,
        "vhost": host,
        "type": exchange.kind.as_str(),
        "durable": exchange.durable,
        "auto_delete": exchange.auto_delete,
        "internal": exchange.internal,
        "arguments": from_table(&exchange.arguments, &format!("exchange '{}': arguments", exchange.name))?,
    }))
}

fn queue_json(queue: &Queue, host: &str) -> Result<Json, DefinitionsError> {
    let mut json = json!({
        "name": queue.name,
        "vhost": host,
        "durable": queue.durable,
        "auto_delete": queue.auto_delete,
        "arguments": from_table(&queue.arguments, &format!("queue '{}': arguments", queue.name))?,
    });
    if queue.exclusive {
        json["exclusive"] = true.into();
    }
    Ok(json)
}

fn binding_json(binding: &Binding, host: &str) -> Result<Json, DefinitionsError> {
    let destination_type = match binding.destination {
        Destination::Queue(_) => "queue",
        Destination::Exchange(_) => "exchange",
    };
    Ok(json!({
        "source": binding.source,
        "vhost": host,
        "destination": binding.destination.name(),
        "destination_type": destination_type,
        "routing_key": binding.routing_key,
        "arguments": from_table(&binding.arguments, &format!("binding {binding}: arguments"))?,
    }))
}
