//! The load: publishers and askers that continue through all faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::books::{Books, Told, content};
use crate::fixture::{Fixture, LIMIT};

/// How many concurrent sends a publisher has, and how many publishers and askers there are.
const BATCH: usize = 16;
const PUBLISHERS: usize = 4;
const ASKERS: usize = 3;

/// At this many confirmed and unhandled messages publishers wait for handlers.
const BACKLOG: usize = 300;

/// The timeout of an ask, and how much later its end may be noticed on a busy machine.
const ASK: Duration = Duration::from_secs(3);
const LATE: Duration = Duration::from_secs(5);

pub(crate) struct Load {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(fixture: &Fixture, books: &Books) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let publishers = (0..PUBLISHERS).map(|at| {
            let client = fixture.publishers[at % fixture.publishers.len()].clone();
            tokio::spawn(publish(client, books.clone(), over.clone()))
        });
        let askers =
            (0..ASKERS).map(|_| tokio::spawn(ask(fixture.asker.clone(), books.clone(), over.clone())));
        let tasks = publishers.chain(askers).collect();
        Self { over, tasks }
    }

    /// Stops it: all pending operations end in time, or the test fails.
    pub(crate) async fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            timeout(LIMIT, task).await.expect("a send or an ask hangs").expect("no panic");
        }
    }
}

async fn publish(client: Client, books: Books, over: Arc<AtomicBool>) {
    while !over.load(Ordering::Relaxed) {
        join_all((0..BATCH).map(|_| send(&client, &books))).await;
        // While the broker is down, all messages may be missing: then this waits for a send's own patience.
        let _ = books.until(ASK, |standing| standing.missing.len() < BACKLOG).await;
    }
}

/// Sends a message of a random kind, and records its outcome.
async fn send(client: &Client, books: &Books) {
    let number = books.begin();
    let text = content(number);
    let sending = async {
        match number % 4 {
            0 => client.publish().topic("crier.news").param("text", text).send().await,
            1 => client.to("front.pass_on").param("text", text).cast().await,
            _ => client.to("front.keep").param("text", text).cast().await,
        }
    };
    let told = match timeout(LIMIT, sending).await.expect("a send hangs") {
        Ok(Sent::Routed) => Told::Confirmed,
        Ok(Sent::Unheard) => Told::Denied,
        Err(error) if error.is_ambiguous() || error.is_refused() => Told::Ambiguous,
        Err(error) if error.is_closed() || error.is_timeout() || error.is_unroutable() => Told::Denied,
        Err(error) => panic!("an outcome that nothing here should have: {error:?}"),
    };
    books.told(number, told);
}

async fn ask(client: Client, books: Books, over: Arc<AtomicBool>) {
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        number += 1;
        let (text, begin) = (content(number), Instant::now());
        let answer = client.to("front.echo").param("text", &text).ask().timeout(ASK).await;
        assert!(begin.elapsed() < ASK + LATE, "an ask hung for {:?}: {answer:?}", begin.elapsed());
        match &answer {
            Ok(answer) => assert_eq!(answer.payload().get::<String>("text").unwrap(), text),
            // Broken sessions or a deleted queue are fine, but not an error reply.
            Err(AskError::Failed(error)) => panic!("an answer that nobody gave: {error:?}"),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
        books.asked(answer.is_ok());
    }
}
