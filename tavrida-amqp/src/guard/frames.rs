//! [`Frames`]: cuts a stream of bytes into frames, and replaces those that lapin could not read. No I/O.

use tavrida::transport::Broker;

use super::{header, method};

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const FRAME_END: u8 = 0xCE;

/// Type, channel and size, before the payload; the end octet behind it.
const HEAD: usize = 7;
const AROUND: usize = HEAD + 1;

/// No broker sends a header above this size: what says so is no frame.
const LARGEST: usize = 64 << 20;

/// lapin (4.12.3) answers with this size where a broker offers less than this and less than the configured size. The broker refuses.
const RAISED_BELOW: u32 = 8192;

/// `connection.tune`.
const TUNE: [u8; 4] = [0, 10, 0, 30];

pub(super) struct Frames {
    /// The largest frame, as it was negotiated.
    frame_max: usize,
    /// How many bytes of a frame are still to come that need no look.
    passing: usize,
    /// A frame that has to be looked at and is not complete, or not readable; with what came behind it.
    held: Vec<u8>,
    /// What the broker reported of itself, until it is taken.
    pub(super) broker: Option<Broker>,
    /// The largest frame that the broker offers, where lapin would not keep to it.
    pub(super) small: Option<u32>,
}

impl Frames {
    /// `frame_max` is what the client asks for; 0 for what the broker offers.
    pub(super) fn new(frame_max: u32) -> Self {
        Self { frame_max: frame_max as usize, passing: 0, held: Vec::new(), broker: None, small: None }
    }

    /// How many of these bytes, from the first on, may be read as they are. The others are held, which is to be seen to before
    /// more bytes come.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> usize {
        debug_assert!(self.held.is_empty(), "what is held comes first");
        let passed = self.look(bytes);
        self.held.extend_from_slice(&bytes[passed..]);
        passed
    }

    /// How many bytes have to come before there is more to read: none when nothing is held.
    pub(super) fn missing(&self) -> usize {
        match self.held.len() {
            0 => 0,
            len @ 1..HEAD => HEAD - len,
            len => frame_len(&self.held).saturating_sub(len),
        }
    }

    /// Takes bytes that were [missing](Frames::missing), and returns what can be read now.
    pub(super) fn complete(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut readable = Vec::new();
        while !self.held.is_empty() && self.missing() == 0 {
            let held = std::mem::take(&mut self.held);
            let (frame, rest) = held.split_at(frame_len(&held));
            readable.extend(self.readable(frame));
            let passed = self.pass(rest);
            readable.extend_from_slice(&rest[..passed]);
        }
        readable
    }

    fn look(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let passed = self.passing.min(bytes.len() - at);
            self.passing -= passed;
            at += passed;
            let rest = &bytes[at..];
            if rest.len() < HEAD {
                return at;
            }
            let len = frame_len(rest);
            if !needs_a_look(rest[0], len) {
                self.passing = len;
            } else if rest.len() >= len && self.is_readable(&rest[..len]) {
                self.learn(&rest[HEAD..len - 1]);
                at += len;
            } else {
                return at;
            }
        }
    }

    fn is_readable(&self, frame: &[u8]) -> bool {
        let payload = &frame[HEAD..frame.len() - 1];
        match frame[0] {
            HEADER => header::is_readable(payload, self.room()),
            METHOD => method::is_readable(payload),
            _ => true,
        }
    }

    fn readable(&mut self, frame: &[u8]) -> Vec<u8> {
        let payload = &frame[HEAD..frame.len() - 1];
        if !needs_a_look(frame[0], frame.len()) || self.is_readable(frame) {
            self.learn(payload);
            return frame.to_vec();
        }
        let payload = if frame[0] == HEADER {
            let (payload, reason) = header::rewritten(payload, self.room());
            tracing::warn!(reason, "a part of a message cannot be read and is left out");
            payload
        } else {
            tracing::warn!(
                "a name that is not UTF-8, or a table that is not readable, in a method of the broker"
            );
            method::rewritten(payload)
        };
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&frame[..3], &len, &payload, &[FRAME_END]].concat()
    }

    /// Takes note of what the broker is and negotiates.
    fn learn(&mut self, method: &[u8]) {
        if let Some(broker) = method::broker(method) {
            self.broker = Some(broker);
        }
        if let Some(&[a, b, c, d]) = method.strip_prefix(&TUNE).and_then(|tune| tune.get(2..6)) {
            let offered = u32::from_be_bytes([a, b, c, d]);
            if self.frame_max == 0 || (offered != 0 && (offered as usize) < self.frame_max) {
                self.frame_max = offered as usize;
                self.small = Some(offered).filter(|offered| (1..RAISED_BELOW).contains(offered));
            }
        }
    }

    /// How many bytes fit into a frame.
    fn room(&self) -> usize {
        match self.frame_max {
            0 => usize::MAX,
            frame_max => frame_max.saturating_sub(AROUND),
        }
    }
}

