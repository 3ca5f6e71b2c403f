//! The concrete scenarios of section 19 of the broker semantics, by their numbers.

use tavrida::field::{Table, Value};
use tavrida::transport::Properties;
use tavrida_memory::core::{Arrival, Effect, Command, Method, QueueDeclare, Reply};

use crate::rig::*;

fn x_death_queues(headers: &Table) -> Vec<String> {
    deaths(headers).into_iter().map(|(queue, _, _)| queue).collect()
}

/// Queue, reason and count of each entry.
fn deaths(headers: &Table) -> Vec<(String, String, i64)> {
    let Some(Value::Array(deaths)) = headers.get("x-death") else { return Vec::new() };
    deaths
        .iter()
        .map(|death| {
            let Value::Table(death) = death else { panic!("{death:?} is no table") };
            let text = |name| death.get(name).and_then(Value::as_str).expect("a text").to_owned();
            let count = death.get("count").and_then(Value::as_i64).expect("a count");
            (text("queue"), text("reason"), count)
        })
        .collect()
}

fn dead_letter_to(exchange: &str, key: &str) -> Table {
    args(&[("x-dead-letter-exchange", exchange), ("x-dead-letter-routing-key", key)])
}

#[test]
fn s1_the_default_exchange_is_no_alternate_exchange() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "direct", |x| x.arguments = args(&[("alternate-exchange", "")]));
    rig.queue(ch, "k");
    assert_eq!(rig.publish(ch, "x", "k", Message::from("m").mandatory()), RETURNED);
    assert_eq!(rig.ready("k"), 0);
}

#[test]
fn s2_an_alternate_exchange_serves_only_who_has_no_destination_at_all() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "direct", |x| x.arguments = args(&[("alternate-exchange", "y")]));
    rig.exchange(ch, "y", "fanout");
    rig.exchange(ch, "z", "direct");
    rig.queue(ch, "q");
    rig.bind(ch, "q", "y", "");
    rig.bind_exchange(ch, "z", "x", "k");
    assert_eq!(rig.publish(ch, "x", "k", Message::from("m1").mandatory()), RETURNED);
    assert_eq!(rig.publish(ch, "x", "other", Message::from("m2").mandatory()), ACK);
    assert_eq!(rig.drain("q"), ["m2"]);
}

#[test]
fn s3_a_binding_to_itself_keeps_an_auto_delete_exchange() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "fanout", |x| x.auto_delete = true);
    rig.queue(ch, "q");
    rig.bind_exchange(ch, "x", "x", "");
    rig.bind(ch, "q", "x", "");
    rig.publish(ch, "x", "", "m");
    assert_eq!(rig.ready("q"), 1);
    rig.ok(ch, Method::QueueUnbind(queue_bind("q", "x", "", Table::new())));
    assert!(rig.has_exchange("x"));
    rig.ok(ch, Method::ExchangeUnbind(exchange_bind("x", "x", "")));
    assert!(!rig.has_exchange("x"));
}

#[test]
fn s4_topic_patterns_and_keys() {
    let cases = [
        ("#", "", true),
        ("*", "", false),
        ("", "", true),
        ("a.#", "a", true),
        ("a.*", "a.", true),
        ("*.*", ".", true),
        ("#.#", "", true),
        ("a.#.b", "a.b", true),
        ("a..b", "a.*.b", false),
        ("*", "#", true),
    ];
    let (mut rig, ch) = Rig::with_channel();
    for (number, (pattern, key, matches)) in cases.into_iter().enumerate() {
        let (x, q) = (format!("x{number}"), format!("q{number}"));
        rig.exchange(ch, &x, "topic");
        rig.queue(ch, &q);
        rig.bind(ch, &q, &x, pattern);
        rig.publish(ch, &x, key, "m");
        assert_eq!(rig.ready(&q) == 1, matches, "{pattern} ~ {key}");
    }
}

#[test]
fn s5_headers_arguments_and_messages() {
    let (any, all, all_with_x) = ("any", "all", "all-with-x");
    let mode = |mode: &str| ("x-match", Value::from(mode));
    let one = || vec![Value::I32(1)];
    let cases = [
        (table(&[]), None, true),
        (table(&[mode(any)]), Some(table(&[("a", 1.into())])), false),
        (table(&[("a", Value::Void)]), Some(table(&[("a", "zz".into())])), true),
        (table(&[("a", 1.into())]), Some(table(&[("a", 1.0.into())])), true),
        (table(&[("a", 1.into())]), Some(table(&[("a", true.into())])), false),
        (table(&[("a", "1".into())]), Some(table(&[("a", 1.into())])), false),
        (table(&[("a", one().into())]), Some(table(&[("a", vec![Value::I64(1)].into())])), false),
        (table(&[mode(all), ("x-k", 1.into())]), None, true),
        (table(&[mode(all_with_x), ("x-k", 1.into())]), None, false),
        (table(&[mode(any), ("x-k", 1.into())]), Some(table(&[("x-k", 1.into())])), false),
    ];
    let (mut rig, ch) = Rig::with_channel();
    for (number, (arguments, headers, matches)) in cases.into_iter().enumerate() {
        let (x, q) = (format!("x{number}"), format!("q{number}"));
        rig.exchange(ch, &x, "headers");
        rig.queue(ch, &q);
        rig.bind_with(ch, &q, &x, "", arguments.clone());
        let message = Message::from("m").properties(Properties { headers: headers.clone(), ..Default::default() });
        rig.publish(ch, &x, "", message);
        assert_eq!(rig.ready(&q) == 1, matches, "{arguments:?} ~ {headers:?}");
    }
}

