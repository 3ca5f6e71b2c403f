//! lapin, with the broker in the same process.

use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use tavrida::field::ShortString;
use tavrida::transport::{Consume, Publication, Transport as _};
use tavrida_memory::MemoryBroker;

use crate::rig::listen;

#[tokio::test]
async fn lapin_publishes_and_consumes() {
    let port = listen(&MemoryBroker::new()).await;
    let connection =
        Connection::connect(port.uri(), ConnectionProperties::default()).await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    channel.basic_qos(10, BasicQosOptions::default()).await.expect("a prefetch");
    channel
        .queue_declare("q".into(), QueueDeclareOptions::default(), FieldTable::default())
        .await
        .expect("a queue");
    let consume = BasicConsumeOptions::default();
    let mut consumer = channel
        .basic_consume("q".into(), "tag".into(), consume, FieldTable::default())
        .await
        .expect("a consumer");
    for number in 0..100u8 {
        let publish = BasicPublishOptions { mandatory: true, ..Default::default() };
        let confirm = channel
            .basic_publish("".into(), "q".into(), publish, &[number], BasicProperties::default())
            .await
            .expect("sent");
        assert_eq!(confirm.await.expect("confirmed"), Confirmation::Ack(None));
        let delivery = consumer.next().await.expect("open").expect("a delivery");
        assert_eq!(delivery.data, [number]);
        delivery.ack(BasicAckOptions::default()).await.expect("acknowledged");
    }
    let publish = BasicPublishOptions { mandatory: true, ..Default::default() };
    let confirm = channel
        .basic_publish("".into(), "missing".into(), publish, b"x", BasicProperties::default())
        .await
        .expect("sent");
    let Confirmation::Ack(Some(returned)) = confirm.await.expect("confirmed") else { panic!("not returned") };
    assert_eq!((returned.reply_code, returned.reply_text.as_str()), (312, "NO_ROUTE"));
    connection.close(200, "done".into()).await.expect("closed");
}

#[tokio::test]
async fn sessions_and_clients_of_the_port_share_the_broker() {
    const QUEUE: ShortString = ShortString::from_static("q");
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let connection =
        Connection::connect(port.uri(), ConnectionProperties::default()).await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let declare = QueueDeclareOptions { auto_delete: true, ..Default::default() };
    channel.queue_declare("q".into(), declare, FieldTable::default()).await.expect("a queue");

    let session = broker.transport().connect().await.expect("a session");
    let mut ours = session.consume(&Consume::new(QUEUE, 1)).await.expect("a consumer");
    channel
        .basic_publish(
            "".into(),
            "q".into(),
            BasicPublishOptions::default(),
            b"to the session",
            BasicProperties::default(),
        )
        .await
        .expect("sent");
    let delivery = ours.next().await.expect("a delivery");
    assert_eq!(&delivery.body()[..], b"to the session");
    delivery.reject().expect("settled");

    let mut theirs = channel
        .basic_consume("q".into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await
        .expect("a consumer");
    drop(ours);
    session
        .publish(Publication::new(ShortString::default(), QUEUE, "from the session"))
        .await
        .expect("routed");
    let delivery = theirs.next().await.expect("open").expect("a delivery");
    assert_eq!(delivery.data, b"from the session");
}
