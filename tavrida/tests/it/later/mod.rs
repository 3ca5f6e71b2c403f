//! Calls that are answered after their handler has ended, when other services have answered.

mod trouble;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tavrida::contract::{CallError, NoError, Rpc};
use tavrida::field::{ShortString, Value};
use tavrida::prelude::*;
use tavrida::proxy::{Answered, Responder};

use crate::fixture::{Fixture, Notes, registry};

#[derive(Serialize, Deserialize)]
struct Charge {
    cents: u64,
}

#[derive(Serialize, Deserialize)]
struct Receipt {
    number: u64,
}

impl Rpc for Charge {
    const ENTRY_POINT: &'static str = "billing.charge";
    type Reply = Receipt;
    type Error = NoError;
}

#[derive(Serialize, Deserialize)]
struct Create {
    id: u64,
    cents: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Created {
    id: u64,
    receipt: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Rejected {
    TooDear,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("rejected")
    }
}

impl std::error::Error for Rejected {}

impl Rpc for Create {
    const ENTRY_POINT: &'static str = "orders.create";
    type Reply = Created;
    type Error = Rejected;
}

async fn create(reply: Responder<Create>, proxy: Proxy, new: Create) -> Result<Answered> {
    let charge = proxy.request(Charge { cents: new.cents });
    Ok(charge.call_with(reply.keeping(new.id)).await?)
}

async fn charged(reply: Responder<Create, u64>, receipt: Answer<Charge>) {
    let id = *reply.state();
    reply.answer(Created { id, receipt: receipt.number });
}

async fn not_charged(reply: Responder<Create, u64>, refusal: CallError<Charge>) -> Result<()> {
    match refusal {
        CallError::Other(failure) if failure.code() == 4002 => reply.fail(Rejected::TooDear),
        CallError::Other(failure) => reply.fail(failure),
    };
    Ok(())
}

fn orders() -> Service {
    Service::new("orders")
        .handle(create)
        .handle_answer(charged)
        .handle_error(not_charged)
        .discovery(registry(&["billing", "hello"]))
}

fn billing() -> Service {
    async fn charge(new: Charge) -> Result<Receipt> {
        match new.cents {
            0 => Err(Failure::new("billing.Nothing", "nothing to charge")),
            500.. => Err(Failure::new("billing.NoFunds", "too dear").with_code(4002)),
            cents => Ok(Receipt { number: cents * 10 }),
        }
    }
    Service::new("billing").handle(charge).discovery(registry(&["orders"]))
}

#[tokio::test(start_paused = true)]
async fn the_handler_of_another_services_answer_answers_the_first_caller() {
    let fixture = Fixture::new();
    let servers = (fixture.host(orders()).await, fixture.host(billing()).await);
    let client = fixture.client(&["orders"]).await;
    let created = client.ask(Create { id: 7, cents: 100 }).await.expect("created");
    assert_eq!(created, Created { id: 7, receipt: 1000 });
    let error = client.ask(Create { id: 7, cents: 500 }).await.expect_err("too dear");
    assert_eq!(error.declared(), Some(&Rejected::TooDear));
    let error = client.ask(Create { id: 7, cents: 0 }).await.expect_err("nothing");
    assert_eq!(error.failed().expect("answered").class(), "billing.Nothing");
    let counters = servers.0.handle.counters();
    assert_eq!((counters.handled, counters.late, counters.dead_lettered), (6, 0, 0));
    assert_eq!(client.counters().late, 0, "each ask was answered once");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_called_gets_the_late_answer_as_any_other() {
    async fn start(proxy: Proxy) -> Result<()> {
        proxy.request(Create { id: 7, cents: 100 }).header("x-trace", "abc").call().await?;
        Ok(())
    }
    async fn created(notes: State<Notes>, created: Answer<Create>) {
        let Answer { reply: created, response, .. } = created;
        let trace = response.headers().get_str("x-trace").map(str::to_owned);
        notes.add(format!("{created:?} {} {trace:?} {}", response.source(), response.correlation_id()));
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let hello = Service::new("hello")
        .state(notes.clone())
        .rpc("start", start)
        .handle_answer(created)
        .discovery(registry(&["orders"]));
    let _servers = (fixture.host(orders()).await, fixture.host(billing()).await, fixture.host(hello).await);
    let client = fixture.client(&["hello"]).await;
    client.to("hello.start").correlation_id("chain-1").cast().await.expect("sent");
    assert_eq!(
        notes.reach(1).await,
        [r#"Created { id: 7, receipt: 1000 } orders.create Some("abc") chain-1"#]
    );
}

#[tokio::test(start_paused = true)]
async fn the_answer_survives_a_restart_of_the_service_in_between() {
    let fixture = Fixture::new();
    let first_orders = fixture.host(orders()).await;
    let client = fixture.client(&["orders"]).await;
    // No service can charge yet: the call waits in the queue of a server that was stopped.
    fixture.host(billing()).await.stop().await;
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.ask(Create { id: 7, cents: 100 }).timeout(Duration::from_secs(300)).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(first_orders.handle.counters().handled, 1, "the call is handled to its end, and unanswered");
    first_orders.abort();
    let _servers = (fixture.host(billing()).await, fixture.host(orders()).await);
    let created = asked.await.expect("no panic").expect("created");
    assert_eq!(created, Created { id: 7, receipt: 1000 });
}

#[tokio::test(start_paused = true)]
async fn replies_nest_where_the_asked_service_answers_later_too() {
    async fn charge_later(reply: Responder<Charge>, proxy: Proxy, new: Charge) -> Result<Answered> {
        let reply = reply.keeping(format!("cents {}", new.cents));
        Ok(proxy.to("bank.transfer").param("cents", new.cents).call_with(reply).await?)
    }
    async fn transferred(reply: Responder<Charge, String>, response: Response, number: u64) {
        assert!(response.headers().is_empty(), "{:?}", response.headers());
        assert_eq!(reply.state(), "cents 100");
        reply.answer(Receipt { number });
    }
    async fn transfer(request: Request, cents: u64) -> serde_json::Value {
        assert!(request.headers().is_empty(), "what is echoed is not seen");
        json!({ "number": cents + 1 })
    }
    let fixture = Fixture::new();
    let billing = Service::new("billing")
        .handle(charge_later)
        .on_response("bank.transfer", params(["number"], transferred))
        .discovery(registry(&["bank", "orders"]));
    let bank =
        Service::new("bank").rpc("transfer", params(["cents"], transfer)).discovery(registry(&["billing"]));
    let _servers = (fixture.host(orders()).await, fixture.host(billing).await, fixture.host(bank).await);
    let created = fixture.client(&["orders"]).await.ask(Create { id: 7, cents: 100 }).await.expect("created");
    assert_eq!(created, Created { id: 7, receipt: 101 });
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_sends_without_the_reply_does_not_bring_it_along() {
    async fn look(proxy: Proxy) -> Result<()> {
        proxy.to("billing.look").call().await?; // in a handler of a call that brought another caller's reply
        Ok(())
    }
    async fn looked(notes: State<Notes>, message: tavrida::message::Message) {
        notes.add(format!("{:?}", message.headers()));
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("billing")
        .state(notes.clone())
        .rpc("charge", look)
        .rpc("look", looked)
        .discovery(registry(&["orders"]));
    let _server = fixture.host(service).await;
    let mut headers = crate::fixture::request_headers("billing.charge", "");
    let later = [(ShortString::from_static("state"), Value::from("7"))]
        .into_iter()
        .collect::<tavrida::field::Table>();
    headers.insert(crate::fixture::name("tavrida-later"), later);
    headers.insert(crate::fixture::name("x-trace"), "abc");
    fixture.inject("billing", headers, r#"{"payload": {}, "context": {}}"#).await;
    assert_eq!(notes.reach(1).await, [r#"{"x-trace": "abc"}"#]);
}
