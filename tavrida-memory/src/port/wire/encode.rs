//! What a broker sends: methods, and messages.

use tavrida::transport::Publication;

use super::frame::{content, method};
use super::writer::{long, short, table};
use crate::core::{Arrival, CloseReason, Delivered, Got, MethodReply};

/// Methods of a connection as a whole, on channel 0.
pub(in crate::port) mod connection {
    use tavrida::field::Table;

    use super::{CloseReason, long, method, short, table};

    pub(in crate::port) fn start(properties: &Table, mechanisms: &str, out: &mut Vec<u8>) {
        method(0, (10, 10), out, |out| {
            out.extend_from_slice(&[0, 9]);
            table(properties, out);
            long(mechanisms.as_bytes(), out);
            long(b"en_US", out);
        });
    }

    pub(in crate::port) fn tune(channel_max: u16, frame_max: u32, heartbeat: u16, out: &mut Vec<u8>) {
        method(0, (10, 30), out, |out| {
            out.extend_from_slice(&channel_max.to_be_bytes());
            out.extend_from_slice(&frame_max.to_be_bytes());
            out.extend_from_slice(&heartbeat.to_be_bytes());
        });
    }

    pub(in crate::port) fn open_ok(out: &mut Vec<u8>) {
        method(0, (10, 41), out, |out| short("", out));
    }

    pub(in crate::port) fn close(reason: &CloseReason, out: &mut Vec<u8>) {
        super::close(0, (10, 50), reason, out);
    }

    pub(in crate::port) fn close_ok(out: &mut Vec<u8>) {
        method(0, (10, 51), out, |_| {});
    }

    pub(in crate::port) fn blocked(reason: &str, out: &mut Vec<u8>) {
        method(0, (10, 60), out, |out| short(reason, out));
    }

    pub(in crate::port) fn unblocked(out: &mut Vec<u8>) {
        method(0, (10, 61), out, |_| {});
    }

    pub(in crate::port) fn update_secret_ok(out: &mut Vec<u8>) {
        method(0, (10, 71), out, |_| {});
    }

    /// `channel.close`.
    pub(in crate::port) fn close_channel(channel: u16, reason: &CloseReason, out: &mut Vec<u8>) {
        super::close(channel, (20, 40), reason, out);
    }

    /// `access.request-ok`, on a channel.
    pub(in crate::port) fn access_ok(channel: u16, out: &mut Vec<u8>) {
        method(channel, (30, 11), out, |out| out.extend_from_slice(&[0, 1]));
    }
}

fn close(channel: u16, id: (u16, u16), reason: &CloseReason, out: &mut Vec<u8>) {
    method(channel, id, out, |out| {
        out.extend_from_slice(&reason.code.to_be_bytes());
        close_text(&reason.text, out);
        out.extend_from_slice(&reason.class.to_be_bytes());
        out.extend_from_slice(&reason.method.to_be_bytes());
    });
}

/// Appends the text of a close. RabbitMQ cuts one that is too long within a character; the core has a sign for what is left of it, which
/// may be longer than that. In its place are as many bytes that are no character either, since those of the character are not known here.
fn close_text(text: &str, out: &mut Vec<u8>) {
    let whole = text.strip_suffix("\u{FFFD}...").filter(|whole| (249..252).contains(&whole.len()));
    let Some(whole) = whole else { return short(text, out) };
    out.push(255);
    out.extend_from_slice(whole.as_bytes());
    out.extend_from_slice(&[0xF0, 0x9F, 0x98][..252 - whole.len()]);
    out.extend_from_slice(b"...");
}

