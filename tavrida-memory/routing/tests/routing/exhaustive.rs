//! Every pair of short patterns and keys, and every pair of small header tables: `route` and the broker agree.

use std::collections::BTreeSet;

use tavrida_routing::{Binding, Exchange, Message, Queue, RabbitMq, Table, Topology, Value};

use crate::node::Node;

/// All texts of up to `longest` words.
pub(crate) fn texts(words: &[&str], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last: Vec<Vec<&str>> = vec![Vec::new()];
    for _ in 0..longest {
        let longer = last.iter().flat_map(|text| words.iter().map(move |word| [&text[..], &[word]].concat()));
        last = longer.collect();
        all.extend(last.iter().map(|text| text.join(".")));
    }
    // One empty word is written as no word is.
    all.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn every_short_pattern_and_key() {
    let patterns = texts(&["a", "b", "*", "#"], 3);
    let keys = texts(&["a", "b", ""], 4);
    let mut topology = Topology::builder().exchange(Exchange::topic("x"));
    for pattern in &patterns {
        let name = format!("q:{pattern}");
        topology = topology.queue(Queue::new(&name)).bind_queue(&name, "x", pattern);
    }
    let topology = topology.build().unwrap();
    let mut node = Node::with(&topology);

    let mut disagreements = Vec::new();
    for key in &keys {
        let message = Message::new("x", key);
        let ours: BTreeSet<String> = topology.route(&message).unwrap().queues().map(str::to_owned).collect();
        let broker = node.publish(&message).unwrap();
        disagreements.extend(ours.symmetric_difference(&broker).map(|queue| format!("{queue} ~ {key}")));
    }
    println!("pairs: {}, disagreements: {}", patterns.len() * keys.len(), disagreements.len());
    assert_eq!((patterns.len(), keys.len()), (85, 120));
    assert_eq!(disagreements, Vec::<String>::new());
}

/// All tables of up to three entries over these names and values.
fn tables(names: &[&str], values: &[Value]) -> Vec<Table> {
    let mut all = vec![Table::new()];
    for name in names {
        let with =
            |table: &Table| values.iter().map(|value| table.clone().with(*name, value.clone())).collect();
        let longer: Vec<Table> = all.iter().flat_map(|table| -> Vec<Table> { with(table) }).collect();
        all.extend(longer);
    }
    all
}

#[test]
fn every_small_header_table_in_all_four_forms() {
    let values = [Value::Void, Value::I32(1), Value::F64(1.0), Value::from("1")];
    let names = ["a", "b", "x-c"];
    let (wanted, sent) = (tables(&names, &values), tables(&names, &values));
    let mut topology = Topology::builder().exchange(Exchange::headers("x"));
    for form in ["all", "any", "all-with-x", "any-with-x"] {
        for (index, arguments) in wanted.iter().enumerate() {
            let name = format!("{form} {index}");
            let mut binding = Binding::queue(&name, "x", "").argument("x-match", form);
            binding.arguments.extend(arguments.clone());
            topology = topology.queue(Queue::new(&name)).bind(binding);
        }
    }
    let topology = topology.build().unwrap();
    let mut node = Node::with(&topology);

    let mut disagreements = Vec::new();
    for headers in &sent {
        let message = Message::new("x", "").headers(headers.clone());
        let ours: BTreeSet<String> = topology.route(&message).unwrap().queues().map(str::to_owned).collect();
        let broker = node.publish(&message).unwrap();
        disagreements.extend(ours.symmetric_difference(&broker).map(|queue| format!("{queue} ~ {headers}")));
    }
    println!(
        "header tables: {} pairs, disagreements: {}",
        4 * wanted.len() * sent.len(),
        disagreements.len()
    );
    assert_eq!((wanted.len(), sent.len()), (125, 125));
    assert_eq!(disagreements, Vec::<String>::new());
}

/// Headers whose values are numbers, times and texts that look like each other: on each version, with all that a binding may want.
#[test]
fn every_pair_of_values_on_both_versions() {
    let values = [
        Value::Void,
        Value::Bool(true),
        Value::I8(1),
        Value::U8(1),
        Value::I16(1),
        Value::U16(1),
        Value::I32(1),
        Value::U32(1),
        Value::I64(1),
        Value::I64(1000),
        Value::F32(1.0),
        Value::F64(1.0),
        Value::F64(1000.0),
        Value::F64(0.0),
        Value::F64(-0.0),
        Value::I32(0),
        Value::Timestamp(0),
        Value::Timestamp(1),
        Value::Timestamp(1000),
        Value::from("1"),
        Value::from(""),
        Value::Bytes(b"1".to_vec()),
        Value::Array(vec![Value::I32(1)]),
        Value::Array(vec![Value::I64(1)]),
        Value::Array(vec![Value::Timestamp(1)]),
        Value::Table(Table::new().with("a", Value::I32(1))),
        Value::Table(Table::new().with("a", Value::I64(1))),
        Value::Table(Table::from([("a", 1), ("b", 2)])),
        Value::Table(Table::from([("b", 2), ("a", 1)])),
        Value::Array(vec![Value::F64(0.0)]),
        Value::Array(vec![Value::F64(-0.0)]),
    ];
    let mut disagreements = Vec::new();
    for version in [RabbitMq::V3_10, RabbitMq::V4_0] {
        let mut topology = Topology::builder().like(version).exchange(Exchange::headers("x"));
        for (index, value) in values.iter().enumerate() {
            let name = format!("{index} {value:?}");
            let binding = Binding::queue(&name, "x", "").argument("a", value.clone());
            topology = topology.queue(Queue::new(&name)).bind(binding);
        }
        let topology = topology.build().unwrap();
        let mut node = Node::with(&topology);
        for sent in &values {
            let message = Message::new("x", "").header("a", sent.clone());
            let ours: BTreeSet<String> =
                topology.route(&message).unwrap().queues().map(str::to_owned).collect();
            let broker = node.publish(&message).unwrap();
            disagreements.extend(
                ours.symmetric_difference(&broker).map(|queue| format!("{version}: {queue} ~ {sent:?}")),
            );
        }
    }
    println!("values: {} pairs, disagreements: {}", 2 * values.len() * values.len(), disagreements.len());
    assert_eq!(disagreements, Vec::<String>::new());
}
