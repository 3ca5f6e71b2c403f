//! Mistakes about when messages arrive, and whether they do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::handler::{Attempt, State};
use tavrida::message::Failure;
use tavrida::transport::{Consume, Properties, Publication, Queue, Session, Transport};
use tavrida::{Proxy, Server, Service};
use tavrida_testkit::graph::Graph;
use tavrida_testkit::sim::{Sim, SimTransport};

use crate::book::{Book, order, surely};
use crate::service;

/// Concurrent orders that a gate handles.
async fn ordered(graph: &Graph, ids: &[&str]) -> Result<(), Failure> {
    for id in ids {
        order(graph.client("web"), "gate.pass", id).await?;
    }
    graph.settle().await;
    Ok(())
}

pub(crate) async fn no_answer_no_goods(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        let reserve = proxy.to("stock.reserve").param("id", &id).ask().timeout(Duration::from_secs(1));
        if reserve.await.is_ok() {
            book.enter_once(&id, "sold", 1);
        } else if book.mended {
            surely(&proxy, "stock.release", &id).await?;
        }
        Ok(())
    }
    async fn reserve(State(book): State<Book>, id: String) {
        book.enter_once(&id, "reserved", 1);
    }
    async fn release(State(book): State<Book>, id: String) {
        book.enter_once(&id, "reserved", 1);
        book.enter_once(&id, "released", 1);
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let stock = service!(book, "stock", "reserve" => ["id"] reserve, "release" => ["id"] release);
    let graph = sim.graph().service(stock).service(gate).client("web").start().await;
    ordered(&graph, &["a", "b"]).await?;
    let kept = book.sum("reserved") - book.sum("released");
    assert_eq!(kept, book.sum("sold"), "what is reserved is sold");
    Ok(())
}

pub(crate) async fn deposit_before_account(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn open(State(book): State<Book>, id: String) {
        book.claim(&format!("account {id}"));
        if book.is_claimed(&format!("early {id}")) {
            book.enter_once(&id, "paid in", 5);
        }
    }
    async fn deposit(State(book): State<Book>, id: String) {
        if book.is_claimed(&format!("account {id}")) {
            book.enter_once(&id, "paid in", 5);
        } else if book.mended {
            book.claim(&format!("early {id}"));
        }
    }
    async fn first(proxy: Proxy, id: String) -> Result<(), Failure> {
        surely(&proxy, "bank.open", &id).await
    }
    async fn second(proxy: Proxy, id: String) -> Result<(), Failure> {
        surely(&proxy, "bank.deposit", &id).await
    }
    let book = Book::new(mended);
    let bank = service!(book, "bank", "open" => ["id"] open, "deposit" => ["id"] deposit);
    let desk = service!(book, "desk", "pass" => ["id"] first);
    let purse = service!(book, "purse", "pass" => ["id"] second);
    let graph = sim.graph().service(bank).service(desk).service(purse).client("web").start().await;
    for id in ["a", "b"] {
        order(graph.client("web"), "desk.pass", id).await?;
        order(graph.client("web"), "purse.pass", id).await?;
        graph.settle().await;
    }
    assert_eq!(book.sum("paid in"), 10, "two deposits of 5");
    Ok(())
}

