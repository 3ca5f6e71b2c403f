//! Shared by the tests: a session in a new virtual host, and helpers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::future::join_all;
use tavrida::field::{ShortString, Value};
use tavrida::transport::{Consume, Consumer, Delivery, Publication, PublishError, Queue, Session, Transport};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::{Node, VirtualHost};
use tokio::task::coop::unconstrained;

pub(crate) use crate::stories::fixture::{SOON, count, drain, soon};

/// A session in a virtual host that nothing else uses.
pub(crate) struct Place {
    pub(crate) session: Arc<dyn Session>,
    pub(crate) vhost: VirtualHost,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
        let session = connect(config(&vhost.uri())).await;
        Self { session, vhost }
    }

    /// Opens another session in the same virtual host.
    pub(crate) async fn another(&self) -> Arc<dyn Session> {
        connect(config(&self.vhost.uri())).await
    }
}

/// Small buffers: tests open many connections.
pub(crate) fn config(uri: &str) -> AmqpConfig {
    AmqpConfig::from_uri(uri).unwrap().frame_max(8192)
}

pub(crate) async fn connect(config: AmqpConfig) -> Arc<dyn Session> {
    soon(AmqpTransport::new(config).connect()).await.unwrap()
}

/// Opens a session on a node of the test.
pub(crate) async fn connect_to(node: &Node) -> Arc<dyn Session> {
    connect(config(&node.uri())).await
}

/// Polls a future once, without a waker.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn name(text: impl Into<String>) -> ShortString {
    ShortString::try_from(text.into()).unwrap()
}

/// A message to a queue, through the default exchange.
pub(crate) fn to_queue(queue: &str, body: impl Into<String>) -> Publication {
    to_exchange("", queue, body)
}

pub(crate) fn to_exchange(exchange: &str, key: &str, body: impl Into<String>) -> Publication {
    Publication::new(name(exchange), name(key), body.into())
}

pub(crate) async fn declare(session: &Arc<dyn Session>, queue: &str) {
    session.admin().declare_queue(&Queue::transient(name(queue))).await.unwrap();
}

/// Declares a queue that nacks messages over its limit.
pub(crate) async fn declare_limited(session: &Arc<dyn Session>, queue: &str, limit: i32) {
    let queue = Queue::transient(name(queue))
        .argument(name("x-max-length"), limit)
        .argument(name("x-overflow"), Value::from_static("reject-publish"));
    session.admin().declare_queue(&queue).await.unwrap();
}

pub(crate) async fn consume(session: &Arc<dyn Session>, queue: &str, prefetch: u16) -> Consumer {
    session.consume(&Consume::new(name(queue), prefetch)).await.unwrap()
}

pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    soon(consumer.next()).await.unwrap()
}

pub(crate) async fn publish_all(
    session: &Arc<dyn Session>,
    messages: impl IntoIterator<Item = Publication>,
) -> Vec<Result<(), PublishError>> {
    let publishes = messages.into_iter().map(|message| session.publish(message));
    // `join_all` polls all its futures again whenever tokio's budget for one turn is used up: so without a budget.
    soon(unconstrained(join_all(publishes))).await
}

pub(crate) fn body(delivery: &Delivery) -> String {
    String::from_utf8(delivery.body().to_vec()).unwrap()
}
