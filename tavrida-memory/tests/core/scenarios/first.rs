//! Scenarios 1 to 13: routing, positions, limits, cycles.

use tavrida::field::{Table, Value};
use tavrida::transport::Properties;
use tavrida_memory::core::Method;

use super::*;

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
        let message =
            Message::from("m").properties(Properties { headers: headers.clone(), ..Default::default() });
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
