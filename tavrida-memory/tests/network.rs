//! The network between sessions and broker, and what waits to arrive.

use std::sync::Arc;

use futures_util::FutureExt;
use tavrida::field::ShortString;
use tavrida::transport::{AckKind, ConnectionLost, Consume, Publication, PublishErrorKind, Queue, Transport};
use tavrida_memory::core::{ChannelId, Operator};
use tavrida_memory::{Heads, MemoryBroker, Network, NetworkSession, PublishFate, SettleFate};

/// A network on which all publishes have the same fate, and all settlements pass.
struct Even(PublishFate);

const CLEAR: Even = Even(PublishFate::Taken);

impl Network for Even {
    fn connecting(&self, _peer: u32) -> Result<(), ConnectionLost> {
        Ok(())
    }

    fn connected(&self, _session: NetworkSession) {}

    fn disconnected(&self, _session: NetworkSession, _loss: &ConnectionLost) {}

    fn publishing(&self, _session: NetworkSession, _publication: &Arc<Publication>) -> PublishFate {
        self.0
    }

    fn published(
        &self,
        _session: NetworkSession,
        _publication: &Arc<Publication>,
        _outcome: &Result<(), PublishErrorKind>,
        _queues: &mut dyn Iterator<Item = &str>,
    ) {
    }

    fn settling(
        &self,
        _session: NetworkSession,
        _channel: ChannelId,
        _tag: u64,
        _verdict: AckKind,
    ) -> SettleFate {
        SettleFate::Taken
    }
}

/// Returns the channels on which something waits to arrive, the oldest first.
fn sending(broker: &MemoryBroker) -> Vec<ChannelId> {
    broker.heads(|heads| heads.iter().map(|head| head.channel).collect())
}

/// Returns the queue of the oldest waiting arrival, if its timing matters to others.
fn contended(broker: &MemoryBroker) -> Option<ShortString> {
    broker.heads(|heads| heads.iter().next().expect("a message waits").contended().cloned())
}

#[tokio::test]
async fn a_message_that_goes_back_in_the_step_of_its_arrival_waits_to_arrive_once() {
    let broker = MemoryBroker::builder().network(Arc::new(CLEAR)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.admin().declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    let mut consumer = session.consume(&Consume::new(&orders, 10)).await.expect("it is there");
    session.publish(Publication::new(ShortString::default(), &orders, "one")).await.expect("it is routed");
    let [channel] = sending(&broker)[..] else { panic!("one message waits") };
    broker.arrive(channel);
    consumer.next().await.expect("it arrived").requeue().expect("the session lives");
    assert_eq!(sending(&broker).len(), 1);
}

#[tokio::test]
async fn a_queue_is_contended_where_several_consume_it() {
    let broker = MemoryBroker::builder().network(Arc::new(CLEAR)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.admin().declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    let _first = session.consume(&Consume::new(&orders, 10)).await.expect("it is there");
    session.publish(Publication::new(ShortString::default(), &orders, "one")).await.expect("it is routed");
    assert_eq!(contended(&broker), None);
    let _second = session.consume(&Consume::new(&orders, 10)).await.expect("it is there");
    assert_eq!(contended(&broker), Some(orders));
}

#[tokio::test]
async fn the_head_of_a_channel_is_seen_once_however_often_its_outbox_was_empty() {
    let broker = MemoryBroker::builder().network(Arc::new(CLEAR)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.admin().declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    for body in ["one", "two", "three"] {
        session.publish(Publication::new(ShortString::default(), &orders, body)).await.expect("it is routed");
    }
    let mut consumer = session.consume(&Consume::new(&orders, 1)).await.expect("it is there");
    for left in [1, 1, 1, 0] {
        let sending = sending(&broker);
        assert_eq!(sending.len(), left);
        let Some(channel) = sending.first() else { break };
        broker.arrive(*channel);
        consumer.next().await.expect("it arrived").ack().expect("the session lives");
    }
}

/// Lets the last message arrive first.
#[tokio::test]
async fn what_arrives_is_picked_of_all_that_waits() {
    let broker = MemoryBroker::builder().network(Arc::new(CLEAR)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let names = ["one", "two"].map(ShortString::from_static);
    let mut consumers = Vec::new();
    for name in &names {
        session.admin().declare_queue(&Queue::durable(name)).await.expect("it is new");
        consumers.push(session.consume(&Consume::new(name, 1)).await.expect("it is there"));
        let message = Publication::new(ShortString::default(), name, "hello");
        session.publish(message).await.expect("it is routed");
    }
    let mut second = consumers.pop().expect("there are two");
    let waiting = tokio::spawn(async move { second.next().await.map(|it| it.publication().clone()) });
    tokio::task::yield_now().await;
    let last = |heads: &Heads<'_>| heads.iter().last().map(|head| head.channel).ok_or("nothing waits");
    assert_eq!(broker.arrive_one(last), Ok(true), "somebody waits for it");
    let arrived = waiting.await.expect("no panic").expect("it arrived");
    assert_eq!(arrived.routing_key, "two");
    assert_eq!(broker.arrive_one(last), Ok(false), "nobody waits for the other");
    assert_eq!(broker.arrive_one(last), Err("nothing waits"));
}

#[tokio::test]
async fn what_is_on_its_way_on_a_channel_that_an_operator_closes_is_ignored_and_ambiguous() {
    let broker = MemoryBroker::builder().network(Arc::new(Even(PublishFate::Held))).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.admin().declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    let message = || Publication::new(ShortString::default(), &orders, "one");
    let publishing = session.publish(message());
    tokio::pin!(publishing);
    assert!((&mut publishing).now_or_never().is_none());
    for channel in broker.snapshot().connections.iter().flat_map(|connection| &connection.channels) {
        let text = "CONNECTION_FORCED - enough".to_owned();
        broker.operate(Operator::CloseChannel { channel: channel.id, code: 320, text });
    }
    let told = publishing.now_or_never().expect("its sender is told at once");
    let error = told.expect_err("nobody knows whether it came");
    assert!(matches!(error.reason, PublishErrorKind::Ambiguous(_)), "{error}");
    broker.release(0);
    assert_eq!(broker.snapshot().queue("orders").expect("it is there").ready.len(), 0);
}
