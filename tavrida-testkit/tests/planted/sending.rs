//! Mistakes about the outcome of a send.

use std::time::Duration;

use tavrida::Proxy;
use tavrida::handler::{Attempt, State};
use tavrida::message::{Failure, Message};
use tavrida_testkit::sim::Sim;

use crate::book::{Book, order, surely};
use crate::service;

/// Records a sale, once for each id.
async fn sell_once(State(book): State<Book>, id: String) {
    book.enter_once(&id, "sold", 5);
}

/// Records a sale.
async fn sell(State(book): State<Book>, id: String) {
    if book.mended {
        book.enter_once(&id, "sold", 5);
    } else {
        book.enter("sold", 5);
    }
}

/// Three sales go through a gate to the till; each must be recorded once.
async fn three_sales(
    sim: Sim,
    book: std::sync::Arc<Book>,
    gate: impl Fn() -> tavrida::Service + Send + Sync + 'static,
    till: impl Fn() -> tavrida::Service + Send + Sync + 'static,
) -> Result<(), Failure> {
    let graph = sim.graph().service(till).service(gate).client("web").start().await;
    for id in ["a", "b", "c"] {
        order(graph.client("web"), "gate.pass", id).await?;
    }
    sim.advance(Duration::from_secs(15)).await;
    graph.settle().await;
    assert_eq!(book.sum("sold"), 15, "three sales at 5 each");
    Ok(())
}

pub(crate) async fn early_stock(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        if book.mended {
            return surely(&proxy, "till.sell", &id).await;
        }
        if proxy.to("till.sell").param("id", id).cast().await.is_err() {
            book.enter("unsent", 1);
        }
        Ok(())
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "sell" => ["id"] sell_once);
    three_sales(sim, book, gate, till).await
}

pub(crate) async fn taken_for_sent(sim: Sim, mended: bool) -> Result<(), Failure> {
    let book = Book::new(mended);
    let till = service!(book, "till", "sell" => ["id"] sell_once);
    let graph = sim.graph().service(till).client("web").start().await;
    for id in ["a", "b", "c"] {
        while let Err(unsent) = graph.client("web").to("till.sell").param("id", id).cast().await {
            if unsent.is_ambiguous() && !mended {
                break;
            }
            sim.advance(Duration::from_secs(1)).await;
        }
    }
    graph.settle().await;
    assert_eq!(book.sum("sold"), 15, "three sales at 5 each");
    Ok(())
}

pub(crate) async fn sent_again(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(proxy: Proxy, id: String) -> Result<(), Failure> {
        surely(&proxy, "till.sell", &id).await
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "sell" => ["id"] sell);
    three_sales(sim, book, gate, till).await
}

pub(crate) async fn refused_for_good(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        while let Err(unsent) = proxy.to("till.sell").param("id", &id).cast().await {
            if !(book.mended || unsent.is_ambiguous()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "sell" => ["id"] sell_once);
    three_sales(sim, book, gate, till).await
}

pub(crate) async fn unmarked_copies(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(proxy: Proxy, id: String) -> Result<(), Failure> {
        surely(&proxy, "till.sell", &id).await
    }
    async fn sell(State(book): State<Book>, attempt: Attempt, message: Message, id: String) {
        let number = message.message_id().to_owned();
        let is_new = book.claim(&number);
        // The copy of the gate's message has another number: that is what the id is for.
        if book.mended {
            book.enter_once(&id, "sold", 5);
        } else if is_new || !attempt.redelivered {
            book.enter("sold", 5);
        }
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "sell" => ["id"] sell);
    three_sales(sim, book, gate, till).await
}

pub(crate) async fn entered_then_told(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        if book.mended {
            book.enter_once(&id, "sold", 5);
        } else {
            book.enter("sold", 5);
        }
        surely(&proxy, "till.sell", &id).await
    }
    async fn told(_id: String) {}
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "sell" => ["id"] told);
    three_sales(sim, book, gate, till).await
}

/// An order is sent to the stock, and then told to the book, which the stock tells as well.
pub(crate) async fn shipped_before_it_is_known(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(proxy: Proxy, id: String) -> Result<(), Failure> {
        surely(&proxy, "stock.ship", &id).await?;
        surely(&proxy, "ledger.order", &id).await
    }
    async fn ship(proxy: Proxy, id: String) -> Result<(), Failure> {
        surely(&proxy, "ledger.shipped", &id).await
    }
    async fn order_created(State(book): State<Book>, id: String) {
        book.claim(&id);
    }
    async fn shipped(State(book): State<Book>, id: String) {
        if book.mended || book.is_claimed(&id) {
            book.enter_once(&id, "shipped", 1);
        }
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let stock = service!(book, "stock", "ship" => ["id"] ship);
    let ledger = service!(book, "ledger", "order" => ["id"] order_created, "shipped" => ["id"] shipped);
    let graph = sim.graph().service(ledger).service(stock).service(gate).client("web").start().await;
    order(graph.client("web"), "gate.pass", "a").await?;
    graph.settle().await;
    assert_eq!(book.sum("shipped"), 1, "the ledger knows what was shipped");
    Ok(())
}
