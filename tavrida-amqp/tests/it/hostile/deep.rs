//! Tables that nest deeper than anything parses: the AMQP library reads them recursively.

use tavrida::transport::Binding;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::Target;
use super::raw::{connection_start, entry, long, nested, only_headers, request_headers};
use crate::support::{config, name};

const SHAPES: [(usize, &[u8]); 5] =
    [(1_100, b"F"), (18_000, b"F"), (1_100, b"A"), (25_000, b"A"), (10_000, b"FA")];

#[tokio::test]
async fn a_message_with_a_deep_table_is_dead_lettered_and_the_process_lives() {
    let target = Target::start().await;
    let mut raw = target.raw().await;
    for (levels, letters) in SHAPES {
        let (letter, value) = nested(levels, letters);
        let mut headers = request_headers("work.note");
        headers.push(entry(b"deep", letter, &value));
        raw.publish("work", &only_headers(&headers), br#"{"payload": {"n": 1}, "context": {}}"#).await;
    }
    raw.close().await;

    target.ends_as_dead_letters(SHAPES.len() as u32).await;
    assert_eq!(target.notes.all(), [""; 0], "no handler saw one");
    let dead = target.session.get("work.dead").await.unwrap().unwrap();
    let reason = dead.delivery.properties().headers().get("x-tavrida-error-message").unwrap();
    let reason = reason.as_str().unwrap();
    assert!(reason.contains("'deep'") && reason.contains("128 levels"), "{reason}");
    dead.delivery.ack().unwrap();
    target.still_answers(3).await;
}

#[tokio::test]
async fn an_answer_with_a_deep_table_leaves_the_asking_client_alive() {
    let target = Target::start().await;
    target.still_answers(1).await;
    let node = target.vhost.node();
    let queues = node.rabbitmqctl(["-q", "list_queues", "-p", target.vhost.name(), "name"]).await.unwrap();
    let reply_queue = queues.lines().find(|name| name.starts_with("amq.gen")).unwrap();
    let mut raw = target.raw().await;
    for (levels, letters) in SHAPES {
        let (letter, value) = nested(levels, letters);
        let mut headers = request_headers("client_app");
        headers.push(entry(b"deep", letter, &value));
        raw.publish(reply_queue, &only_headers(&headers), b"{}").await;
    }
    raw.close().await;
    target.still_answers(3).await;
}

/// RabbitMQ passes any bytes on where AMQP means text.
#[tokio::test]
async fn names_that_are_not_utf8_end_their_message_and_nothing_else() {
    let target = Target::start().await;
    let mut raw = target.raw().await;
    let body = br#"{"payload": {"n": 1}, "context": {}}"#;
    let mut headers = request_headers("work.note");
    headers.push(entry(b"bad\xff\xfename", b'V', b""));
    raw.publish("work", &only_headers(&headers), body).await;
    let mut headers = request_headers("work.note");
    headers.push(entry(b"outer", b'F', &long(&entry(b"in\xffner", b'V', b""))));
    raw.publish("work", &only_headers(&headers), body).await;
    let flags = (1_u16 << 13 | 1 << 3).to_be_bytes();
    let headers = super::raw::table(&request_headers("work.note"));
    let app_id = super::raw::short(b"\xc3\x28");
    raw.publish("work", &[&flags[..], &headers, &app_id].concat(), body).await;
    raw.close().await;

    target.ends_as_dead_letters(3).await;
    target.still_answers(3).await;
}

#[tokio::test]
async fn a_routing_key_that_is_not_utf8_is_shown_with_signs_and_does_no_harm() {
    let target = Target::start().await;
    let binding = Binding::queue(name("work"), name("amq.fanout"), name(""));
    target.session.admin().bind(&binding).await.unwrap();
    let mut raw = target.raw().await;
    let headers = only_headers(&request_headers("work.note"));
    raw.publish_with_key("amq.fanout", b"k\xffy", &headers, br#"{"payload": {"n": 1}, "context": {}}"#).await;
    raw.close().await;
    assert_eq!(target.notes.reach(1).await, ["1"]);
    target.still_answers(3).await;
}

#[tokio::test]
async fn a_broker_whose_own_properties_nest_deep_does_not_end_the_process() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let broker = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut protocol = [0; 8];
        stream.read_exact(&mut protocol).await.unwrap();
        let (letter, value) = nested(15_000, b"F");
        stream.write_all(&connection_start(&long(&entry(b"deep", letter, &value)))).await.unwrap();
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await.unwrap();
        answer[0]
    });
    let config = config(&format!("amqp://guest:guest@127.0.0.1:{port}"));
    let transport =
        tavrida_amqp::AmqpTransport::new(config.connect_timeout(std::time::Duration::from_secs(2)));
    let refused = tavrida::transport::Transport::connect(&transport).await;
    assert!(refused.is_err(), "such a broker goes no further");
    assert_eq!(broker.await.unwrap(), 1, "the login came all the same");
}
