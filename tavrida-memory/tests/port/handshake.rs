//! Header, login, limits and virtual host.

use std::time::Duration;

use tavrida::field::ShortString;
use tavrida_memory::port::{ListenError, PortBuilder};
use tavrida_memory::{MemoryBroker, RabbitMq};

use crate::rig::{
    CAPABILITIES, Client, HEADER, HEARTBEAT, content, declare, frame, listen, listen_as, long, method, open,
    publish, short, start_ok, tune_ok,
};

#[tokio::test]
async fn another_header_is_answered_with_the_one_of_0_9_1() {
    let port = listen(&MemoryBroker::new()).await;
    for header in [b"AMQP\0\x01\0\0", b"GET / HT"] {
        let mut client = Client::connect(&port).await;
        client.send(header).await;
        assert_eq!(client.rest().await, HEADER);
    }
}

#[tokio::test]
async fn r8_start_shows_rabbitmq_of_the_chosen_version() {
    for (version, shown) in [(RabbitMq::V3_10, "3.10.8"), (RabbitMq::V4_0, "4.0.5")] {
        let port = listen(&MemoryBroker::builder().like(version).build()).await;
        let mut client = Client::connect(&port).await;
        client.send(HEADER).await;
        let start = client.method(0, (10, 10)).await;
        assert_eq!(&start[..2], [0, 9]);
        let text = String::from_utf8_lossy(&start).into_owned();
        for part in ["product", "RabbitMQ", "version", shown, "publisher_confirms", "AMQPLAIN PLAIN", "en_US"]
        {
            assert!(text.contains(part), "{part} is missing in {text:?}");
        }
        client.send(&start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES)).await;
        // 2,047 channels, frames of 131,072 bytes, a heartbeat a minute.
        assert_eq!(client.method(0, (10, 30)).await, [0x07, 0xFF, 0, 2, 0, 0, 0, 60]);
    }
}

#[tokio::test]
async fn r8_a_wrong_password_is_refused_in_words_if_the_client_can_read_them() {
    let port = listen(&MemoryBroker::new()).await;
    let table =
        [short("LOGIN"), b"S".to_vec(), long(b"guest"), short("PASSWORD"), b"S".to_vec(), long(b"wrong")]
            .concat();
    for (mechanism, response) in [("PLAIN", &b"\0guest\0wrong"[..]), ("AMQPLAIN", &table)] {
        let mut client = Client::connect(&port).await;
        client.send(HEADER).await;
        client.method(0, (10, 10)).await;
        client.send(&start_ok(mechanism, response, &CAPABILITIES)).await;
        let text = format!(
            "ACCESS_REFUSED - Login was refused using authentication mechanism {mechanism}. For details see the broker \
             logfile."
        );
        assert_eq!(client.close(0).await, (403, text, (0, 0)));
        client.agree().await;
    }
    let mut client = Client::connect(&port).await;
    client.send(HEADER).await;
    client.method(0, (10, 10)).await;
    client.send(&start_ok("PLAIN", b"\0guest\0wrong", &[])).await;
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn amqplain_logs_in_a_user() {
    let port = listen_as(PortBuilder::new(&MemoryBroker::new()).user("anna", "secret")).await;
    let mut client = Client::connect(&port).await;
    client.send(HEADER).await;
    client.method(0, (10, 10)).await;
    let response =
        [short("LOGIN"), b"S".to_vec(), long(b"anna"), short("PASSWORD"), b"S".to_vec(), long(b"secret")]
            .concat();
    client.send(&start_ok("AMQPLAIN", &response, &CAPABILITIES)).await;
    client.method(0, (10, 30)).await;
}

#[tokio::test]
async fn who_does_not_know_the_handshake_is_disconnected_without_a_word() {
    let port = listen(&MemoryBroker::new()).await;
    for response in [
        start_ok("EXTERNAL", b"", &CAPABILITIES),
        start_ok("AMQPLAIN", b"no table", &CAPABILITIES),
        open("/"),
        method(1, (20, 10), &[0]),
        method(0, (10, 11), &[0; 4]),
    ] {
        let mut client = Client::connect(&port).await;
        client.send(HEADER).await;
        client.method(0, (10, 10)).await;
        client.send(&response).await;
        assert_eq!(client.rest().await, b"");
    }
}

#[tokio::test]
async fn limits_outside_the_servers_are_refused() {
    let port = listen(&MemoryBroker::new()).await;
    for limits in [(2047, 4095, 0), (2047, 0, 0), (2047, 131_073, 0), (0, 4096, 0), (2048, 4096, 0)] {
        let mut client = Client::connect(&port).await;
        client.send(HEADER).await;
        client.method(0, (10, 10)).await;
        client.send(&start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES)).await;
        client.method(0, (10, 30)).await;
        client.send(&tune_ok(limits)).await;
        assert_eq!(client.rest().await, b"", "{limits:?}");
    }
}

