//! Arguments that RabbitMQ ignores are ignored, with a `tracing` warning (R54, R105).

use std::io;
use std::sync::{Arc, Mutex};

use tavrida_memory::core::Method;
use tracing_subscriber::fmt::MakeWriter;

use crate::rig::*;

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns what is logged meanwhile, on this thread.
    fn of(what: impl FnOnce()) -> String {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        tracing::subscriber::with_default(subscriber, what);
        let text = log.0.lock().expect("no panic while logging").clone();
        String::from_utf8(text).expect("logs are text")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn r54_an_argument_that_nobody_knows_is_told() {
    let log = Log::of(|| {
        let (mut rig, ch) = Rig::with_channel();
        rig.queue_with(ch, "orders", args(&[("x-max-lenght", 5)]));
    });
    assert!(log.contains("WARN") && log.contains("x-max-lenght") && log.contains("orders"), "{log}");
    let silent = Log::of(|| {
        let (mut rig, ch) = Rig::with_channel();
        rig.queue_with(ch, "orders", args(&[("x-max-length", 5)]));
    });
    assert_eq!(silent, "");
}

#[test]
fn r105_so_is_that_of_a_consumer() {
    let log = Log::of(|| {
        let (mut rig, ch) = Rig::with_channel();
        rig.queue(ch, "orders");
        let Method::BasicConsume(mut consume) = consume("orders", "t") else { unreachable!() };
        consume.arguments.insert(short("x-prio"), 5);
        rig.ok(ch, Method::BasicConsume(consume));
    });
    assert!(log.contains("WARN") && log.contains("x-prio") && log.contains("orders"), "{log}");
}
