//! Shared by the planted services: a book that outlives processes, and ways to send without mistakes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tavrida::message::Failure;
use tavrida::{Client, Proxy};

/// State that outlives processes, like a database; and whether the services are repaired.
pub(crate) struct Book {
    pub(crate) mended: bool,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    entries: Vec<(String, i64)>,
    claimed: BTreeSet<String>,
}

impl Book {
    pub(crate) fn new(mended: bool) -> Arc<Self> {
        Arc::new(Self { mended, pages: Mutex::default() })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().expect("nobody panics with it")
    }

    /// Adds an amount under a name.
    pub(crate) fn enter(&self, name: &str, amount: i64) {
        self.pages().entries.push((name.to_owned(), amount));
    }

    /// Adds an amount under a name, unless something was added for this id before.
    pub(crate) fn enter_once(&self, id: &str, name: &str, amount: i64) {
        if self.claim(&format!("{name} for {id}")) {
            self.enter(name, amount);
        }
    }

    /// Claims something. Returns whether it was not claimed before.
    pub(crate) fn claim(&self, what: &str) -> bool {
        self.pages().claimed.insert(what.to_owned())
    }

    /// Returns whether something was claimed.
    pub(crate) fn is_claimed(&self, what: &str) -> bool {
        self.pages().claimed.contains(what)
    }

    /// Returns the sum of a name.
    pub(crate) fn sum(&self, name: &str) -> i64 {
        self.pages().entries.iter().filter(|(of, _)| of == name).map(|(_, amount)| amount).sum()
    }

    /// Returns the last amount of a name.
    pub(crate) fn last(&self, name: &str) -> Option<i64> {
        self.pages().entries.iter().rev().find(|(of, _)| of == name).map(|(_, amount)| *amount)
    }
}

/// Sends a cast with an id until the broker has it. It may arrive more than once.
pub(crate) async fn surely(proxy: &Proxy, to: &str, id: &str) -> Result<(), Failure> {
    while let Err(unsent) = proxy.to(to).param("id", id).cast().await {
        if unsent.is_undiscovered() {
            return Err(unsent.into());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// As [`surely`], from outside the graph.
pub(crate) async fn order(web: &Client, to: &str, id: &str) -> Result<(), Failure> {
    while let Err(unsent) = web.to(to).param("id", id).cast().await {
        if unsent.is_undiscovered() {
            return Err(unsent.into());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// A service whose state is the book.
#[macro_export]
macro_rules! service {
    ($book:expr, $name:literal $(, $method:literal => [$($param:literal),*] $handler:expr)+) => {{
        let book = $book.clone();
        move || {
            tavrida::Service::new($name)
                .shared_state(book.clone())
                $(.rpc($method, tavrida::handler::params([$($param),*], $handler)))+
        }
    }};
}
