//! [`Hostile`]: messages as an attacker would publish them, to test your own service.
//!
//! A broker accepts each of them from any publisher. A service must survive them: each ends (handled, answered with an error, or
//! dead-lettered), and afterwards the service answers in time.
//!
//! ```
//! use tavrida::prelude::*;
//! use tavrida::transport::Transport;
//! use tavrida_conformance::hostile::Hostile;
//!
//! # async fn quote() {}
//! async fn attack(transport: impl Transport + Clone) -> Result<()> {
//!     let shop = Service::new("shop").rpc("quote", quote);
//!     let server = Server::builder(transport.clone()).service(shop).start().await?;
//!
//!     let session = transport.connect().await?;
//!     let mut hostile = Hostile::new(7, "shop", &["shop.quote"])?;
//!     for _ in 0..100 {
//!         session.publish(hostile.next_message()).await?;
//!     }
//!     Ok(server.shutdown().await?)
//! }
//! ```

use bytes::Bytes;
use fastrand::Rng;
use tavrida::field::{Decimal, ShortString, Table, TooLongError, Value};
use tavrida::transport::{Properties, Publication};

/// Texts that have stopped services, or could.
const TEXTS: [&str; 22] = [
    "",
    "x",
    "..",
    ".",
    "a.b.c",
    "*",
    "#",
    "~asker",
    "shop.~asker",
    "nobody",
    "nobody.nothing",
    "line\r\nbreak",
    "\u{1b}[31m",
    "\0",
    "\u{202e}txet",
    "déjà vu",
    "amq.gen-none",
    "amq.rabbitmq.reply-to",
    "amq.rabbitmq.reply-to.AAAABBBB.CCCC",
    "amq.rabbitmq.reply-to.g2EB.AAAA",
    "-9223372036854775808",
    "null",
];

/// Names of headers that this library or a broker gives a meaning to.
const NAMES: [&str; 25] = [
    "message_type",
    "correlation_id",
    "request_id",
    "message_id",
    "source",
    "destination",
    "reply_to",
    "tavrida-later",
    "tavrida-other",
    "x-tavrida-attempt",
    "x-tavrida-deadline",
    "x-tavrida-due",
    "x-tavrida-reason",
    "x-tavrida-error-class",
    "x-tavrida-error-message",
    "x-tavrida-error-code",
    "x-tavrida-origin-queue",
    "x-tavrida-dead-at",
    "x-tavrida-unreadable",
    "x-death",
    "x-first-death-queue",
    "x-delivery-count",
    "x-match",
    "authorization",
    "",
];

const BODIES: [&[u8]; 14] = [
    b"",
    b"{}",
    b"null",
    b"[1]",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe",
    b"{\"payload\": {}, \"context\": {}",
    b"{\"payload\": [], \"context\": {}}",
    b"{\"payload\": {}, \"context\": null}",
    b"{\"payload\": {\"n\": NaN}, \"context\": {}}",
    b"{\"payload\": {\"n\": 1e999999}, \"context\": {}}",
    b"{\"payload\": {\"n\": 1, \"n\": \"\\ud800\"}, \"context\": {}}",
    b"{\"payload\": {\"n\": -0}, \"payload\": {}, \"context\": {}}",
    b"{\"payload\": {\"n\": \"\\u0000\"}, \"context\": {\"\": 1}}",
];

/// An endless stream of hostile messages, the same for the same seed.
#[derive(Debug, Clone)]
pub struct Hostile {
    random: Rng,
    queue: ShortString,
    destinations: Vec<String>,
}

impl Hostile {
    /// Returns the stream of a seed, for the queue of a server and entry points of its services.
    ///
    /// # Errors
    ///
    /// The name of the queue exceeds 255 bytes.
    ///
    /// # Panics
    ///
    /// Panics if there are no destinations.
    pub fn new(seed: u64, queue: &str, destinations: &[&str]) -> Result<Self, TooLongError> {
        assert!(!destinations.is_empty(), "hostile messages need an entry point to go to");
        let destinations = destinations.iter().map(|text| (*text).to_owned()).collect();
        Ok(Self { random: Rng::with_seed(seed), queue: queue.try_into()?, destinations })
    }

    /// Returns the next message: a valid one with a few faults, or a completely invalid one.
    pub fn next_message(&mut self) -> Publication {
        let body = self.body();
        let mut publication = Publication::new(ShortString::default(), self.queue.clone(), body);
        publication.properties = self.properties();
        publication
    }

    /// Returns `true` once in `of`.
    fn once_in(&mut self, of: usize) -> bool {
        self.random.usize(..of) == 0
    }

