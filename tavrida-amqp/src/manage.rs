//! Management: exchanges, queues, bindings, each on a temporarily private channel.

use lapin::Channel;
use lapin::options::{
    ExchangeBindOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, ExchangeUnbindOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use tavrida::field::ShortString;
use tavrida::transport::{Binding, Destination, Exchange, ExchangeKind, Queue, QueueStatus};

use crate::wire::{short, table_out};

pub(crate) async fn declare_exchange(channel: &Channel, exchange: &Exchange) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions {
        passive: false,
        durable: exchange.durable,
        auto_delete: exchange.auto_delete,
        internal: exchange.internal,
        nowait: false,
    };
    let arguments = table_out(&exchange.arguments);
    channel.exchange_declare(short(&exchange.name), kind(&exchange.kind), options, arguments).await
}

pub(crate) async fn declare_exchange_passive(channel: &Channel, name: &str) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(short(name), lapin::ExchangeKind::Direct, options, FieldTable::default()).await
}

pub(crate) async fn delete_exchange(channel: &Channel, name: &str, if_unused: bool) -> lapin::Result<()> {
    channel.exchange_delete(short(name), ExchangeDeleteOptions { if_unused, nowait: false }).await
}

pub(crate) async fn declare_queue(channel: &Channel, queue: &Queue) -> lapin::Result<QueueStatus> {
    let options = QueueDeclareOptions {
        passive: false,
        durable: queue.durable,
        exclusive: queue.exclusive,
        auto_delete: queue.auto_delete,
        nowait: false,
    };
    channel.queue_declare(short(&queue.name), options, table_out(&queue.arguments)).await.map(status)
}

pub(crate) async fn declare_queue_passive(channel: &Channel, name: &str) -> lapin::Result<QueueStatus> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(short(name), options, FieldTable::default()).await.map(status)
}

pub(crate) async fn delete_queue(
    channel: &Channel,
    name: &str,
    if_unused: bool,
    if_empty: bool,
) -> lapin::Result<u32> {
    channel.queue_delete(short(name), QueueDeleteOptions { if_unused, if_empty, nowait: false }).await
}

pub(crate) async fn purge_queue(channel: &Channel, name: &str) -> lapin::Result<u32> {
    channel.queue_purge(short(name), QueuePurgeOptions { nowait: false }).await
}

pub(crate) async fn bind(channel: &Channel, binding: &Binding) -> lapin::Result<()> {
    let (source, key) = (short(&binding.source), short(&binding.routing_key));
    let arguments = table_out(&binding.arguments);
    match &binding.destination {
        Destination::Queue(queue) => {
            channel.queue_bind(short(queue), source, key, QueueBindOptions::default(), arguments).await
        }
        Destination::Exchange(exchange) => {
            channel
                .exchange_bind(short(exchange), source, key, ExchangeBindOptions::default(), arguments)
                .await
        }
    }
}

pub(crate) async fn unbind(channel: &Channel, binding: &Binding) -> lapin::Result<()> {
    let (source, key) = (short(&binding.source), short(&binding.routing_key));
    let arguments = table_out(&binding.arguments);
    match &binding.destination {
        Destination::Queue(queue) => channel.queue_unbind(short(queue), source, key, arguments).await,
        Destination::Exchange(exchange) => {
            let options = ExchangeUnbindOptions::default();
            channel.exchange_unbind(short(exchange), source, key, options, arguments).await
        }
    }
}

fn kind(kind: &ExchangeKind) -> lapin::ExchangeKind {
    match kind {
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
        ExchangeKind::Headers => lapin::ExchangeKind::Headers,
        other => lapin::ExchangeKind::Custom(other.as_str().into()),
    }
}

fn status(queue: lapin::Queue) -> QueueStatus {
    QueueStatus {
        name: ShortString::try_from(queue.name().as_str())
            .expect("lapin's short strings have at most 255 bytes"),
        messages: queue.message_count(),
        consumers: queue.consumer_count(),
    }
}
