//! Exchanges: lifecycle, equivalence, routing between them (R15 to R30).

use tavrida::field::Value;
use tavrida_memory::core::{ExchangeDeclare, Method, QueueDeclare};

use crate::rig::*;

fn declare(name: &str, kind: &str) -> ExchangeDeclare {
    ExchangeDeclare { exchange: short(name), kind: short(kind), ..Default::default() }
}

#[test]
fn r6_an_unknown_type_ends_the_connection() {
    let (mut rig, ch) = Rig::with_channel();
    rig.fatal(
        ch,
        Method::ExchangeDeclare(declare("x", "nosuch")),
        503,
        "COMMAND_INVALID - unknown exchange type 'nosuch'",
    );
    let ch = rig.client();
    rig.fatal(
        ch,
        Method::ExchangeDeclare(declare("x", "")),
        503,
        "COMMAND_INVALID - invalid exchange type ''",
    );
    // A passive declare ignores the type.
    let ch = rig.client();
    rig.exchange_with(ch, "amq.direct", "nosuch", |x| x.passive = true);
}

#[test]
fn r15_the_default_exchange_is_untouchable() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let text = "ACCESS_REFUSED - operation not permitted on the default exchange";
    rig.refused(ch, Method::ExchangeDeclare(declare("", "direct")), 403, text);
    let passive = ExchangeDeclare { passive: true, ..declare("", "direct") };
    rig.refused(ch, Method::ExchangeDeclare(passive), 403, text);
    rig.refused(ch, delete_exchange(""), 403, text);
    rig.refused(ch, Method::QueueBind(queue_bind("nosuch", "", "k", args::<i32>(&[]))), 403, text);
    rig.refused(ch, Method::QueueUnbind(queue_bind("q", "", "q", args::<i32>(&[]))), 403, text);
    rig.refused(ch, Method::ExchangeBind(exchange_bind("", "nosuch", "")), 403, text);
    rig.refused(ch, Method::ExchangeUnbind(exchange_bind("nosuch", "", "")), 403, text);
}

#[test]
fn r16_the_predeclared_exchanges_can_be_declared_as_they_are_and_never_deleted() {
    let (mut rig, ch) = Rig::with_channel();
    for (name, kind) in [
        ("amq.direct", "direct"),
        ("amq.fanout", "fanout"),
        ("amq.topic", "topic"),
        ("amq.headers", "headers"),
        ("amq.match", "headers"),
    ] {
        rig.exchange_with(ch, name, kind, |x| x.durable = true);
    }
    rig.exchange_with(ch, "amq.rabbitmq.trace", "topic", |x| (x.durable, x.internal) = (true, true));
    for name in ["amq.direct", "amq.nosuch"] {
        rig.refused(
            ch,
            delete_exchange(name),
            403,
            &format!("ACCESS_REFUSED - deletion of system exchange '{name}' in vhost '/' not allowed"),
        );
    }
}

#[test]
fn r17_the_prefix_is_reserved_and_a_missing_exchange_is_said_to_be() {
    let (mut rig, ch) = Rig::with_channel();
    rig.refused(
        ch,
        Method::ExchangeDeclare(declare("amq.mine", "direct")),
        403,
        "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'",
    );
    rig.exchange(ch, "amq", "direct");
    let passive = ExchangeDeclare { passive: true, ..declare("nosuch", "") };
    rig.refused(ch, Method::ExchangeDeclare(passive), 404, "NOT_FOUND - no exchange 'nosuch' in vhost '/'");
}

