//! Transactions (R116 to R118).

use tavrida_memory::core::{ChannelId, Command, Effect, Method, MethodReply};

use crate::rig::*;

fn transactional() -> (Rig, ChannelId) {
    let mut rig = Rig::new();
    let connection = rig.connect();
    let ch = rig.plain_channel(connection, 1);
    assert_eq!(rig.ok(ch, Method::TxSelect), Some(MethodReply::TxSelectOk));
    (rig, ch)
}

/// Calls a method that must close the channel; it stays closed.
#[track_caller]
fn closes(rig: &mut Rig, ch: ChannelId, method: Method, text: &str) {
    match rig.call(ch, method) {
        Answer::ChannelClosed(reason) => assert_eq!((reason.code, reason.text.as_str()), (406, text)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn r116_selecting_and_mixing() {
    let (mut rig, ch) = transactional();
    rig.ok(ch, Method::TxSelect);
    let text = "PRECONDITION_FAILED - cannot switch from tx to confirm mode";
    closes(&mut rig, ch, Method::ConfirmSelect { nowait: false }, text);
    let confirming = rig.client();
    closes(
        &mut rig,
        confirming,
        Method::TxSelect,
        "PRECONDITION_FAILED - cannot switch from confirm to tx mode",
    );
    for method in [Method::TxCommit, Method::TxRollback] {
        let plain = rig.client();
        closes(&mut rig, plain, method, "PRECONDITION_FAILED - channel is not transactional");
    }
}

#[test]
fn r117_r118_a_commit_publishes_and_settles() {
    let (mut rig, ch) = transactional();
    rig.queue(ch, "q");
    let helper = rig.client();
    rig.fill(helper, "q", ["a", "b"]);
    rig.gets(ch, "q", 2);
    rig.ok(ch, publish("", "q", "c"));
    rig.ack(ch, 1);
    rig.requeue(ch, 2);
    assert_eq!(rig.ready("q"), 0);
    assert_eq!(rig.ok(ch, Method::TxCommit), Some(MethodReply::TxCommitOk));
    assert_eq!(rig.drain("q"), ["b*", "c"]);
}

#[test]
fn r118_a_rollback_forgets_publishes_and_settlements() {
    let (mut rig, ch) = transactional();
    rig.queue(ch, "q");
    let helper = rig.client();
    rig.fill(helper, "q", ["a", "b"]);
    rig.gets(ch, "q", 2);
    rig.ok(ch, publish("", "q", "never"));
    rig.ok(ch, ack(2, true));
    assert_eq!(rig.ok(ch, Method::TxRollback), Some(MethodReply::TxRollbackOk));
    assert_eq!(rig.ready("q"), 0);
    // The same tags can be settled again.
    rig.requeue(ch, 1);
    rig.ack(ch, 2);
    rig.ok(ch, Method::TxCommit);
    assert_eq!(rig.drain("q"), ["a*"]);
}

#[test]
fn r118_closing_without_a_commit_is_a_rollback() {
    let (mut rig, ch) = transactional();
    rig.queue(ch, "q");
    let helper = rig.client();
    rig.fill(helper, "q", ["a"]);
    rig.gets(ch, "q", 1);
    rig.ack(ch, 1);
    rig.ok(ch, publish("", "q", "never"));
    rig.apply(Command::Abort { connection: ch.connection });
    assert_eq!(rig.drain("q"), ["a*"]);
}

#[test]
fn r117_an_error_at_the_publish_closes_the_channel_and_nothing_is_published() {
    let (mut rig, ch) = transactional();
    rig.queue(ch, "q");
    rig.ok(ch, publish("", "q", "first"));
    assert!(
        matches!(rig.call(ch, publish("nosuch", "", "m")), Answer::ChannelClosed(reason) if reason.code == 404)
    );
    assert_eq!(rig.ready("q"), 0);
}

#[test]
fn r118_a_refusal_at_the_commit_is_told_and_the_rest_stays() {
    let (mut rig, ch) = transactional();
    rig.queue_with(ch, "q", table(&[("x-max-length", 1.into()), ("x-overflow", "reject-publish".into())]));
    rig.ok(ch, publish("", "q", "a"));
    rig.ok(ch, publish("", "q", "b"));
    closes(&mut rig, ch, Method::TxCommit, "PRECONDITION_FAILED - partial tx completion");
    assert_eq!(rig.drain("q"), ["a"]);
}

#[test]
fn r97_in_a_transaction_a_settled_tag_is_gone_until_a_rollback() {
    let (mut rig, ch) = transactional();
    rig.queue(ch, "q");
    let helper = rig.client();
    rig.fill(helper, "q", ["a"]);
    rig.gets(ch, "q", 1);
    rig.ack(ch, 1);
    closes(&mut rig, ch, ack(1, false), "PRECONDITION_FAILED - unknown delivery tag 1");
}

#[test]
fn r117_a_message_routed_to_a_queue_that_is_gone_at_the_commit_comes_back() {
    let (mut rig, ch) = transactional();
    rig.queue(ch, "q");
    rig.ok(ch, publish("", "q", Message::from("m").mandatory()));
    rig.ok(ch, delete_queue("q"));
    let effects = rig.apply(Command::Method { channel: ch, method: Method::TxCommit });
    assert!(matches!(&effects[..], [Effect::Return { .. }, Effect::Reply { .. }]), "{effects:?}");
}
