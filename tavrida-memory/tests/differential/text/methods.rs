//! Methods as text, by their AMQP names.

use std::sync::Arc;

use tavrida::field::Table;
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{BasicConsume, ExchangeBind, ExchangeDeclare, Method, QueueBind, QueueDeclare};

use super::read::Named;
use super::write::Words;

pub(super) fn write(method: &Method, words: &mut Words) {
    words.word(name(method));
    match method {
        Method::ExchangeDeclare(declare) => write_exchange(declare, words),
        Method::ExchangeDelete { exchange, if_unused, nowait } => {
            words.text("exchange", exchange);
            words.flag("if_unused", *if_unused);
            words.flag("nowait", *nowait);
        }
        Method::ExchangeBind(bind) | Method::ExchangeUnbind(bind) => {
            words.text("destination", &bind.destination);
            words.text("source", &bind.source);
            words.text("routing_key", &bind.routing_key);
            words.flag("nowait", bind.nowait);
            words.table("arguments", filled(&bind.arguments));
        }
        Method::QueueDeclare(declare) => write_queue(declare, words),
        Method::QueueBind(bind) | Method::QueueUnbind(bind) => {
            words.text("queue", &bind.queue);
            words.text("exchange", &bind.exchange);
            words.text("routing_key", &bind.routing_key);
            words.flag("nowait", bind.nowait);
            words.table("arguments", filled(&bind.arguments));
        }
        Method::QueuePurge { queue, nowait } => {
            words.text("queue", queue);
            words.flag("nowait", *nowait);
        }
        Method::QueueDelete { queue, if_unused, if_empty, nowait } => {
            words.text("queue", queue);
            words.flag("if_unused", *if_unused);
            words.flag("if_empty", *if_empty);
            words.flag("nowait", *nowait);
        }
        Method::BasicQos { prefetch_size, prefetch_count, global } => {
            words.number("prefetch_size", (*prefetch_size > 0).then_some(prefetch_size));
            words.number("prefetch_count", Some(prefetch_count));
            words.flag("global", *global);
        }
        Method::BasicConsume(consume) => write_consume(consume, words),
        Method::BasicCancel { consumer_tag, nowait } => {
            words.text("consumer_tag", consumer_tag);
            words.flag("nowait", *nowait);
        }
        Method::BasicPublish { publication, immediate } => {
            words.flag("immediate", *immediate);
            write_publication(publication, words);
        }
        Method::BasicGet { queue, no_ack } => {
            words.text("queue", queue);
            words.flag("no_ack", *no_ack);
        }
        Method::BasicRecover { requeue } | Method::BasicRecoverAsync { requeue } => {
            words.flag("requeue", *requeue)
        }
        Method::ChannelFlow { active } => words.flag("active", *active),
        Method::ConfirmSelect { nowait } => words.flag("nowait", *nowait),
        _ => {}
    }
}

fn write_exchange(declare: &ExchangeDeclare, words: &mut Words) {
    words.text("exchange", &declare.exchange);
    words.text("type", &declare.kind);
    words.flag("passive", declare.passive);
    words.flag("durable", declare.durable);
    words.flag("auto_delete", declare.auto_delete);
    words.flag("internal", declare.internal);
    words.flag("nowait", declare.nowait);
    words.table("arguments", filled(&declare.arguments));
}

fn write_queue(declare: &QueueDeclare, words: &mut Words) {
    words.text("queue", &declare.queue);
    words.flag("passive", declare.passive);
    words.flag("durable", declare.durable);
    words.flag("exclusive", declare.exclusive);
    words.flag("auto_delete", declare.auto_delete);
    words.flag("nowait", declare.nowait);
    words.table("arguments", filled(&declare.arguments));
}

fn write_consume(consume: &BasicConsume, words: &mut Words) {
    words.text("queue", &consume.queue);
    words.text("consumer_tag", &consume.consumer_tag);
    words.flag("no_local", consume.no_local);
    words.flag("no_ack", consume.no_ack);
    words.flag("exclusive", consume.exclusive);
    words.flag("nowait", consume.nowait);
    words.table("arguments", filled(&consume.arguments));
}

