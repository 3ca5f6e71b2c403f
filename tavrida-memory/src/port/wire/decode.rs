//! Methods of a client, out of their arguments.

use tavrida::field::{ShortString, Table};

use super::reader::{Malformed, Reader};
use super::shape::{check, check_texts, shape};
use crate::core::{BasicConsume, ExchangeBind, ExchangeDeclare, Method, QueueBind, QueueDeclare};

/// A method that arrived.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::port) enum Incoming {
    StartOk {
        client: Table,
        mechanism: ShortString,
        response: Vec<u8>,
    },
    TuneOk {
        channel_max: u16,
        frame_max: u32,
        heartbeat: u16,
    },
    Open {
        virtual_host: ShortString,
    },
    Close,
    CloseOk,
    UpdateSecret,
    /// A method on a channel without a content.
    Method(Method),
    /// `basic.publish`, whose content follows.
    Publish {
        exchange: ShortString,
        routing_key: ShortString,
        mandatory: bool,
        immediate: bool,
    },
    /// `access.request`, which older clients call.
    AccessRequest,
    /// A method that only a broker calls, or one that has no use at this place.
    Foreign,
}

/// Reads the arguments of a method that [`shape`] knows.
pub(in crate::port) fn decode(class: u16, method: u16, arguments: &[u8]) -> Result<Incoming, Malformed> {
    let shape = shape(class, method).unwrap_or_default();
    check(shape, arguments)?;
    let mut reader = Reader::new(arguments);
    let incoming = match class {
        10 => connection(method, &mut reader)?,
        20 => channel(method, &mut reader)?,
        30 if method == 10 => return Ok(Incoming::AccessRequest),
        40 => exchange(method, &mut reader)?,
        50 => queue(method, &mut reader)?,
        60 => basic(method, &mut reader)?,
        85 if method == 10 => some(Method::ConfirmSelect { nowait: reader.flags()?.has(0) }),
        90 if method == 10 => some(Method::TxSelect),
        90 if method == 20 => some(Method::TxCommit),
        90 if method == 30 => some(Method::TxRollback),
        _ => None,
    };
    let Some(incoming) = incoming else {
        check_texts(shape, arguments)?;
        return Ok(Incoming::Foreign);
    };
    reader.end()?;
    Ok(incoming)
}

fn some(method: Method) -> Option<Incoming> {
    Some(Incoming::Method(method))
}

fn connection(method: u16, read: &mut Reader<'_>) -> Result<Option<Incoming>, Malformed> {
    Ok(Some(match method {
        11 => {
            let start = Incoming::StartOk {
                client: read.table()?,
                mechanism: read.short()?,
                response: read.long()?.to_vec(),
            };
            read.short()?;
            start
        }
        31 => Incoming::TuneOk { channel_max: read.u16()?, frame_max: read.u32()?, heartbeat: read.u16()? },
        40 => {
            let open = Incoming::Open { virtual_host: read.short()? };
            read.short()?;
            read.flags()?;
            open
        }
        50 => {
            close(read)?;
            Incoming::Close
        }
        51 => Incoming::CloseOk,
        70 => {
            read.long()?;
            read.short()?;
            Incoming::UpdateSecret
        }
        _ => return Ok(None),
    }))
}

/// Reads why a client closes, which the broker does not need.
fn close(read: &mut Reader<'_>) -> Result<(), Malformed> {
    read.u16()?;
    read.short()?;
    read.u16()?;
    read.u16()?;
    Ok(())
}

fn channel(method: u16, read: &mut Reader<'_>) -> Result<Option<Incoming>, Malformed> {
    Ok(some(match method {
        10 => {
            read.short()?;
            Method::ChannelOpen
        }
        20 => Method::ChannelFlow { active: read.flags()?.has(0) },
        40 => {
            close(read)?;
            Method::ChannelClose
        }
        41 => Method::ChannelCloseOk,
        _ => return Ok(None),
    }))
}