    fn choose<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.random.usize(..from.len())].clone()
    }

    fn properties(&mut self) -> Properties {
        let mut properties = Properties { headers: self.headers(), ..Properties::default() };
        let short = |hostile: &mut Self| {
            let text = hostile.text(60);
            hostile.once_in(6).then(|| ShortString::try_from(text).unwrap_or_default())
        };
        properties.content_type = short(self);
        properties.content_encoding = short(self);
        properties.correlation_id = short(self);
        properties.reply_to = short(self).filter(|name| name != "amq.rabbitmq.reply-to");
        properties.message_id = short(self);
        properties.kind = short(self);
        properties.app_id = short(self);
        properties.cluster_id = short(self);
        properties.expiration = self.once_in(20).then(|| ShortString::from_static("600000"));
        properties.delivery_mode = self.choose(&[None, Some(1), Some(2)]);
        properties.priority = self.once_in(4).then(|| u8::try_from(self.random.usize(..256)).unwrap_or(0));
        properties.timestamp = self.once_in(4).then(|| self.random.u64(..));
        properties
    }

    fn headers(&mut self) -> Option<Table> {
        if self.once_in(40) {
            return None;
        }
        let mut headers = if self.once_in(20) { Table::new() } else { self.sound_headers() };
        for _ in 0..self.random.usize(..4) {
            let name = if self.once_in(3) { self.text(40) } else { self.choose(&NAMES).to_owned() };
            let Ok(name) = ShortString::try_from(name) else { continue };
            if self.once_in(8) {
                headers.remove(&name);
            } else if name != "CC" && name != "BCC" {
                let value = self.value(4);
                headers.insert(name, value);
            }
        }
        if self.once_in(100) {
            let len = self.random.usize(..100_000);
            headers.insert(ShortString::from_static("long"), "l".repeat(len));
        }
        Some(headers)
    }

    fn sound_headers(&mut self) -> Table {
        let destination = self.choose(&self.destinations.clone());
        let kind = self.choose(&["request", "request", "response", "error", "notification"]);
        let reply_to = self.choose(&["", "nobody", "nobody.method"]);
        let pairs = [
            ("message_type", kind),
            ("correlation_id", "c"),
            ("request_id", "r"),
            ("message_id", "m"),
            ("source", "foe.method"),
            ("destination", &*destination),
            ("reply_to", reply_to),
        ];
        pairs.into_iter().map(|(name, text)| (ShortString::from_static(name), text)).collect()
    }

    fn text(&mut self, most: usize) -> String {
        match self.random.usize(..3) {
            0 => self.choose(&TEXTS).to_owned(),
            1 => self.choose(&self.destinations.clone()),
            _ => {
                let len = self.random.usize(..most);
                (0..len).map(|_| char::from_u32(self.random.usize(..0x500) as u32).unwrap_or('?')).collect()
            }
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        let number = self.random.u64(..);
        match self.random.usize(..if depth == 0 { 12 } else { 15 }) {
            0 => Value::Void,
            1 => Value::Bool(number.is_multiple_of(2)),
            2 => Value::I8(number as i8),
            3 => Value::U16(number as u16),
            4 => Value::I32(number as i32),
            5 => Value::I64(number as i64),
            // Finite: RabbitMQ 3.10.8 ends the connection of who sends another.
            6 => Value::F64(f64::from_bits(number & !(1 << 62))),
            7 => Value::Decimal(Decimal { scale: number as u8, value: number as u32 }),
            8 => Value::Timestamp(number),
            9 => Value::Bytes(number.to_be_bytes().as_slice().into()),
            10 => Value::LongString(b"\xff\xfe\0".as_slice().into()),
            11 => Value::from(self.text(200)),
            12 => Value::Array((0..self.random.usize(..4)).map(|_| self.value(depth - 1)).collect()),
            13 => {
                let levels = self.random.usize(..tavrida::field::MAX_DEPTH - 8);
                (0..levels).fold(Value::Void, |value, _| Value::Array(vec![value]))
            }
            _ => Value::Table(self.later(depth - 1)),
        }
    }

    /// A table such as the one of a call that is answered later, or near it.
    fn later(&mut self, depth: usize) -> Table {
        let names = [
            "source",
            "destination",
            "reply_to",
            "reply_queue",
            "request_id",
            "correlation_id",
            "headers",
            "state",
        ];
        let mut table = Table::new();
        for name in names {
            if !self.once_in(6) {
                let value = if self.once_in(3) { self.value(depth) } else { Value::from(self.text(30)) };
                table.insert(ShortString::from_static(name), value);
            }
        }
        table
    }

    fn body(&mut self) -> Bytes {
        match self.random.usize(..8) {
            0 => self.choose(&BODIES).into(),
            1 => {
                let levels = self.random.usize(..20_000);
                let (open, close) = ("[".repeat(levels), "]".repeat(levels));
                format!(r#"{{"payload": {{"n": {open}{close}}}, "context": {{}}}}"#).into()
            }
            2 => {
                let len = self.random.usize(..200);
                (0..len).map(|_| self.random.u64(..) as u8).collect::<Vec<_>>().into()
            }
            3 if self.once_in(50) => {
                format!(r#"{{"payload": {{"n": "{}"}}, "context": {{}}}}"#, "x".repeat(150_000)).into()
            }
            _ => Bytes::from_static(br#"{"payload": {"n": 1}, "context": {"user": 7}}"#),
        }
    }
}
