//! Random clients of the state machine: whatever they send, it neither panics nor hangs, and its output is frames.
//!
//! `TAVRIDA_SEED` repeats the program that failed, `TAVRIDA_PROGRAMS` sets how many there are.

use std::sync::Arc;

use tavrida::field::ShortString;

use super::{ServerConnection, Step};
use crate::core::{Behaviour, Broker, Command, Config, ConnectionId, Effects, Method, Now, Operator};
use crate::port::settings::PortSettings;
use crate::port::wire::{FRAME_OVERHEAD, Frame, Kind};

const ID: ConnectionId = ConnectionId(1);

/// A connection and its broker.
struct World {
    connection: ServerConnection,
    broker: Broker,
    effects: Effects,
}

impl World {
    fn new() -> Self {
        let mut settings = PortSettings::new(&Behaviour::default());
        settings.virtual_hosts.insert(ShortString::from_static("/"));
        let connection = ServerConnection::new(Arc::new(settings));
        Self { connection, broker: Broker::new(Config::default()), effects: Effects::new() }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.connection.receive(bytes);
        while let Some(step) = self.connection.next() {
            let step = match step {
                Step::Unreadable { channel, method } if self.broker.refuses(ID.channel(channel), &method) => {
                    Step::Method { channel, method }
                }
                Step::Unreadable { .. } => {
                    self.connection.crash();
                    continue;
                }
                other => other,
            };
            self.execute(match step {
                Step::Unreadable { .. } => unreachable!("it is one of the others"),
                Step::Connect { options, .. } => Command::Connect { connection: ID, options },
                Step::Method { channel, method } => Command::Method { channel: ID.channel(channel), method },
                Step::Close => Command::Close { connection: ID },
                Step::Abort => Command::Abort { connection: ID },
            });
        }
        for channel in self.broker.sending() {
            while let Some(arrival) = self.broker.take(channel) {
                self.connection.deliver(channel.number, &arrival);
            }
        }
    }

    fn execute(&mut self, command: Command) {
        self.effects.clear();
        self.broker.apply(Now::default(), command, &mut self.effects);
        self.effects.drain().for_each(|effect| self.connection.effect(effect));
    }

    /// Checks that the output is whole frames, behind the header that answers another one.
    fn check(&mut self) {
        let output = std::mem::take(self.connection.output());
        let mut rest = &output[..];
        if rest.starts_with(b"AMQP") {
            rest = &rest[8..];
        }
        while !rest.is_empty() {
            let frame = Frame::read(rest, 131_072).expect("a frame").expect("a whole frame");
            assert_ne!(frame.kind(), Kind::Unknown);
            rest = &rest[frame.payload.len() + FRAME_OVERHEAD..];
        }
    }
}

fn frame(octet: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = (payload.len() as u32).to_be_bytes();
    [&[octet], &channel.to_be_bytes()[..], &size, payload, &[0xCE]].concat()
}

fn method(channel: u16, class: u16, method: u16, arguments: &[u8]) -> Vec<u8> {
    frame(1, channel, &[&class.to_be_bytes(), &method.to_be_bytes(), arguments].concat())
}

/// Header and login of an honest client.
fn greeting() -> Vec<u8> {
    let start = [&[0; 4][..], b"\x05PLAIN", b"\0\0\0\x0c\0guest\0guest", b"\x05en_US"].concat();
    let tune = [&2047u16.to_be_bytes()[..], &131_072u32.to_be_bytes(), &[0, 0]].concat();
    [
        b"AMQP\0\0\x09\x01".to_vec(),
        method(0, 10, 11, &start),
        method(0, 10, 31, &tune),
        method(0, 10, 40, b"\x01/\0\0"),
    ]
    .concat()
}

fn random_bytes(rng: &mut fastrand::Rng, most: usize) -> Vec<u8> {
    let length = rng.usize(..=most);
    // Small numbers are lengths, flags and channels that fit.
    std::iter::repeat_with(|| if rng.bool() { rng.u8(..8) } else { rng.u8(..) }).take(length).collect()
}

fn short(rng: &mut fastrand::Rng) -> Vec<u8> {
    let name = ["", "q", "r", "amq.topic", "e"][rng.usize(..5)];
    [&[name.len() as u8], name.as_bytes()].concat()
}