#[test]
fn s6_requeued_messages_go_back_to_where_they_were() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..6);
    rig.gets(ch, "q", 4);
    rig.requeue(ch, 3);
    rig.requeue(ch, 1);
    assert_eq!(rig.gets(ch, "q", 3), ["0*", "2*", "4"]);
    rig.ok(ch, Method::ChannelClose);
    assert_eq!(rig.drain("q"), ["0*", "1*", "2*", "3*", "4*", "5"]);
}

#[test]
fn s7_a_tag_that_was_acked_cannot_be_acked_again_even_with_multiple() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    rig.gets(ch, "q", 3);
    rig.ok(ch, ack(2, true));
    rig.refused(ch, ack(2, true), 406, "PRECONDITION_FAILED - unknown delivery tag 2");
}

#[test]
fn s8_tag_zero_means_all_with_multiple_and_nothing_without() {
    let (mut rig, ch) = Rig::with_channel();
    rig.ok(ch, ack(0, true));
    rig.refused(ch, ack(0, false), 406, "PRECONDITION_FAILED - unknown delivery tag 0");
}

#[test]
fn s9_returned_messages_are_the_first_to_be_dropped() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-max-length", 2)]));
    rig.fill(ch, "q", ["a", "b"]);
    rig.gets(ch, "q", 2);
    rig.fill(ch, "q", ["c", "d"]);
    rig.ok(ch, nack(0, true, true));
    assert_eq!(rig.drain("q"), ["c", "d"]);
}

#[test]
fn s10_one_full_queue_nacks_though_another_takes_the_message() {
    let (mut rig, ch) = Rig::with_channel();
    let full = table(&[("x-max-length", 1.into()), ("x-overflow", "reject-publish".into())]);
    rig.queue_with(ch, "q", full);
    rig.queue(ch, "r");
    rig.bind(ch, "q", "amq.fanout", "");
    rig.bind(ch, "r", "amq.fanout", "");
    assert_eq!(rig.publish(ch, "amq.fanout", "", Message::from("a").mandatory()), ACK);
    assert_eq!(rig.publish(ch, "amq.fanout", "", Message::from("b").mandatory()), NACK);
    assert_eq!(rig.drain("q"), ["a"]);
    assert_eq!(rig.drain("r"), ["a", "b"]);
}

#[test]
fn s11_the_highest_priority_is_dropped_first() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "q", args(&[("x-max-priority", 5), ("x-max-length", 2)]));
    for (body, priority) in [("p5", 5), ("p1", 1), ("p1'", 1), ("p0", 0)] {
        rig.publish(ch, "", "q", Message::from(body).priority(priority));
    }
    assert_eq!(rig.drain("q"), ["p1'", "p0"]);
}

#[test]
fn s12_a_circle_of_expiries_ends() {
    let (mut rig, ch) = Rig::with_channel();
    for (queue, next) in [("a", "b"), ("b", "a")] {
        let mut arguments = dead_letter_to("", next);
        arguments.insert(short("x-message-ttl"), 10);
        rig.queue_with(ch, queue, arguments);
    }
    rig.fill(ch, "a", ["m"]);
    rig.wait(10);
    assert_eq!((rig.ready("a"), rig.ready("b")), (0, 1));
    rig.wait(10);
    assert_eq!((rig.ready("a"), rig.ready("b")), (0, 0));
}

#[test]
fn s13_retries_count_in_x_death() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue_with(ch, "work", dead_letter_to("", "wait"));
    let mut wait = dead_letter_to("", "work");
    wait.insert(short("x-message-ttl"), 10);
    rig.queue_with(ch, "wait", wait);
    rig.fill(ch, "work", ["m"]);
    for round in 1..=3 {
        let got = rig.get(ch, "work").expect("it came back");
        rig.discard(ch, got.delivery_tag);
        rig.wait(10);
        let got = rig.get(ch, "work").expect("it came back");
        assert_eq!(
            deaths(got.publication.properties.headers()),
            [("wait".into(), "expired".into(), round), ("work".into(), "rejected".into(), round)]
        );
        rig.requeue(ch, got.delivery_tag);
    }
}

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
        [Effect::Return { code: 312, .. }, Effect::Reply { reply: Reply::TxCommitOk, .. }]
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
    assert_eq!(rig.ok(other, delete_queue("q")), Some(Reply::QueueDeleteOk { message_count: 0 }));
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
