//! Converts methods to frames, and frames to answers.

use amq_protocol::protocol::{AMQPClass, basic, channel, confirm, exchange, queue, tx};
use tavrida_memory::core::{Method, MethodReply};

use super::convert::{from_wire, table_to_wire, to_wire};

pub(super) fn to_class(method: &Method) -> AMQPClass {
    match method {
        Method::ChannelOpen | Method::ChannelFlow { .. } | Method::ChannelClose | Method::ChannelCloseOk => {
            AMQPClass::Channel(channel(method))
        }
        Method::ExchangeDeclare(_)
        | Method::ExchangeDelete { .. }
        | Method::ExchangeBind(_)
        | Method::ExchangeUnbind(_) => AMQPClass::Exchange(exchange(method)),
        Method::QueueDeclare(_)
        | Method::QueueBind(_)
        | Method::QueueUnbind(_)
        | Method::QueuePurge { .. }
        | Method::QueueDelete { .. } => AMQPClass::Queue(queue(method)),
        Method::ConfirmSelect { nowait } => {
            AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: *nowait }))
        }
        Method::TxSelect => AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})),
        Method::TxCommit => AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {})),
        Method::TxRollback => AMQPClass::Tx(tx::AMQPMethod::Rollback(tx::Rollback {})),
        _ => AMQPClass::Basic(basic(method)),
    }
}

fn channel(method: &Method) -> channel::AMQPMethod {
    use channel::{AMQPMethod, Close, CloseOk, Flow, Open};
    match method {
        Method::ChannelOpen => AMQPMethod::Open(Open {}),
        Method::ChannelFlow { active } => AMQPMethod::Flow(Flow { active: *active }),
        Method::ChannelClose => {
            AMQPMethod::Close(Close { reply_code: 200, reply_text: "done".into(), class_id: 0, method_id: 0 })
        }
        _ => AMQPMethod::CloseOk(CloseOk {}),
    }
}

fn exchange(method: &Method) -> exchange::AMQPMethod {
    use exchange::{AMQPMethod, Bind, Declare, Delete, Unbind};
    match method {
        Method::ExchangeDeclare(declare) => AMQPMethod::Declare(Declare {
            exchange: to_wire(&declare.exchange),
            kind: to_wire(&declare.kind),
            passive: declare.passive,
            durable: declare.durable,
            auto_delete: declare.auto_delete,
            internal: declare.internal,
            nowait: declare.nowait,
            arguments: table_to_wire(&declare.arguments),
        }),
        Method::ExchangeDelete { exchange, if_unused, nowait } => {
            AMQPMethod::Delete(Delete { exchange: to_wire(exchange), if_unused: *if_unused, nowait: *nowait })
        }
        Method::ExchangeBind(bind) => AMQPMethod::Bind(Bind {
            destination: to_wire(&bind.destination),
            source: to_wire(&bind.source),
            routing_key: to_wire(&bind.routing_key),
            nowait: bind.nowait,
            arguments: table_to_wire(&bind.arguments),
        }),
        Method::ExchangeUnbind(bind) => AMQPMethod::Unbind(Unbind {
            destination: to_wire(&bind.destination),
            source: to_wire(&bind.source),
            routing_key: to_wire(&bind.routing_key),
            nowait: bind.nowait,
            arguments: table_to_wire(&bind.arguments),
        }),
        other => unreachable!("of another class: {other:?}"),
    }
}

fn queue(method: &Method) -> queue::AMQPMethod {
    use queue::{AMQPMethod, Bind, Declare, Delete, Purge, Unbind};
    match method {
        Method::QueueDeclare(declare) => AMQPMethod::Declare(Declare {
            queue: to_wire(&declare.queue),
            passive: declare.passive,
            durable: declare.durable,
            exclusive: declare.exclusive,
            auto_delete: declare.auto_delete,
            nowait: declare.nowait,
            arguments: table_to_wire(&declare.arguments),
        }),
        Method::QueueBind(bind) => AMQPMethod::Bind(Bind {
            queue: to_wire(&bind.queue),
            exchange: to_wire(&bind.exchange),
            routing_key: to_wire(&bind.routing_key),
            nowait: bind.nowait,
            arguments: table_to_wire(&bind.arguments),
        }),
        Method::QueueUnbind(bind) => AMQPMethod::Unbind(Unbind {
            queue: to_wire(&bind.queue),
            exchange: to_wire(&bind.exchange),
            routing_key: to_wire(&bind.routing_key),
            arguments: table_to_wire(&bind.arguments),
        }),
        Method::QueuePurge { queue, nowait } => {
            AMQPMethod::Purge(Purge { queue: to_wire(queue), nowait: *nowait })
        }
        Method::QueueDelete { queue, if_unused, if_empty, nowait } => AMQPMethod::Delete(Delete {
            queue: to_wire(queue),
            if_unused: *if_unused,
            if_empty: *if_empty,
            nowait: *nowait,
        }),
        other => unreachable!("of another class: {other:?}"),
    }
}

