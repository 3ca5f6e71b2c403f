//! The workloads through the transport.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tavrida::field::{ShortString, Table};
use tavrida::transport::{Consume, Properties, Publication, Queue, Session, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport};

use super::{PREFETCH, QUEUE, WINDOW};

pub(crate) struct Ours(Arc<dyn Session>);

impl Ours {
    pub(crate) async fn connect(uri: &str) -> Self {
        let transport = AmqpTransport::new(AmqpConfig::from_uri(uri).unwrap());
        let session = transport.connect().await.unwrap();
        session.admin().declare_queue(&Queue::transient(ShortString::from_static(QUEUE))).await.unwrap();
        Self(session)
    }

    pub(crate) async fn publish(&self, messages: usize, headers: bool) {
        let mut under_way = FuturesUnordered::new();
        for _ in 0..messages {
            under_way.push(self.0.publish(publication(headers)));
            if under_way.len() == WINDOW {
                under_way.next().await.unwrap().unwrap();
            }
        }
        while let Some(outcome) = under_way.next().await {
            outcome.unwrap();
        }
    }

    pub(crate) async fn consume(&self, messages: usize) {
        let consume = Consume::new(ShortString::from_static(QUEUE), PREFETCH);
        let mut consumer = self.0.consume(&consume).await.unwrap();
        for _ in 0..messages {
            consumer.next().await.unwrap().ack().unwrap();
        }
        consumer.cancel().await.unwrap();
    }
}

fn publication(headers: bool) -> Publication {
    let body = [b'x'; 200].as_slice();
    let mut publication = Publication::new(ShortString::default(), ShortString::from_static(QUEUE), body);
    publication.properties = Properties {
        content_type: Some(ShortString::from_static("application/json")),
        delivery_mode: Some(Properties::TRANSIENT),
        headers: headers.then(|| {
            let value = "a value of a header";
            let names =
                ["class", "destination", "source", "message_id", "correlation_id", "type", "reply_to"];
            names.into_iter().map(|name| (ShortString::from_static(name), value)).collect::<Table>()
        }),
        ..Properties::default()
    };
    publication
}
