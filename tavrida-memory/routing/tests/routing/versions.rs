//! The differences between the versions, one by one.

use tavrida_routing::{
    Binding, DeathReason, Exchange, Message, Outcome, Queue, RabbitMq, Table, Topology, Value,
};

/// Returns whether a headers exchange treats a value of a binding and one of a message as equal.
fn equal(version: RabbitMq, wanted: Value, sent: Value) -> bool {
    let topology = Topology::builder()
        .like(version)
        .exchange(Exchange::headers("h"))
        .queue(Queue::new("q"))
        .bind(Binding::queue("q", "h", "").argument("a", wanted))
        .build()
        .unwrap();
    topology.route(&Message::new("h", "").header("a", sent)).unwrap().reaches("q")
}

#[test]
fn numbers_at_a_headers_exchange() {
    let both = [
        (Value::I32(1), Value::I64(1), true, true),
        (Value::U8(1), Value::I8(1), true, true),
        (Value::F32(1.5), Value::F64(1.5), true, true),
        (Value::I32(1), Value::F64(1.0), true, false),
        (Value::F64(0.0), Value::F64(-0.0), true, false),
        (Value::Timestamp(1), Value::I64(1), true, true),
        (Value::I64(1), Value::Timestamp(1), true, false),
        (Value::I64(1000), Value::Timestamp(1), false, true),
        (Value::Timestamp(1), Value::Timestamp(1), true, false),
        (Value::from("1"), Value::I32(1), false, false),
        (Value::from("a"), Value::Bytes(b"a".to_vec()), true, true),
        (Value::Array(vec![Value::I32(1)]), Value::Array(vec![Value::I64(1)]), false, false),
    ];
    for (wanted, sent, old, new) in both {
        let what = format!("binding {wanted:?}, message {sent:?}");
        assert_eq!(equal(RabbitMq::V3_10, wanted.clone(), sent.clone()), old, "3.10: {what}");
        assert_eq!(equal(RabbitMq::V4_0, wanted, sent), new, "4.0: {what}");
    }
}

#[test]
fn an_x_death_of_a_client_is_continued_by_3_10_and_ignored_by_4_0() {
    let entry = Table::new().with("queue", "wait").with("reason", "expired").with("count", 1i64);
    let message = Message::new("", "work").header("x-death", vec![Value::from(entry)]);
    let dropped = |version| {
        let topology = Topology::builder()
            .like(version)
            .queue(Queue::new("work").dead_letter("", "wait"))
            .queue(Queue::new("wait"))
            .build()
            .unwrap();
        let routing = topology.route(&message).unwrap();
        routing.after_death("work", DeathReason::Expired).unwrap().dropped_in_cycle().count()
    };
    assert_eq!((dropped(RabbitMq::V3_10), dropped(RabbitMq::V4_0)), (1, 0));
}

#[test]
fn a_classic_queue_with_a_leader_locator_is_refused_by_3_10_alone() {
    let declared = |version| {
        let queue = Queue::new("q").argument("x-queue-leader-locator", "balanced");
        Topology::builder().like(version).queue(queue).build().map(drop)
    };
    let refusal = declared(RabbitMq::V3_10).unwrap_err();
    assert_eq!(
        refusal.text,
        "PRECONDITION_FAILED - invalid arg 'x-queue-leader-locator' for queue 'q' in vhost '/' of queue type rabbit_classic_queue"
    );
    declared(RabbitMq::V4_0).unwrap();
}

#[test]
fn another_queue_type_is_refused_in_the_words_of_the_version() {
    let again = |version| {
        let mut topology = Topology::of("/", version);
        topology.declare_queue(Queue::new("q")).unwrap();
        topology.declare_queue(Queue::quorum("q")).unwrap_err().text
    };
    let text = "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received";
    assert_eq!(
        again(RabbitMq::V3_10),
        format!("{text} the value 'quorum' of type 'longstr' but current is none")
    );
    assert_eq!(again(RabbitMq::V4_0), format!("{text} 'quorum' but current is 'classic'"));
}

#[test]
fn a_leader_locator_of_a_classic_queue_is_checked_and_compared_by_4_0() {
    let mut topology = Topology::of("/", RabbitMq::V4_0);
    let queue = |locator| Queue::new("q").argument("x-queue-leader-locator", locator);
    assert_eq!(
        topology.declare_queue(queue("nearby")).unwrap_err().text,
        "PRECONDITION_FAILED - invalid arg 'x-queue-leader-locator' for queue 'q' in vhost '/': invalid_queue_locator_arg"
    );
    topology.declare_queue(queue("balanced")).unwrap();
    assert!(topology.declare_queue(queue("client-local")).unwrap_err().text.contains("inequivalent arg"));
}

#[test]
fn an_upgrade_shows_as_a_diff_which_headers_match_otherwise() {
    let like = |version| {
        let binding = |name: &str, value: Value| Binding::queue(name, "h", "").argument("n", value);
        Topology::builder()
            .like(version)
            .exchange(Exchange::headers("h"))
            .exchange(Exchange::topic("t"))
            .queue(Queue::new("integer"))
            .queue(Queue::new("time"))
            .bind(binding("integer", 1.into()))
            .bind(binding("time", Value::Timestamp(5000)))
            .bind_queue("time", "t", "#")
            .build()
            .unwrap()
    };
    let (before, after) = (like(RabbitMq::V3_10), like(RabbitMq::V4_0));
    let diff = before.diff(&after);
    assert_eq!(
        diff.to_string(),
        "'' to 'h' {n: 1.0}: integer -> returned\n'' to 'h' {n: 5000.0}: time -> returned\n'' to 'h' {n: T5}: returned -> time\n"
    );
    for change in &diff.changes {
        let of = |topology: &Topology| {
            let routing = topology.route(&change.message).unwrap();
            routing.queues().map(str::to_owned).collect()
        };
        assert_eq!(
            (Outcome::Queues(of(&before)), Outcome::Queues(of(&after))),
            (change.before.clone(), change.after.clone())
        );
    }
    assert!(diff.is_complete() && after.diff(&after).is_empty());
}