/// Appends the answer to a method.
pub(in crate::port) fn reply(channel: u16, reply: &MethodReply, frame_max: usize, out: &mut Vec<u8>) {
    use MethodReply as Reply;
    let id = match reply {
        Reply::BasicGetOk(got) => return get_ok(channel, got, frame_max, out),
        Reply::ChannelOpenOk => (20, 11),
        Reply::ChannelFlowOk { .. } => (20, 21),
        Reply::ChannelCloseOk => (20, 41),
        Reply::ExchangeDeclareOk => (40, 11),
        Reply::ExchangeDeleteOk => (40, 21),
        Reply::ExchangeBindOk => (40, 31),
        Reply::ExchangeUnbindOk => (40, 51),
        Reply::QueueDeclareOk { .. } => (50, 11),
        Reply::QueueBindOk => (50, 21),
        Reply::QueuePurgeOk { .. } => (50, 31),
        Reply::QueueDeleteOk { .. } => (50, 41),
        Reply::QueueUnbindOk => (50, 51),
        Reply::BasicQosOk => (60, 11),
        Reply::BasicConsumeOk { .. } => (60, 21),
        Reply::BasicCancelOk { .. } => (60, 31),
        Reply::BasicGetEmpty => (60, 72),
        Reply::BasicRecoverOk => (60, 111),
        Reply::ConfirmSelectOk => (85, 11),
        Reply::TxSelectOk => (90, 11),
        Reply::TxCommitOk => (90, 21),
        Reply::TxRollbackOk => (90, 31),
    };
    method(channel, id, out, |out| match reply {
        Reply::ChannelOpenOk => out.extend_from_slice(&[0; 4]),
        Reply::ChannelFlowOk { active } => out.push((*active).into()),
        Reply::QueueDeclareOk { queue, message_count, consumer_count } => {
            short(queue, out);
            out.extend_from_slice(&message_count.to_be_bytes());
            out.extend_from_slice(&consumer_count.to_be_bytes());
        }
        Reply::QueuePurgeOk { message_count } | Reply::QueueDeleteOk { message_count } => {
            out.extend_from_slice(&message_count.to_be_bytes());
        }
        Reply::BasicConsumeOk { consumer_tag } | Reply::BasicCancelOk { consumer_tag } => {
            short(consumer_tag, out);
        }
        Reply::BasicGetEmpty => short("", out),
        _ => {}
    });
}

fn get_ok(channel: u16, got: &Got, frame_max: usize, out: &mut Vec<u8>) {
    method(channel, (60, 71), out, |out| {
        out.extend_from_slice(&got.delivery_tag.to_be_bytes());
        out.push(got.redelivered.into());
        route(&got.publication, out);
        out.extend_from_slice(&got.message_count.to_be_bytes());
    });
    content(channel, &got.publication, frame_max, out);
}

/// Appends what a broker sends on its own.
pub(in crate::port) fn arrival(channel: u16, arrival: &Arrival, frame_max: usize, out: &mut Vec<u8>) {
    match arrival {
        Arrival::Delivery(delivered) => deliver(channel, delivered, frame_max, out),
        Arrival::Cancel { consumer_tag } => method(channel, (60, 30), out, |out| {
            short(consumer_tag, out);
            // RabbitMQ waits for no answer.
            out.push(1);
        }),
    }
}

fn deliver(channel: u16, delivered: &Delivered, frame_max: usize, out: &mut Vec<u8>) {
    method(channel, (60, 60), out, |out| {
        short(&delivered.consumer_tag, out);
        out.extend_from_slice(&delivered.delivery_tag.to_be_bytes());
        out.push(delivered.redelivered.into());
        route(&delivered.publication, out);
    });
    content(channel, &delivered.publication, frame_max, out);
}

/// Appends a message that reached no queue.
pub(in crate::port) fn returned(
    channel: u16,
    (code, text): (u16, &str),
    publication: &Publication,
    frame_max: usize,
    out: &mut Vec<u8>,
) {
    method(channel, (60, 50), out, |out| {
        out.extend_from_slice(&code.to_be_bytes());
        short(text, out);
        route(publication, out);
    });
    content(channel, publication, frame_max, out);
}

/// Appends a confirm of one publish, or of all up to this one.
pub(in crate::port) fn confirm(
    channel: u16,
    delivery_tag: u64,
    multiple: bool,
    ack: bool,
    out: &mut Vec<u8>,
) {
    method(channel, (60, if ack { 80 } else { 120 }), out, |out| {
        out.extend_from_slice(&delivery_tag.to_be_bytes());
        // A nack also has the bit `requeue`, which RabbitMQ leaves as AMQP presets it.
        let requeue = if ack { 0 } else { 2 };
        out.push(u8::from(multiple) | requeue);
    });
}

fn route(publication: &Publication, out: &mut Vec<u8>) {
    short(&publication.exchange, out);
    short(&publication.routing_key, out);
}
