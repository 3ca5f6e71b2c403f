//! The broker grants and shows what a configuration requests.

use tavrida::transport::Transport;
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::Node;

use crate::support::{Place, connect, declare, soon};

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