fn basic(method: &Method) -> basic::AMQPMethod {
    use basic::{AMQPMethod, Ack, Cancel, Consume, Get, Nack, Publish, Qos, Recover, RecoverAsync, Reject};
    match method {
        Method::BasicQos { prefetch_count, global, .. } => {
            AMQPMethod::Qos(Qos { prefetch_count: *prefetch_count, global: *global })
        }
        Method::BasicConsume(consume) => AMQPMethod::Consume(Consume {
            queue: to_wire(&consume.queue),
            consumer_tag: to_wire(&consume.consumer_tag),
            no_local: consume.no_local,
            no_ack: consume.no_ack,
            exclusive: consume.exclusive,
            nowait: consume.nowait,
            arguments: table_to_wire(&consume.arguments),
        }),
        Method::BasicCancel { consumer_tag, nowait } => {
            AMQPMethod::Cancel(Cancel { consumer_tag: to_wire(consumer_tag), nowait: *nowait })
        }
        Method::BasicPublish { publication, immediate } => AMQPMethod::Publish(Publish {
            exchange: to_wire(&publication.exchange),
            routing_key: to_wire(&publication.routing_key),
            mandatory: publication.mandatory,
            immediate: *immediate,
        }),
        Method::BasicGet { queue, no_ack } => AMQPMethod::Get(Get { queue: to_wire(queue), no_ack: *no_ack }),
        Method::BasicAck { delivery_tag, multiple } => {
            AMQPMethod::Ack(Ack { delivery_tag: *delivery_tag, multiple: *multiple })
        }
        Method::BasicReject { delivery_tag, requeue } => {
            AMQPMethod::Reject(Reject { delivery_tag: *delivery_tag, requeue: *requeue })
        }
        Method::BasicNack { delivery_tag, multiple, requeue } => {
            AMQPMethod::Nack(Nack { delivery_tag: *delivery_tag, multiple: *multiple, requeue: *requeue })
        }
        Method::BasicRecover { requeue } => AMQPMethod::Recover(Recover { requeue: *requeue }),
        Method::BasicRecoverAsync { requeue } => AMQPMethod::RecoverAsync(RecoverAsync { requeue: *requeue }),
        other => unreachable!("of another class: {other:?}"),
    }
}

/// Returns a method from the broker as an answer. `None` if it is not a plain answer.
pub(super) fn reply(class: &AMQPClass) -> Option<MethodReply> {
    Some(match class {
        AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)) => MethodReply::ChannelOpenOk,
        AMQPClass::Channel(channel::AMQPMethod::FlowOk(flow)) => {
            MethodReply::ChannelFlowOk { active: flow.active }
        }
        AMQPClass::Channel(channel::AMQPMethod::CloseOk(_)) => MethodReply::ChannelCloseOk,
        AMQPClass::Exchange(exchange::AMQPMethod::DeclareOk(_)) => MethodReply::ExchangeDeclareOk,
        AMQPClass::Exchange(exchange::AMQPMethod::DeleteOk(_)) => MethodReply::ExchangeDeleteOk,
        AMQPClass::Exchange(exchange::AMQPMethod::BindOk(_)) => MethodReply::ExchangeBindOk,
        AMQPClass::Exchange(exchange::AMQPMethod::UnbindOk(_)) => MethodReply::ExchangeUnbindOk,
        AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok)) => MethodReply::QueueDeclareOk {
            queue: from_wire(&ok.queue),
            message_count: ok.message_count,
            consumer_count: ok.consumer_count,
        },
        AMQPClass::Queue(queue::AMQPMethod::BindOk(_)) => MethodReply::QueueBindOk,
        AMQPClass::Queue(queue::AMQPMethod::UnbindOk(_)) => MethodReply::QueueUnbindOk,
        AMQPClass::Queue(queue::AMQPMethod::PurgeOk(ok)) => {
            MethodReply::QueuePurgeOk { message_count: ok.message_count }
        }
        AMQPClass::Queue(queue::AMQPMethod::DeleteOk(ok)) => {
            MethodReply::QueueDeleteOk { message_count: ok.message_count }
        }
        AMQPClass::Basic(basic::AMQPMethod::QosOk(_)) => MethodReply::BasicQosOk,
        AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(ok)) => {
            MethodReply::BasicConsumeOk { consumer_tag: from_wire(&ok.consumer_tag) }
        }
        AMQPClass::Basic(basic::AMQPMethod::CancelOk(ok)) => {
            MethodReply::BasicCancelOk { consumer_tag: from_wire(&ok.consumer_tag) }
        }
        AMQPClass::Basic(basic::AMQPMethod::GetEmpty(_)) => MethodReply::BasicGetEmpty,
        AMQPClass::Basic(basic::AMQPMethod::RecoverOk(_)) => MethodReply::BasicRecoverOk,
        AMQPClass::Confirm(confirm::AMQPMethod::SelectOk(_)) => MethodReply::ConfirmSelectOk,
        AMQPClass::Tx(tx::AMQPMethod::SelectOk(_)) => MethodReply::TxSelectOk,
        AMQPClass::Tx(tx::AMQPMethod::CommitOk(_)) => MethodReply::TxCommitOk,
        AMQPClass::Tx(tx::AMQPMethod::RollbackOk(_)) => MethodReply::TxRollbackOk,
        _ => return None,
    })
}