#[test]
fn r19_r20_what_must_be_repeated_and_in_which_order_it_is_compared() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "direct", |x| x.durable = true);
    rig.exchange_with(ch, "with", "direct", |x| x.arguments = args(&[("alternate-exchange", "ae")]));
    let mut inequivalent = |declare: ExchangeDeclare, text: &str| {
        let name = declare.exchange.clone();
        let text = format!("PRECONDITION_FAILED - inequivalent arg {text}")
            .replace("R(x)", &format!("exchange '{name}' in vhost '/'"));
        rig.refused(ch, Method::ExchangeDeclare(declare), 406, &text);
    };
    inequivalent(declare("x", "topic"), "'type' for R(x): received 'topic' but current is 'direct'");
    inequivalent(declare("x", "direct"), "'durable' for R(x): received 'false' but current is 'true'");
    let x = || ExchangeDeclare { durable: true, ..declare("x", "direct") };
    inequivalent(
        ExchangeDeclare { auto_delete: true, ..x() },
        "'auto_delete' for R(x): received 'true' but current is 'false'",
    );
    inequivalent(
        ExchangeDeclare { internal: true, ..x() },
        "'internal' for R(x): received 'true' but current is 'false'",
    );
    inequivalent(
        ExchangeDeclare { arguments: args(&[("alternate-exchange", "q")]), ..x() },
        "'alternate-exchange' for R(x): received the value 'q' of type 'longstr' but current is none",
    );
    inequivalent(
        declare("with", "direct"),
        "'alternate-exchange' for R(x): received none but current is the value 'ae' of type 'longstr'",
    );
    inequivalent(
        ExchangeDeclare { arguments: args(&[("alternate-exchange", "ae2")]), ..declare("with", "direct") },
        "'alternate-exchange' for R(x): received 'ae2' but current is 'ae'",
    );
    // Bytes are text, and other arguments are ignored.
    let same = table(&[("alternate-exchange", Value::Bytes("ae".into())), ("x-mine", 1.into())]);
    rig.exchange_with(ch, "with", "direct", |x| x.arguments = same);
    let odd = ExchangeDeclare { arguments: args(&[("alternate-exchange", 1)]), ..declare("new", "direct") };
    rig.refused(
        ch,
        Method::ExchangeDeclare(odd),
        406,
        "PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in exchange 'new' in vhost '/'",
    );
}

#[test]
fn r21_an_exchange_is_in_use_when_it_routes_somewhere() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange(ch, "source", "direct");
    rig.exchange(ch, "sink", "direct");
    rig.bind_exchange(ch, "sink", "source", "");
    let if_unused =
        |name: &str| Method::ExchangeDelete { exchange: short(name), if_unused: true, nowait: false };
    let text = "PRECONDITION_FAILED - exchange 'source' in vhost '/' in use";
    rig.refused(ch, if_unused("source"), 406, text);
    rig.ok(ch, if_unused("sink"));
    rig.ok(ch, if_unused("source"));
    rig.ok(ch, if_unused("source"));
}

#[test]
fn r22_r23_auto_delete_exchanges_collapse_one_after_the_other() {
    let (mut rig, ch) = Rig::with_channel();
    for name in ["a", "b", "c"] {
        rig.exchange_with(ch, name, "fanout", |x| x.auto_delete = true);
    }
    rig.queue(ch, "q");
    rig.bind_exchange(ch, "b", "c", "");
    rig.bind_exchange(ch, "a", "b", "");
    rig.bind(ch, "q", "a", "");
    rig.ok(ch, delete_queue("q"));
    assert!(!rig.has_exchange("a") && !rig.has_exchange("b") && !rig.has_exchange("c"));
}

#[test]
fn r23_a_circle_of_auto_delete_exchanges_goes_at_once() {
    let (mut rig, ch) = Rig::with_channel();
    for name in ["a", "b"] {
        rig.exchange_with(ch, name, "fanout", |x| x.auto_delete = true);
    }
    rig.bind_exchange(ch, "a", "b", "");
    rig.bind_exchange(ch, "b", "a", "");
    rig.ok(ch, delete_exchange("a"));
    assert!(!rig.has_exchange("b"));
}

#[test]
fn r23_an_exchange_that_never_had_a_binding_stays() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "fanout", |x| x.auto_delete = true);
    rig.queue(ch, "q");
    rig.ok(ch, Method::QueueUnbind(queue_bind("q", "x", "", args::<i32>(&[]))));
    assert!(rig.has_exchange("x"));
}

