//! Every method has a handler in its class.

use tavrida_memory::core::Method;

use crate::rig::*;

/// Returns another method: from the first on, each comes once. A new one has no arm here.
fn next(method: &Method) -> Option<Method> {
    Some(match method {
        Method::ChannelOpen => Method::ChannelFlow { active: true },
        Method::ChannelFlow { .. } => Method::ChannelClose,
        Method::ChannelClose => Method::ChannelCloseOk,
        Method::ChannelCloseOk => Method::ExchangeDeclare(Default::default()),
        Method::ExchangeDeclare(_) => delete_exchange("e"),
        Method::ExchangeDelete { .. } => Method::ExchangeBind(exchange_bind("e", "f", "k")),
        Method::ExchangeBind(_) => Method::ExchangeUnbind(exchange_bind("e", "f", "k")),
        Method::ExchangeUnbind(_) => passive_queue("q"),
        Method::QueueDeclare(_) => Method::QueueBind(queue_bind("q", "e", "k", Default::default())),
        Method::QueueBind(_) => Method::QueueUnbind(queue_bind("q", "e", "k", Default::default())),
        Method::QueueUnbind(_) => purge("q"),
        Method::QueuePurge { .. } => delete_queue("q"),
        Method::QueueDelete { .. } => Method::BasicQos { prefetch_size: 0, prefetch_count: 1, global: false },
        Method::BasicQos { .. } => consume("q", "t"),
        Method::BasicConsume(_) => Method::BasicCancel { consumer_tag: short("t"), nowait: false },
        Method::BasicCancel { .. } => publish("", "q", "m"),
        Method::BasicPublish { .. } => get("q"),
        Method::BasicGet { .. } => ack(1, false),
        Method::BasicAck { .. } => Method::BasicReject { delivery_tag: 1, requeue: true },
        Method::BasicReject { .. } => nack(1, false, true),
        Method::BasicNack { .. } => Method::BasicRecover { requeue: true },
        Method::BasicRecover { .. } => Method::BasicRecoverAsync { requeue: true },
        Method::BasicRecoverAsync { .. } => Method::ConfirmSelect { nowait: false },
        Method::ConfirmSelect { .. } => Method::TxSelect,
        Method::TxSelect => Method::TxCommit,
        Method::TxCommit => Method::TxRollback,
        Method::TxRollback => return None,
    })
}

#[test]
fn no_method_but_close_ok_of_an_open_channel_is_unimplemented() {
    let mut rig = Rig::new();
    let unimplemented = std::iter::successors(Some(Method::ChannelOpen), next).filter(|method| {
        let channel = rig.client();
        let answer = rig.call(channel, method.clone());
        matches!(answer, Answer::ConnectionClosed(reason) if reason.text.ends_with("unimplemented method"))
    });
    assert_eq!(unimplemented.collect::<Vec<_>>(), [Method::ChannelCloseOk]);
}
