//! Scenarios 14 to 25: histories, copies, credit, the ends of queues and consumers.

use tavrida::field::Value;
use tavrida::transport::Properties;
use tavrida_memory::core::{Arrival, Command, Effect, Method, MethodReply, QueueDeclare};

use super::*;

#[test]
fn s14_the_older_entries_of_x_death_are_reversed() {
    let (mut rig, ch) = Rig::with_channel();
    for (queue, next) in [("a", "b"), ("b", "c"), ("c", "d"), ("d", "z")] {
        rig.queue_with(ch, queue, dead_letter_to("", next));
    }
    rig.queue(ch, "z");
    rig.fill(ch, "a", ["m"]);
    for queue in ["a", "b", "c", "d"] {
        let got = rig.get(ch, queue).expect("it is here");
        rig.discard(ch, got.delivery_tag);
    }
    let got = rig.get(ch, "z").expect("it is here");
    assert_eq!(x_death_queues(got.publication.properties.headers()), ["d", "b", "a", "c"]);
}

#[test]
fn s15_copies_by_cc_and_bcc_show_the_key_of_the_publish() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.queue(ch, "b");
    let headers = table(&[
        ("CC", vec![Value::from("q")].into()),
        ("BCC", vec![Value::from("b")].into()),
        ("x", 1.into()),
    ]);
    assert_eq!(rig.publish(ch, "", "nosuch", Message::from("m").headers(headers).mandatory()), ACK);
    for queue in ["q", "b"] {
        let got = rig.get(ch, queue).expect("a copy");
        assert_eq!(got.publication.routing_key, "nosuch");
        let left = table(&[("CC", vec![Value::from("q")].into()), ("x", 1.into())]);
        assert_eq!(got.publication.properties.headers, Some(left));
    }
}

#[test]
fn s16_what_is_given_back_goes_to_whoever_is_first_in_line() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..4);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    rig.consume(ch, "q", "u");
    assert_eq!(rig.arrived(ch), ["t:1:0", "u:2:1"]);
    rig.requeue(ch, 1);
    assert_eq!(rig.arrived(ch), ["t:3:0*"]);
    rig.ok(ch, nack(0, true, true));
    assert_eq!(rig.arrived(ch), ["t:4:0*", "u:5:1*"]);
}

#[test]
fn s17_a_new_consumer_of_an_old_tag_gets_the_old_ones_credit() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..4);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0"]);
    rig.cancel(ch, "t");
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:2:1"]);
    rig.ack(ch, 1);
    assert_eq!(rig.arrived(ch), ["t:3:2"]);
}

#[test]
fn s18_a_limit_for_each_consumer_ends_the_shared_one() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..4);
    rig.qos(ch, 3, true);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    assert_eq!(rig.arrived(ch), ["t:1:0"]);
    rig.ack(ch, 1);
    assert_eq!(rig.arrived(ch), ["t:2:1"]);
}

#[test]
fn s19_the_next_active_consumer_is_the_first_of_the_highest_priority() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", table(&[("x-single-active-consumer", true.into())]));
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "a");
    rig.qos(ch, 0, false);
    rig.consume_with(ch, "q", "b", |b| b.arguments = args(&[("x-priority", 5)]));
    rig.consume_with(ch, "q", "c", |c| c.arguments = args(&[("x-priority", 9)]));
    rig.fill(ch, "q", 0..3);
    assert_eq!(rig.arrived(ch), ["a:1:0"]);
    rig.cancel(ch, "a");
    // RabbitMQ delivers these only after the next event (its issue 5460).
    assert_eq!(rig.arrived(ch), ["c:2:1", "c:3:2"]);
    rig.requeue(ch, 1);
    assert_eq!(rig.arrived(ch), ["c:4:0*"]);
}

#[test]
fn s20_an_auto_delete_queue_goes_with_its_last_consumer_and_takes_its_messages_along() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, QueueDeclare { queue: short("q"), auto_delete: true, ..Default::default() });
    rig.consume(ch, "q", "t");
    rig.fill(ch, "q", ["m"]);
    rig.cancel(ch, "t");
    assert_eq!(rig.counts("q"), None);
    rig.ack(ch, 1);
}