fn exchange(method: u16, read: &mut Reader<'_>) -> Result<Option<Incoming>, Malformed> {
    if matches!(method, 10 | 20 | 30 | 40) {
        // The ticket, which has had no meaning since AMQP 0-9-1.
        read.u16()?;
    }
    Ok(some(match method {
        10 => {
            let (exchange, kind, flags) = (read.short()?, read.short()?, read.flags()?);
            Method::ExchangeDeclare(ExchangeDeclare {
                exchange,
                kind,
                passive: flags.has(0),
                durable: flags.has(1),
                auto_delete: flags.has(2),
                internal: flags.has(3),
                nowait: flags.has(4),
                arguments: read.table()?,
            })
        }
        20 => {
            let (exchange, flags) = (read.short()?, read.flags()?);
            Method::ExchangeDelete { exchange, if_unused: flags.has(0), nowait: flags.has(1) }
        }
        30 => Method::ExchangeBind(exchange_bind(read)?),
        40 => Method::ExchangeUnbind(exchange_bind(read)?),
        _ => return Ok(None),
    }))
}

fn exchange_bind(read: &mut Reader<'_>) -> Result<ExchangeBind, Malformed> {
    Ok(ExchangeBind {
        destination: read.short()?,
        source: read.short()?,
        routing_key: read.short()?,
        nowait: read.flags()?.has(0),
        arguments: read.table()?,
    })
}

fn queue(method: u16, read: &mut Reader<'_>) -> Result<Option<Incoming>, Malformed> {
    if matches!(method, 10 | 20 | 30 | 40 | 50) {
        read.u16()?;
    }
    Ok(some(match method {
        10 => {
            let (queue, flags) = (read.short()?, read.flags()?);
            Method::QueueDeclare(QueueDeclare {
                queue,
                passive: flags.has(0),
                durable: flags.has(1),
                exclusive: flags.has(2),
                auto_delete: flags.has(3),
                nowait: flags.has(4),
                arguments: read.table()?,
            })
        }
        20 => Method::QueueBind(queue_bind(read, true)?),
        30 => Method::QueuePurge { queue: read.short()?, nowait: read.flags()?.has(0) },
        40 => {
            let (queue, flags) = (read.short()?, read.flags()?);
            let (if_unused, if_empty, nowait) = (flags.has(0), flags.has(1), flags.has(2));
            Method::QueueDelete { queue, if_unused, if_empty, nowait }
        }
        50 => Method::QueueUnbind(queue_bind(read, false)?),
        _ => return Ok(None),
    }))
}

fn queue_bind(read: &mut Reader<'_>, has_flags: bool) -> Result<QueueBind, Malformed> {
    Ok(QueueBind {
        queue: read.short()?,
        exchange: read.short()?,
        routing_key: read.short()?,
        nowait: has_flags && read.flags()?.has(0),
        arguments: read.table()?,
    })
}

fn basic(method: u16, read: &mut Reader<'_>) -> Result<Option<Incoming>, Malformed> {
    if matches!(method, 20 | 40 | 70) {
        read.u16()?;
    }
    Ok(some(match method {
        10 => Method::BasicQos {
            prefetch_size: read.u32()?,
            prefetch_count: read.u16()?,
            global: read.flags()?.has(0),
        },
        20 => {
            let (queue, consumer_tag, flags) = (read.short()?, read.short()?, read.flags()?);
            Method::BasicConsume(BasicConsume {
                queue,
                consumer_tag,
                no_local: flags.has(0),
                no_ack: flags.has(1),
                exclusive: flags.has(2),
                nowait: flags.has(3),
                arguments: read.table()?,
            })
        }
        30 => Method::BasicCancel { consumer_tag: read.short()?, nowait: read.flags()?.has(0) },
        40 => {
            let (exchange, routing_key, flags) = (read.short()?, read.short()?, read.flags()?);
            let (mandatory, immediate) = (flags.has(0), flags.has(1));
            return Ok(Some(Incoming::Publish { exchange, routing_key, mandatory, immediate }));
        }
        70 => Method::BasicGet { queue: read.short()?, no_ack: read.flags()?.has(0) },
        80 => Method::BasicAck { delivery_tag: read.u64()?, multiple: read.flags()?.has(0) },
        90 => Method::BasicReject { delivery_tag: read.u64()?, requeue: read.flags()?.has(0) },
        100 => Method::BasicRecoverAsync { requeue: read.flags()?.has(0) },
        110 => Method::BasicRecover { requeue: read.flags()?.has(0) },
        120 => {
            let (delivery_tag, flags) = (read.u64()?, read.flags()?);
            Method::BasicNack { delivery_tag, multiple: flags.has(0), requeue: flags.has(1) }
        }
        _ => return Ok(None),
    }))
}
