//! The broker grants and shows what a configuration requests.

use std::time::Duration;

use tavrida::prelude::*;
use tavrida::transport::{Queue, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::Node;

use crate::fixture::eventually;
use crate::lines::Lines;
use crate::support::{Place, config, connect, declare, name, soon};

#[tokio::test]
async fn a_session_knows_product_and_version_of_its_broker() {
    let place = Place::new().await;

    let broker = place.session.broker().expect("RabbitMQ reports itself");

    let version = place.vhost.node().version();
    assert_eq!(broker.to_string(), format!("RabbitMQ {version}"));
    assert_eq!(broker.rabbitmq(), Some((version.major, version.minor)));
    soon(place.session.close()).await.unwrap();
}

#[tokio::test]
async fn the_broker_shows_name_user_virtual_host_and_limits_as_they_were_configured() {
    let node = Node::start().await.unwrap();
    node.add_vhost("orders").await.unwrap();
    let config = AmqpConfig::new("127.0.0.1", node.port())
        .virtual_host("orders")
        .credentials("guest", "guest")
        .connection_name("billing")
        .heartbeat(7)
        .channel_max(30)
        .frame_max(8192)
        .locale("en_US");
    let session = connect(config).await;
    declare(&session, "q").await;
    let asked = "rabbit_networking:connection_info_all([user, vhost, timeout, channel_max, frame_max])";
    let shown = node.eval(asked).await.unwrap();
    for expected in [
        "{user,<<\"guest\">>}",
        "{vhost,<<\"orders\">>}",
        "{timeout,7}",
        "{channel_max,30}",
        "{frame_max,8192}",
    ] {
        assert_eq!(shown.matches(expected).count(), 2, "{expected} of both connections in {shown}");
    }
    let names = node.eval("rabbit_networking:connection_info_all([client_properties])").await.unwrap();
    assert!(
        names.contains("<<\"billing (publish)\">>") && names.contains("<<\"billing (consume)\">>"),
        "{names}"
    );
    soon(session.close()).await.unwrap();
}

#[tokio::test]
async fn a_virtual_host_without_a_name_is_refused_with_a_hint_at_the_default_one() {
    let place = Place::new().await;
    let uri = format!("amqp://127.0.0.1:{}/", place.vhost.node().port());
    let refused = soon(AmqpTransport::new(AmqpConfig::from_uri(&uri).unwrap()).connect()).await.map(drop);
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("vhost") && refused.contains("the default one, '/', is written %2f"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_the_broker_refuses_for_good_ends_the_start_with_its_reason() {
    async fn fine() {}
    let place = Place::new().await;
    let uri = place.vhost.uri();
    let start = async |config: AmqpConfig| {
        let server =
            Server::builder(AmqpTransport::new(config)).service(Service::new("work").rpc("do", fine));
        soon(server.start()).await.map(drop).unwrap_err().to_string()
    };
    let config = || AmqpConfig::from_uri(&uri).unwrap();
    let wrong_password = start(config().credentials("guest", "wrong")).await;
    assert!(
        wrong_password.contains("ACCESS_REFUSED") && !wrong_password.contains("wrong"),
        "{wrong_password}"
    );
    let unknown = start(config().virtual_host("nowhere")).await;
    assert!(unknown.contains("vhost nowhere not found"), "{unknown}");
    place.session.admin().declare_queue(&Queue::transient(name("work"))).await.unwrap();
    let conflict = start(config()).await;
    assert!(conflict.contains("inequivalent arg 'durable' for queue 'work'"), "{conflict}");
    let client = Client::builder(AmqpTransport::new(config().virtual_host("nowhere"))).source("app").build();
    let client = soon(client).await.unwrap_err().to_string();
    assert!(client.contains("vhost nowhere not found"), "{client}");
}

/// On a runtime of one thread nothing answers the broker meanwhile, heartbeats included.
#[tokio::test]
async fn a_handler_that_blocks_its_runtime_is_warned_of() {
    async fn block() {
        #[expect(clippy::disallowed_methods, reason = "it blocks the thread, which is what is warned of")]
        std::thread::sleep(Duration::from_millis(2_500));
    }
    let (place, lines) = (Place::new().await, Lines::default());
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(lines.clone());
    let _logging = tracing::subscriber::set_default(subscriber.with_ansi(false).finish());
    let transport = AmqpTransport::new(config(&place.vhost.uri()).heartbeat(2));
    let server = Server::builder(transport.clone()).service(Service::new("work").rpc("block", block));
    let _server = server.start().await.unwrap();
    let client = Client::builder(transport).source("app").build().await.unwrap();
    client.to("work.block").cast().await.unwrap();
    eventually("it is told", async || lines.text().contains("the runtime stood still")).await;
    let text = lines.text();
    let told: Vec<_> = text.lines().filter(|line| line.contains("the runtime stood still")).collect();
    assert!(told.len() == 1 && told[0].contains("heartbeat=2s"), "{told:#?}");
}
