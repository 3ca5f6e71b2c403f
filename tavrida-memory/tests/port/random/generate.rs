//! [`Program`]: what a client sends, made only from a seed and a number.

use std::fmt;

use fastrand::Rng;

use crate::rig::{
    BODY, CAPABILITIES, CONTENT_HEADER, HEADER, content, content_header, frame, long, method, open, publish,
    short, start_ok, tune_ok,
};

/// What a client sends.
pub(super) struct Program {
    /// Header, `start-ok`, `tune-ok` and `open`; a random one may end it.
    pub(super) greeting: Option<Vec<u8>>,
    /// Calls on the channels 1 and 2, which the broker may refuse.
    pub(super) calls: Vec<(u16, Vec<u8>)>,
    /// What may be anything.
    pub(super) last: Vec<u8>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(greeting) = &self.greeting {
            write!(f, "greeting {}", greeting.escape_ascii())?;
        }
        for (channel, call) in &self.calls {
            writeln!(f, "call on {channel}: {}", call.escape_ascii())?;
        }
        write!(f, "last: {}", self.last.escape_ascii())
    }
}

/// Returns the program of this number among those of a seed, with other names for another attempt.
pub(super) fn program(seed: u64, number: u64, attempt: u8) -> Program {
    let mut rng =
        Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95));
    let rng = &mut rng;
    let names = Names { number, attempt };
    if rng.u8(..12) == 0 {
        return Program { greeting: Some(greeting(rng)), calls: Vec::new(), last: Vec::new() };
    }
    let calls = (0..rng.usize(..8)).map(|_| {
        let channel = rng.u16(1..3);
        (channel, names.call(rng, channel))
    });
    let calls = calls.collect();
    Program { greeting: None, calls, last: last(rng, names) }
}

/// A handshake in which something is wrong.
fn greeting(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..5) {
        0 => changed(rng, HEADER.to_vec()),
        1 => {
            let mechanism = ["PLAIN", "AMQPLAIN", "NONE", "plain", ""][rng.usize(..5)];
            let response =
                [&b"\0guest\0guest"[..], b"\0guest\0wrong", b"\0who\0guest", b"", b"x"][rng.usize(..5)];
            let capabilities = if rng.bool() { &CAPABILITIES[..] } else { &[] };
            [HEADER, &start_ok(mechanism, response, capabilities)].concat()
        }
        2 => {
            let start = start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES);
            let limits = (
                [0, 1, 2047, 2048, rng.u16(..)][rng.usize(..5)],
                [0, 1, 4095, 4096, 131_072, 131_073][rng.usize(..6)],
                rng.u16(1000..),
            );
            [HEADER, &start, &tune_ok(limits), &open("missing")].concat()
        }
        3 => {
            let start = start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES);
            let early = [method(1, (20, 10), &[0]), frame(8, 0, &[]), method(0, (10, 40), &[0])];
            [HEADER, &start, &early[rng.usize(..3)]].concat()
        }
        _ => {
            let start = start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES);
            let unknown = open(["", "missing", "/missing"][rng.usize(..3)]);
            [HEADER, &start, &tune_ok((2047, 131_072, 0)), &unknown].concat()
        }
    }
}

/// The names of a program, which no other one uses.
#[derive(Clone, Copy)]
struct Names {
    number: u64,
    attempt: u8,
}

impl Names {
    fn name(self, rng: &mut Rng) -> Vec<u8> {
        match rng.u8(..8) {
            0 => short("amq.topic"),
            1 => short("amq.new"),
            _ => self.own(rng),
        }
    }

    /// One that no other program uses.
    fn own(self, rng: &mut Rng) -> Vec<u8> {
        let letter = ["a", "a", "a", "b", "e"][rng.usize(..5)];
        short(&format!("{letter}{}{}", self.number, ["", "x", "y"][usize::from(self.attempt)]))
    }

    /// A method that a client may call, with arguments that can be read.
    fn call(self, rng: &mut Rng, channel: u16) -> Vec<u8> {
        let flags = [rng.u8(..32)];
        let tag = rng.u64(..4).to_be_bytes();
        let (a, b, c) = (self.name(rng), self.name(rng), self.own(rng));
        let table = table(rng);
        let ticket = [0; 2];
        match rng.u8(..24) {
            0 => method(channel, (20, 40), &[0; 7]),
            1 => method(channel, (20, 10), &[0]),
            2 => method(channel, (20, 20), &[rng.u8(..2)]),
            3 | 4 => {
                let kind = short(["fanout", "direct", "topic", "headers", "of-no-plugin"][rng.usize(..5)]);
                method(channel, (40, 10), &[&ticket, &a[..], &kind, &flags, &table].concat())
            }
            5 => method(channel, (40, 20), &[&ticket, &a[..], &flags].concat()),
            6 => method(channel, (40, 30), &[&ticket, &a[..], &b, &c, &[0], &table].concat()),
            7 => method(channel, (40, 40), &[&ticket, &a[..], &b, &c, &[0], &table].concat()),
            8..11 => method(channel, (50, 10), &[&ticket, &a[..], &flags, &table].concat()),
            11 => method(channel, (50, 20), &[&ticket, &a[..], &b, &c, &[0], &table].concat()),
            12 => method(channel, (50, 30), &[&ticket, &a[..], &[0]].concat()),
            13 => method(channel, (50, 40), &[&ticket, &a[..], &[rng.u8(..4)]].concat()),
            14 => method(channel, (50, 50), &[&ticket, &a[..], &b, &c, &table].concat()),
            15 | 16 => method(channel, (60, 70), &[&ticket, &a[..], &[rng.u8(..2)]].concat()),
            17 => method(channel, (60, 80), &[&tag, &[rng.u8(..2)][..]].concat()),
            18 => method(channel, (60, 120), &[&tag, &[rng.u8(..4)][..]].concat()),
            19 => method(channel, (85, 10), &[0]),
            20 => method(channel, (90, 10 * rng.u16(1..4)), &[]),
            21 => method(channel, (60, 10), &[&[0; 4][..], &[0, rng.u8(..3)], &[rng.u8(..2)]].concat()),
            _ => self.publish(rng, channel),
        }
    }

