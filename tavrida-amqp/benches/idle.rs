//! The cost of an idle client: memory and threads, with connections shared (the default), and with separate ones.
//!
//! `cargo bench -p tavrida-amqp --bench idle`, with `TAVRIDA_CLIENTS` for more or fewer than 200. Each kind of client is measured in a
//! separate process. Linux only.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

use std::process::Command;

use tavrida::Client;
use tavrida::discovery::Registry;
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::Node;

/// The environment variable of a measuring process that has the broker's address.
const URI: &str = "TAVRIDA_IDLE_URI";
const KIND: &str = "TAVRIDA_IDLE_KIND";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let clients =
        std::env::var("TAVRIDA_CLIENTS").ok().and_then(|clients| clients.parse().ok()).unwrap_or(200);
    if let Ok(uri) = std::env::var(URI) {
        return measure(&uri, clients).await;
    }
    let node = Node::start().await.unwrap();
    println!("| {clients} idle clients | KiB each | threads | connections |");
    for kind in ["shared", "unshared"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .arg("--bench")
            .env(URI, node.uri())
            .env(KIND, kind)
            .status()
            .unwrap();
        assert!(status.success());
    }
}

async fn measure(uri: &str, clients: usize) {
    let kind = std::env::var(KIND).unwrap();
    let mut transport = AmqpTransport::new(AmqpConfig::from_uri(uri).unwrap());
    if kind == "unshared" {
        transport = transport.unshared();
    }
    let make = async || {
        let registry = Registry::new().remote_service("work", "work_exchange");
        Client::builder(transport.clone()).source("idle").discovery(registry).build().await.unwrap()
    };
    let (memory, threads, sockets) = used();
    let mut all = Vec::with_capacity(clients);
    for _ in 0..clients {
        all.push(make().await);
    }
    let (more_memory, more_threads, more_sockets) = used();
    println!(
        "| {kind} | {} | {} | {} |",
        (more_memory - memory) / clients,
        more_threads - threads,
        // A connection has its socket, and a handle to cut it.
        (more_sockets - sockets) / 2
    );
    std::process::exit(0);
}

/// Returns resident KiB, threads, and open sockets of this process.
fn used() -> (usize, usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:")).count();
    (number("VmRSS:"), number("Threads:"), sockets)
}