/// A method that a client may call, with arguments that can mostly be read.
fn call(rng: &mut fastrand::Rng) -> Vec<u8> {
    let channel = rng.u16(..4);
    let table = [0; 4];
    let flags = [rng.u8(..32)];
    let tag = rng.u64(..4).to_be_bytes();
    let (a, b, c) = (short(rng), short(rng), short(rng));
    let ticket = [0; 2];
    match rng.u8(..24) {
        0..4 => method(channel, 20, 10, &[0]),
        4 => method(channel, 20, 40, &[0; 7]),
        5 => method(channel, 20, 41, &[]),
        6 => method(channel, 40, 10, &[&ticket, &a[..], b"\x06fanout", &flags, &table].concat()),
        7 => method(channel, 40, 20, &[&ticket, &a[..], &flags].concat()),
        8..11 => method(channel, 50, 10, &[&ticket, &a[..], &flags, &table].concat()),
        11 => method(channel, 50, 20, &[&ticket, &a[..], &b, &c, &[0], &table].concat()),
        12 => method(channel, 50, 40, &[&ticket, &a[..], &flags].concat()),
        13 | 14 => method(channel, 60, 20, &[&ticket, &a[..], &b, &flags, &table].concat()),
        15 => method(channel, 60, 30, &[&a[..], &[0]].concat()),
        16 => method(channel, 60, 70, &[&ticket, &a[..], &flags].concat()),
        17 => method(channel, 60, 80, &[&tag, &flags[..]].concat()),
        18 => method(channel, 60, 120, &[&tag, &flags[..]].concat()),
        19 => method(channel, 85, 10, &[0]),
        20 => method(channel, 90, 10 * rng.u16(1..4), &[]),
        _ => [
            method(channel, 60, 40, &[&ticket, &a[..], &b, &[rng.u8(..2)]].concat()),
            frame(2, channel, &[&[0, 60, 0, 0][..], &3u64.to_be_bytes(), &[0, 0]].concat()),
            frame(3, channel, b"abc"),
        ]
        .concat(),
    }
}

/// Bytes of one kind or another.
fn bytes(rng: &mut fastrand::Rng) -> Vec<u8> {
    let channel = rng.u16(..3);
    match rng.u8(..40) {
        0 => random_bytes(rng, 40),
        1 => frame(rng.u8(..9), channel, &random_bytes(rng, 40)),
        2 => {
            let (class, id) =
                ([10, 20, 40, 50, 60, 85, 90][rng.usize(..7)], rng.u16(1..13) * 10 + rng.u16(..2));
            method(channel, class, id, &random_bytes(rng, 30))
        }
        3 => {
            let mut changed = call(rng);
            let place = rng.usize(..changed.len());
            changed[place] = rng.u8(..);
            changed
        }
        4 => method(0, 10, [50, 51, 70, 31][rng.usize(..4)], &[0; 7]),
        5 => frame(8, 0, &[]),
        _ => call(rng),
    }
}

fn program(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut world = World::new();
    if rng.u8(..8) > 0 {
        world.receive(&greeting());
    }
    for _ in 0..rng.usize(1..60) {
        let sent = bytes(&mut rng);
        // What arrives is cut anywhere.
        let (first, second) = sent.split_at(rng.usize(..=sent.len()));
        world.receive(first);
        match rng.u8(..60) {
            0 => world.execute(Command::Operator(Operator::Block { reason: "low on memory".to_owned() })),
            1 => world.execute(Command::Operator(Operator::Unblock)),
            2 => {
                let reason = "enough".to_owned();
                world.execute(Command::Operator(Operator::CloseConnection { connection: ID, reason }));
            }
            _ => {}
        }
        world.receive(second);
        world.check();
    }
}

#[test]
fn no_client_stops_the_state_machine() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let (first, count) = match number("TAVRIDA_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("TAVRIDA_PROGRAMS").unwrap_or(5000)),
    };
    for seed in first..first + count {
        let outcome = std::panic::catch_unwind(|| program(seed));
        assert!(outcome.is_ok(), "repeat it with TAVRIDA_SEED={seed}");
    }
}

/// The programs reach what lies behind the handshake.
#[test]
fn the_greeting_is_one() {
    let mut world = World::new();
    world.receive(&greeting());
    assert!(world.connection.is_open());
    world.execute(Command::Method { channel: ID.channel(1), method: Method::ChannelOpen });
    assert!(world.broker.is_open(ID.channel(1)));
    world.check();
}
