//! [`Frame`]: what a connection is cut into.

use tavrida::transport::Publication;

use super::{properties, writer};

/// The bytes of a frame around its payload: type, channel and size in front, and the end mark behind.
pub(in crate::port) const FRAME_OVERHEAD: usize = HEAD + 1;

const HEAD: usize = 7;
const END: u8 = 0xCE;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// A frame whose bytes are all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::port) struct Frame<'a> {
    /// The type as it is on the wire.
    pub(in crate::port) octet: u8,
    pub(in crate::port) channel: u16,
    pub(in crate::port) payload: &'a [u8],
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::port) enum Kind<'a> {
    Method { class: u16, method: u16, arguments: &'a [u8] },
    Header { class: u16, weight: u16, size: u64, properties: &'a [u8] },
    Body(&'a [u8]),
    Heartbeat,
    Unknown,
}

/// Bytes that are no frame: what follows them cannot be read either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::port) enum FrameError {
    /// The negotiated largest payload, and the one announced by a frame of this type.
    TooLarge { octet: u8, size: usize, max: usize },
    /// The mark at the end is another octet.
    End(u8),
}

impl<'a> Frame<'a> {
    /// Returns the first frame of the input, whose length is its payload and [`FRAME_OVERHEAD`]. `None` if some of it is missing.
    pub(in crate::port) fn read(
        input: &'a [u8],
        frame_max: usize,
    ) -> Result<Option<Self>, (FrameError, Self)> {
        let Some((head, rest)) = input.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [octet, c1, c2, s1, s2, s3, s4] = *head;
        let size = u32::from_be_bytes([s1, s2, s3, s4]) as usize;
        let channel = u16::from_be_bytes([c1, c2]);
        // RabbitMQ permits what the frame around a payload adds, and names the limit without it.
        if size > frame_max {
            let max = frame_max - FRAME_OVERHEAD;
            return Err((FrameError::TooLarge { octet, size, max }, Self { octet, channel, payload: &[] }));
        }
        let Some((payload, rest)) = rest.split_at_checked(size) else { return Ok(None) };
        let frame = Self { octet, channel, payload };
        match rest.first() {
            None => Ok(None),
            Some(&END) => Ok(Some(frame)),
            Some(end) => Err((FrameError::End(*end), frame)),
        }
    }

    pub(in crate::port) fn kind(&self) -> Kind<'a> {
        match (self.octet, self.payload) {
            (METHOD, [c1, c2, m1, m2, arguments @ ..]) => Kind::Method {
                class: u16::from_be_bytes([*c1, *c2]),
                method: u16::from_be_bytes([*m1, *m2]),
                arguments,
            },
            (HEADER, [c1, c2, w1, w2, rest @ ..]) => match rest.split_first_chunk() {
                Some((size, properties)) => Kind::Header {
                    class: u16::from_be_bytes([*c1, *c2]),
                    weight: u16::from_be_bytes([*w1, *w2]),
                    size: u64::from_be_bytes(*size),
                    properties,
                },
                None => Kind::Unknown,
            },
            (BODY, body) => Kind::Body(body),
            (HEARTBEAT, []) => Kind::Heartbeat,
            _ => Kind::Unknown,
        }
    }
}

fn frame(octet: u8, channel: u16, out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
    out.push(octet);
    out.extend_from_slice(&channel.to_be_bytes());
    writer::counted(out, payload);
    out.push(END);
}

/// Appends a method.
pub(in crate::port) fn method(
    channel: u16,
    (class, method): (u16, u16),
    out: &mut Vec<u8>,
    arguments: impl FnOnce(&mut Vec<u8>),
) {
    frame(METHOD, channel, out, |out| {
        out.extend_from_slice(&class.to_be_bytes());
        out.extend_from_slice(&method.to_be_bytes());
        arguments(out);
    });
}

/// Appends the header and the body of a message, the latter in frames of at most `frame_max` bytes.
pub(super) fn content(channel: u16, publication: &Publication, frame_max: usize, out: &mut Vec<u8>) {
    frame(HEADER, channel, out, |out| {
        out.extend_from_slice(&[0, 60, 0, 0]);
        out.extend_from_slice(&(publication.body.len() as u64).to_be_bytes());
        properties::write(&publication.properties, out);
    });
    for part in publication.body.chunks(frame_max - FRAME_OVERHEAD) {
        frame(BODY, channel, out, |out| out.extend_from_slice(part));
    }
}

pub(in crate::port) fn heartbeat(out: &mut Vec<u8>) {
    frame(HEARTBEAT, 0, out, |_| {});
}