pub(super) fn write_publication(publication: &Publication, words: &mut Words) {
    words.text("exchange", &publication.exchange);
    words.text("routing_key", &publication.routing_key);
    words.flag("mandatory", publication.mandatory);
    words.text("body", &String::from_utf8_lossy(&publication.body));
    let properties = &publication.properties;
    words.option("content_type", properties.content_type.as_deref());
    words.option("content_encoding", properties.content_encoding.as_deref());
    words.number("delivery_mode", properties.delivery_mode);
    words.number("priority", properties.priority);
    words.option("correlation_id", properties.correlation_id.as_deref());
    words.option("reply_to", properties.reply_to.as_deref());
    words.option("expiration", properties.expiration.as_deref());
    words.option("message_id", properties.message_id.as_deref());
    words.number("timestamp", properties.timestamp);
    words.option("type", properties.kind.as_deref());
    words.option("user_id", properties.user_id.as_deref());
    words.option("app_id", properties.app_id.as_deref());
    words.option("cluster_id", properties.cluster_id.as_deref());
    words.table("headers", properties.headers.as_ref());
}

fn filled(table: &Table) -> Option<&Table> {
    (!table.is_empty()).then_some(table)
}

fn name(method: &Method) -> &'static str {
    match method {
        Method::ChannelOpen => "channel.open",
        Method::ChannelFlow { .. } => "channel.flow",
        Method::ChannelClose => "channel.close",
        Method::ChannelCloseOk => "channel.close-ok",
        Method::ExchangeDeclare(_) => "exchange.declare",
        Method::ExchangeDelete { .. } => "exchange.delete",
        Method::ExchangeBind(_) => "exchange.bind",
        Method::ExchangeUnbind(_) => "exchange.unbind",
        Method::QueueDeclare(_) => "queue.declare",
        Method::QueueBind(_) => "queue.bind",
        Method::QueueUnbind(_) => "queue.unbind",
        Method::QueuePurge { .. } => "queue.purge",
        Method::QueueDelete { .. } => "queue.delete",
        Method::BasicQos { .. } => "basic.qos",
        Method::BasicConsume(_) => "basic.consume",
        Method::BasicCancel { .. } => "basic.cancel",
        Method::BasicPublish { .. } => "basic.publish",
        Method::BasicGet { .. } => "basic.get",
        Method::BasicAck { .. } => "basic.ack",
        Method::BasicReject { .. } => "basic.reject",
        Method::BasicNack { .. } => "basic.nack",
        Method::BasicRecover { .. } => "basic.recover",
        Method::BasicRecoverAsync { .. } => "basic.recover-async",
        Method::ConfirmSelect { .. } => "confirm.select",
        Method::TxSelect => "tx.select",
        Method::TxCommit => "tx.commit",
        Method::TxRollback => "tx.rollback",
    }
}

