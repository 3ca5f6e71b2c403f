//! On one broker with the Python original, played by bare lapin with the messages that the original sent.

#[path = "../../../../tavrida/tests/it/capture.rs"]
mod capture;
mod compare;
mod friends;
mod topology;
mod turns;
mod wire;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use tavrida::field::{Table, Value};
use tavrida::server::ServerHandle;
use tavrida::{Server, Service};
use tavrida_rabbitmq::VirtualHost;

use crate::fixture::{Notes, run, transport};
use capture::Row;
use compare::{ANSWERED_HERE, differences, invented, is_same_step, odd_properties, paired};
use wire::{Peer, Seen};

/// The exchanges of the two friends, of their notifications, and of a client with a reply address.
const EXCHANGES: [&str; 4] =
    ["test_exchange", "test_world_exchange", "test_notification_exchange", "client_exchange"];
const QUEUES: [&str; 2] = ["test_service", "test_world_service"];

/// The environment of the capture: its exchanges, and a peer without this library that listens to them.
async fn fixture() -> (VirtualHost, Peer) {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let peer = Peer::connect(&vhost).await;
    for exchange in EXCHANGES {
        peer.exchange(exchange).await.unwrap();
        peer.listen(exchange, "#").await;
    }
    (vhost, peer)
}

async fn serve(vhost: &VirtualHost, queue: &str, exchange: &str, service: Service) -> ServerHandle {
    run(Server::builder(transport(&vhost.uri())).queue(queue).exchange(exchange).service(service)).await
}

/// Hello and World, both ours.
async fn friends(vhost: &VirtualHost, notes: &Notes) -> [ServerHandle; 2] {
    let world = serve(vhost, QUEUES[1], "test_world_exchange", friends::world_service(notes)).await;
    [serve(vhost, QUEUES[0], "test_exchange", friends::hello(notes)).await, world]
}

/// The conversations of the capture: the first message of each, and what the original's services sent then.
struct Conversation {
    first: Row,
    rest: Vec<Row>,
}

/// Messages without a header table, or without a `correlation_id`: their effects cannot be identified here.
const UNTOLD: [&str; 4] =
    ["i03_no_headers_at_all", "i04_empty_headers", "i05_no_correlation_id", "i15_empty_correlation_id"];

/// The conversations that a correlation id identifies, which is most of them.
fn conversations() -> Vec<Conversation> {
    let mut all: BTreeMap<String, Conversation> = BTreeMap::new();
    for row in capture::rows().into_iter().filter(|row| !UNTOLD.contains(&row.name())) {
        match all.entry(row.chain()) {
            Entry::Occupied(mut conversation) => conversation.get_mut().rest.push(row),
            Entry::Vacant(none) => drop(none.insert(Conversation { first: row, rest: Vec::new() })),
        }
    }
    all.into_values().collect()
}

impl Row {
    /// Returns the chain of the message; a call of one chain that starts another belongs to the first.
    fn chain(&self) -> String {
        chain(&self.headers())
    }
}

impl Seen {
    fn short(&self) -> String {
        format!("{} to {:?}: {}", self.text("message_type"), self.text("destination"), self.body["payload"])
    }

    fn chain(&self) -> String {
        chain(&self.headers)
    }
}

fn chain(headers: &Table) -> String {
    match headers.get("correlation_id") {
        None => String::new(),
        Some(Value::LongString(text)) => String::from_utf8_lossy(text).trim_end_matches("-new").to_owned(),
        Some(other) => format!("{other:?}"),
    }
}

/// Our services send, header by header and property by property, what the original's services sent; `compare` lists what may differ, and
/// why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replaying_the_capture_our_services_send_what_the_originals_sent() {
    let (vhost, mut peer) = fixture().await;
    let servers = friends(&vhost, &Notes::new()).await;
    let conversations = conversations();
    let mut injected = 0;
    for conversation in &conversations {
        peer.send(&conversation.first.publication()).await;
        injected += 1;
    }
    let mut heard: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for seen in peer.rest(&vhost, QUEUES).await {
        heard.entry(seen.chain()).or_default().push(seen);
    }

    let (mut flaws, mut compared) = (Vec::new(), 0);
    let mut ids = BTreeSet::new();
    for Conversation { first, rest } in &conversations {
        let mut ours = heard.remove(&first.chain()).unwrap_or_default();
        let begun = ours.iter().position(|seen| seen.text("message_id") == first.text("message_id"));
        ours.remove(begun.expect("the tap hears what is injected"));
        let handled = first.headers();
        let told = |flaw: String| format!("{}: {flaw}", first.name());
        flaws.extend(ours.iter().flat_map(|seen| form(seen, &handled, &mut ids)).map(told));
        for (row, seen) in paired(rest, &mut ours) {
            match seen {
                Some(seen) => flaws.extend(differences(row, &seen).into_iter().map(told)),
                None => flaws.push(told(format!("not sent: {:?}", row.publication().body))),
            }
            compared += 1;
        }
        flaws.extend(
            ours.iter()
                .filter(|seen| !is_answered_here(first, seen))
                .map(|seen| told(format!("sent too: {}", seen.short()))),
        );
    }
    assert!(flaws.is_empty(), "{flaws:#?}");
    assert!(heard.is_empty(), "of no conversation: {heard:?}");
    assert_eq!((injected, compared), (INJECTED, COMPARED));
    servers.iter().for_each(ServerHandle::stop);
}

/// Whatever the order in which a broker delivers them, the messages of the original are paired with themselves.
#[test]
fn steps_that_differ_in_their_context_alone_are_paired_in_any_order() {
    let mut alike = 0;
    for Conversation { first, rest } in conversations() {
        let mut backwards: Vec<Seen> = rest.iter().rev().map(Seen::from).collect();
        alike += usize::from(
            rest.iter().any(|row| backwards.iter().filter(|seen| is_same_step(row, seen)).count() > 1),
        );
        for (row, seen) in paired(&rest, &mut backwards) {
            let seen = seen.expect("it is there");
            assert_eq!(differences(row, &seen), Vec::<String>::new(), "{}", first.name());
        }
    }
    assert!(alike > 0, "there are such steps");
}

/// So that nothing drops out of the comparison unnoticed.
const INJECTED: usize = 120;
const COMPARED: usize = 85;

/// Checks what holds for each of our messages, whatever the original did.
fn form(seen: &Seen, handled: &Table, ids: &mut BTreeSet<String>) -> Vec<String> {
    let mut flaws = odd_properties(seen);
    flaws.extend(
        invented(&seen.headers, handled, &["x-added"]).into_iter().map(|name| format!("header {name}")),
    );
    if seen.text("source").is_empty() {
        flaws.push("no source: the original refuses that".to_owned());
    }
    if !ids.insert(seen.text("message_id").to_owned()) {
        flaws.push(format!("the message id {} comes twice", seen.text("message_id")));
    }
    flaws
}

fn is_answered_here(first: &Row, seen: &Seen) -> bool {
    let code = seen.body["payload"]["code"].as_i64();
    let here = |(scenario, destination, number): &(&str, &str, i64)| {
        *scenario == first.name() && *destination == seen.text("destination") && code == Some(*number)
    };
    seen.text("message_type") == "error" && ANSWERED_HERE.iter().any(here)
}
