//! The lifecycle of queues: names, owners, counts, deletion (R49 to R62).

use tavrida_memory::core::{Command, Method, MethodReply, QueueDeclare};

use crate::rig::*;

#[test]
fn r49_the_broker_makes_up_names_and_tags() {
    let (mut rig, ch) = Rig::with_channel();
    let name = rig.declare(ch, QueueDeclare::default());
    assert!(name.starts_with("amq.gen-") && name.len() == 30, "{name}");
    let Some(MethodReply::BasicConsumeOk { consumer_tag }) = rig.ok(ch, consume(&name, "")) else { panic!() };
    assert!(consumer_tag.starts_with("amq.ctag-") && consumer_tag.len() == 31, "{consumer_tag}");
    // R50: it cannot be declared by its name again, but checked.
    let text = format!("ACCESS_REFUSED - queue name '{name}' contains reserved prefix 'amq.*'");
    rig.refused(ch, declare_queue(&name, args::<i32>(&[])), 403, &text);
    assert_eq!(rig.counts(&name), None.or(Some((0, 0))));
}

#[test]
fn r51_r53_who_declares_again_must_be_the_owner_and_say_the_same() {
    let (mut rig, ch) = Rig::with_channel();
    let declare = |edit: fn(&mut QueueDeclare)| {
        let mut declare = QueueDeclare { queue: short("q"), ..Default::default() };
        edit(&mut declare);
        Method::QueueDeclare(declare)
    };
    rig.ok(ch, declare(|q| q.exclusive = true));
    rig.ok(ch, declare(|q| (q.exclusive, q.durable) = (true, true)));
    let locked = "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally \
                  declared on another connection or the exclusive property value does not match that of the original \
                  declaration.";
    rig.refused(ch, declare(|_| {}), 405, locked);
    let other = rig.client();
    rig.refused(other, declare(|q| q.exclusive = true), 405, locked);
    // R52: for all operations of another connection except publishing.
    for method in [passive_queue("q"), get("q"), consume("q", "t"), purge("q"), delete_queue("q")] {
        rig.refused(other, method, 405, locked);
    }
    assert_eq!(rig.publish(other, "", "q", Message::from("m").mandatory()), ACK);
    assert_eq!(rig.gets(ch, "q", 2), ["m"]);
}

#[test]
fn r51_fields_are_compared_in_order() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let declare = QueueDeclare { queue: short("q"), durable: true, auto_delete: true, ..Default::default() };
    let text = |field| {
        format!(
            "PRECONDITION_FAILED - inequivalent arg '{field}' for queue 'q' in vhost '/': received 'true' but current is 'false'"
        )
    };
    rig.refused(ch, Method::QueueDeclare(declare.clone()), 406, &text("durable"));
    let declare = QueueDeclare { durable: false, ..declare };
    rig.refused(ch, Method::QueueDeclare(declare), 406, &text("auto_delete"));
}

#[test]
fn r57_counts_are_of_ready_messages_and_a_passive_declare_compares_nothing() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    rig.gets(ch, "q", 1);
    rig.qos(ch, 1, false);
    rig.consume(ch, "q", "t");
    let passive = QueueDeclare { queue: short("q"), passive: true, durable: true, ..Default::default() };
    let reply = rig.ok(ch, Method::QueueDeclare(passive));
    assert_eq!(
        reply,
        Some(MethodReply::QueueDeclareOk { queue: short("q"), message_count: 1, consumer_count: 1 })
    );
    rig.refused(ch, passive_queue("nosuch"), 404, "NOT_FOUND - no queue 'nosuch' in vhost '/'");
    rig.refused(ch, passive_queue(""), 404, "NOT_FOUND - no queue '' in vhost '/'");
}

#[test]
fn r58_no_name_means_the_queue_declared_last_passively_too() {
    let (mut rig, ch) = Rig::with_channel();
    for method in [get(""), consume("", "t"), purge(""), delete_queue("")] {
        rig.refused(ch, method, 404, "NOT_FOUND - no previously declared queue");
    }
    rig.queue(ch, "first");
    rig.queue(ch, "second");
    rig.ok(ch, passive_queue("first"));
    rig.fill(ch, "first", ["m"]);
    assert_eq!(rig.ok(ch, purge("")), Some(MethodReply::QueuePurgeOk { message_count: 1 }));
    rig.ok(ch, delete_queue(""));
    assert_eq!(rig.counts("first"), None);
}

