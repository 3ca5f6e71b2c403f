//! RabbitMQ reads the definitions of random topologies, routes messages as the topologies say, and exports what it read.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRng, TestRunner};
use tavrida::field::{ShortString, Table};
use tavrida::transport::{Properties, Publication, PublishErrorKind, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_routing::{Definitions, Message, Queue, RabbitMq, Topology, strategy};

const TOPOLOGIES: usize = 40;
const MESSAGES: usize = 6;

/// The topology with plain queues: what counts here is where messages go, and none may leave by itself.
fn with_plain_queues(topology: &Topology, virtual_host: &str) -> Topology {
    let mut plain = Topology::of(virtual_host, *topology.behaviour());
    for exchange in topology.exchanges() {
        plain.declare_exchange(exchange.clone()).expect("it was declared before");
    }
    for queue in topology.queues() {
        plain.declare_queue(Queue::new(&queue.name)).expect("a plain queue is valid");
    }
    for binding in topology.bindings() {
        plain.bind(binding.clone()).expect("it was bound before");
    }
    plain
}

/// Topologies that a definitions file can hold, with messages, the same in each run.
fn cases(version: RabbitMq) -> Vec<(Topology, Vec<Message>)> {
    let config = Config::default();
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut cases = Vec::new();
    while cases.len() < TOPOLOGIES {
        let name = format!("topology-{}", cases.len());
        let topology = strategy::Topologies::default().like(version).strategy();
        let topology = topology.new_tree(&mut runner).expect("nothing is rejected").current();
        let Ok(file) = Definitions::from(with_plain_queues(&topology, &name)).to_json() else { continue };
        // As a node reads it: the types of numbers are lost in a file.
        let definitions = Definitions::parse_like(&file, version).expect("it was written by us");
        let topology = definitions.topology(&name).expect("it was written by us").clone();
        let messages = strategy::messages(&topology, MESSAGES..=MESSAGES);
        let messages = messages.new_tree(&mut runner).expect("nothing is rejected").current();
        cases.push((topology, messages));
    }
    cases
}

fn publication(message: &Message) -> Publication {
    let short = |text: &str| ShortString::try_from(text).expect("names of topologies are short");
    let (exchange, key) = (short(&message.exchange), short(&message.key));
    let headers = Table::from(&message.headers);
    Publication {
        properties: Properties { headers: Some(headers), ..Default::default() },
        ..Publication::new(exchange, key, "")
    }
}

#[tokio::test]
async fn random_topologies_are_read_routed_and_exported_as_we_say() {
    // A node of its own: an export of a shared one holds what other tests are about to delete.
    let node = tavrida_rabbitmq::Node::start().await.unwrap();
    let version = if node.version().major >= 4 { RabbitMq::V4_0 } else { RabbitMq::V3_10 };
    let cases = cases(version);
    let mut definitions = Definitions::parse_like("{}", version).unwrap();
    for (topology, _) in &cases {
        node.add_vhost(topology.virtual_host()).await.unwrap();
        definitions.set_topology(topology.clone()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let (import, export) = (folder.path().join("import.json"), folder.path().join("export.json"));
    std::fs::write(&import, definitions.to_json().unwrap()).unwrap();
    node.rabbitmqctl(["import_definitions", import.to_str().unwrap()]).await.unwrap();

    let (mut messages, mut reached) = (0, 0);
    for (topology, published) in &cases {
        let config = AmqpConfig::from_uri(&node.uri_for(topology.virtual_host())).unwrap();
        let session = AmqpTransport::new(config).connect().await.unwrap();
        let mut expected: BTreeMap<String, u32> =
            topology.queues().map(|queue| (queue.name.clone(), 0)).collect();
        for message in published {
            let ours = topology
                .route(message)
                .map(|routing| routing.queues().map(str::to_owned).collect::<Vec<_>>());
            let theirs = session.publish(publication(message)).await;
            messages += 1;
            match (ours, theirs) {
                (Err(ours), Err(theirs)) => match theirs.reason {
                    PublishErrorKind::Refused(refusal) => {
                        assert_eq!((ours.code, ours.text), (refusal.code, refusal.text.to_string()))
                    }
                    other => panic!("{message}: {ours} and {other}"),
                },
                (Ok(queues), theirs) => {
                    let returned = theirs.is_err_and(|error| error.reason == PublishErrorKind::Unroutable);
                    assert_eq!(returned, queues.is_empty(), "{message}: {queues:?}\n{topology:#?}");
                    reached += usize::from(!returned);
                    for queue in queues {
                        *expected.get_mut(&queue).expect("the queue is of the topology") += 1;
                    }
                }
                (Err(ours), Ok(())) => panic!("{message}: we refuse it with {ours}, RabbitMQ takes it"),
            }
        }
        for (queue, count) in expected {
            let status = session.admin().declare_queue_passive(&queue).await.unwrap();
            assert_eq!(status.messages, count, "queue {queue} after {published:?}\n{topology:#?}");
        }
        session.close().await.unwrap();
    }
    println!(
        "RabbitMQ {}: {TOPOLOGIES} topologies, {messages} messages, {reached} reach a queue, disagreements: 0",
        node.version()
    );

    node.rabbitmqctl(["export_definitions", export.to_str().unwrap()]).await.unwrap();
    let exported = with_internal_exchanges(&std::fs::read_to_string(&export).unwrap(), &cases);
    assert_eq!(exported.notes(), Vec::<String>::new());
    for (topology, _) in &cases {
        let theirs = exported.topology(topology.virtual_host()).unwrap();
        assert!(topology.diff(theirs).is_empty(), "{}", topology.diff(theirs));
        let bindings = |topology: &Topology| {
            let mut texts: Vec<String> =
                topology.bindings().iter().map(|binding| format!("{binding:?}")).collect();
            texts.sort();
            texts
        };
        assert_eq!(bindings(topology), bindings(theirs));
    }
}

/// RabbitMQ leaves internal exchanges out of its export and keeps their bindings: the file is refused until they are added.
fn with_internal_exchanges(export: &str, cases: &[(Topology, Vec<Message>)]) -> Definitions {
    let refused = Definitions::parse(export).expect_err("some of the topologies have internal exchanges");
    assert!(refused.to_string().contains("an export leaves internal exchanges out"), "{refused}");
    let mut document: serde_json::Value = serde_json::from_str(export).unwrap();
    for (topology, _) in cases {
        for exchange in topology.exchanges().filter(|exchange| exchange.internal) {
            let alternate =
                exchange.alternate().map(|name| serde_json::json!({ "alternate-exchange": name }));
            document["exchanges"].as_array_mut().unwrap().push(serde_json::json!({
                "name": exchange.name, "vhost": topology.virtual_host(), "type": exchange.kind.as_str(), "durable": true,
                "internal": true, "arguments": alternate.unwrap_or_else(|| serde_json::json!({})),
            }));
        }
    }
    Definitions::parse(&document.to_string()).unwrap()
}
