//! Bindings: identity, errors, shortcuts (R36, R43 to R48, R52).

use tavrida::field::{Table, Value};
use tavrida_memory::core::{Method, QueueDeclare};

use crate::rig::*;

fn bindings(rig: &Rig) -> usize {
    rig.broker.snapshot().bindings.len()
}

#[test]
fn r43_arguments_are_part_of_the_identity_with_their_types_and_without_their_order() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let mut bind = |arguments: Table| {
        rig.bind_with(ch, "q", "amq.direct", "k", arguments);
        bindings(&rig)
    };
    assert_eq!(bind(table(&[("x", Value::I32(1)), ("y", "z".into())])), 1);
    assert_eq!(bind(table(&[("y", "z".into()), ("x", Value::I32(1))])), 1);
    assert_eq!(bind(table(&[("x", Value::I64(1)), ("y", "z".into())])), 2);
    // Both route the same copies to the same queue.
    rig.publish(ch, "amq.direct", "k", "m");
    assert_eq!(rig.drain("q"), ["m"]);
    let first = table(&[("x", Value::I32(1)), ("y", "z".into())]);
    rig.ok(ch, Method::QueueUnbind(queue_bind("q", "amq.direct", "k", first)));
    rig.publish(ch, "amq.direct", "k", "m");
    assert_eq!(rig.drain("q"), ["m"], "the other binding is still there");
}

#[test]
fn r44_a_missing_source_is_told_before_a_missing_destination() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let bind = |queue: &str, exchange: &str| Method::QueueBind(queue_bind(queue, exchange, "", Table::new()));
    rig.refused(ch, bind("no-q", "no-x"), 404, "NOT_FOUND - no exchange 'no-x' in vhost '/'");
    rig.refused(ch, bind("no-q", "amq.direct"), 404, "NOT_FOUND - no queue 'no-q' in vhost '/'");
    let to = Method::ExchangeBind(exchange_bind("no-x", "amq.direct", ""));
    rig.refused(ch, to, 404, "NOT_FOUND - no exchange 'no-x' in vhost '/'");
}

#[test]
fn r36_r44_an_invalid_x_match_is_told_before_who_owns_the_queue() {
    let (mut rig, ch) = Rig::with_channel();
    let owner = rig.client();
    rig.declare(owner, QueueDeclare { queue: short("mine"), exclusive: true, ..Default::default() });
    let wrong = args(&[("x-match", "some")]);
    rig.refused(
        ch,
        Method::QueueBind(queue_bind("mine", "amq.headers", "", wrong.clone())),
        406,
        "PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x",
    );
    // Other exchanges ignore it.
    rig.bind_with(owner, "mine", "amq.direct", "", wrong.clone());
    let locked = Method::QueueBind(queue_bind("mine", "amq.direct", "", wrong.clone()));
    rig.refused(ch, locked, 405, LOCKED);
    // Unbinding checks the owner of the queue only if the binding exists (R45, R52).
    rig.refused(ch, Method::QueueUnbind(queue_bind("mine", "amq.direct", "", wrong)), 405, LOCKED);
    rig.ok(ch, Method::QueueUnbind(queue_bind("mine", "amq.direct", "other", Table::new())));
}

const LOCKED: &str = "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'. It could be \
                      originally declared on another connection or the exclusive property value does not match that of \
                      the original declaration.";

#[test]
fn r45_unbinding_what_is_not_there_is_fine() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    for (queue, exchange) in [("no-q", "no-x"), ("q", "no-x"), ("no-q", "amq.direct"), ("q", "amq.direct")] {
        rig.ok(ch, Method::QueueUnbind(queue_bind(queue, exchange, "k", Table::new())));
    }
    rig.ok(ch, Method::ExchangeUnbind(exchange_bind("no-x", "amq.direct", "")));
}

#[test]
fn r46_no_name_means_the_last_queue_and_no_key_beside_it_the_queues_name() {
    let (mut rig, ch) = Rig::with_channel();
    let nameless = Method::QueueBind(queue_bind("", "amq.direct", "", Table::new()));
    rig.refused(ch, nameless.clone(), 404, "NOT_FOUND - no previously declared queue");
    rig.queue(ch, "q");
    rig.ok(ch, nameless);
    rig.bind(ch, "q", "amq.topic", "");
    let keys: Vec<_> =
        rig.broker.snapshot().bindings.iter().map(|binding| binding.routing_key.to_string()).collect();
    assert_eq!(keys, ["q", ""]);
}

#[test]
fn r47_a_queues_bindings_do_not_come_back_with_its_name() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.bind(ch, "q", "amq.fanout", "");
    rig.ok(ch, delete_queue("q"));
    rig.queue(ch, "q");
    assert_eq!(bindings(&rig), 0);
    assert_eq!(rig.publish(ch, "amq.fanout", "", Message::from("m").mandatory()), RETURNED);
}

#[test]
fn r42_the_key_of_a_headers_binding_is_part_of_its_identity_alone() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.bind(ch, "q", "amq.headers", "one");
    rig.bind(ch, "q", "amq.headers", "two");
    assert_eq!(bindings(&rig), 2);
    rig.publish(ch, "amq.headers", "three", "m");
    assert_eq!(rig.drain("q"), ["m"]);
}
