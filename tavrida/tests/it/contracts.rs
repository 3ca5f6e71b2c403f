//! Types instead of strings, from service to service over a broker.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tavrida::contract::{CallError, Event, NoError, Rpc};
use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida::proxy::RpcError;

use crate::fixture::{Fixture, Notes, registry};

#[derive(Debug, Serialize, Deserialize)]
struct Charge {
    order: u64,
    cents: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    number: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Declined {
    Blocked,
    NoFunds { left: u64 },
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("declined")
    }
}

impl std::error::Error for Declined {}

impl Rpc for Charge {
    const ENTRY_POINT: &'static str = "billing.charge";
    type Reply = Receipt;
    type Error = Declined;
}

/// A request without parameters and without a reply.
#[derive(Serialize, Deserialize)]
struct Ping;

impl Rpc for Ping {
    const ENTRY_POINT: &'static str = "billing.ping";
    type Reply = ();
    type Error = NoError;
}

#[derive(Serialize, Deserialize)]
struct Charged {
    order: u64,
}

impl Event for Charged {
    const TOPIC: &'static str = "billing.charged";
}

async fn charge(proxy: Proxy, new: Charge) -> Result<Receipt> {
    match new.cents {
        0 => Err(Declined::Blocked)?,
        500.. => Err(Declined::NoFunds { left: 499 })?,
        13 => Err(Failure::new("billing.Superstition", "not 13").with_code(13)),
        _ => {
            proxy.emit(Charged { order: new.order }).await?;
            Ok(Receipt { number: new.order * 10 })
        }
    }
}

async fn ping(_: Ping) {}

fn billing() -> Service {
    let registry = registry(&["orders"]).local_publisher("billing", "billing_notifications");
    Service::new("billing").handle(charge).handle(ping).discovery(registry)
}

