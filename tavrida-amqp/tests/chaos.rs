//! Chaos under load: publishers, services and askers run while the broker is stopped, killed and paused, its connections are closed, cut,
//! held and throttled, and queues are deleted.
//!
//! After each round everything must recover: every confirmed message is handled at least once, no denied message is handled, none is stuck,
//! every ask has ended, consumers consume, no task is left over. What was confirmed and what was handled is recorded by content, outside
//! the library.
//!
//! `TAVRIDA_CHAOS_ROUNDS` sets the number of rounds (20), `TAVRIDA_SEED` the seed, and `TAVRIDA_CHAOS_FAULTS` limits the faults
//! (`Kill,Cut`). `TAVRIDA_CHAOS_QUEUE_TYPE=quorum` (from RabbitMQ 4.0) lets everything run in a virtual host with that default queue type,
//! where all queues of the services are quorum queues.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "chaos/books.rs"]
mod books;
#[path = "chaos/faults.rs"]
mod faults;
#[path = "chaos/load.rs"]
mod load;
#[path = "chaos/fixture.rs"]
mod fixture;

use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;
use tavrida_rabbitmq::{Node, say};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use books::{Books, Standing};
use faults::{Fault, Ground};
use fixture::{Fixture, LIMIT};
use load::Load;

/// A kill waits this long after the declaration of a quorum queue.
const QUORUM_QUEUES_ARE_KNOWN: Duration = Duration::from_secs(2);

/// How many messages must be confirmed, and how many asks answered, before a fault and after it.
const PROGRESS: (usize, u64) = (200, 3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_whatever_happens() {
    let rounds = from_environment("TAVRIDA_CHAOS_ROUNDS").unwrap_or(20);
    let seed = from_environment("TAVRIDA_SEED").unwrap_or_else(|| fastrand::u64(..));
    let queue_type = std::env::var("TAVRIDA_CHAOS_QUEUE_TYPE").ok();
    let mut random = Rng::with_seed(seed);
    let chosen = chosen_faults();

    // A retry that returns while its queue is deleted is tried again after this time (by default 3 minutes).
    let node = Node::builder().variable("dead_letter_worker_publisher_confirm_timeout", 1000).start();
    let node = node.await.unwrap();
    let on = match &queue_type {
        None => format!("RabbitMQ {}", node.version()),
        Some(queue_type) => format!("RabbitMQ {}, default queue type {queue_type}", node.version()),
    };
    say(format_args!("{on}: chaos: TAVRIDA_SEED={seed} TAVRIDA_CHAOS_ROUNDS={rounds}"));
    let ground = Ground::new(node, queue_type.as_deref()).await;
    let books = Books::default();
    let alone = tasks();
    let fixture = Fixture::found(&ground.uri(), &books).await;

    let mut round = Round { ground: &ground, fixture: &fixture, books: &books, tasks: usize::MAX };
    round.play(None, &mut random).await;
    round.tasks = tasks();
    // RabbitMQ 3.10 records quorum queues a moment after the last change: if it is killed before, it restarts them without a leader.
    sleep(QUORUM_QUEUES_ARE_KNOWN).await;
    let mut deck = Vec::new();
    for number in 1..=rounds {
        if deck.is_empty() {
            deck = chosen.clone();
            random.shuffle(&mut deck);
        }
        let fault = deck.pop().expect("it was filled");
        say(format_args!("round {number}: {fault:?}"));
        let begin = Instant::now();
        let standing = round.play(Some(fault), &mut random).await;
        say(line(begin.elapsed(), &standing));
    }

    fixture.close().await;
    at_most_tasks(alone).await;
    let standing = books.standing();
    let (confirmed, duplicates, lost) = (standing.confirmed, standing.duplicates, standing.missing.len());
    say(format_args!(
        "{on}: rounds: {rounds}, confirmed: {confirmed}, duplicates: {duplicates}, lost: {lost}"
    ));
    assert_eq!(lost, 0);
}

struct Round<'a> {
    ground: &'a Ground,
    fixture: &'a Fixture,
    books: &'a Books,
    /// The number of tasks when everything works and nothing is sent.
    tasks: usize,
}

impl Round<'_> {
    async fn play(&self, fault: Option<Fault>, random: &mut Rng) -> Standing {
        let load = Load::start(self.fixture, self.books);
        self.progress("before the fault").await;
        if let Some(fault) = fault {
            self.ground.inflict(fault, self.books, random).await;
        }
        self.fixture.healed().await;
        self.progress("after the fault").await;
        load.stop().await;

        let settled = self.books.until(LIMIT, |standing| standing.missing.is_empty()).await;
        let standing = settled.unwrap_or_else(|standing| {
            panic!("confirmed and not handled after {fault:?}: {standing:#?}\n{}", self.fixture.report())
        });
        assert!(standing.untrue.is_empty(), "said not to be sent, and handled: {standing:#?}");
        assert!(standing.foreign.is_empty(), "handled, and never sent: {standing:#?}");
        self.ground.is_at_rest().await;
        at_most_tasks(self.tasks).await;
        standing
    }

    /// Waits until the load makes progress.
    async fn progress(&self, when: &str) {
        let begin = self.books.standing();
        let got_on = self.books.until(LIMIT, |now| {
            now.confirmed >= begin.confirmed + PROGRESS.0
                && now.handled >= begin.handled + PROGRESS.0
                && now.asks.answered >= begin.asks.answered + PROGRESS.1
        });
        if let Err(standing) = got_on.await {
            panic!("no progress {when}: {standing:?}, since {begin:?}\n{}", self.fixture.report());
        }
    }
}

fn line(took: Duration, standing: &Standing) -> String {
    let Standing { confirmed, ambiguous, denied, duplicates, excused, asks, .. } = standing;
    format!(
        "    {took:.1?}; so far confirmed: {confirmed}, ambiguous: {ambiguous}, denied: {denied}, \
         duplicates: {duplicates}, gone with deleted queues: {excused}, asks answered: {}, failed: {}",
        asks.answered, asks.failed
    )
}

/// Returns all faults, or those that the environment names.
fn chosen_faults() -> Vec<Fault> {
    let names = std::env::var("TAVRIDA_CHAOS_FAULTS").unwrap_or_default();
    let named = |fault: &Fault| names.is_empty() || names.split(',').any(|name| name == format!("{fault:?}"));
    let chosen: Vec<_> = Fault::ALL.into_iter().filter(named).collect();
    assert!(!chosen.is_empty(), "TAVRIDA_CHAOS_FAULTS is \"{names}\", and there are {:?}", Fault::ALL);
    chosen
}

fn from_environment<T: FromStr>(key: &str) -> Option<T> {
    let text = std::env::var(key).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{key} is \"{text}\", which is not a number")))
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until there are at most this many tasks.
async fn at_most_tasks(most: usize) {
    let ending = async {
        while tasks() > most {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(LIMIT, ending).await.is_ok(), "{} tasks are left, of at most {most}", tasks());
}
