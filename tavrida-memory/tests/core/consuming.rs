//! Consumers: tags, arguments, exclusiveness, prefetch, cancel, get (R96, R101 to R108).

use tavrida::field::Value;
use tavrida_memory::core::{Command, ConnectionOptions, Method, MethodReply, QueueDeclare};

use crate::rig::*;

#[test]
fn r96_one_counter_of_tags_for_everything_that_a_channel_is_given() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..4);
    let got = rig.get(ch, "q").expect("a message");
    assert_eq!(got.delivery_tag, 1);
    // A get without acknowledgement uses up a tag.
    rig.ok(ch, Method::BasicGet { queue: short("q"), no_ack: true });
    rig.consume_with(ch, "q", "t", |t| t.no_ack = true);
    assert_eq!(rig.arrived(ch), ["t:3:2", "t:4:3"]);
    rig.ack(ch, 1);
    for settled in [2, 3, 4] {
        let text = format!("PRECONDITION_FAILED - unknown delivery tag {settled}");
        assert!(
            matches!(rig.call(ch, ack(settled, false)), Answer::ChannelClosed(reason) if reason.text == text)
        );
        rig.reopen(ch);
    }
}

#[test]
fn r101_get_tells_what_is_left_and_looks_at_nothing_else() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", table(&[("x-single-active-consumer", true.into())]));
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", 0..4);
    let other = rig.client();
    let left: Vec<u32> = (0..3).map(|_| rig.get(other, "q").expect("a message").message_count).collect();
    assert_eq!(left, [2, 1, 0]);
    assert_eq!(rig.ok(other, get("q")), Some(MethodReply::BasicGetEmpty));
    rig.refused(other, get("nosuch"), 404, "NOT_FOUND - no queue 'nosuch' in vhost '/'");
}

#[test]
fn r102_a_tag_that_is_in_use_ends_the_connection_before_the_queue_is_looked_for() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    // The tag is free again after a cancel, and on other channels.
    rig.cancel(ch, "t");
    rig.consume(ch, "q", "t");
    let other = rig.channel(ch.connection, 2);
    rig.consume(other, "q", "t");
    rig.fatal(ch, consume("nosuch", "t"), 530, "NOT_ALLOWED - attempt to reuse consumer tag 't'");
}

#[test]
fn r102_cancelling_what_is_not_there_is_fine() {
    let (mut rig, ch) = Rig::with_channel();
    let cancel = |nowait| Method::BasicCancel { consumer_tag: short("t"), nowait };
    assert_eq!(rig.ok(ch, cancel(false)), Some(MethodReply::BasicCancelOk { consumer_tag: short("t") }));
    assert_eq!(rig.ok(ch, cancel(true)), None);
}

#[test]
fn r103_what_was_delivered_can_be_settled_after_the_cancel() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..2);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.cancel(ch, "t");
    assert_eq!(rig.arrived(ch), ["t:1:0"]);
    rig.ack(ch, 1);
    assert!(rig.arrived(ch).is_empty());
    assert_eq!(rig.drain("q"), ["1"]);
}

#[test]
fn r104_exclusive_consumers_and_others() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let text = "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use";
    let exclusive = |tag: &str| {
        let Method::BasicConsume(mut consume) = consume("q", tag) else { unreachable!() };
        consume.exclusive = true;
        Method::BasicConsume(consume)
    };
    let other = rig.client();
    rig.consume(ch, "q", "shared");
    rig.refused(other, exclusive("alone"), 403, text);
    rig.cancel(ch, "shared");
    rig.ok(other, exclusive("alone"));
    rig.refused(ch, consume("q", "shared"), 403, text);
    rig.cancel(other, "alone");
    rig.consume(ch, "q", "shared");
    rig.queue_with(ch, "sac", table(&[("x-single-active-consumer", true.into())]));
    let Method::BasicConsume(mut consume) = exclusive("t") else { unreachable!() };
    consume.queue = short("sac");
    let text = "ACCESS_REFUSED - queue 'sac' in vhost '/' in exclusive use";
    rig.refused(other, Method::BasicConsume(consume), 403, text);
}