pub(super) fn read(name: &str, words: &mut Named) -> Result<Method, String> {
    Ok(match name {
        "channel.open" => Method::ChannelOpen,
        "channel.flow" => Method::ChannelFlow { active: words.flag("active") },
        "channel.close" => Method::ChannelClose,
        "channel.close-ok" => Method::ChannelCloseOk,
        "exchange.declare" => Method::ExchangeDeclare(ExchangeDeclare {
            exchange: words.text("exchange"),
            kind: words.text("type"),
            passive: words.flag("passive"),
            durable: words.flag("durable"),
            auto_delete: words.flag("auto_delete"),
            internal: words.flag("internal"),
            nowait: words.flag("nowait"),
            arguments: words.table("arguments").unwrap_or_default(),
        }),
        "exchange.delete" => Method::ExchangeDelete {
            exchange: words.text("exchange"),
            if_unused: words.flag("if_unused"),
            nowait: words.flag("nowait"),
        },
        "exchange.bind" => Method::ExchangeBind(read_exchange_bind(words)),
        "exchange.unbind" => Method::ExchangeUnbind(read_exchange_bind(words)),
        "queue.declare" => Method::QueueDeclare(QueueDeclare {
            queue: words.text("queue"),
            passive: words.flag("passive"),
            durable: words.flag("durable"),
            exclusive: words.flag("exclusive"),
            auto_delete: words.flag("auto_delete"),
            nowait: words.flag("nowait"),
            arguments: words.table("arguments").unwrap_or_default(),
        }),
        "queue.bind" => Method::QueueBind(read_queue_bind(words)),
        "queue.unbind" => Method::QueueUnbind(read_queue_bind(words)),
        "queue.purge" => Method::QueuePurge { queue: words.text("queue"), nowait: words.flag("nowait") },
        "queue.delete" => Method::QueueDelete {
            queue: words.text("queue"),
            if_unused: words.flag("if_unused"),
            if_empty: words.flag("if_empty"),
            nowait: words.flag("nowait"),
        },
        "basic.qos" => Method::BasicQos {
            prefetch_size: words.number("prefetch_size")?.unwrap_or(0),
            prefetch_count: words.number("prefetch_count")?.unwrap_or(0),
            global: words.flag("global"),
        },
        "basic.consume" => Method::BasicConsume(BasicConsume {
            queue: words.text("queue"),
            consumer_tag: words.text("consumer_tag"),
            no_local: words.flag("no_local"),
            no_ack: words.flag("no_ack"),
            exclusive: words.flag("exclusive"),
            nowait: words.flag("nowait"),
            arguments: words.table("arguments").unwrap_or_default(),
        }),
        "basic.cancel" => {
            Method::BasicCancel { consumer_tag: words.text("consumer_tag"), nowait: words.flag("nowait") }
        }
        "basic.publish" => Method::BasicPublish {
            immediate: words.flag("immediate"),
            publication: Arc::new(read_publication(words)?),
        },
        "basic.get" => Method::BasicGet { queue: words.text("queue"), no_ack: words.flag("no_ack") },
        "basic.recover" => Method::BasicRecover { requeue: words.flag("requeue") },
        "basic.recover-async" => Method::BasicRecoverAsync { requeue: words.flag("requeue") },
        "confirm.select" => Method::ConfirmSelect { nowait: words.flag("nowait") },
        "tx.select" => Method::TxSelect,
        "tx.commit" => Method::TxCommit,
        "tx.rollback" => Method::TxRollback,
        other => return Err(format!("{other:?} is no method")),
    })
}

fn read_exchange_bind(words: &mut Named) -> ExchangeBind {
    ExchangeBind {
        destination: words.text("destination"),
        source: words.text("source"),
        routing_key: words.text("routing_key"),
        nowait: words.flag("nowait"),
        arguments: words.table("arguments").unwrap_or_default(),
    }
}

fn read_queue_bind(words: &mut Named) -> QueueBind {
    QueueBind {
        queue: words.text("queue"),
        exchange: words.text("exchange"),
        routing_key: words.text("routing_key"),
        nowait: words.flag("nowait"),
        arguments: words.table("arguments").unwrap_or_default(),
    }
}

fn read_publication(words: &mut Named) -> Result<Publication, String> {
    Ok(Publication {
        exchange: words.text("exchange"),
        routing_key: words.text("routing_key"),
        mandatory: words.flag("mandatory"),
        body: words.long_text("body").into(),
        properties: Properties {
            content_type: words.option("content_type"),
            content_encoding: words.option("content_encoding"),
            headers: words.table("headers"),
            delivery_mode: words.number("delivery_mode")?,
            priority: words.number("priority")?,
            correlation_id: words.option("correlation_id"),
            reply_to: words.option("reply_to"),
            expiration: words.option("expiration"),
            message_id: words.option("message_id"),
            timestamp: words.number("timestamp")?,
            kind: words.option("type"),
            user_id: words.option("user_id"),
            app_id: words.option("app_id"),
            cluster_id: words.option("cluster_id"),
        },
    })
}