fn needs_a_look(kind: u8, len: usize) -> bool {
    matches!(kind, METHOD | HEADER) && len <= LARGEST
}

/// The length of the frame that begins here.
fn frame_len(bytes: &[u8]) -> usize {
    u32::from_be_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]) as usize + AROUND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let len = (payload.len() as u32).to_be_bytes();
        [&[kind, 0, 1][..], &len, payload, &[FRAME_END]].concat()
    }

    fn deliver(key: &[u8]) -> Vec<u8> {
        let arguments = [&[0, 60, 0, 60, 1, b't'][..], &[0; 9], &[0, key.len() as u8], key].concat();
        frame(METHOD, &arguments)
    }

    fn content(headers: &[u8]) -> Vec<u8> {
        let len = (headers.len() as u32).to_be_bytes();
        frame(HEADER, &[&[0; 12][..], &[0x20, 0], &len, headers].concat())
    }

    /// What is read of a stream that comes in pieces of this size.
    fn read(stream: &[u8], piece: usize) -> Vec<u8> {
        let mut frames = Frames::new(8_192);
        let (mut read, mut rest) = (Vec::new(), stream);
        while !rest.is_empty() {
            let missing = frames.missing();
            let (now, later) =
                rest.split_at(piece.min(rest.len()).min(if missing == 0 { piece } else { missing }));
            match missing {
                0 => {
                    let passed = frames.pass(now);
                    read.extend_from_slice(&now[..passed]);
                    read.extend(frames.complete(&[]));
                }
                _ => read.extend(frames.complete(now)),
            }
            rest = later;
        }
        read
    }

    #[test]
    fn readable_frames_come_out_as_they_went_in_however_they_are_cut() {
        let stream =
            [deliver(b"key"), content(&[1, b'h', b'V']), frame(3, &[0xCE; 300]), frame(8, b"")].concat();
        for piece in 1..stream.len() {
            assert_eq!(read(&stream, piece), stream, "in pieces of {piece} bytes");
        }
    }

    #[test]
    fn unreadable_frames_are_replaced_however_they_are_cut() {
        let body = frame(3, b"body");
        let stream = [deliver(b"k\xff"), content(&[1, 0xff, b'V']), body.clone(), deliver(b"next")].concat();
        let whole = read(&stream, stream.len());
        assert!(whole.starts_with(&deliver(b"k?")), "{whole:?}");
        assert!(whole.ends_with(&[body, deliver(b"next")].concat()), "{whole:?}");
        for piece in 1..stream.len() {
            assert_eq!(read(&stream, piece), whole, "in pieces of {piece} bytes");
        }
    }

    #[test]
    fn the_smaller_of_two_frame_sizes_counts() {
        let tune = |frame_max: u32| {
            frame(METHOD, &[&TUNE[..], &[7, 0xff], &frame_max.to_be_bytes(), &[0, 60]].concat())
        };
        let after = |asked, offered| {
            let mut frames = Frames::new(asked);
            assert_eq!(frames.pass(&tune(offered)), tune(offered).len());
            frames.frame_max
        };
        assert_eq!(
            (after(0, 131_072), after(8_192, 131_072), after(131_072, 4_096)),
            (131_072, 8_192, 4_096)
        );
        assert_eq!((after(8_192, 0), after(0, 0)), (8_192, 0));
        let small = |asked, offered| {
            let mut frames = Frames::new(asked);
            frames.pass(&tune(offered));
            frames.small
        };
        assert_eq!(
            (small(0, 4_096), small(131_072, 5_000), small(6_000, 4_096)),
            (Some(4_096), Some(5_000), Some(4_096))
        );
        assert_eq!(
            (small(4_096, 4_096), small(4_096, 131_072), small(0, 8_192), small(0, 0)),
            (None, None, None, None)
        );
    }
}
