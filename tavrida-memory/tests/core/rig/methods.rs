//! Short names for methods.

use std::sync::Arc;

use tavrida::field::Table;
use tavrida_memory::core::{BasicConsume, ExchangeBind, Method, QueueBind, QueueDeclare};

use super::{Message, short};

pub(crate) fn publish(exchange: &str, key: &str, message: impl Into<Message>) -> Method {
    let Message(mut publication) = message.into();
    publication.exchange = short(exchange);
    publication.routing_key = short(key);
    Method::BasicPublish { publication: Arc::new(publication), immediate: false }
}

pub(crate) fn ack(delivery_tag: u64, multiple: bool) -> Method {
    Method::BasicAck { delivery_tag, multiple }
}

pub(crate) fn nack(delivery_tag: u64, multiple: bool, requeue: bool) -> Method {
    Method::BasicNack { delivery_tag, multiple, requeue }
}

pub(crate) fn get(queue: &str) -> Method {
    Method::BasicGet { queue: short(queue), no_ack: false }
}

pub(crate) fn consume(queue: &str, tag: &str) -> Method {
    Method::BasicConsume(BasicConsume { queue: short(queue), consumer_tag: short(tag), ..Default::default() })
}

pub(crate) fn purge(queue: &str) -> Method {
    Method::QueuePurge { queue: short(queue), nowait: false }
}

pub(crate) fn delete_queue(queue: &str) -> Method {
    Method::QueueDelete { queue: short(queue), if_unused: false, if_empty: false, nowait: false }
}

pub(crate) fn delete_exchange(exchange: &str) -> Method {
    Method::ExchangeDelete { exchange: short(exchange), if_unused: false, nowait: false }
}

pub(crate) fn passive_queue(queue: &str) -> Method {
    Method::QueueDeclare(QueueDeclare { queue: short(queue), passive: true, ..Default::default() })
}

pub(crate) fn declare_queue(queue: &str, arguments: Table) -> Method {
    Method::QueueDeclare(QueueDeclare { queue: short(queue), arguments, ..Default::default() })
}

pub(crate) fn queue_bind(queue: &str, exchange: &str, key: &str, arguments: Table) -> QueueBind {
    QueueBind {
        queue: short(queue),
        exchange: short(exchange),
        routing_key: short(key),
        nowait: false,
        arguments,
    }
}

pub(crate) fn exchange_bind(destination: &str, source: &str, key: &str) -> ExchangeBind {
    ExchangeBind {
        destination: short(destination),
        source: short(source),
        routing_key: short(key),
        ..Default::default()
    }
}
