//! Definitions files: valid ones, and invalid ones. Hostile ones are in `hostile`.

use serde_json::{Value as Json, json};
use tavrida_routing::{Definitions, Exchange, Message, Queue, QueueType, RabbitMq, Topology, Value};

pub(crate) fn parse(document: &Json) -> Definitions {
    Definitions::parse(&document.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn refused(document: &Json, expected: &str) {
    let error = Definitions::parse(&document.to_string()).expect_err(expected);
    assert_eq!(error.to_string(), expected);
}

/// A file with everything that an export contains.
pub(crate) fn export() -> Json {
    json!({
        "rabbit_version": "3.10.8",
        "rabbitmq_version": "3.10.8",
        "product_name": "RabbitMQ",
        "users": [{"name": "guest", "password_hash": "x", "tags": ["administrator"], "limits": {}}],
        "vhosts": [{"name": "/"}, {"name": "eu"}],
        "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        "topic_permissions": [],
        "parameters": [
            {"component": "operator_policy", "name": "cap", "vhost": "/",
             "value": {"pattern": "^w", "apply-to": "queues", "definition": {"max-length": 50}, "priority": 1}},
            {"component": "shovel", "name": "s", "vhost": "/", "value": {"any": "thing"}}
        ],
        "global_parameters": [{"name": "internal_cluster_id", "value": "rabbitmq-cluster-id-1"}],
        "policies": [
            {"vhost": "/", "name": "dlx", "pattern": "^(?!dead$)", "apply-to": "queues", "priority": 0,
             "definition": {"dead-letter-exchange": "dlx", "max-length": 100}},
            {"vhost": "/", "name": "ae", "pattern": "^orders$", "apply-to": "exchanges", "priority": 0,
             "definition": {"alternate-exchange": "unrouted"}}
        ],
        "queues": [
            {"name": "work", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-max-length": 70}},
            {"name": "dead", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}, "future": 1},
            {"name": "eu", "vhost": "eu", "durable": true, "auto_delete": false, "arguments": {"x-queue-type": "quorum"}}
        ],
        "exchanges": [
            {"name": "orders", "vhost": "/", "type": "topic", "durable": true, "auto_delete": false, "internal": false,
             "arguments": {}},
            {"name": "unrouted", "vhost": "/", "type": "fanout", "durable": true, "auto_delete": false,
             "internal": false, "arguments": {}},
            {"name": "dlx", "vhost": "/", "type": "fanout", "durable": true, "auto_delete": false, "internal": false,
             "arguments": {}}
        ],
        "bindings": [
            {"source": "orders", "vhost": "/", "destination": "work", "destination_type": "queue",
             "routing_key": "order.#", "arguments": {}},
            {"source": "unrouted", "vhost": "/", "destination": "dlx", "destination_type": "exchange",
             "routing_key": "", "arguments": {}},
            {"source": "dlx", "vhost": "/", "destination": "dead", "destination_type": "queue", "routing_key": "",
             "arguments": {"x-note": [1, {"deep": true}]}}
        ]
    })
}

#[test]
fn an_export_is_read_and_written_without_loss() {
    let definitions = parse(&export());
    assert_eq!(*definitions.behaviour(), RabbitMq::V3_10.into());
    assert_eq!(definitions.virtual_hosts().collect::<Vec<_>>(), ["/", "eu"]);
    assert_eq!(definitions.notes(), ["$.queues[1].future: unknown, kept as it is"]);
    let written: Json = serde_json::from_str(&definitions.to_json().unwrap()).unwrap();
    assert_eq!(written, export());
}

#[test]
fn policies_have_effect_as_in_a_node() {
    let definitions = parse(&export());
    let topology = definitions.topology("/").unwrap();
    let work = topology.queue("work").unwrap();
    assert_eq!(work.dead_letter_exchange(), Some("dlx"), "the pattern has a look-ahead, as PCRE allows");
    assert_eq!(topology.queue("dead").unwrap().dead_letter_exchange(), None);
    assert_eq!(
        work.setting("max-length"),
        Some(&Value::I64(50)),
        "of argument, policy and operator policy the smallest"
    );
    let routing = topology.route(&Message::new("orders", "invoice")).unwrap();
    assert!(routing.reaches("dead"), "by the alternate exchange of a policy:\n{routing}");
}

#[test]
fn a_policy_does_not_apply_to_queues_that_lack_what_it_sets() {
    let mut document = export();
    document["policies"] = json!([
        {"vhost": "/", "name": "retries", "pattern": "", "apply-to": "all", "priority": 1,
         "definition": {"dead-letter-exchange": "dlx", "delivery-limit": 3}},
        {"vhost": "/", "name": "rest", "pattern": "", "apply-to": "queues", "priority": 0,
         "definition": {"max-length-bytes": 1000}},
    ]);
    document["parameters"] = json!([]);
    document["queues"] = json!([
        {"name": "work", "vhost": "/"},
        {"name": "quorum", "vhost": "/", "arguments": {"x-queue-type": "quorum"}},
        {"name": "stream", "vhost": "/", "arguments": {"x-queue-type": "stream"}},
        {"name": "dead", "vhost": "/"},
    ]);
    let definitions = parse(&document);
    let of = |name| {
        let queue = definitions.topology("/").unwrap().queue(name).unwrap();
        (queue.dead_letter_exchange(), queue.setting("max-length-bytes").is_some())
    };
    assert_eq!(of("work"), (None, true), "a classic queue has no delivery limit");
    assert_eq!(of("quorum"), (Some("dlx"), false));
    assert_eq!(of("stream"), (None, true), "a stream has no dead letters");
}

#[test]
fn policies_of_quorum_queues_follow_the_version() {
    let mut document = export();
    document["parameters"] = json!([]);
    document["queues"] = json!([
        {"name": "work", "vhost": "/", "arguments":
         {"x-queue-type": "quorum", "x-expires": 60, "x-overflow": "drop-head", "x-delivery-limit": 3}},
        {"name": "dead", "vhost": "/"},
    ]);
    let setting = |name: &str, value: Json, version| {
        let mut document = document.clone();
        document["policies"] =
            json!([{"vhost": "/", "name": "p", "pattern": "work", "definition": {name: value}}]);
        let definitions = Definitions::parse_like(&document.to_string(), version)?;
        let queue = definitions.topology("/").unwrap().queue("work").unwrap();
        Ok::<_, tavrida_routing::DefinitionsError>(queue.setting(name).cloned().unwrap())
    };
    let (old, new) = (RabbitMq::V3_10, RabbitMq::V4_0);
    assert_eq!(setting("expires", json!(90), old).unwrap(), Value::I64(90));
    assert_eq!(setting("expires", json!(90), new).unwrap(), Value::I64(60));
    assert_eq!(setting("overflow", json!("reject-publish"), old).unwrap(), "reject-publish".into());
    assert_eq!(setting("delivery-limit", json!(5), new).unwrap(), Value::I64(3));
    assert_eq!(setting("delivery-limit", json!(-1), new).unwrap(), Value::I64(3), "of both the larger one");
    assert_eq!(
        setting("delivery-limit", json!(-1), old).unwrap_err().to_string(),
        "$.policies[0].definition.delivery-limit: found -1, expected an integer that is not negative"
    );
}

#[test]
fn a_queue_without_a_type_has_that_of_its_virtual_host() {
    let mut document = export();
    document["vhosts"][0]["metadata"] = json!({"default_queue_type": "quorum"});
    document["queues"][1]["auto_delete"] = json!(true);
    for (version, expected) in [(RabbitMq::V3_10, QueueType::Classic), (RabbitMq::V4_0, QueueType::Quorum)] {
        let definitions = Definitions::parse_like(&document.to_string(), version).unwrap();
        let topology = definitions.topology("/").unwrap();
        assert_eq!(topology.queue("work").unwrap().queue_type(), expected, "{version}");
        assert_eq!(topology.queue("dead").unwrap().queue_type(), QueueType::Classic, "it cannot be quorum");
    }
}

#[test]
fn a_changed_topology_is_written_with_all_that_was_there() {
    let mut definitions = parse(&export());
    let mut topology = definitions.topology("/").unwrap().clone();
    topology.declare_queue(Queue::new("new")).unwrap();
    definitions.set_topology(topology).unwrap();
    let mut expected = export();
    let new = json!({"name": "new", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}});
    expected["queues"].as_array_mut().unwrap().push(new);
    let written: Json = serde_json::from_str(&definitions.to_json().unwrap()).unwrap();
    assert_eq!(written, expected);
    assert_eq!(definitions.topology("/").unwrap().queue("new").unwrap().dead_letter_exchange(), Some("dlx"));
}

#[test]
fn a_built_topology_comes_back_from_its_file() {
    let topology = Topology::builder()
        .virtual_host("shop")
        .exchange(Exchange::headers("x").alternate_exchange("y"))
        .queue(Queue::quorum("q").dead_letter("y", ""))
        .bind(tavrida_routing::Binding::queue("q", "x", "").argument("x-match", "any").argument("a", true))
        .build()
        .unwrap();
    let file = Definitions::from(topology.clone()).to_json().unwrap();
    assert_eq!(Definitions::parse(&file).unwrap().topology("shop"), Some(&topology));
}

#[test]
fn the_export_of_one_virtual_host_names_none() {
    let definitions = parse(&json!({"queues": [{"name": "q", "durable": true, "arguments": []}]}));
    assert!(definitions.topology("/").unwrap().queue("q").is_some());
}

#[test]
fn what_is_wrong_is_reported_with_its_place_its_value_and_what_was_expected() {
    let with = |name: &str, value: Json| {
        let mut document = export();
        document[name] = value;
        document
    };
    let edit = |pointer: &str, value: Json| {
        let mut document = export();
        *document.pointer_mut(pointer).unwrap() = value;
        document
    };
    refused(&json!([]), "$: found [], expected an object");
    refused(&with("queues", json!({})), "$.queues: found {}, expected an array");
    refused(&with("queues", json!([3])), "$.queues[0]: found 3, expected an object");
    refused(
        &edit("/queues/0/durable", json!("yes")),
        "$.queues[0].durable: found \"yes\", expected true or false",
    );
    refused(&edit("/queues/0/name", json!(7)), "$.queues[0].name: found 7, expected text");
    refused(
        &with("exchanges", json!([{"name": "x"}])),
        "$.exchanges[0]: found {\"name\":\"x\"}, expected a member \"type\"",
    );
    refused(
        &edit("/queues/0/vhost", json!("us")),
        "$.queues[0].vhost: found virtual host 'us', expected one of '/', 'eu'",
    );
    refused(
        &edit("/queues/0/arguments", json!({"x-a": null})),
        "$.queues[0].arguments.x-a: found null, expected a value: a node refuses null (null_not_allowed)",
    );
    refused(
        &edit("/bindings/1/destination_type", json!("topic")),
        "$.bindings[1].destination_type: found \"topic\", expected \"queue\" or \"exchange\"",
    );
    refused(
        &edit("/policies/0/apply-to", json!("some")),
        "$.policies[0].apply-to: found \"some\", expected all, exchanges, queues, classic_queues, quorum_queues or streams",
    );
    refused(
        &edit("/policies/0/definition/max-length", json!(-1)),
        "$.policies[0].definition.max-length: found -1, expected an integer that is not negative",
    );
    let error = Definitions::parse(&edit("/policies/0/pattern", json!("(")).to_string()).unwrap_err();
    assert!(
        error.to_string().starts_with("$.policies[0].pattern: found \"(\", expected a regular expression: "),
        "{error}"
    );
    let error = Definitions::parse("{\"queues\": [], \"queues\": []}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "$: not JSON: the name \"queues\" appears twice in an object at line 1 column 23"
    );
    let error = Definitions::parse("{\"queues\"").unwrap_err();
    assert_eq!(error.path(), "$");
    let error = Definitions::read("/no/such/file.json").unwrap_err();
    assert!(error.to_string().starts_with("/no/such/file.json: "), "{error}");
}

#[test]
fn what_a_node_refuses_is_refused_with_its_code_and_text() {
    let cases = [
        (
            "/exchanges/0/type",
            json!("topics"),
            "$.exchanges[0].type: 503 COMMAND_INVALID - unknown exchange type 'topics'",
        ),
        (
            "/bindings/0/destination",
            json!("none"),
            "$.bindings[0]: 404 NOT_FOUND - no queue 'none' in vhost '/'",
        ),
        (
            "/bindings/0/source",
            json!("none"),
            "$.bindings[0]: 404 NOT_FOUND - no exchange 'none' in vhost '/' (an export leaves internal exchanges out and keeps their \
             bindings: add the exchange to the file, with \"internal\": true)",
        ),
        (
            "/queues/1/name",
            json!("work"),
            "$.queues[1]: 406 PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'work' in vhost '/': received none but \
             current is the value '70' of type 'long'",
        ),
        (
            "/queues/0/arguments",
            json!({"x-max-length": "many"}),
            "$.queues[0]: 406 PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 'work' in vhost '/': \"expected integer, got \
             longstr\"",
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut document = export();
        *document.pointer_mut(pointer).unwrap() = value;
        let error = Definitions::parse(&document.to_string()).expect_err(expected);
        assert_eq!(error.to_string(), expected);
        assert!(error.refusal().is_some());
    }
    let mut document = export();
    document["exchanges"][0]["type"] = json!("topics");
    let error = Definitions::parse_like(&document.to_string(), RabbitMq::V4_0).unwrap_err();
    assert_eq!(error.refusal().unwrap().code, 406);
}

#[test]
fn a_version_that_is_read_like_another_is_noted() {
    let read = |version: &str| {
        let mut document = export();
        document["rabbit_version"] = json!(version);
        let definitions = parse(&document);
        (*definitions.behaviour(), definitions.notes()[0].clone())
    };
    let note = |version: &str, like: &str| format!("$.rabbit_version: \"{version}\" is read like {like}");
    assert_eq!(read("3.12.4"), (RabbitMq::V3_10.into(), note("3.12.4", "RabbitMQ 3.10")));
    assert_eq!(read("4.10.0"), (RabbitMq::V4_0.into(), note("4.10.0", "RabbitMQ 4.0")));
    assert_eq!(read("4.0.5").1, "$.queues[1].future: unknown, kept as it is");
}

#[test]
fn the_same_twice_is_noted() {
    let mut document = export();
    let again = document["queues"][0].clone();
    document["queues"].as_array_mut().unwrap().push(again);
    let again = document["bindings"][0].clone();
    document["bindings"].as_array_mut().unwrap().push(again);
    let notes = parse(&document).notes().to_vec();
    assert_eq!(notes[1], "$.queues[3]: queue 'work' appears twice");
    assert_eq!(notes[2], "$.bindings[3]: binding orders --'order.#'--> queue 'work' appears twice");
}