#[tokio::test(start_paused = true)]
async fn an_ask_gives_the_reply_or_the_declared_error_as_the_same_types() {
    let fixture = Fixture::new();
    let _billing = fixture.host(billing()).await;
    let client = fixture.client(&["billing"]).await;
    let receipt: Receipt = client.ask(Charge { order: 7, cents: 100 }).await.expect("charged");
    assert_eq!(receipt, Receipt { number: 70 });
    for (cents, expected) in [(0, Declined::Blocked), (600, Declined::NoFunds { left: 499 })] {
        let error = client.ask(Charge { order: 7, cents }).await.expect_err("declined");
        assert_eq!(error.into_declared().expect("declared"), expected);
    }
    let error = client.ask(Charge { order: 7, cents: 13 }).await.expect_err("superstitious");
    assert!(error.declared().is_none());
    assert_eq!(error.failed().expect("answered").code(), Some(13));
    client.ask(Ping).await.expect("nothing is an answer too");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_what_the_contract_says_is_an_error_that_keeps_it() {
    async fn other() -> serde_json::Value {
        json!({ "number": "seventy" })
    }
    let fixture = Fixture::new();
    let _billing = fixture.host(Service::new("billing").rpc("charge", other)).await;
    let client = fixture.client(&["billing"]).await;
    let error = client.ask(Charge { order: 7, cents: 1 }).await.expect_err("another version");
    assert_eq!(error.to_string(), "the answer of billing.charge is not what its contract says");
    let RpcError::Misfit { response, error } = error else { panic!("{error:?}") };
    assert_eq!(response.payload().as_str(), r#"{"number":"seventy"}"#);
    assert!(error.to_string().contains("invalid type: string, expected u64"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn calls_come_back_to_typed_handlers_and_events_reach_theirs() {
    async fn order(proxy: Proxy, cents: u64) -> Result<()> {
        proxy.call(Charge { order: 7, cents }).await?;
        Ok(())
    }
    async fn charged(notes: State<Notes>, answer: Answer<Charge>) {
        notes.add(format!("{:?} {}", answer.reply, answer.response.source()));
    }
    async fn not_charged(notes: State<Notes>, refusal: CallError<Charge>) {
        notes.add(match refusal {
            CallError::Declared(declined) => format!("{declined:?}"),
            CallError::Other(failure) => format!("{failure}"),
        });
    }
    async fn heard(notes: State<Notes>, notification: Notification, event: Charged) {
        notes.add(format!("charged {} {}", event.order, notification.source()));
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let orders = Service::new("orders")
        .state(notes.clone())
        .rpc("order", params(["cents"], order))
        .handle_answer(charged)
        .handle_error(not_charged)
        .subscribe(heard)
        .discovery(registry(&["billing"]).remote_publisher("billing", "billing_notifications"));
    let _servers = (fixture.host(orders).await, fixture.host(billing()).await);
    let client = fixture.client(&["orders"]).await;
    for (cents, count) in [(100, 2), (0, 3), (13, 4)] {
        client.to("orders.order").param("cents", cents).cast().await.expect("sent");
        notes.reach(count).await;
    }
    let mut all = notes.all();
    all[..2].sort();
    assert_eq!(
        all,
        [
            "Receipt { number: 70 } billing.charge",
            "charged 7 billing.charged",
            "Blocked",
            "billing.Superstition (13): not 13"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_declared_error_passes_through_a_service_that_only_asks_on() {
    /// The same error type, declared by another service.
    #[derive(Serialize, Deserialize)]
    struct Create {
        cents: u64,
    }
    impl Rpc for Create {
        const ENTRY_POINT: &'static str = "orders.create";
        type Reply = Receipt;
        type Error = Declined;
    }
    async fn create(proxy: Proxy, new: Create) -> Result<Receipt> {
        Ok(proxy.ask(Charge { order: 7, cents: new.cents }).await?)
    }
    let fixture = Fixture::new();
    let orders = Service::new("orders").handle(create).discovery(registry(&["billing"]));
    let _servers = (fixture.host(orders).await, fixture.host(billing()).await);
    let client = fixture.client(&["orders"]).await;
    let error = client.ask(Create { cents: 0 }).await.expect_err("declined");
    assert_eq!(error.declared(), Some(&Declined::Blocked));
    assert_eq!(error.failed().expect("answered").class(), "orders.Declined");
    let error = client.ask(Create { cents: 13 }).await.expect_err("superstitious");
    assert_eq!(error.failed().expect("answered").class(), "billing.Superstition", "it is what it was");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_fit_is_an_error_that_says_where() {
    let fixture = Fixture::new();
    let _billing = fixture.host(billing()).await;
    let client = fixture.client(&["billing"]).await;
    let error = client.to("billing.charge").param("order", 7).ask().await.expect_err("cents are missing");
    assert!(error.to_string().contains("missing field `cents`"), "{error}");
    let answer =
        client.to("billing.charge").param("order", 7).param("cents", 1).param("new", true).ask().await;
    assert_eq!(answer.expect("more than needed").payload().get::<u64>("number").expect("a number"), 70);
}

#[tokio::test]
async fn a_contract_whose_address_is_none_is_told_when_the_server_is_built() {
    #[derive(Serialize, Deserialize)]
    struct Wrong;
    impl Rpc for Wrong {
        const ENTRY_POINT: &'static str = "billing";
        type Reply = ();
        type Error = NoError;
    }
    async fn wrong(_: Wrong) {}
    let fixture = Fixture::new();
    let error = fixture.server(Service::new("billing").handle(wrong)).build().expect_err("no method");
    assert!(error.to_string().contains("'billing' names no method"), "{error}");
    let client = Client::builder(fixture.broker.transport()).source("client_app").discovery(Registry::new());
    let error = client.build().await.expect("a client").ask(Wrong).await.expect_err("no such service");
    assert!(error.to_string().contains("no discovery knows the service 'billing'"), "{error}");
}
