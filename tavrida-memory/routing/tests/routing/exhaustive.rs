//! Every pair of short patterns and keys, and every pair of small header tables: `route` and the broker agree.

use std::collections::BTreeSet;

use tavrida_routing::{Binding, Exchange, Message, Queue, Table, Topology, Value};

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
