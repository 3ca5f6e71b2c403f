//! A node that stops and restarts (R124 to R126).

use tavrida_memory::core::{ChannelId, Command, Effect, Method, Operator, QueueDeclare};

use crate::rig::*;

fn durable(name: &str) -> QueueDeclare {
    QueueDeclare { queue: short(name), durable: true, ..Default::default() }
}

fn restart(rig: &mut Rig) -> ChannelId {
    rig.operate(Operator::Restart);
    rig.client()
}

#[test]
fn r124_durable_things_stay_with_their_bindings() {
    let (mut rig, ch) = Rig::with_channel();
    rig.exchange_with(ch, "x", "topic", |x| x.durable = true);
    rig.exchange_with(ch, "fades", "topic", |x| (x.durable, x.auto_delete) = (true, true));
    rig.exchange(ch, "transient", "fanout");
    rig.declare(ch, durable("q"));
    rig.declare(ch, QueueDeclare { auto_delete: true, ..durable("auto") });
    rig.declare(ch, QueueDeclare { exclusive: true, ..durable("mine") });
    rig.queue(ch, "transient");
    rig.consume(ch, "auto", "t");
    rig.bind(ch, "q", "x", "a.#");
    rig.bind(ch, "transient", "x", "a.#");
    rig.bind(ch, "transient", "fades", "a.#");
    rig.bind(ch, "q", "transient", "");
    rig.bind_exchange(ch, "x", "amq.topic", "#");
    let ch = restart(&mut rig);
    assert!(rig.has_exchange("x") && rig.has_exchange("fades") && !rig.has_exchange("transient"));
    assert_eq!(rig.counts("auto"), Some((0, 0)));
    assert_eq!((rig.counts("mine"), rig.counts("transient")), (None, None));
    let bindings: Vec<_> = rig
        .broker
        .snapshot()
        .bindings
        .iter()
        .map(|binding| format!("{}-{}", binding.source, binding.destination))
        .collect();
    assert_eq!(bindings, ["amq.topic-x", "x-q"]);
    rig.publish(ch, "amq.topic", "a.b", "m");
    assert_eq!(rig.drain("q"), ["m"]);
    // A transient queue of the same name has none of the old bindings.
    rig.queue(ch, "transient");
    assert_eq!(rig.publish(ch, "fades", "a.b", Message::from("m").mandatory()), RETURNED);
}

#[test]
fn r124_persistent_messages_stay_in_their_order_and_places() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, QueueDeclare { arguments: args(&[("x-max-priority", 5)]), ..durable("q") });
    rig.queue(ch, "transient");
    for (body, priority) in [("low", 1), ("high", 5), ("low too", 1)] {
        rig.publish(ch, "", "q", Message::from(body).priority(priority).persistent());
    }
    rig.publish(ch, "", "q", Message::from("lost").priority(5));
    rig.publish(ch, "", "transient", Message::from("lost").persistent());
    restart(&mut rig);
    assert_eq!(rig.drain("q"), ["high", "low", "low too"]);
}

#[test]
fn r125_unsettled_messages_come_back_marked_and_the_others_not() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, durable("q"));
    for body in ["acked", "unsettled", "requeued", "untouched", "in a transaction"] {
        rig.publish(ch, "", "q", Message::from(body).persistent());
    }
    let transaction = rig.plain_channel(ch.connection, 2);
    rig.ok(transaction, Method::TxSelect);
    assert_eq!(rig.gets(transaction, "q", 5).len(), 5);
    rig.ok(transaction, nack(4, true, true));
    rig.ok(transaction, Method::TxCommit);
    rig.ack(transaction, 5);
    rig.gets(ch, "q", 2);
    rig.ack(ch, 1);
    restart(&mut rig);
    assert_eq!(rig.drain("q"), ["unsettled*", "requeued*", "untouched*", "in a transaction*"]);
}

#[test]
fn r126_after_a_kill_everything_is_marked() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, durable("q"));
    rig.publish(ch, "", "q", Message::from("acked").persistent());
    rig.gets(ch, "q", 1);
    rig.ack(ch, 1);
    rig.publish(ch, "", "q", Message::from("m").persistent());
    let effects = rig.operate(Operator::Kill);
    assert_eq!(effects, [Effect::ConnectionClosed { connection: ch.connection, reason: None }]);
    assert_eq!(rig.drain("q"), ["m*"]);
}

#[test]
fn r9_a_restart_tells_every_connection() {
    let (mut rig, ch) = Rig::with_channel();
    let other = rig.client();
    let effects = rig.operate(Operator::Restart);
    let told: Vec<_> = effects
        .iter()
        .map(|effect| match effect {
            Effect::ConnectionClosed { connection, reason: Some(reason) } => {
                let text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'";
                assert_eq!((reason.code, reason.text.as_str()), (320, text));
                *connection
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [ch.connection, other.connection]);
    assert_eq!(rig.apply(Command::Close { connection: ch.connection }), []);
}

#[test]
fn what_a_stopping_node_gives_back_is_neither_dropped_nor_dead_lettered() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, durable("dead"));
    let arguments = table(&[
        ("x-max-length", 1.into()),
        ("x-dead-letter-exchange", "".into()),
        ("x-dead-letter-routing-key", "dead".into()),
    ]);
    rig.declare(ch, QueueDeclare { arguments, ..durable("q") });
    rig.publish(ch, "", "q", Message::from("a").persistent());
    rig.gets(ch, "q", 1);
    rig.publish(ch, "", "q", Message::from("b").persistent());
    restart(&mut rig);
    assert_eq!(rig.drain("q"), ["a*", "b"]);
    assert_eq!(rig.ready("dead"), 0);
}
