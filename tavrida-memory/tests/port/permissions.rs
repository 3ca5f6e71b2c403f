//! R12: what a user may configure, write and read, on the port and on RabbitMQ.

use std::net::SocketAddr;

use tavrida_memory::RabbitMq;
use tavrida_memory::port::Definitions;

use crate::rig::{
    CAPABILITIES, Client, Frame, HEADER, consume, content, declare, listen_as, long, method, open, publish,
    short, start_ok, tune_ok,
};

const VIRTUAL_HOST: &str = "permissions";
const CONFIGURE: &str = "^mine";
const WRITE: &str = "^(mine|amq\\.default)";
const READ: &str = "^mine";

async fn log_in(address: SocketAddr, user: &str, password: &str) -> Client {
    let mut client = Client::connect_to(address).await;
    client.send(HEADER).await;
    client.method(0, (10, 10)).await;
    client.send(&start_ok("PLAIN", format!("\0{user}\0{password}").as_bytes(), &CAPABILITIES)).await;
    client.method(0, (10, 30)).await;
    client.send(&[tune_ok((100, 131_072, 0)), open(VIRTUAL_HOST)].concat()).await;
    client.method(0, (10, 41)).await;
    client
}

/// `exchange.declare` of a fanout exchange.
fn exchange(channel: u16, name: &str, arguments: &[u8]) -> Vec<u8> {
    method(channel, (40, 10), &[&[0, 0][..], &short(name), &short("fanout"), &[0], arguments].concat())
}

fn argument(name: &str, value: &str) -> Vec<u8> {
    long(&[short(name), b"S".to_vec(), long(value.as_bytes())].concat())
}

/// `queue.bind` (50, 20) or `exchange.bind` (40, 30), both with this destination and source.
fn bind(channel: u16, id: (u16, u16), destination: &str, source: &str) -> Vec<u8> {
    let fields = [vec![0, 0], short(destination), short(source), short("key"), vec![0], long(&[])];
    method(channel, id, &fields.concat())
}

/// Calls that are permitted and calls that are not, each for a channel.
fn calls() -> Vec<fn(u16) -> Vec<u8>> {
    fn named(channel: u16, id: (u16, u16), name: &str) -> Vec<u8> {
        method(channel, id, &[vec![0, 0], short(name), vec![0]].concat())
    }
    fn to(channel: u16, exchange: &str) -> Vec<u8> {
        let head = method(channel, (60, 40), &[vec![0, 0], short(exchange), short("mine"), vec![0]].concat());
        [head, content(channel, b"m")].concat()
    }
    vec![
        |channel| declare(channel, "mine.new"),
        |channel| declare(channel, "theirs"),
        |channel| declare(channel, "theirs.new"),
        |channel| declare(channel, "amq.new"),
        |channel| declare(channel, ""),
        |channel| method(channel, (50, 10), &[vec![0, 0], short("theirs"), vec![1], vec![0; 4]].concat()),
        |channel| {
            let arguments = argument("x-dead-letter-exchange", "theirs.x");
            method(channel, (50, 10), &[&[0, 0][..], &short("mine.dead"), &[0], &arguments].concat())
        },
        |channel| exchange(channel, "mine.new", &long(&[])),
        |channel| exchange(channel, "theirs.x", &long(&[])),
        |channel| exchange(channel, "theirs.new", &long(&[])),
        |channel| exchange(channel, "", &long(&[])),
        |channel| exchange(channel, "mine.more", &argument("alternate-exchange", "theirs.x")),
        |channel| named(channel, (40, 20), "theirs.x"),
        |channel| named(channel, (40, 20), "amq.fanout"),
        |channel| named(channel, (50, 40), "theirs"),
        |channel| named(channel, (50, 40), "theirs.missing"),
        |channel| named(channel, (50, 30), "theirs"),
        |channel| named(channel, (50, 30), "mine"),
        |channel| named(channel, (60, 70), "theirs"),
        |channel| named(channel, (60, 70), "theirs.missing"),
        |channel| consume(channel, "theirs", "tag", 0),
        |channel| bind(channel, (50, 20), "mine", "mine.x"),
        |channel| bind(channel, (50, 20), "mine", "theirs.x"),
        |channel| bind(channel, (50, 20), "theirs", "mine.x"),
        |channel| bind(channel, (50, 20), "mine", ""),
        |channel| bind(channel, (40, 30), "mine.x", "theirs.x"),
        |channel| bind(channel, (40, 30), "theirs.x", "mine.x"),
        |channel| bind(channel, (40, 30), "", "theirs.x"),
        |channel| [publish(channel, "theirs"), content(channel, b"m")].concat(),
        |channel| to(channel, "mine.x"),
        |channel| to(channel, "theirs.x"),
        |channel| to(channel, "theirs.missing"),
        |channel| to(channel, "mine.missing"),
    ]
}