#[test]
fn r59_conditions_of_a_delete() {
    let (mut rig, ch) = Rig::with_channel();
    let delete =
        |if_unused, if_empty| Method::QueueDelete { queue: short("q"), if_unused, if_empty, nowait: false };
    assert_eq!(rig.ok(ch, delete(true, true)), Some(MethodReply::QueueDeleteOk { message_count: 0 }));
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    let consumer = rig.client();
    rig.qos(consumer, 1, false);
    rig.consume(consumer, "q", "t");
    rig.refused(ch, delete(true, true), 406, "PRECONDITION_FAILED - queue 'q' in vhost '/' not empty");
    rig.refused(ch, delete(true, false), 406, "PRECONDITION_FAILED - queue 'q' in vhost '/' in use");
    rig.ok(ch, purge("q"));
    // Unacknowledged messages do not count, and are deleted; their settlement is accepted.
    assert_eq!(rig.ok(ch, delete(false, true)), Some(MethodReply::QueueDeleteOk { message_count: 0 }));
    assert_eq!(rig.arrived(consumer), ["t:1:0", "cancel t"]);
    rig.requeue(consumer, 1);
}

#[test]
fn r60_a_purge_leaves_what_is_unsettled() {
    let (mut rig, ch) = Rig::with_channel();
    rig.refused(ch, purge("q"), 404, "NOT_FOUND - no queue 'q' in vhost '/'");
    rig.queue(ch, "q");
    rig.fill(ch, "q", 0..3);
    rig.gets(ch, "q", 1);
    assert_eq!(rig.ok(ch, purge("q")), Some(MethodReply::QueuePurgeOk { message_count: 2 }));
    rig.requeue(ch, 1);
    assert_eq!(rig.drain("q"), ["0*"]);
}

#[test]
fn r61_an_auto_delete_queue_goes_with_the_channel_of_its_last_consumer_and_not_before_the_first() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, QueueDeclare { queue: short("q"), auto_delete: true, ..Default::default() });
    rig.fill(ch, "q", ["m"]);
    rig.gets(ch, "q", 1);
    assert_eq!(rig.counts("q"), Some((0, 0)), "basic.get is no consumer");
    let (one, two) = (rig.client(), rig.client());
    rig.consume(one, "q", "t");
    rig.consume(two, "q", "t");
    rig.apply(Command::Abort { connection: one.connection });
    assert_eq!(rig.counts("q"), Some((0, 1)));
    // A channel error ends consumers as well.
    rig.refused(two, passive_queue("nosuch"), 404, "NOT_FOUND - no queue 'nosuch' in vhost '/'");
    assert_eq!(rig.counts("q"), None);
}

#[test]
fn r62_an_exclusive_queue_lives_with_its_connection_not_its_channel() {
    let (mut rig, ch) = Rig::with_channel();
    let owner = rig.connect();
    let first = rig.channel(owner, 1);
    let second = rig.channel(owner, 2);
    rig.declare(first, QueueDeclare { queue: short("q"), exclusive: true, ..Default::default() });
    rig.ok(first, Method::ChannelClose);
    assert_eq!(rig.gets(second, "q", 1).len(), 0);
    assert_eq!(rig.publish(ch, "", "q", Message::from("m").mandatory()), ACK);
    rig.apply(Command::Close { connection: owner });
    assert_eq!(rig.publish(ch, "", "q", Message::from("m").mandatory()), RETURNED);
}

#[test]
fn r13_nowait_gives_no_reply_and_errors_all_the_same() {
    let (mut rig, ch) = Rig::with_channel();
    let declare = QueueDeclare { queue: short("q"), nowait: true, ..Default::default() };
    assert_eq!(rig.ok(ch, Method::QueueDeclare(declare.clone())), None);
    assert_eq!(rig.counts("q"), Some((0, 0)));
    let text = "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but current is \
                'false'";
    rig.refused(ch, Method::QueueDeclare(QueueDeclare { durable: true, ..declare }), 406, text);
    let delete = |name: &str| Method::QueueDelete {
        queue: short(name),
        if_unused: false,
        if_empty: false,
        nowait: true,
    };
    assert_eq!(rig.ok(ch, delete("q")), None);
    assert_eq!(rig.ok(ch, delete("q")), None);
}

#[test]
fn r65_modes_and_versions_of_storage_change_nothing_that_is_seen() {
    let story = |arguments: tavrida::field::Table| {
        let (mut rig, ch) = Rig::with_channel();
        rig.queue_with(ch, "q", arguments);
        rig.fill(ch, "q", 0..4);
        rig.gets(ch, "q", 2);
        rig.requeue(ch, 1);
        let counts = rig.counts("q");
        rig.requeue(ch, 2);
        (counts, rig.drain("q"))
    };
    let plain = story(args::<i32>(&[]));
    assert_eq!(plain.1, ["0*", "1*", "2", "3"]);
    assert_eq!(story(args(&[("x-queue-mode", "lazy")])), plain);
    assert_eq!(story(args(&[("x-queue-mode", "default")])), plain);
    assert_eq!(story(args(&[("x-queue-version", 2)])), plain);
}
