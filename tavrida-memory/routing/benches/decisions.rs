//! The time of decisions on a topology of 1,000 bindings: `cargo bench -p tavrida-routing --bench decisions`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures real time and prints it"
)]

use std::time::{Duration, Instant};

use tavrida_routing::{Binding, Definitions, Exchange, Message, Queue, Topology};

/// One exchange that feeds twenty others, a hundred queues, 1,000 bindings; one pattern in three has a wildcard.
fn large() -> Topology {
    let mut topology = Topology::builder().exchange(Exchange::topic("all").alternate_exchange("unrouted"));
    topology = topology.exchange(Exchange::fanout("unrouted"));
    for queue in 0..100 {
        topology = topology.queue(Queue::new(format!("q{queue}")).dead_letter_to("unrouted"));
    }
    for exchange in 0..20 {
        let name = format!("x{exchange}");
        topology = topology.exchange(Exchange::topic(&name)).bind_exchange(
            &name,
            "all",
            &format!("area{exchange}.#"),
        );
    }
    for number in 0..979 {
        let (queue, exchange) = (format!("q{}", number % 100), format!("x{}", number % 20));
        let (area, word) = (number % 20, number % 37);
        let key = match number % 6 {
            0 => format!("area{area}.*.word{word}"),
            1 => format!("area{area}.thing{number}.#"),
            _ => format!("area{area}.thing{number}.word{word}"),
        };
        topology = topology.bind_queue(&queue, &exchange, &key);
    }
    topology.bind_queue("q0", "unrouted", "").build().expect("the topology is valid")
}

fn time<T>(what: &str, work: impl Fn() -> T) -> T {
    let mut best = Duration::MAX;
    let mut result = None;
    for _ in 0..5 {
        let start = Instant::now();
        result = Some(work());
        best = best.min(start.elapsed());
    }
    println!("{what}: {best:.1?} (best of 5)");
    result.expect("there were five")
}

fn main() {
    let topology = large();
    println!("{} bindings, {} queues", topology.bindings().len(), topology.queues().count());
    let mut after = topology.clone();
    for number in 0..10 {
        after
            .bind(Binding::queue("q7", format!("x{number}"), format!("area{number}.*.*.late")))
            .expect("it is valid");
    }
    let diff = time("diff, 10 bindings added", || topology.diff(&after));
    println!("  {} changes, complete: {}", diff.changes.len(), diff.is_complete());
    let mut other = topology.clone();
    other.declare_exchange(Exchange::topic("new")).expect("it is valid");
    other.bind(Binding::exchange("new", "all", "#")).expect("it is valid");
    other.bind(Binding::queue("q9", "new", "*.*")).expect("it is valid");
    let diff = time("diff, an exchange beside all others", || topology.diff(&other));
    println!("  {} changes, complete: {}", diff.changes.len(), diff.is_complete());
    let dead = time("dead bindings", || topology.dead_bindings());
    println!("  {} dead, complete: {}", dead.len(), dead.is_complete());
    let lint = time("lint", || topology.lint());
    println!("  {} findings", lint.findings().len());
    let table = time("whole routing table", || tavrida_routing::RoutingTable::of(&topology));
    println!("  {} rows, complete: {}", table.len(), table.is_complete());
    let file = Definitions::from(topology.clone()).to_json().expect("the arguments are plain");
    time("reading its definitions file", || Definitions::parse(&file).expect("it was written by us"));
    time("routing one message", || {
        topology
            .route(&Message::new("all", "area3.thing3.word3"))
            .expect("the exchange exists")
            .queues()
            .len()
    });
}
