//! Mistakes about reachability and time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::handler::{State, params};
use tavrida::message::Failure;
use tavrida::proxy::AskError;
use tavrida::time::{Clock, unix_seconds};
use tavrida::{Client, Proxy, Service};
use tavrida_testkit::sim::{Sim, SimClock};
use tokio::time::Instant;

use crate::book::{Book, order};
use crate::service;

/// The duration of a lease.
const LEASE: Duration = Duration::from_secs(20);

/// The rightful leader, and the end of its lease.
#[derive(Default)]
struct Lease(Mutex<Option<(String, Instant)>>);

impl Lease {
    /// Returns the current holder.
    fn holder(&self) -> Option<String> {
        let held = self.0.lock().expect("nobody panics with it");
        held.as_ref().filter(|(_, until)| *until > Instant::now()).map(|(holder, _)| holder.clone())
    }

    fn give(&self, id: String) {
        *self.0.lock().expect("nobody panics with it") = Some((id, Instant::now() + LEASE));
    }
}

pub(crate) async fn two_leaders(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn take(State(lease): State<Lease>, id: String) -> Result<(), Failure> {
        if lease.holder().is_some_and(|holder| holder != id) {
            return Err(Failure::new("locks.Taken", "another one leads"));
        }
        lease.give(id);
        Ok(())
    }
    /// Takes the lease repeatedly. Returns whether it led while another client held the lease.
    async fn lead(client: &Client, id: &str, lease: &Lease, mended: bool) -> bool {
        let mut until = None;
        let mut wrongly = false;
        for _ in 0..12 {
            let asked = Instant::now();
            let ask = client.to("locks.take").param("id", id).ask().timeout(Duration::from_secs(4));
            match ask.await {
                Ok(_) => until = Some(asked + LEASE),
                Err(AskError::Failed(_)) => until = None,
                Err(_) if mended => until = until.filter(|until| *until > Instant::now()),
                Err(_) => {}
            }
            wrongly |= until.is_some() && lease.holder().is_some_and(|holder| holder != id);
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        wrongly
    }
    let lease = Arc::new(Lease::default());
    let locks = {
        let lease = lease.clone();
        move || Service::new("locks").shared_state(lease.clone()).rpc("take", params(["id"], take))
    };
    let graph = sim.graph().service(locks).client("left").client("right").start().await;
    let (left, right) = tokio::join!(
        lead(graph.client("left"), "left", &lease, mended),
        lead(graph.client("right"), "right", &lease, mended)
    );
    assert!(!left && !right, "one leads at a time");
    Ok(())
}

pub(crate) async fn charged_at_both(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        let asked = async |who: &str| {
            let ask = proxy.to(who).param("id", &id).ask().timeout(Duration::from_secs(5));
            ask.await.is_ok()
        };
        if asked("till.charge").await || book.mended {
            // An order without an answer needs manual attention.
            return Ok(());
        }
        asked("bank.charge").await;
        Ok(())
    }
    async fn charge(State(book): State<Book>, id: String) {
        book.enter_once(&id, "at the till", 1);
    }
    async fn charge_too(State(book): State<Book>, id: String) {
        book.enter_once(&id, "at the bank", 1);
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "charge" => ["id"] charge);
    let bank = service!(book, "bank", "charge" => ["id"] charge_too);
    let graph = sim.graph().service(till).service(bank).service(gate).client("web").start().await;
    order(graph.client("web"), "gate.pass", "a").await?;
    graph.settle().await;
    assert!(book.sum("at the till") + book.sum("at the bank") <= 1, "nobody pays twice");
    Ok(())
}

pub(crate) async fn done_by_both(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(proxy: Proxy, id: String) -> Result<(), Failure> {
        for worker in ["left.work", "right.work"] {
            let ask = proxy.to(worker).param("id", &id).ask().timeout(Duration::from_secs(5));
            if ask.await.is_ok() {
                return Ok(());
            }
        }
        Err(Failure::new("boss.Undone", "nobody says that it is done"))
    }
    async fn work(State(book): State<Book>, id: String) {
        if book.mended {
            book.enter_once(&id, "done", 1);
        } else {
            book.enter("done", 1);
        }
    }
    let book = Book::new(mended);
    let boss = service!(book, "boss", "pass" => ["id"] pass);
    let left = service!(book, "left", "work" => ["id"] work);
    let right = service!(book, "right", "work" => ["id"] work);
    let graph = sim.graph().service(left).service(right).service(boss).client("web").start().await;
    order(graph.client("web"), "boss.pass", "a").await?;
    graph.settle().await;
    assert_eq!(book.sum("done"), 1, "the work is done once");
    Ok(())
}

/// When tokens were issued, and the clocks.
struct Tokens {
    clock: SimClock,
    issued: Mutex<BTreeMap<String, (u64, Instant)>>,
}

pub(crate) async fn token_by_the_wall_clock(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn issue(State(tokens): State<Tokens>, id: String) {
        let now = (unix_seconds(tokens.clock.now()), Instant::now());
        tokens.issued.lock().expect("nobody panics with it").insert(id, now);
    }
    async fn check(
        State(book): State<Book>,
        State(tokens): State<Tokens>,
        id: String,
    ) -> Result<(), Failure> {
        let issued = tokens.issued.lock().expect("nobody panics with it").get(&id).copied();
        let (wall, time) = issued.ok_or_else(|| Failure::new("auth.Unknown", "no such token"))?;
        let wall_age = unix_seconds(tokens.clock.now()).checked_sub(wall);
        let age = if book.mended { Some(time.elapsed().as_secs()) } else { wall_age };
        match age {
            Some(..=3600) => Ok(()),
            _ => Err(Failure::new("auth.Stale", "the token is of another time")),
        }
    }
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        proxy.to("auth.issue").param("id", &id).ask().await?;
        let checked = proxy.to("auth.check").param("id", &id).ask().await;
        book.enter_once(&id, "let in", i64::from(checked.is_ok()));
        Ok(())
    }
    let book = Book::new(mended);
    let auth = {
        let book = book.clone();
        let tokens = Arc::new(Tokens { clock: sim.clock(), issued: Mutex::default() });
        move || {
            Service::new("auth")
                .shared_state(book.clone())
                .shared_state(tokens.clone())
                .rpc("issue", params(["id"], issue))
                .rpc("check", params(["id"], check))
        }
    };
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let graph = sim.graph().service(auth).service(gate).client("web").start().await;
    order(graph.client("web"), "gate.pass", "a").await?;
    graph.settle().await;
    assert_eq!(book.sum("let in"), 1, "a fresh token opens the gate");
    Ok(())
}