    fn publish(self, rng: &mut Rng, channel: u16) -> Vec<u8> {
        let (exchange, key) = (if rng.bool() { short("") } else { self.name(rng) }, self.own(rng));
        let body = &b"0123456789"[..rng.usize(..10)];
        let head = method(channel, (60, 40), &[vec![0, 0], exchange, key, vec![rng.u8(..3)]].concat());
        [head, content(channel, body)].concat()
    }
}

/// Arguments, of which some are those of a queue or an exchange; none is there twice.
fn table(rng: &mut Rng) -> Vec<u8> {
    let mut names = ["x-max-length", "x-message-ttl", "x-queue-type", "alternate-exchange", "x", "x-match"];
    rng.shuffle(&mut names);
    let entries = (0..rng.usize(..5).saturating_sub(2)).flat_map(|place| {
        let name = short(names[place]);
        [name, value(rng)].concat()
    });
    long(&entries.collect::<Vec<u8>>())
}

fn value(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..8) {
        0 => vec![b't', rng.u8(..2)],
        1 => [&b"l"[..], &rng.i64(-2..1_000_000).to_be_bytes()].concat(),
        2 => [&b"I"[..], &rng.i32(-2..100_000).to_be_bytes()].concat(),
        3 => [&b"S"[..], &long(["classic", "quorum", "all", ""][rng.usize(..4)].as_bytes())].concat(),
        4 => vec![b'V'],
        5 => [&b"F"[..], &long(&[short("in"), vec![b't', 1]].concat())].concat(),
        6 => [&b"A"[..], &long(&[b't', 1])].concat(),
        _ => [&b"d"[..], &1.5f64.to_be_bytes()].concat(),
    }
}

/// Bytes without printable ones of Latin-1 that are not ASCII, which RabbitMQ shows as text.
fn random_bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let length = rng.usize(..=most);
    // Small numbers are lengths, flags and channels that fit.
    std::iter::repeat_with(|| if rng.bool() { rng.u8(..8) } else { rng.u8(..160) }).take(length).collect()
}

fn changed(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    let place = rng.usize(..bytes.len());
    // The names of tables, which are behind this place, and those of a publish have to be UTF-8 here.
    let is_publish = bytes.get(7..11) == Some(&[0, 60, 0, 40]);
    bytes[place] = if place < 11 || (place < 16 && !is_publish) { rng.u8(..) } else { rng.u8(..128) };
    bytes
}

/// Bytes of one kind or another.
fn last(rng: &mut Rng, names: Names) -> Vec<u8> {
    let channel = rng.u16(..4);
    match rng.u8(..16) {
        0 => random_bytes(rng, 40),
        1 => frame(rng.u8(..9), channel, &random_bytes(rng, 40)),
        2 | 3 => {
            let class = [10, 20, 30, 40, 50, 60, 85, 90][rng.usize(..8)];
            let id = match (class, rng.u16(1..13) * 10 + rng.u16(..2)) {
                // RabbitMQ refuses these methods of a server behind their contents only.
                (60, 50 | 60 | 71) => (60, 11),
                other => other,
            };
            method(channel, id, &random_bytes(rng, 30))
        }
        4..7 => {
            let call = names.call(rng, 1);
            changed(rng, call)
        }
        7 => {
            let mut call = names.call(rng, 1);
            call.truncate(rng.usize(..call.len()));
            call
        }
        8 => {
            let channel = [0, 3, 2047, 2048, 65_535][rng.usize(..5)];
            names.call(rng, channel)
        }
        9 => method([0, 1][rng.usize(..2)], (10, 10 * rng.u16(1..8) + rng.u16(..2)), &random_bytes(rng, 12)),
        10 => {
            let size = [131_064, 131_065, 200_000, u32::MAX][rng.usize(..4)];
            let mut bytes = frame(rng.u8(1..4), channel, &random_bytes(rng, 8));
            bytes[3..7].copy_from_slice(&size.to_be_bytes());
            bytes
        }
        11 => {
            let parts = [
                publish(1, "missing"),
                content_header(1, [60, 50, 0][rng.usize(..3)], rng.u64(..3)),
                frame(BODY, 1, &random_bytes(rng, 3)),
                method(1, (20, 20), &[1]),
                frame(8, 0, &[]),
            ];
            (0..3).flat_map(|_| parts[rng.usize(..5)].clone()).collect()
        }
        _ => {
            let flags = if rng.bool() { 1 << rng.u32(1..16) } else { rng.u16(..) };
            // Texts that are not UTF-8 are a difference that the documentation of the port names.
            let fields: Vec<u8> = random_bytes(rng, 20).into_iter().map(|byte| byte & 0x7F).collect();
            let properties = [&flags.to_be_bytes()[..], &fields].concat();
            let header = [&[0, 60, 0, 0][..], &0u64.to_be_bytes(), &properties].concat();
            [publish(1, "missing"), frame(CONTENT_HEADER, 1, &header)].concat()
        }
    }
}
