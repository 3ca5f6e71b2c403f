//! The network between sessions and broker: what waits to arrive.

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::{Consume, Loss, NotPublished, Publication, Queue, Transport, Verdict};
use tavrida_memory::core::ChannelId;
use tavrida_memory::{Head, Line, MemoryBroker, Network, PublishFate, SettleFate};

/// A network that lets everything through.
struct Clear;

impl Network for Clear {
    fn connecting(&self, _peer: u32) -> Result<(), Loss> {
        Ok(())
    }

    fn connected(&self, _line: Line) {}

    fn disconnected(&self, _line: Line, _loss: &Loss) {}

    fn publishing(&self, _line: Line, _publication: &Arc<Publication>) -> PublishFate {
        PublishFate::Taken
    }

    fn published(
        &self,
        _line: Line,
        _publication: &Arc<Publication>,
        _outcome: &Result<(), NotPublished>,
        _queues: &mut dyn Iterator<Item = &str>,
    ) {
    }

    fn settling(&self, _line: Line, _channel: ChannelId, _tag: u64, _verdict: Verdict) -> SettleFate {
        SettleFate::Taken
    }
}

fn heads(broker: &MemoryBroker) -> Vec<Head> {
    let mut heads = Vec::new();
    broker.heads(&mut heads);
    heads
}

#[tokio::test]
async fn a_message_that_goes_back_in_the_step_of_its_arrival_waits_to_arrive_once() {
    let broker = MemoryBroker::builder().network(Arc::new(Clear)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    let mut consumer = session.consume(&Consume::new(&orders, 10)).await.expect("it is there");
    session.publish(Publication::new(ShortString::default(), &orders, "one")).await.expect("it is routed");
    let [head] = &heads(&broker)[..] else { panic!("one message waits") };
    broker.arrive(head.channel);
    consumer.next().await.expect("it arrived").requeue().expect("the session lives");
    assert_eq!(heads(&broker).len(), 1);
}

#[tokio::test]
async fn a_queue_is_contended_where_several_consume_it() {
    let broker = MemoryBroker::builder().network(Arc::new(Clear)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    let _first = session.consume(&Consume::new(&orders, 10)).await.expect("it is there");
    session.publish(Publication::new(ShortString::default(), &orders, "one")).await.expect("it is routed");
    assert_eq!(heads(&broker)[0].contended, None);
    let _second = session.consume(&Consume::new(&orders, 10)).await.expect("it is there");
    assert_eq!(heads(&broker)[0].contended.as_ref(), Some(&orders));
}

#[tokio::test]
async fn the_head_of_a_channel_is_seen_once_however_often_its_outbox_was_empty() {
    let broker = MemoryBroker::builder().network(Arc::new(Clear)).build();
    let session = broker.transport().connect().await.expect("it lets us through");
    let orders = ShortString::from_static("orders");
    session.declare_queue(&Queue::durable(&orders)).await.expect("it is new");
    for body in ["one", "two", "three"] {
        session.publish(Publication::new(ShortString::default(), &orders, body)).await.expect("it is routed");
    }
    let mut consumer = session.consume(&Consume::new(&orders, 1)).await.expect("it is there");
    for left in [1, 1, 1, 0] {
        let heads = heads(&broker);
        assert_eq!(heads.len(), left);
        let Some(head) = heads.first() else { break };
        broker.arrive(head.channel);
        consumer.next().await.expect("it arrived").ack().expect("the session lives");
    }
}
