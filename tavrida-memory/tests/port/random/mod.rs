//! Random frames on the port and on RabbitMQ, wrong ones among them: both have to answer with the same frames, and to close with the same
//! codes and texts.
//!
//! The differential suite runs programs of valid methods over the port; these are about what is not valid: bytes that are no frame,
//! arguments and properties that cannot be read, frames in a wrong order or on a wrong channel, handshakes.
//!
//! `TAVRIDA_CASES` sets the number of programs (100), `TAVRIDA_SEED` the seed (1), `TAVRIDA_FIRST` the number of the first (0).

mod generate;
mod play;

use std::cell::Cell;
use std::net::SocketAddr;

use futures_util::future::join_all;
use tavrida::field::ShortString;
use tavrida_memory::{MemoryBroker, RabbitMq};
use tavrida_rabbitmq::{Node, say};

use self::generate::Program;
use self::play::{Outcome, play};
use crate::rig::listen;

/// How many programs share a virtual host of RabbitMQ.
const BATCH: u64 = 100;
/// How many times in a row a program must diverge to count.
const REPEATS: u8 = 2;

/// How many programs run at the same time.
const WORKERS: u64 = 6;

/// The sums of a run.
#[derive(Default)]
struct Tally {
    next: Cell<u64>,
    answers: Cell<usize>,
    races: Cell<u64>,
    divergences: Cell<u64>,
}

#[tokio::test]
async fn random_frames_get_the_same_answers_from_rabbitmq() {
    let (cases, seed) = (from_environment("TAVRIDA_CASES", 100), from_environment("TAVRIDA_SEED", 1));
    let first = from_environment("TAVRIDA_FIRST", 0);
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let tally = Tally::default();
    join_all((0..WORKERS).map(async |worker| {
        let mut vhost = String::new();
        for turn in 0.. {
            let number = tally.next.get();
            tally.next.set(number + 1);
            if number >= cases || tally.divergences.get() >= 10 {
                return;
            }
            if turn % BATCH == 0 {
                vhost = format!("frames-{worker}-{turn}");
                node.add_vhost(&vhost).await.expect("a running node makes a virtual host");
            }
            one(node, &vhost, (seed, first + number), &tally).await;
        }
    }))
    .await;
    say(format_args!(
        "frames on RabbitMQ {}: programs: {cases}, answers: {}, divergences: {} (seed {seed}, programs {first}..{}, races left \
         aside: {})",
        node.version(),
        tally.answers.get(),
        tally.divergences.get(),
        first + cases,
        tally.races.get()
    ));
    assert_eq!(tally.divergences.get(), 0, "the port is not RabbitMQ: see above");
}

async fn one(node: &Node, vhost: &str, (seed, number): (u64, u64), tally: &Tally) {
    let mut report = String::new();
    for attempt in 0..=REPEATS {
        // What an earlier attempt left on the node has other names.
        let program = generate::program(seed, number, attempt);
        let (ours, theirs) = sides(node, vhost, &program).await;
        if ours == theirs {
            tally.answers.set(tally.answers.get() + ours.answers.len());
            if attempt > 0 {
                tally.races.set(tally.races.get() + 1);
                say(format_args!(
                    "a race in program {number} of seed {seed}, which does not repeat:\n{report}"
                ));
            }
            return;
        }
        report = Report { program: &program, ours: &ours, theirs: &theirs }.to_string();
    }
    tally.divergences.set(tally.divergences.get() + 1);
    say(format_args!("divergence in program {number} of seed {seed}:\n{report}"));
}

/// Runs a program on both sides: the port first, since its answers are what is awaited from RabbitMQ.
async fn sides(node: &Node, vhost: &str, program: &Program) -> (Outcome, Outcome) {
    let version = if node.version().major == 3 { RabbitMq::V3_10 } else { RabbitMq::V4_0 };
    let name = ShortString::try_from(vhost).expect("a short name");
    let broker = MemoryBroker::builder().virtual_host(name).like(version).build();
    let port = listen(&broker).await;
    let ours = play(port.addr(), vhost, program, None).await;
    let address = SocketAddr::from(([127, 0, 0, 1], node.port()));
    let theirs = play(address, vhost, program, Some(&ours)).await;
    (ours, theirs)
}

/// What both sides did.
struct Report<'a> {
    program: &'a Program,
    ours: &'a Outcome,
    theirs: &'a Outcome,
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { program, ours, theirs } = self;
        let pairs = ours.answers.iter().zip(&theirs.answers);
        let same = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        write!(f, "{program}\nbehind {same} equal answers")?;
        for (side, outcome) in [("the port", ours), ("RabbitMQ", theirs)] {
            write!(f, "\n{side}:")?;
            for answer in &outcome.answers[same..] {
                write!(f, "\n    {answer}")?;
            }
            write!(f, "\n    {:?}", outcome.end)?;
        }
        Ok(())
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is to be a number, not {text:?}")),
        Err(_) => default,
    }
}