#[test]
fn s21_the_tag_of_a_deleted_queues_message_settles_nothing_of_its_namesake() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["old"]);
    rig.gets(ch, "q", 1);
    rig.ok(ch, delete_queue("q"));
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["new"]);
    rig.gets(ch, "q", 1);
    rig.ack(ch, 1);
    rig.requeue(ch, 2);
    // RabbitMQ's queue is empty here (R63): the quirk is not copied.
    assert_eq!(rig.gets(ch, "q", 1), ["new*"]);
}

#[test]
fn s22_direct_replies_share_a_tag_and_are_returned_when_mandatory() {
    let (mut rig, asker) = Rig::with_channel();
    rig.consume_with(asker, "amq.rabbitmq.reply-to", "r", |r| r.no_ack = true);
    rig.queue(asker, "requests");
    let reply_to = Properties { reply_to: Some(short("amq.rabbitmq.reply-to")), ..Default::default() };
    rig.publish(asker, "", "requests", Message::from("?").properties(reply_to));
    let got = rig.get(asker, "requests").expect("the request");
    let address = got.publication.properties.reply_to.clone().expect("an address");
    assert!(address.starts_with("amq.rabbitmq.reply-to."), "{address}");
    let responder = rig.client();
    assert_eq!(rig.publish(responder, "", &address, Message::from("one").mandatory()), RETURNED);
    assert_eq!(rig.publish(responder, "", &address, "two"), ACK);
    assert_eq!(rig.arrived(asker), ["r:2:one", "r:2:two"]);
}

#[test]
fn s23_a_transaction_routes_when_it_publishes() {
    let mut rig = Rig::new();
    let connection = rig.connect();
    let ch = rig.plain_channel(connection, 1);
    rig.queue(ch, "q");
    rig.exchange(ch, "x", "direct");
    rig.ok(ch, Method::TxSelect);
    rig.ok(ch, publish("x", "k", Message::from("m").mandatory()));
    rig.bind(ch, "q", "x", "k");
    let effects = rig.apply(Command::Method { channel: ch, method: Method::TxCommit });
    assert!(matches!(
        &effects[..],
        [Effect::Return { code: 312, .. }, Effect::Reply { reply: MethodReply::TxCommitOk, .. }]
    ));
    assert_eq!(rig.ready("q"), 0);
}

#[test]
fn s24_consumers_of_a_deleted_queue_are_cancelled_by_tag() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "b");
    rig.consume(ch, "q", "a");
    let other = rig.client();
    assert_eq!(rig.ok(other, delete_queue("q")), Some(MethodReply::QueueDeleteOk { message_count: 0 }));
    assert!(matches!(rig.broker.peek(ch), Some(Arrival::Cancel { .. })));
    assert_eq!(rig.arrived(ch), ["cancel a", "cancel b"]);
}

#[test]
fn s25_properties_that_make_no_sense() {
    let (mut rig, ch) = Rig::with_channel();
    let cases: [(Properties, &str); 5] = [
        (
            Properties { expiration: Some(short("x")), ..Default::default() },
            "PRECONDITION_FAILED - invalid expiration 'x': no_integer",
        ),
        (
            Properties { user_id: Some(short("")), ..Default::default() },
            "PRECONDITION_FAILED - user_id property set to '' but authenticated user was 'guest'",
        ),
        (
            Properties { delivery_mode: Some(3), ..Default::default() },
            "PRECONDITION_FAILED - invalid message: {delivery_mode_unknown,3}",
        ),
        (
            Properties { headers: Some(args(&[("CC", "q")])), ..Default::default() },
            "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\"CC\",longstr}",
        ),
        (
            Properties { expiration: Some(short("-1")), user_id: Some(short("zz")), ..Default::default() },
            "PRECONDITION_FAILED - user_id property set to 'zz' but authenticated user was 'guest'",
        ),
    ];
    for (properties, text) in cases {
        rig.refused(ch, publish("", "q", Message::from("m").properties(properties)), 406, text);
    }
}