#[tokio::test]
async fn r8_each_virtual_host_is_a_broker_and_others_are_530() {
    let other = ShortString::from_static("other");
    let (first, second) = (MemoryBroker::new(), MemoryBroker::builder().virtual_host(&other).build());
    let port = listen_as(PortBuilder::new(&first).virtual_host(&second)).await;
    for (virtual_host, broker) in [("/", Some(&first)), ("other", Some(&second)), ("missing", None)] {
        let mut client = Client::connect(&port).await;
        client.send(HEADER).await;
        client.method(0, (10, 10)).await;
        client.send(&start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES)).await;
        client.method(0, (10, 30)).await;
        client.send(&[tune_ok((10, 4096, 0)), open(virtual_host)].concat()).await;
        match broker {
            Some(broker) => {
                client.method(0, (10, 41)).await;
                assert_eq!(broker.snapshot().connections.len(), 1, "{virtual_host}");
            }
            None => {
                let text = "NOT_ALLOWED - vhost missing not found".to_owned();
                assert_eq!(client.close(0).await, (530, text, (10, 40)));
            }
        }
    }
}

#[tokio::test]
async fn who_does_not_log_in_is_disconnected() {
    let port =
        listen_as(PortBuilder::new(&MemoryBroker::new()).login_timeout(Duration::from_millis(50))).await;
    let mut client = Client::connect(&port).await;
    assert_eq!(client.rest().await, b"", "the socket is closed");
}

#[tokio::test]
async fn other_machines_are_let_in_by_permission_alone() {
    let refused = MemoryBroker::new().listen("0.0.0.0:0").await.expect_err("not loopback");
    assert!(matches!(refused, ListenError::NotLoopback(_)), "{refused}");
    let port =
        PortBuilder::new(&MemoryBroker::new()).anywhere().listen("0.0.0.0:0").await.expect("permitted");
    assert!(port.addr().ip().is_unspecified());
    assert_eq!(port.uri(), format!("amqp://guest:guest@127.0.0.1:{}/%2F", port.addr().port()));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_is_an_error_that_says_so() {
    let refused = MemoryBroker::new().listen("127.0.0.1:0").await.expect_err("the clock is paused");
    assert!(
        matches!(refused, ListenError::PausedClock) && refused.to_string().contains("paused"),
        "{refused}"
    );
}

#[tokio::test]
async fn who_is_not_read_during_an_alarm_misses_no_heartbeat() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::open_with(&port, (10, 4096, 1)).await;
    broker.block("low on memory");
    client.send(&[method(1, (20, 10), &[0]), publish(1, "q"), content(1, b"held")].concat()).await;
    client.method(1, (20, 11)).await;
    client.method(0, (10, 60)).await;
    // Heartbeats pass the time: two a second.
    for _ in 0..6 {
        assert_eq!(client.frame().await.expect("a heartbeat").kind, HEARTBEAT);
    }
    broker.unblock();
    client.method(0, (10, 61)).await;
    client.send(&declare(1, "q")).await;
    client.method(1, (50, 11)).await;
}

#[tokio::test]
async fn a_heartbeat_is_sent_when_nothing_else_is_and_silence_ends_the_connection() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::open_with(&port, (10, 4096, 1)).await;
    let beat = client.frame().await.expect("a frame");
    assert_eq!(frame(beat.kind, beat.channel, &beat.payload), frame(8, 0, &[]));
    while let Some(beat) = client.frame().await {
        assert_eq!(beat.kind, 8, "it is closed without a word");
    }
}
