//! How channels and connections close, and what happens to their deliveries (R1 to R6, R129).

use tavrida_memory::core::{
    BasicConsume, Command, ConnectionOptions, Effect, Method, MethodReply, QueueDeclare,
};

use crate::rig::*;

#[test]
fn r3_a_closed_channel_hears_nothing_until_the_client_agrees_and_starts_afresh() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["m"]);
    rig.gets(ch, "q", 1);
    assert!(matches!(rig.call(ch, get("nosuch")), Answer::ChannelClosed(_)));
    assert_eq!(rig.call(ch, declare_queue("ignored", args::<i32>(&[]))), Answer::Nothing);
    assert_eq!(rig.call(ch, publish("", "q", "ignored")), Answer::Nothing);
    assert_eq!(rig.call(ch, Method::ChannelClose), Answer::Reply(MethodReply::ChannelCloseOk));
    assert_eq!(rig.counts("ignored"), None);
    rig.reopen(ch);
    // Tags, confirms and the last queue start again.
    assert_eq!(rig.get(ch, "q").map(|got| got.delivery_tag), Some(1));
    rig.refused(ch, get(""), 404, "NOT_FOUND - no previously declared queue");
}

#[test]
fn r4_messages_of_consumers_go_back_with_the_error_and_those_of_gets_with_the_close_ok() {
    let (mut rig, ch) = Rig::with_channel();
    for queue in ["consumed", "got"] {
        rig.queue(ch, queue);
        rig.fill(ch, queue, ["m"]);
    }
    let other = rig.client();
    rig.consume(other, "consumed", "t");
    rig.gets(other, "got", 1);
    assert!(matches!(rig.call(other, get("nosuch")), Answer::ChannelClosed(_)));
    assert_eq!((rig.ready("consumed"), rig.ready("got")), (1, 0));
    rig.call(other, Method::ChannelCloseOk);
    assert_eq!(rig.ready("got"), 1);
}

#[test]
fn r4_a_queue_that_it_once_consumed_counts_as_consumed() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["m"]);
    let other = rig.client();
    rig.consume(other, "q", "t");
    rig.cancel(other, "t");
    assert!(matches!(rig.call(other, get("nosuch")), Answer::ChannelClosed(_)));
    assert_eq!(rig.ready("q"), 1);
}

#[test]
fn r5_after_a_connections_close_ok_everything_of_it_is_gone() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["m"]);
    let owner = rig.client();
    rig.declare(owner, QueueDeclare { queue: short("mine"), exclusive: true, ..Default::default() });
    rig.declare(owner, QueueDeclare { queue: short("last"), auto_delete: true, ..Default::default() });
    rig.consume(owner, "last", "t");
    rig.gets(owner, "q", 1);
    let effects = rig.apply(Command::Close { connection: owner.connection });
    assert!(effects.contains(&Effect::ConnectionCloseOk { connection: owner.connection }));
    assert_eq!((rig.counts("mine"), rig.counts("last"), rig.counts("q")), (None, None, Some((1, 0))));
}

#[test]
fn r6_opening_channels() {
    let mut rig = Rig::new();
    let connection = rig.connect();
    let text = "CHANNEL_ERROR - expected 'channel.open'";
    rig.fatal(connection.channel(1), get("q"), 504, text);
    let connection = rig.connect();
    let ch = rig.plain_channel(connection, 1);
    rig.fatal(ch, Method::ChannelOpen, 504, "CHANNEL_ERROR - second 'channel.open' seen");
    // The count is limited, not the number.
    let connection = rig.connect_with(ConnectionOptions { channel_max: 2, ..Default::default() });
    rig.plain_channel(connection, 9);
    rig.plain_channel(connection, 7);
    match rig.call(connection.channel(1), Method::ChannelOpen) {
        Answer::ConnectionClosed(reason) => {
            let text =
                "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)";
            assert_eq!((reason.code, reason.text.as_str(), reason.class, reason.method), (530, text, 0, 0));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn r6_r128_flow_can_be_on_and_not_off() {
    let (mut rig, ch) = Rig::with_channel();
    assert_eq!(
        rig.ok(ch, Method::ChannelFlow { active: true }),
        Some(MethodReply::ChannelFlowOk { active: true })
    );
    rig.fatal(ch, Method::ChannelFlow { active: false }, 540, "NOT_IMPLEMENTED - active=false");
}

#[test]
fn r14_replies_come_in_the_order_of_the_methods() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    let mut replies = Vec::new();
    for method in [consume("q", "t"), Method::ChannelFlow { active: true }] {
        replies.extend(rig.apply(Command::Method { channel: ch, method }));
    }
    assert!(
        matches!(
            &replies[..],
            [
                Effect::Reply { reply: MethodReply::BasicConsumeOk { .. }, .. },
                Effect::Reply { reply: MethodReply::ChannelFlowOk { .. }, .. }
            ]
        ),
        "{replies:?}"
    );
}

#[test]
fn r2_a_hard_error_takes_all_channels_of_its_connection_and_no_other() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.fill(ch, "q", ["m"]);
    let one = rig.client();
    let two = rig.channel(one.connection, 2);
    rig.consume(two, "q", "t");
    let consume = BasicConsume { queue: short("q"), consumer_tag: short("u"), ..Default::default() };
    rig.ok(one, Method::BasicConsume(consume.clone()));
    rig.fatal(one, Method::BasicConsume(consume), 530, "NOT_ALLOWED - attempt to reuse consumer tag 'u'");
    assert_eq!(rig.drain("q"), ["m*"]);
    // Later commands for a closed connection are ignored.
    assert_eq!(rig.call(two, ack(1, false)), Answer::Nothing);
    assert_eq!(rig.apply(Command::Close { connection: one.connection }), []);
    assert_eq!(rig.publish(ch, "", "q", "others live on"), ACK);
}

#[test]
fn a_connection_that_comes_again_under_its_number_drops_the_old_one() {
    let (mut rig, ch) = Rig::with_channel();
    rig.declare(ch, QueueDeclare { queue: short("q"), exclusive: true, ..Default::default() });
    rig.apply(Command::Connect { connection: ch.connection, options: ConnectionOptions::default() });
    assert_eq!(rig.counts("q"), None);
    rig.channel(ch.connection, 1);
}

#[test]
fn r3_r129_behind_a_call_that_fails_names_are_still_completed() {
    let (mut rig, ch) = Rig::with_channel();
    assert!(matches!(rig.call(ch, get("missing")), Answer::ChannelClosed(_)));
    assert_eq!(rig.call(ch, get("missing")), Answer::Nothing);
    match rig.call(ch, get("")) {
        Answer::ChannelClosed(reason) => assert_eq!(
            (reason.code, reason.text.as_str(), reason.class, reason.method),
            (404, "NOT_FOUND - no previously declared queue", 60, 70)
        ),
        other => panic!("{other:?}"),
    }
    rig.call(ch, Method::ChannelCloseOk);
    rig.fatal(ch, Method::ChannelCloseOk, 504, "CHANNEL_ERROR - expected 'channel.open'");
}

#[test]
fn r3_r6_behind_a_call_that_fails_an_open_is_a_second_one() {
    let (mut rig, ch) = Rig::with_channel();
    assert!(matches!(rig.call(ch, get("missing")), Answer::ChannelClosed(_)));
    rig.fatal(ch, Method::ChannelOpen, 504, "CHANNEL_ERROR - second 'channel.open' seen");
}
