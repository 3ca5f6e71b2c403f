//! At-least-once dead letters of a quorum queue (R136).

use tavrida::field::Value;
use tavrida_memory::core::{ChannelId, MethodReply, Operator, QueueDeclare};

use crate::rig::*;

/// Three minutes, RabbitMQ's time between two rounds.
const ROUND: u64 = 3 * 60 * 1000;

fn owing(to: &str, more: &[(&str, Value)]) -> QueueDeclare {
    let mut arguments = args(&[
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", to),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ]);
    arguments.extend(more.iter().map(|(name, value)| (short(name), value.clone())));
    QueueDeclare { queue: short("q"), durable: true, arguments, ..Default::default() }
}

/// Returns a queue that keeps this dead letter for an exchange.
fn with_debt(to: &str, body: &str) -> (Rig, ChannelId) {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, owing(to, &[]));
    bury(&mut rig, ch, body);
    (rig, ch)
}

fn bury(rig: &mut Rig, ch: ChannelId, body: &str) {
    rig.fill(ch, "q", [body]);
    let got = rig.get(ch, "q").expect("it was just put there");
    rig.discard(ch, got.delivery_tag);
}

fn kept(rig: &Rig) -> Vec<String> {
    let snapshot = rig.broker.snapshot();
    let queue = snapshot.queue("q").expect("the queue is there");
    queue.dead_letters.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
}

#[test]
fn r136_what_has_nowhere_to_go_is_kept_and_nothing_is_awaited() {
    let (mut rig, ch) = with_debt("x", "m");
    assert_eq!((kept(&rig), rig.ready("q")), (vec!["m".to_owned()], 0));
    assert_eq!(rig.broker.next_timeout(), None, "no round could come to anything");
    assert_eq!(rig.broker.queued().count(), 1);
    rig.exchange(ch, "x", "fanout");
    assert_eq!(rig.broker.next_timeout(), None, "an exchange without a binding takes nothing");
}

#[test]
fn r136_it_goes_in_the_round_after_its_target_came() {
    let (mut rig, ch) = with_debt("x", "m");
    rig.wait(ROUND + 1000);
    rig.exchange(ch, "x", "fanout");
    rig.queue(ch, "dead");
    rig.bind(ch, "dead", "x", "");
    rig.wait(ROUND - 1001);
    assert_eq!(rig.ready("dead"), 0);
    rig.wait(1);
    assert_eq!(rig.drain("dead"), ["m"]);
    assert_eq!((kept(&rig).len(), rig.broker.next_timeout()), (0, None));
}

#[test]
fn r136_what_was_refused_is_tried_again_by_who_refused_it() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "roomy");
    rig.queue_with(ch, "full", table(&[("x-max-length", 1.into()), ("x-overflow", "reject-publish".into())]));
    rig.fill(ch, "full", ["before"]);
    for queue in ["roomy", "full"] {
        rig.bind(ch, queue, "amq.fanout", "");
    }
    rig.declare(ch, owing("amq.fanout", &[]));
    bury(&mut rig, ch, "m");
    rig.wait(ROUND);
    assert_eq!(kept(&rig), ["m"]);
    assert_eq!(rig.drain("full"), ["before"]);
    rig.wait(ROUND);
    assert_eq!((rig.drain("full"), rig.drain("roomy")), (vec!["m".to_owned()], vec!["m".to_owned()]));
    assert_eq!(kept(&rig).len(), 0);
}

#[test]
fn r136_a_target_that_is_unbound_meanwhile_is_not_waited_for() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "roomy");
    rig.queue_with(ch, "full", table(&[("x-max-length", 0.into()), ("x-overflow", "reject-publish".into())]));
    for queue in ["roomy", "full"] {
        rig.bind(ch, queue, "amq.fanout", "");
    }
    rig.declare(ch, owing("amq.fanout", &[]));
    bury(&mut rig, ch, "m");
    rig.ok(ch, delete_queue("full"));
    rig.wait(ROUND);
    assert_eq!((kept(&rig).len(), rig.drain("roomy")), (0, vec!["m".to_owned()]));
}

#[test]
fn r136_debts_survive_a_restart_which_tries_them_at_once() {
    for operator in [Operator::Restart, Operator::Kill] {
        let (mut rig, _) = with_debt("x", "m");
        rig.operate(operator.clone());
        assert_eq!(kept(&rig), ["m"]);
        let ch = rig.client();
        rig.exchange_with(ch, "x", "fanout", |x| x.durable = true);
        rig.declare(ch, QueueDeclare { queue: short("dead"), durable: true, ..Default::default() });
        rig.bind(ch, "dead", "x", "");
        rig.operate(operator);
        assert_eq!((kept(&rig).len(), rig.drain("dead")), (0, vec!["m".to_owned()]));
    }
}

#[test]
fn r136_debts_go_with_their_queue() {
    let (mut rig, ch) = with_debt("x", "m");
    rig.ok(ch, delete_queue("q"));
    rig.exchange(ch, "x", "fanout");
    rig.queue(ch, "dead");
    rig.bind(ch, "dead", "x", "");
    rig.wait(2 * ROUND);
    assert_eq!((rig.ready("dead"), rig.broker.next_timeout()), (0, None));
}

#[test]
fn r136_a_purge_takes_what_is_ready_alone() {
    let (mut rig, ch) = with_debt("x", "m");
    rig.fill(ch, "q", ["ready"]);
    assert_eq!(rig.ok(ch, purge("q")), Some(MethodReply::QueuePurgeOk { message_count: 1 }));
    assert_eq!(kept(&rig), ["m"]);
}

#[test]
fn r136_a_second_try_leaves_hidden_copies_out() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, owing("", &[]));
    rig.bind(ch, "q", "amq.fanout", "");
    let bcc = Message::from("m").headers(table(&[("BCC", vec![Value::from("hidden")].into())]));
    rig.publish(ch, "amq.fanout", "seen", bcc);
    let got = rig.get(ch, "q").expect("the message");
    rig.discard(ch, got.delivery_tag);
    for queue in ["seen", "hidden"] {
        rig.queue(ch, queue);
    }
    rig.wait(ROUND);
    assert_eq!((rig.drain("seen"), rig.ready("hidden")), (vec!["m".to_owned()], 0));
}