#[test]
fn r105_arguments_of_consumers() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let with = |name: &str, value: Value| {
        let Method::BasicConsume(mut consume) = consume("q", "t") else { unreachable!() };
        consume.arguments.insert(short(name), value);
        Method::BasicConsume(consume)
    };
    let text = "PRECONDITION_FAILED - invalid arg 'x-priority' for queue 'q' in vhost '/': \"expected integer, got longstr\"";
    rig.refused(ch, with("x-priority", "high".into()), 406, text);
    let text = "PRECONDITION_FAILED - invalid arg 'x-stream-offset' for queue 'q' in vhost '/' of queue type \
                rabbit_classic_queue";
    rig.refused(ch, with("x-stream-offset", "first".into()), 406, text);
    let text = "NOT_IMPLEMENTED - the consumer argument x-credit is not modelled by this broker";
    rig.ok(ch, with("x-mine", 1.into()));
    rig.fatal(ch, with("x-credit", table(&[]).into()).with_tag("u"), 540, text);
}

trait WithTag {
    fn with_tag(self, tag: &str) -> Self;
}

impl WithTag for Method {
    fn with_tag(mut self, tag: &str) -> Self {
        if let Self::BasicConsume(consume) = &mut self {
            consume.consumer_tag = short(tag);
        }
        self
    }
}

#[test]
fn r106_who_did_not_announce_it_is_not_told_of_a_cancel() {
    let mut rig = Rig::new();
    let options = ConnectionOptions { cancel_notify: false, ..Default::default() };
    let connection = rig.connect_with(options);
    let ch = rig.channel(connection, 1);
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    rig.ok(ch, delete_queue("q"));
    assert!(rig.arrived(ch).is_empty());
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
}

#[test]
fn r106_the_tag_of_a_cancelled_consumer_is_free() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    rig.ok(ch, delete_queue("q"));
    assert_eq!(rig.arrived(ch), ["cancel t"]);
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
}

#[test]
fn r107_a_prefetch_is_for_later_consumers_each_for_itself() {
    let (mut rig, ch) = Rig::with_channel();
    for queue in ["q", "r", "s"] {
        rig.queue(ch, queue);
        rig.fill(ch, queue, 0..4);
    }
    rig.qos(ch, 2, false);
    rig.consume(ch, "q", "two");
    rig.qos(ch, 1, false);
    rig.consume(ch, "r", "one");
    rig.consume_with(ch, "s", "all", |all| all.no_ack = true);
    assert_eq!(
        rig.arrived(ch),
        ["two:1:0", "two:2:1", "one:3:0", "all:4:0", "all:5:1", "all:6:2", "all:7:3"]
    );
    rig.ack(ch, 1);
    assert_eq!(rig.arrived(ch), ["two:8:2"]);
}

#[test]
fn r6_a_prefetch_in_bytes_ends_the_connection() {
    let (mut rig, ch) = Rig::with_channel();
    let qos = Method::BasicQos { prefetch_size: 7, prefetch_count: 0, global: false };
    rig.fatal(ch, qos, 540, "NOT_IMPLEMENTED - prefetch_size!=0 (7)");
}

#[test]
fn r108_a_shared_limit_holds_for_all_consumers_together() {
    let (mut rig, ch) = Rig::with_channel();
    for queue in ["q", "r"] {
        rig.queue(ch, queue);
        rig.fill(ch, queue, 0..3);
    }
    rig.qos(ch, 3, true);
    rig.consume(ch, "q", "t");
    rig.consume(ch, "r", "u");
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:1", "t:3:2"]);
    rig.ack(ch, 2);
    assert_eq!(rig.arrived(ch), ["u:4:0"]);
    rig.ok(ch, ack(4, true));
    assert_eq!(rig.arrived(ch), ["u:5:1", "u:6:2"]);
}

#[test]
fn r108_both_limits_apply_and_lifting_the_shared_one_lets_go() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..5);
    rig.qos(ch, 2, false);
    rig.qos(ch, 3, true);
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0", "t:2:1"]);
    rig.consume(ch, "q", "u");
    assert_eq!(rig.arrived(ch), ["u:3:2"]);
    rig.qos(ch, 0, true);
    assert_eq!(rig.arrived(ch), ["u:4:3"]);
}

#[test]
fn r108_what_was_got_counts_when_the_limit_is_set() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..4);
    rig.gets(ch, "q", 1);
    rig.qos(ch, 2, true);
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:2:1"]);
    // In RabbitMQ, messages of a get do not make room.
    rig.ack(ch, 1);
    assert!(rig.arrived(ch).is_empty());
    rig.ack(ch, 2);
    assert_eq!(rig.arrived(ch), ["t:3:2"]);
}

#[test]
fn consumers_of_a_connection_that_ends_are_gone() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, QueueDeclare { queue: short("q"), ..Default::default() });
    let other = rig.client();
    rig.consume(other, "q", "t");
    assert_eq!(rig.counts("q"), Some((0, 1)));
    rig.apply(Command::Close { connection: other.connection });
    assert_eq!(rig.counts("q"), Some((0, 0)));
}
