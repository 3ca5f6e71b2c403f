//! The properties of a message, as in the header of its content.

use tavrida::field::ShortString;
use tavrida::transport::Properties;

use super::reader::{Malformed, Reader};
use super::writer;

/// The bits of the flags, from the highest; bit 0 would announce more flags, which no property has.
const CONTENT_TYPE: u16 = 1 << 15;
const CONTENT_ENCODING: u16 = 1 << 14;
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const CORRELATION_ID: u16 = 1 << 10;
const REPLY_TO: u16 = 1 << 9;
const EXPIRATION: u16 = 1 << 8;
const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;
const TYPE: u16 = 1 << 5;
const USER_ID: u16 = 1 << 4;
const APP_ID: u16 = 1 << 3;
const CLUSTER_ID: u16 = 1 << 2;

/// Reads flags and properties.
pub(in crate::port) fn read(bytes: &[u8]) -> Result<Properties, Malformed> {
    // Whatever is in the texts, RabbitMQ sees first whether the bytes are properties at all.
    read_fields(bytes).map_err(|malformed| match malformed {
        Malformed::Text => check(bytes).err().unwrap_or(malformed),
        other => other,
    })
}

/// Checks what does not depend on what is in the texts.
fn check(bytes: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u16()?;
    for flag in (CLUSTER_ID.trailing_zeros()..=CONTENT_TYPE.trailing_zeros()).rev().map(|bit| 1 << bit) {
        match flag {
            _ if flags & flag == 0 => {}
            HEADERS => drop(reader.table()?),
            DELIVERY_MODE | PRIORITY => _ = reader.u8()?,
            TIMESTAMP => _ = reader.u64()?,
            _ => {
                let length = reader.u8()?;
                reader.skip(length.into())?;
            }
        }
    }
    reader.end()
}

fn read_fields(bytes: &[u8]) -> Result<Properties, Malformed> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u16()?;
    let has = |flag: u16| flags & flag != 0;
    let read = &mut reader;
    // Fields are read in this order, which is that of the wire.
    let properties = Properties {
        content_type: has(CONTENT_TYPE).then(|| read.short()).transpose()?,
        content_encoding: has(CONTENT_ENCODING).then(|| read.short()).transpose()?,
        headers: has(HEADERS).then(|| read.table()).transpose()?,
        delivery_mode: has(DELIVERY_MODE).then(|| read.u8()).transpose()?,
        priority: has(PRIORITY).then(|| read.u8()).transpose()?,
        correlation_id: has(CORRELATION_ID).then(|| read.short()).transpose()?,
        reply_to: has(REPLY_TO).then(|| read.short()).transpose()?,
        expiration: has(EXPIRATION).then(|| read.short()).transpose()?,
        message_id: has(MESSAGE_ID).then(|| read.short()).transpose()?,
        timestamp: has(TIMESTAMP).then(|| read.u64()).transpose()?,
        kind: has(TYPE).then(|| read.short()).transpose()?,
        user_id: has(USER_ID).then(|| read.short()).transpose()?,
        app_id: has(APP_ID).then(|| read.short()).transpose()?,
        cluster_id: has(CLUSTER_ID).then(|| read.short()).transpose()?,
    };
    reader.end()?;
    Ok(properties)
}

/// Appends flags and properties.
pub(super) fn write(properties: &Properties, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 2]);
    let mut flags = 0;
    text(&properties.content_type, CONTENT_TYPE, &mut flags, out);
    text(&properties.content_encoding, CONTENT_ENCODING, &mut flags, out);
    if let Some(headers) = &properties.headers {
        flags |= HEADERS;
        writer::table(headers, out);
    }
    if let Some(mode) = properties.delivery_mode {
        flags |= DELIVERY_MODE;
        out.push(mode);
    }
    if let Some(priority) = properties.priority {
        flags |= PRIORITY;
        out.push(priority);
    }
    text(&properties.correlation_id, CORRELATION_ID, &mut flags, out);
    text(&properties.reply_to, REPLY_TO, &mut flags, out);
    text(&properties.expiration, EXPIRATION, &mut flags, out);
    text(&properties.message_id, MESSAGE_ID, &mut flags, out);
    if let Some(timestamp) = properties.timestamp {
        flags |= TIMESTAMP;
        out.extend_from_slice(&timestamp.to_be_bytes());
    }
    text(&properties.kind, TYPE, &mut flags, out);
    text(&properties.user_id, USER_ID, &mut flags, out);
    text(&properties.app_id, APP_ID, &mut flags, out);
    text(&properties.cluster_id, CLUSTER_ID, &mut flags, out);
    out[start..start + 2].copy_from_slice(&flags.to_be_bytes());
}

fn text(property: &Option<ShortString>, flag: u16, flags: &mut u16, out: &mut Vec<u8>) {
    if let Some(property) = property {
        *flags |= flag;
        writer::short(property, out);
    }
}
