//! A port from definitions.

use tavrida_memory::RabbitMq;
use tavrida_memory::port::Definitions;

use crate::rig::{
    CAPABILITIES, Client, HEADER, content, declare, listen_as, method, open, publish, short, start_ok,
    tune_ok,
};

const DEFINITIONS: &str = r#"{
    "rabbit_version": "3.10.8",
    "vhosts": [{"name": "/"}, {"name": "other"}],
    "users": [{
        "name": "anna",
        "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR",
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": []
    }],
    "permissions": [{"user": "anna", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
    "policies": [{
        "vhost": "/", "name": "short", "pattern": "^short\\.", "apply-to": "queues",
        "definition": {"max-length": 1}, "priority": 0
    }],
    "exchanges": [{
        "name": "events", "vhost": "/", "type": "topic", "durable": true, "auto_delete": false, "internal": false,
        "arguments": {}
    }],
    "queues": [{"name": "short.orders", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}],
    "bindings": [{
        "source": "events", "vhost": "/", "destination": "short.orders", "destination_type": "queue",
        "routing_key": "orders.#", "arguments": {}
    }]
}"#;

async fn log_in(client: &mut Client, response: &[u8], virtual_host: &str) {
    client.send(HEADER).await;
    client.method(0, (10, 10)).await;
    client.send(&start_ok("PLAIN", response, &CAPABILITIES)).await;
    client.method(0, (10, 30)).await;
    client.send(&[tune_ok((10, 4096, 0)), open(virtual_host)].concat()).await;
}

#[tokio::test]
async fn users_virtual_hosts_and_topology_are_those_of_the_file() {
    let definitions = Definitions::parse(DEFINITIONS).expect("definitions");
    let port = listen_as(definitions.port(RabbitMq::V3_10).expect("accepted")).await;
    let mut client = Client::connect(&port).await;
    log_in(&mut client, b"\0anna\0test12", "/").await;
    client.method(0, (10, 41)).await;
    client.send(&method(1, (20, 10), &[0])).await;
    client.method(1, (20, 11)).await;
    let publish = method(1, (60, 40), &[vec![0, 0], short("events"), short("orders.new"), vec![0]].concat());
    client.send(&[&publish[..], &content(1, b"a"), &publish, &content(1, b"b")].concat()).await;
    let passive = method(1, (50, 10), &[vec![0, 0], short("short.orders"), vec![1], vec![0; 4]].concat());
    client.send(&passive).await;
    let ok = client.method(1, (50, 11)).await;
    assert_eq!(&ok[short("short.orders").len()..], [0, 0, 0, 1, 0, 0, 0, 0], "the policy keeps one message");
}

#[tokio::test]
async fn a_user_without_permissions_for_a_virtual_host_is_530() {
    let definitions = Definitions::parse(DEFINITIONS).expect("definitions");
    let port = listen_as(definitions.port(RabbitMq::V3_10).expect("accepted")).await;
    let mut client = Client::connect(&port).await;
    log_in(&mut client, b"\0anna\0test12", "other").await;
    let text = "NOT_ALLOWED - access to vhost 'other' refused for user 'anna'".to_owned();
    assert_eq!(client.close(0).await, (530, text, (10, 40)));
    let mut guest = Client::connect(&port).await;
    log_in(&mut guest, b"\0guest\0guest", "other").await;
    guest.method(0, (10, 41)).await;
    guest
        .send(&[method(1, (20, 10), &[0]), declare(1, "q"), publish(1, "q"), content(1, b"")].concat())
        .await;
    guest.method(1, (20, 11)).await;
    guest.method(1, (50, 11)).await;
}

#[tokio::test]
async fn definitions_that_make_no_sense_name_the_flaw() {
    let flaws = [
        ("{", "EOF"),
        (r#"{"queues": [{}]}"#, "missing field `name`"),
        (r#"{"queues": [{"name": "q", "vhost": "gone"}]}"#, "virtual host 'gone' is not listed"),
        (r#"{"queues": [{"name": "q", "arguments": {"x-max-length": -1}}]}"#, "406 PRECONDITION_FAILED"),
        (r#"{"policies": [{"name": "p", "pattern": "a|b", "definition": {}}]}"#, "the pattern 'a|b'"),
        (r#"{"policies": [{"name": "p", "pattern": ".*", "definition": {"what": 1}}]}"#, "'what'"),
    ];
    for (document, flaw) in flaws {
        let refused = Definitions::parse(document).and_then(|definitions| definitions.port(RabbitMq::V4_0));
        let text = refused.expect_err(document).to_string();
        assert!(text.contains(flaw), "{document}: {text}");
    }
}