#[test]
fn r23_the_end_of_an_exclusive_queue_takes_the_exchange_along() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "fanout", |x| x.auto_delete = true);
    let owner = rig.client();
    rig.declare(owner, QueueDeclare { queue: short("q"), exclusive: true, ..Default::default() });
    rig.bind(owner, "q", "x", "");
    rig.apply(tavrida_memory::core::Command::Abort { connection: owner.connection });
    assert!(!rig.has_exchange("x"));
}

#[test]
fn r24_an_internal_exchange_takes_messages_from_exchanges_alone() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "inner", "fanout", |x| x.internal = true);
    rig.exchange(ch, "outer", "fanout");
    rig.queue(ch, "q");
    rig.bind_exchange(ch, "inner", "outer", "");
    rig.bind(ch, "q", "inner", "");
    let text = "ACCESS_REFUSED - cannot publish to internal exchange 'inner' in vhost '/'";
    rig.refused(ch, publish("inner", "", "m"), 403, text);
    assert_eq!(rig.publish(ch, "outer", "", "m"), ACK);
    assert_eq!(rig.drain("q"), ["m"]);
}

#[test]
fn r25_one_copy_for_each_queue_whatever_the_paths() {
    let (mut rig, ch) = Rig::with_channel();
    for name in ["a", "b", "c"] {
        rig.exchange(ch, name, "fanout");
    }
    rig.queue(ch, "q");
    for (destination, source) in [("b", "a"), ("c", "a"), ("a", "b"), ("a", "a"), ("c", "b")] {
        rig.bind_exchange(ch, destination, source, "");
    }
    for source in ["a", "b", "c"] {
        rig.bind(ch, "q", source, "one");
        rig.bind(ch, "q", source, "two");
    }
    assert_eq!(rig.publish(ch, "a", "", "m"), ACK);
    assert_eq!(rig.drain("q"), ["m"]);
}

#[test]
fn r26_alternates_apply_at_every_exchange_on_the_way_and_by_name() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange(ch, "first", "fanout");
    rig.exchange_with(ch, "second", "direct", |x| x.arguments = args(&[("alternate-exchange", "third")]));
    rig.bind_exchange(ch, "second", "first", "");
    assert_eq!(rig.publish(ch, "first", "k", Message::from("lost").mandatory()), RETURNED);
    rig.exchange_with(ch, "third", "direct", |x| x.arguments = args(&[("alternate-exchange", "second")]));
    // A circle of alternates is harmless.
    assert_eq!(rig.publish(ch, "first", "k", Message::from("lost").mandatory()), RETURNED);
    rig.queue(ch, "q");
    rig.bind(ch, "q", "third", "k");
    assert_eq!(rig.publish(ch, "first", "k", Message::from("m").mandatory()), ACK);
    assert_eq!(rig.drain("q"), ["m"]);
}

#[test]
fn r28_a_delivery_shows_the_exchange_and_key_of_its_publish() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange(ch, "first", "fanout");
    rig.exchange(ch, "second", "fanout");
    rig.bind_exchange(ch, "second", "first", "");
    rig.queue(ch, "q");
    rig.bind(ch, "q", "second", "");
    rig.publish(ch, "first", "k", "m");
    let got = rig.get(ch, "q").expect("it was routed");
    assert_eq!((&*got.publication.exchange, &*got.publication.routing_key), ("first", "k"));
}

#[test]
fn r29_line_ends_are_no_part_of_names() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange(ch, "x\r\n", "direct");
    let name = rig.declare(ch, QueueDeclare { queue: short("q\r\nnl"), ..Default::default() });
    assert_eq!(name, "qnl");
    rig.bind(ch, "q\nnl", "\rx", "k");
    rig.publish(ch, "x", "k", "m");
    assert_eq!(rig.ready("qnl"), 1);
}

#[test]
fn r30_direct_compares_bytes_and_fanout_nothing() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    for key in ["#", "", "K"] {
        rig.bind(ch, "q", "amq.direct", key);
    }
    let mut routed = |key: &str| rig.publish(ch, "amq.direct", key, Message::from("m").mandatory()) == ACK;
    assert!(routed("#") && routed("") && routed("K"));
    assert!(!routed("k") && !routed("*") && !routed("a"));
}
