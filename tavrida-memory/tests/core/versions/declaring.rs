//! Exchanges, queues, bindings, consumers.

use tavrida::field::Value;
use tavrida_memory::core::{BasicConsume, Config, ExchangeDeclare, Method, QueueDeclare, RabbitMq};

use super::*;

#[test]
fn r6_an_unknown_exchange_type_is_a_soft_error_now() {
    let found = both(|rig, ch| {
        let declare = ExchangeDeclare { exchange: short("x"), kind: short("x-none"), ..Default::default() };
        refusal(rig, ch, Method::ExchangeDeclare(declare))
    });
    let text = "unknown exchange type 'x-none'";
    assert_eq!(
        found,
        [
            Some((503, format!("COMMAND_INVALID - {text}"))),
            Some((406, format!("PRECONDITION_FAILED - {text}")))
        ]
    );
}

#[test]
fn r54_a_queue_without_a_type_is_a_classic_one_in_error_texts() {
    let found = both(|rig, ch| {
        declare(rig, ch, "q", &[]);
        refusal(rig, ch, Method::QueueDeclare(durable("q", &quorum(&[])))).expect("another type").1
    });
    let start = "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received";
    assert_eq!(
        found,
        [
            format!("{start} the value 'quorum' of type 'longstr' but current is none"),
            format!("{start} 'quorum' but current is 'classic'"),
        ]
    );
}

#[test]
fn r56_a_classic_queue_takes_a_leader_locator_and_knows_stream_filters() {
    let refused = |name: &'static str, value: Value| {
        both(move |rig, ch| {
            code(refusal(rig, ch, Method::QueueDeclare(durable("q", &[(name, value.clone())]))))
        })
    };
    assert_eq!(refused("x-queue-leader-locator", "balanced".into()), [Some(406), None]);
    assert_eq!(refused("x-stream-filter-size-bytes", 16.into()), [None, Some(406)]);
}

#[test]
fn r54_r56_a_leader_locator_is_checked_and_compared_last() {
    let (mut rig, ch) = Rig::like(RabbitMq::V4_0);
    let locator =
        |value: &str| Method::QueueDeclare(durable("q", &[("x-queue-leader-locator", value.into())]));
    let text = "PRECONDITION_FAILED - invalid arg 'x-queue-leader-locator' for queue 'q' in vhost '/': invalid_queue_locator_arg";
    rig.refused(ch, locator("nowhere"), 406, text);
    rig.ok(ch, locator("balanced"));
    let (code, text) = refusal(&mut rig, ch, locator("client-local")).expect("another locator");
    assert_eq!(code, 406);
    assert!(text.ends_with("received 'client-local' but current is 'balanced'"), "{text}");
}

#[test]
fn r105_a_consumer_argument_of_mirrored_queues_is_ignored() {
    let found = both(|rig, ch| {
        rig.queue(ch, "q");
        let consume = BasicConsume {
            queue: short("q"),
            arguments: args(&[("x-cancel-on-ha-failover", "yes")]),
            ..Default::default()
        };
        code(refusal(rig, ch, Method::BasicConsume(consume)))
    });
    assert_eq!(found, [Some(406), None]);
}

#[test]
fn r77_a_maximum_of_no_priority_is_one() {
    let found = both(|rig, ch| {
        rig.queue_with(ch, "q", table(&[("x-max-priority", 0.into())]));
        rig.publish(ch, "", "q", "low");
        rig.publish(ch, "", "q", Message::from("high").priority(1));
        rig.drain("q")
    });
    assert_eq!(found, [["low", "high"], ["high", "low"]]);
}

#[test]
fn r39_numbers_match_by_their_type() {
    let matches = |wanted: Value, found: Value| {
        both(move |rig, ch| {
            rig.queue(ch, "q");
            rig.bind_with(ch, "q", "amq.headers", "", table(&[("a", wanted.clone())]));
            rig.publish(ch, "amq.headers", "", Message::from("m").headers(table(&[("a", found.clone())])));
            rig.ready("q") == 1
        })
    };
    assert_eq!(matches(Value::I32(1), Value::I64(1)), [true, true]);
    assert_eq!(matches(Value::F32(0.5), Value::F64(0.5)), [true, true]);
    assert_eq!(matches(Value::I32(1), Value::F64(1.0)), [true, false]);
    assert_eq!(matches(Value::F64(0.0), Value::F64(-0.0)), [true, false]);
    assert_eq!(matches(Value::Timestamp(1), Value::I32(1)), [true, true]);
    assert_eq!(matches(Value::I32(1), Value::Timestamp(1)), [true, false]);
    assert_eq!(matches(Value::I32(1000), Value::Timestamp(1)), [false, true]);
}

#[test]
fn r39_the_same_holds_for_an_exchange_of_ones_own() {
    let found = both(|rig, ch| {
        rig.exchange(ch, "x", "headers");
        rig.queue(ch, "q");
        rig.bind_with(ch, "q", "x", "", table(&[("a", 1.into())]));
        rig.publish(ch, "x", "", Message::from("m").headers(table(&[("a", Value::F64(1.0))])));
        rig.ready("q")
    });
    assert_eq!(found, [1, 0]);
}

#[test]
fn r139_a_virtual_host_may_make_quorum_queues() {
    let kind = |version: RabbitMq, declare: QueueDeclare| {
        let config = Config { behaviour: version.into(), quorum_by_default: true, ..Config::default() };
        let mut rig = Rig::with(config);
        let ch = rig.client();
        rig.declare(ch, declare.clone());
        rig.declare(ch, declare);
        let snapshot = rig.broker.snapshot();
        text(&snapshot.queues[0].arguments, "x-queue-type")
    };
    let plain = durable("q", &[]);
    assert_eq!(kind(RabbitMq::V4_0, plain.clone()).as_deref(), Some("quorum"));
    assert_eq!(kind(RabbitMq::V3_10, plain.clone()), None, "it has no such setting");
    for other in [
        QueueDeclare { durable: false, ..plain.clone() },
        QueueDeclare { exclusive: true, ..plain.clone() },
        QueueDeclare { auto_delete: true, ..plain.clone() },
        QueueDeclare { queue: short(""), exclusive: true, ..plain },
    ] {
        assert_eq!(kind(RabbitMq::V4_0, other), None);
    }
}

#[test]
fn r139_a_queue_of_the_default_type_is_declared_again_with_or_without_it() {
    let config = Config { behaviour: RabbitMq::V4_0.into(), quorum_by_default: true, ..Config::default() };
    let mut rig = Rig::with(config);
    let ch = rig.client();
    declare(&mut rig, ch, "q", &[]);
    declare(&mut rig, ch, "q", &quorum(&[]));
    let classic = durable("q", &[("x-queue-type", "classic".into())]);
    let (_, text) = refusal(&mut rig, ch, Method::QueueDeclare(classic)).expect("another type");
    assert!(text.ends_with("received 'classic' but current is 'quorum'"), "{text}");
}