/// Makes each call on a channel of its own. Returns the answers.
async fn answers(address: SocketAddr) -> Vec<Vec<Frame>> {
    let mut guest = log_in(address, "guest", "guest").await;
    guest.send(&method(1, (20, 10), &[0])).await;
    guest.method(1, (20, 11)).await;
    for made in ["mine", "theirs"] {
        guest.send(&declare(1, made)).await;
        guest.method(1, (50, 11)).await;
        guest.send(&exchange(1, &format!("{made}.x"), &long(&[]))).await;
        guest.method(1, (40, 11)).await;
    }
    let mut client = log_in(address, "anna", "test12").await;
    let mut all = Vec::new();
    for (call, channel) in calls().into_iter().zip(1..) {
        client.send(&method(channel, (20, 10), &[0])).await;
        client.method(channel, (20, 11)).await;
        client.send(&[call(channel), method(channel, (20, 20), &[1])].concat()).await;
        let mut answers = Vec::new();
        loop {
            let frame = client.frame().await.expect("the connection stays open");
            let id = (frame.payload[1], frame.payload[3]);
            if id != (20, 21) {
                answers.push(frame);
            }
            if matches!(id, (20, 21 | 40)) {
                break;
            }
        }
        all.push(answers);
    }
    all
}

#[tokio::test]
async fn r12_permissions_are_those_of_rabbitmq() {
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    node.add_vhost(VIRTUAL_HOST).await.expect("a virtual host");
    node.rabbitmqctl(["add_user", "anna", "test12"]).await.expect("a user");
    node.rabbitmqctl(["set_permissions", "-p", VIRTUAL_HOST, "anna", CONFIGURE, WRITE, READ])
        .await
        .expect("permissions");

    let definitions = serde_json::json!({
        "vhosts": [{ "name": VIRTUAL_HOST }],
        "users": [{ "name": "anna", "password": "test12" }],
        "permissions": [
            { "user": "anna", "vhost": VIRTUAL_HOST, "configure": CONFIGURE, "write": WRITE, "read": READ },
        ],
    });
    let version = if node.version().major == 3 { RabbitMq::V3_10 } else { RabbitMq::V4_0 };
    let definitions = Definitions::parse(&definitions.to_string()).expect("definitions");
    let port = listen_as(definitions.port(version).expect("accepted")).await;

    let ours = answers(port.addr()).await;
    let theirs = answers(SocketAddr::from(([127, 0, 0, 1], node.port()))).await;
    let shown = |answers: &[Frame]| -> Vec<String> {
        let text = |frame: &Frame| {
            let text = String::from_utf8_lossy(&frame.payload).into_owned();
            // A name that the broker generated is another one on each side.
            match text.split_once("amq.gen-") {
                Some((before, after)) => {
                    format!("{before}amq.gen-{}", after.split_once('\'').map_or("", |(_, rest)| rest))
                }
                None => text,
            }
        };
        answers.iter().map(text).collect()
    };
    let pairs = ours.iter().zip(&theirs).map(|(ours, theirs)| (shown(ours), shown(theirs)));
    let differences: Vec<_> = pairs.enumerate().filter(|(_, (ours, theirs))| ours != theirs).collect();
    assert!(differences.is_empty(), "by call, the port and RabbitMQ: {differences:#?}");
    let refused =
        |answers: &&Vec<Frame>| answers.iter().any(|frame| frame.payload.starts_with(&[0, 20, 0, 40]));
    assert!(theirs.iter().filter(refused).count() > 15, "most of the calls are refused");
}

#[test]
fn a_pattern_that_is_none_is_named() {
    let document =
        r#"{"permissions": [{"user": "anna", "vhost": "/", "configure": "(", "write": "", "read": ""}]}"#;
    let refused = Definitions::parse(document).and_then(|definitions| definitions.port(RabbitMq::V4_0));
    let text = refused.expect_err("it is no pattern").to_string();
    assert!(text.contains("'(' is no pattern of a permission"), "{text}");
}
