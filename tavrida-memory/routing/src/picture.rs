//! Pictures: Mermaid for pages and pull requests, DOT for Graphviz.
//!
//! There is no SVG: `layout-rs` 0.1.3, which lays out DOT without Graphviz, takes about two seconds for 50 nodes with 100 edges and more
//! than 40 for 100 nodes with 300 edges. `dot -Tsvg` of Graphviz makes one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::services::{Services, split, takes};
use crate::topology::{Destination, Topology};

/// The content of a picture.
#[derive(Default)]
struct Drawing {
    nodes: Vec<Node>,
    edges: Vec<Arrow>,
}

struct Node {
    label: String,
    is_exchange: bool,
}

struct Arrow {
    from: usize,
    to: usize,
    label: String,
    is_dashed: bool,
}

impl Topology {
    /// Returns the topology as a Mermaid flowchart: exchanges as hexagons, queues as boxes, bindings with their keys; alternates and
    /// dead-letter routes are dashed.
    pub fn mermaid(&self) -> String {
        self.drawing().mermaid()
    }

    /// Returns the topology as a graph in Graphviz's language DOT.
    pub fn dot(&self) -> String {
        self.drawing().dot()
    }

    fn drawing(&self) -> Drawing {
        let mut drawing = Drawing::default();
        let mut places: BTreeMap<Destination, usize> = BTreeMap::new();
        let used = |name: &str| {
            let as_destination = Destination::Exchange(name.to_owned());
            let mut bindings = self.bindings().iter();
            !name.starts_with("amq.")
                || bindings.any(|binding| binding.source == name || binding.destination == as_destination)
        };
        for exchange in self.exchanges().filter(|exchange| used(&exchange.name)) {
            let internal = if exchange.internal { ", internal" } else { "" };
            let label = format!("{} ({}{internal})", exchange.name, exchange.kind);
            places.insert(Destination::Exchange(exchange.name.clone()), drawing.node(label, true));
        }
        for queue in self.queues() {
            let label = format!("{} ({})", queue.name, queue.queue_type().as_str());
            places.insert(Destination::Queue(queue.name.clone()), drawing.node(label, false));
        }
        for binding in self.bindings() {
            let arguments =
                if binding.arguments.is_empty() { String::new() } else { binding.arguments.to_string() };
            let label = [binding.routing_key.as_str(), &arguments].join(" ").trim().to_owned();
            drawing.edge(
                &places,
                &Destination::Exchange(binding.source.clone()),
                &binding.destination,
                label,
                false,
            );
        }
        for exchange in self.exchanges() {
            if let Some(alternate) = exchange.alternate() {
                let from = Destination::Exchange(exchange.name.clone());
                drawing.edge(
                    &places,
                    &from,
                    &Destination::Exchange(alternate.to_owned()),
                    "alternate".to_owned(),
                    true,
                );
            }
        }
        for queue in self.queues() {
            let Some(exchange) = queue.dead_letter_exchange() else { continue };
            let key = queue.dead_letter_routing_key();
            let to = match exchange {
                "" => Destination::Queue(key.unwrap_or(&queue.name).to_owned()),
                exchange => Destination::Exchange(exchange.to_owned()),
            };
            let label = format!("dead {}", key.unwrap_or_default()).trim().to_owned();
            drawing.edge(&places, &Destination::Queue(queue.name.clone()), &to, label, true);
        }
        drawing
    }
}

impl Services {
    /// Returns the graph as a Mermaid flowchart: calls and asks as arrows, events dashed.
    pub fn mermaid(&self) -> String {
        self.drawing().mermaid()
    }

    /// Returns the graph in Graphviz's language DOT.
    pub fn dot(&self) -> String {
        self.drawing().dot()
    }

    fn drawing(&self) -> Drawing {
        let mut drawing = Drawing::default();
        let mut places: BTreeMap<Destination, usize> = BTreeMap::new();
        let of = |name: &str| Destination::Queue(name.to_owned());
        for service in self.iter() {
            places.insert(of(&service.name), drawing.node(service.name.clone(), false));
        }
        for service in self.iter() {
            for (verb, targets) in [("call", &service.calls), ("ask", &service.asks)] {
                for target in targets {
                    let (name, method) = split(target);
                    drawing.edge(&places, &of(&service.name), &of(name), format!("{verb} {method}"), false);
                }
            }
            for topic in &service.subscriptions {
                let publishers =
                    self.iter().filter(|other| other.events.iter().any(|event| takes(topic, event)));
                for publisher in publishers {
                    drawing.edge(&places, &of(&publisher.name), &of(&service.name), topic.clone(), true);
                }
            }
        }
        drawing
    }
}

impl Drawing {
    fn node(&mut self, label: String, is_exchange: bool) -> usize {
        self.nodes.push(Node { label, is_exchange });
        self.nodes.len() - 1
    }

    /// Draws an edge; a missing target gets a node.
    fn edge(
        &mut self,
        places: &BTreeMap<Destination, usize>,
        from: &Destination,
        to: &Destination,
        label: String,
        is_dashed: bool,
    ) {
        let mut place = |what: &Destination| match places.get(what) {
            Some(place) => *place,
            None => {
                let label = format!("{} (missing)", what.name());
                let known = self.nodes.iter().position(|node| node.label == label);
                known.unwrap_or_else(|| {
                    self.nodes.push(Node { label, is_exchange: matches!(what, Destination::Exchange(_)) });
                    self.nodes.len() - 1
                })
            }
        };
        let (from, to) = (place(from), place(to));
        self.edges.push(Arrow { from, to, label, is_dashed });
    }

    fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        // Mermaid reads entities in quotes: nothing in a name can end the text.
        let quoted = |label: &str| {
            let escape = |c: char| match c {
                c if c.is_alphanumeric() || " ._-()/:".contains(c) => c.to_string(),
                c => format!("#{};", u32::from(c)),
            };
            format!("\"{}\"", label.chars().map(escape).collect::<String>())
        };
        for (number, node) in self.nodes.iter().enumerate() {
            let (open, close) = if node.is_exchange { ("{{", "}}") } else { ("[", "]") };
            line(&mut text, format_args!("    n{number}{open}{}{close}", quoted(&node.label)));
        }
        for edge in &self.edges {
            let arrow = if edge.is_dashed { "-.->" } else { "-->" };
            let label =
                if edge.label.is_empty() { String::new() } else { format!("|{}|", quoted(&edge.label)) };
            line(&mut text, format_args!("    n{} {arrow}{label} n{}", edge.from, edge.to));
        }
        text
    }

    fn dot(&self) -> String {
        let mut text = "digraph topology {\n    rankdir=LR;\n".to_owned();
        let quoted = |label: &str| {
            let escaped = label.replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, " ");
            format!("\"{escaped}\"")
        };
        for (number, node) in self.nodes.iter().enumerate() {
            let shape = if node.is_exchange { "ellipse" } else { "box" };
            line(&mut text, format_args!("    n{number} [label={}, shape={shape}];", quoted(&node.label)));
        }
        for edge in &self.edges {
            let style = if edge.is_dashed { ", style=dashed" } else { "" };
            line(
                &mut text,
                format_args!("    n{} -> n{} [label={}{style}];", edge.from, edge.to, quoted(&edge.label)),
            );
        }
        text.push_str("}\n");
        text
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}