pub(crate) async fn no_answer_no_charge(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        loop {
            if proxy.to("till.charge").param("id", &id).ask().await.is_ok() {
                book.enter_once(&id, "shipped", 1);
                return Ok(());
            }
            if !book.mended {
                book.claim(&format!("declined {id}"));
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    async fn charge(State(book): State<Book>, id: String) {
        book.enter_once(&id, "charged", 1);
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let till = service!(book, "till", "charge" => ["id"] charge);
    let graph = sim.graph().service(till).service(gate).client("web").start().await;
    ordered(&graph, &["a", "b"]).await?;
    let declined = ["a", "b"].iter().filter(|id| book.is_claimed(&format!("declined {id}"))).count();
    assert!(book.sum("charged") == book.sum("shipped") && declined == 0, "who is charged gets the goods");
    Ok(())
}

pub(crate) async fn check_then_act(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, id: String) {
        let mine = format!("order {id}");
        if if book.mended { !book.claim(&mine) } else { book.is_claimed(&mine) } {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        book.enter("shipped", 1);
        book.claim(&mine);
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let graph = sim.graph().service(gate).client("web").start().await;
    ordered(&graph, &["a", "b", "c"]).await?;
    assert_eq!(book.sum("shipped"), 3, "three orders");
    Ok(())
}

pub(crate) async fn impatient(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        let patience = Duration::from_millis(if book.mended { 20_000 } else { 40 });
        let there = proxy.to("stock.has").param("id", &id).ask().timeout(patience).await.is_ok();
        book.enter_once(&id, "sold", i64::from(there));
        Ok(())
    }
    async fn has(_id: String) {}
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let stock = service!(book, "stock", "has" => ["id"] has);
    let graph = sim.graph().service(stock).service(gate).client("web").start().await;
    for id in ["a", "b", "c"] {
        order(graph.client("web"), "gate.pass", id).await?;
        sim.advance(Duration::from_millis(10)).await;
    }
    graph.settle().await;
    assert_eq!(book.sum("sold"), 3, "all three are there");
    Ok(())
}

pub(crate) async fn marked_is_done(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, attempt: Attempt, id: String) {
        if book.mended || !attempt.redelivered {
            book.enter_once(&id, "shipped", 1);
        }
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let graph = sim.graph().service(gate).client("web").start().await;
    ordered(&graph, &["a", "b", "c"]).await?;
    assert_eq!(book.sum("shipped"), 3, "three orders");
    Ok(())
}

pub(crate) async fn ask_and_forget(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn pass(State(book): State<Book>, proxy: Proxy, id: String) -> Result<(), Failure> {
        if book.mended {
            return surely(&proxy, "audit.note", &id).await;
        }
        // An order does not wait until it was written down.
        let _noted = proxy.to("audit.note").param("id", &id).ask().timeout(Duration::from_secs(2)).await;
        Ok(())
    }
    async fn note(State(book): State<Book>, id: String) {
        book.enter_once(&id, "noted", 1);
    }
    let book = Book::new(mended);
    let gate = service!(book, "gate", "pass" => ["id"] pass);
    let audit = service!(book, "audit", "note" => ["id"] note);
    let graph = sim.graph().service(audit).service(gate).client("web").start().await;
    ordered(&graph, &["a", "b"]).await?;
    assert_eq!(book.sum("noted"), 2, "each order is written down");
    Ok(())
}

const LETTERS: ShortString = ShortString::from_static("letters");

/// A gate and a writer, whose transport is used for letters that are not messages of this library.
async fn with_letters(sim: &Sim, letters: Queue) -> (Graph, SimTransport) {
    let tapped: Arc<Mutex<Option<SimTransport>>> = Arc::default();
    let keep = tapped.clone();
    let make = move |transport: SimTransport| {
        *keep.lock().expect("nobody panics with it") = Some(transport.clone());
        let service = Service::new("writer").rpc("wake", async || {});
        Server::builder(transport).queue("writer").exchange("writer").service(service)
    };
    let gate = || Service::new("gate").rpc("pass", tavrida::handler::params(["id"], async |_: String| {}));
    let graph = sim.graph().server("writer", make).service(gate).client("web").start().await;
    let transport = tapped.lock().expect("nobody panics with it").clone().expect("the server was made");
    let session = transport.connect().await.expect("there is a broker");
    session.admin().declare_queue(&letters).await.expect("it is a queue");
    session.close().await.expect("nothing waits for it");
    (graph, transport)
}

/// Sends a letter until the broker has it.
async fn write(transport: &SimTransport, body: &'static str, mode: u8) {
    loop {
        if let Ok(session) = transport.connect().await {
            let properties = Properties { delivery_mode: Some(mode), ..Properties::default() };
            let letter =
                Publication { properties, ..Publication::new(ShortString::default(), LETTERS, body) };
            // The process whose transport it is may be killed meanwhile: then nothing comes back.
            let written = tokio::time::timeout(Duration::from_secs(60), session.publish(letter)).await;
            // The end of the session does not matter.
            let _ = session.close().await;
            if written.is_ok_and(|written| written.is_ok()) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Returns the existing letters: reads them with a consumer until no more come.
async fn read(transport: &SimTransport) -> Vec<String> {
    let mut read = Vec::new();
    while let Ok(session) = transport.connect().await {
        let Ok(mut consumer) = session.consume(&Consume::new(LETTERS, 10)).await else { break };
        let next = async { consumer.next().await };
        let Ok(next) = tokio::time::timeout(Duration::from_secs(5), next).await else { break };
        let Ok(delivery) = next else { continue };
        read.push(String::from_utf8_lossy(delivery.body()).into_owned());
        // If the ack is lost, the letter is redelivered.
        let _ = delivery.ack();
        drop(consumer);
        close(&*session).await;
    }
    read.sort();
    read.dedup();
    read
}

async fn close(session: &dyn Session) {
    // It may already have ended.
    let _ = session.close().await;
}

pub(crate) async fn transient_but_confirmed(sim: Sim, mended: bool) -> Result<(), Failure> {
    let mode = if mended { Properties::PERSISTENT } else { Properties::TRANSIENT };
    let (graph, transport) = with_letters(&sim, Queue::durable(LETTERS)).await;
    write(&transport, "one", mode).await;
    ordered(&graph, &["a", "b", "c"]).await?;
    graph.heal();
    assert_eq!(read(&transport).await, ["one"], "a letter that was confirmed is there");
    Ok(())
}

pub(crate) async fn full_but_confirmed(sim: Sim, mended: bool) -> Result<(), Failure> {
    const LIMIT: ShortString = ShortString::from_static("x-max-length");
    const OVERFLOW: ShortString = ShortString::from_static("x-overflow");
    let mut letters = Queue::durable(LETTERS).argument(LIMIT, 10);
    if mended {
        letters = letters.argument(OVERFLOW, "reject-publish");
    }
    let (graph, transport) = with_letters(&sim, letters).await;
    for body in ["one", "three", "two"] {
        write(&transport, body, Properties::PERSISTENT).await;
    }
    assert_eq!(read(&transport).await, ["one", "three", "two"], "letters that were confirmed are there");
    drop(graph);
    Ok(())
}
