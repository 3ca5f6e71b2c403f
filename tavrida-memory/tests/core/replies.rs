//! Direct reply-to (R119 to R123).

use tavrida::field::{ShortString, Value};
use tavrida::transport::Properties;
use tavrida_memory::core::{BasicConsume, ChannelId, Method, MethodReply, QueueDeclare};

use crate::rig::*;

fn reply_consumer(tag: &str, no_ack: bool) -> Method {
    let queue = short("amq.rabbitmq.reply-to");
    Method::BasicConsume(BasicConsume { queue, consumer_tag: short(tag), no_ack, ..Default::default() })
}

/// Returns the reply address of a channel's requests.
fn address(rig: &mut Rig, ch: ChannelId) -> ShortString {
    rig.queue(ch, "requests");
    let reply_to = Properties { reply_to: Some(short("amq.rabbitmq.reply-to")), ..Default::default() };
    rig.publish(ch, "", "requests", Message::from("?").properties(reply_to));
    let request = rig.drain_whole("requests").remove(0);
    request.publication.properties.reply_to.clone().expect("an address")
}

#[test]
fn r119_one_consumer_that_does_not_acknowledge() {
    let (mut rig, ch) = Rig::with_channel();
    rig.refused(
        ch,
        reply_consumer("t", false),
        406,
        "PRECONDITION_FAILED - reply consumer cannot acknowledge",
    );
    rig.ok(ch, reply_consumer("t", true));
    rig.refused(ch, reply_consumer("u", true), 406, "PRECONDITION_FAILED - reply consumer already set");
    rig.ok(ch, reply_consumer("t", true));
    rig.cancel(ch, "t");
    rig.ok(ch, reply_consumer("t", true));
}

#[test]
fn r120_the_address_is_opaque_and_of_the_channel() {
    let (mut rig, ch) = Rig::with_channel();
    rig.ok(ch, reply_consumer("t", true));
    let reply_address = address(&mut rig, ch);
    assert!(reply_address.starts_with("amq.rabbitmq.reply-to.") && (85..=97).contains(&reply_address.len()));
    let other = rig.client();
    let asks = Message::from("?")
        .properties(Properties { reply_to: Some(short("amq.rabbitmq.reply-to")), ..Default::default() });
    rig.refused(
        other,
        publish("", "q", asks),
        406,
        "PRECONDITION_FAILED - fast reply consumer does not exist",
    );
}

#[test]
fn r121_a_reply_uses_no_tag_up() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["0", "1"]);
    rig.gets(ch, "q", 1);
    rig.ok(ch, reply_consumer("r", true));
    let to = address(&mut rig, ch);
    let responder = rig.client();
    rig.publish(responder, "", &to, "one");
    let copied = Message::from("two").headers(table(&[("CC", vec![Value::from(to.clone())].into())]));
    rig.publish(responder, "", "nosuch", copied);
    // Not through other exchanges.
    rig.publish(responder, "amq.fanout", &to, "lost");
    let first = rig.delivery(ch);
    assert_eq!((&*first.publication.exchange, &*first.publication.routing_key), ("", &*to));
    assert_eq!((first.delivery_tag, first.redelivered), (2, false));
    assert_eq!(rig.arrived(ch), ["r:2:two"]);
    assert_eq!(rig.get(ch, "q").map(|got| got.delivery_tag), Some(2));
}

#[test]
fn r122_after_its_consumer_a_reply_is_dropped() {
    let (mut rig, ch) = Rig::with_channel();
    rig.ok(ch, reply_consumer("t", true));
    let to = address(&mut rig, ch);
    rig.cancel(ch, "t");
    let responder = rig.client();
    assert_eq!(rig.publish(responder, "", &to, "late"), ACK);
    rig.ok(ch, reply_consumer("t", true));
    assert_eq!(rig.publish(responder, "", &to, "late"), ACK, "a new consumer has a new address");
    assert!(rig.arrived(ch).is_empty());
}

#[test]
fn r123_a_declare_asks_whether_the_consumer_lives() {
    let (mut rig, ch) = Rig::with_channel();
    let declare = |rig: &mut Rig, ch, name: &str| {
        rig.call(
            ch,
            Method::QueueDeclare(QueueDeclare { queue: short(name), durable: true, ..Default::default() }),
        )
    };
    let alive = |name: &str| {
        Answer::Reply(MethodReply::QueueDeclareOk { queue: short(name), message_count: 0, consumer_count: 1 })
    };
    assert_eq!(declare(&mut rig, ch, "amq.rabbitmq.reply-to"), alive("amq.rabbitmq.reply-to"));
    rig.ok(ch, reply_consumer("t", true));
    let to = address(&mut rig, ch);
    let asker = rig.client();
    assert_eq!(declare(&mut rig, asker, &to), alive(&to));
    rig.cancel(ch, "t");
    let text = format!("NOT_FOUND - no queue '{to}' in vhost '/'");
    rig.refused(asker, passive_queue(&to), 404, &text);
    rig.refused(
        asker,
        get("amq.rabbitmq.reply-to"),
        404,
        "NOT_FOUND - no queue 'amq.rabbitmq.reply-to' in vhost '/'",
    );
}

#[test]
fn r123_an_address_that_nobody_made_is_one_whose_consumer_is_gone() {
    let (mut rig, ch) = Rig::with_channel();
    // RabbitMQ answers 541, and closes the connection.
    assert_eq!(rig.publish(ch, "", "amq.rabbitmq.reply-to.not.an address", "m"), ACK);
    rig.refused(
        ch,
        passive_queue("amq.rabbitmq.reply-to.x"),
        404,
        "NOT_FOUND - no queue 'amq.rabbitmq.reply-to.x' in vhost '/'",
    );
}
