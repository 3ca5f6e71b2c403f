//! What later versions do, by their source: single behaviours, off by default.

use tavrida_memory::core::{Behaviour, Method, QueueDeclare};

use super::*;

fn behaving(change: impl Fn(&mut Behaviour)) -> (Rig, ChannelId) {
    let mut behaviour = Behaviour::of(RabbitMq::V4_0);
    change(&mut behaviour);
    let mut rig = Rig::behaving(behaviour);
    let ch = rig.client();
    (rig, ch)
}

#[test]
fn r50_a_transient_queue_that_is_not_exclusive_is_refused() {
    let (mut rig, ch) = behaving(|behaviour| behaviour.refuses_transient_queues = true);
    let declare = |durable: bool, exclusive: bool| {
        Method::QueueDeclare(QueueDeclare { queue: short("q"), durable, exclusive, ..Default::default() })
    };
    rig.ok(ch, declare(false, true));
    rig.ok(ch, delete_queue("q"));
    rig.ok(ch, declare(true, false));
    rig.ok(ch, delete_queue("q"));
    let (code, text) = refusal(&mut rig, ch, declare(false, false)).expect("it is refused");
    assert_eq!((code, text.len()), (541, 255));
    assert!(
        text.starts_with("INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\nBy default")
    );
}

#[test]
fn r32_a_pattern_has_two_hashes_at_most() {
    let (mut rig, ch) = behaving(|behaviour| behaviour.most_hashes = Some(2));
    rig.queue(ch, "q");
    rig.bind(ch, "q", "amq.topic", "#.a.#");
    rig.bind(ch, "q", "amq.topic", "#a.##.#.#");
    rig.bind(ch, "q", "amq.direct", "#.#.#");
    let bind = Method::QueueBind(queue_bind("q", "amq.topic", "#.a.#.#", Table::new()));
    let text =
        "PRECONDITION_FAILED - Topic binding key '#.a.#.#' uses 3 '#' wildcards, at most 2 are allowed";
    rig.refused(ch, bind, 406, text);
}

#[test]
fn r132_what_a_client_returns_does_not_count_towards_the_limit() {
    let (mut rig, ch) = behaving(|behaviour| behaviour.forgives_returns = true);
    declare(&mut rig, ch, "q", &quorum(&[("x-delivery-limit", 1.into())]));
    rig.fill(ch, "q", ["m"]);
    for returns in 1..5 {
        let got = rig.get(ch, "q").expect("the message");
        rig.requeue(ch, got.delivery_tag);
        let shown = rig.broker.snapshot().queues[0].ready.len();
        assert_eq!(shown, 1, "after {returns} returns");
    }
    for left in [1, 0] {
        let other = rig.client();
        rig.get(other, "q").expect("the message");
        rig.ok(other, Method::ChannelClose);
        assert_eq!(rig.ready("q"), left, "a channel that ends does count");
    }
}
