//! The same workloads on lapin itself, as its users write them.

use std::pin::pin;
use std::task::{Context, Waker};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};

use super::{PREFETCH, QUEUE, WINDOW};

pub(crate) struct Bare {
    connection: Connection,
    publisher: Channel,
}

impl Bare {
    pub(crate) async fn connect(uri: &str) -> Self {
        let connection = Connection::connect(uri, ConnectionProperties::default()).await.unwrap();
        let publisher = connection.create_channel().await.unwrap();
        publisher.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { connection, publisher }
    }

    pub(crate) async fn purge(&self) {
        self.publisher.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.unwrap();
    }

    pub(crate) async fn publish(&self, messages: usize, headers: bool) {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let body = [b'x'; 200];
        let publish = async || {
            let publish =
                self.publisher.basic_publish("".into(), QUEUE.into(), options, &body, properties(headers));
            publish.await.unwrap().await.unwrap()
        };
        let mut under_way = FuturesUnordered::new();
        for _ in 0..messages {
            under_way.push(publish());
            if under_way.len() == WINDOW {
                assert!(under_way.next().await.unwrap().is_ack());
            }
        }
        while let Some(confirmation) = under_way.next().await {
            assert!(confirmation.is_ack());
        }
    }

    pub(crate) async fn consume_awaiting(&self, messages: usize) {
        let (channel, mut consumer) = self.consumer().await;
        for _ in 0..messages {
            consumer.next().await.unwrap().unwrap().ack(BasicAckOptions::default()).await.unwrap();
        }
        channel.close(200, "OK".into()).await.unwrap();
    }

    pub(crate) async fn consume_polling(&self, messages: usize) {
        let (channel, mut consumer) = self.consumer().await;
        for _ in 0..messages {
            let delivery = consumer.next().await.unwrap().unwrap();
            let ack = pin!(channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()));
            let _ = ack.poll(&mut Context::from_waker(Waker::noop()));
        }
        channel.close(200, "OK".into()).await.unwrap();
    }

    async fn consumer(&self) -> (Channel, Consumer) {
        let channel = self.connection.create_channel().await.unwrap();
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.unwrap();
        let options = BasicConsumeOptions::default();
        let consumer =
            channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await.unwrap();
        (channel, consumer)
    }
}

fn properties(headers: bool) -> BasicProperties {
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(1);
    if !headers {
        return properties;
    }
    let mut table = FieldTable::default();
    for name in ["class", "destination", "source", "message_id", "correlation_id", "type", "reply_to"] {
        table.insert(name.into(), AMQPValue::LongString("a value of a header".into()));
    }
    properties.with_headers(table)
}
