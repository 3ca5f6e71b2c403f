//! Mistakes about memory, order and redelivery.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::handler::{State, params};
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::sim::Sim;

use crate::book::{Book, order};
use crate::service;

/// What a process keeps in its memory.
#[derive(Default)]
struct Memory(AtomicI64);

/// The ids that a process has completed.
#[derive(Default)]
struct Done(Mutex<BTreeSet<String>>);

/// Three casts to the till. Returns what the book has of them.
async fn three_casts(
    sim: Sim,
    book: Arc<Book>,
    till: impl Fn() -> Service + Send + Sync + 'static,
) -> Result<(), Failure> {
    let graph = sim.graph().service(till).client("web").start().await;
    for id in ["a", "b", "c"] {
        order(graph.client("web"), "till.sell", id).await?;
    }
    graph.settle().await;
    assert_eq!(book.sum("sold"), 15, "three sales at 5 each");
    Ok(())
}

pub(crate) async fn comes_once(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn sell(State(book): State<Book>, id: String) {
        if book.mended {
            book.enter_once(&id, "sold", 5);
        } else {
            book.enter("sold", 5);
        }
    }
    let book = Book::new(mended);
    let till = service!(book, "till", "sell" => ["id"] sell);
    three_casts(sim, book, till).await
}

pub(crate) async fn done_is_acked(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn sell(State(book): State<Book>, State(done): State<Done>, id: String) {
        if book.mended {
            book.enter_once(&id, "sold", 5);
        } else if done.0.lock().expect("nobody panics with it").insert(id) {
            book.enter("sold", 5);
        }
    }
    let book = Book::new(mended);
    let till = {
        let book = book.clone();
        move || {
            let service = Service::new("till").shared_state(book.clone()).state(Done::default());
            service.rpc("sell", params(["id"], sell))
        }
    };
    three_casts(sim, book, till).await
}

pub(crate) async fn only_in_memory(sim: Sim, mended: bool) -> Result<(), Failure> {
    let book = Book::new(mended);
    let till = {
        let book = book.clone();
        move || {
            async fn sell(State(book): State<Book>, State(memory): State<Memory>, id: String) {
                book.enter_once(&id, "sold", 5);
                memory.0.fetch_add(5, Ordering::Relaxed);
            }
            async fn total(State(book): State<Book>, State(memory): State<Memory>, _id: String) {
                let total = if book.mended { book.sum("sold") } else { memory.0.load(Ordering::Relaxed) };
                book.enter("total", total);
            }
            Service::new("till")
                .shared_state(book.clone())
                .state(Memory::default())
                .rpc("sell", params(["id"], sell))
                .rpc("total", params(["id"], total))
        }
    };
    let graph = sim.graph().service(till).client("web").start().await;
    for id in ["a", "b", "c"] {
        order(graph.client("web"), "till.sell", id).await?;
    }
    graph.settle().await;
    order(graph.client("web"), "till.total", "d").await?;
    graph.settle().await;
    assert_eq!(book.last("total"), Some(15), "three sales at 5 each");
    Ok(())
}

pub(crate) async fn two_steps(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn transfer(State(book): State<Book>, id: String) {
        if book.mended {
            book.enter_once(&id, "from", -5);
        } else {
            book.enter("from", -5);
        }
        // The other bank is slow.
        tokio::time::sleep(Duration::from_millis(20)).await;
        book.enter_once(&id, "to", 5);
    }
    let book = Book::new(mended);
    let bank = service!(book, "bank", "transfer" => ["id"] transfer);
    let graph = sim.graph().service(bank).client("web").start().await;
    for id in ["a", "b"] {
        order(graph.client("web"), "bank.transfer", id).await?;
    }
    graph.settle().await;
    assert_eq!(book.sum("from") + book.sum("to"), 0, "money is neither made nor lost");
    Ok(())
}

pub(crate) async fn told_once(sim: Sim, mended: bool) -> Result<(), Failure> {
    let book = Book::new(mended);
    let till = {
        let book = book.clone();
        move || {
            async fn price(State(book): State<Book>, State(memory): State<Memory>, _id: String) {
                memory.0.store(5, Ordering::Relaxed);
                book.enter("price", 5);
            }
            async fn sell(
                State(book): State<Book>,
                State(memory): State<Memory>,
                id: String,
            ) -> Result<(), Failure> {
                let known = memory.0.load(Ordering::Relaxed);
                let price = if book.mended { book.last("price").unwrap_or(0) } else { known };
                if price == 0 {
                    return Err(Failure::new("shop.NoPrice", "nobody told the price"));
                }
                book.enter_once(&id, "sold", price);
                Ok(())
            }
            Service::new("till")
                .shared_state(book.clone())
                .state(Memory::default())
                .rpc("price", params(["id"], price))
                .rpc("sell", params(["id"], sell))
        }
    };
    let graph = sim.graph().service(till).client("web").start().await;
    order(graph.client("web"), "till.price", "p").await?;
    graph.settle().await;
    for id in ["a", "b"] {
        order(graph.client("web"), "till.sell", id).await?;
    }
    graph.settle().await;
    assert_eq!(book.sum("sold"), 10, "two sales at 5 each");
    Ok(())
}

pub(crate) async fn last_write_wins(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(proxy: Proxy, _id: String) -> Result<(), Failure> {
        for version in 1..=3 {
            proxy.to("stock.set").param("version", version).cast().await?;
        }
        Ok(())
    }
    async fn set(State(book): State<Book>, version: i64) {
        if !book.mended || book.last("version").unwrap_or(0) < version {
            book.enter("version", version);
        }
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let stock = service!(book, "stock", "set" => ["version"] set);
    let graph = sim.graph().service(stock).service(gate).client("web").start().await;
    order(graph.client("web"), "gate.pass", "a").await?;
    graph.settle().await;
    assert_eq!(book.last("version"), Some(3), "the last version is the third");
    Ok(())
}
