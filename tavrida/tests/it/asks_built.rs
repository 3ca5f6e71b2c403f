//! Asks as values: built with options, joined, selected, and passed on as errors.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tavrida::contract::{NoError, Rpc};
use tavrida::prelude::*;

use crate::fixture::{Fixture, Notes, registry, within};

#[derive(Serialize, Deserialize)]
struct Price {
    id: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cents {
    cents: u64,
}

impl Rpc for Price {
    const ENTRY_POINT: &'static str = "billing.price";
    type Reply = Cents;
    type Error = NoError;
}

async fn price(notes: State<Notes>, request: Request, price: Price) -> Result<Cents> {
    let tenant = request.headers().get_str("x-tenant").unwrap_or("none");
    notes.add(format!("{} of {tenant} in {} {}", price.id, request.correlation_id(), request.context()));
    match price.id {
        404 => Err(Failure::new("billing.Unknown", "no such article")
            .with_code(4040)
            .with_detail(&json!({"id": 404}))?),
        500 => {
            tokio::time::sleep(Duration::from_secs(200)).await;
            Ok(Cents { cents: 500 })
        }
        id => Ok(Cents { cents: id * 100 }),
    }
}

fn billing(notes: &Notes) -> Service {
    Service::new("billing").state(notes.clone()).handle(price)
}

#[tokio::test(start_paused = true)]
async fn an_ask_of_a_contract_keeps_it_through_all_its_options() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _billing = fixture.host(billing(&notes)).await;
    let client = fixture.client(&["billing"]).await;
    let ask = client.ask(Price { id: 7 }).header("x-tenant", "acme").correlation_id("chain-1");
    let cents: Cents = ask
        .context(&json!({"user": "ann"}))
        .timeout(Duration::from_secs(5))
        .transient()
        .await
        .expect("a price");
    assert_eq!(cents, Cents { cents: 700 });
    let request = client.request(Price { id: 8 }).header("x-tenant", "acme").correlation_id("chain-2");
    let answer: Answer<Price> = request.ask().in_full().await.expect("a price");
    assert_eq!((answer.cents, answer.chain().as_str()), (800, Some("chain-2")));
    let answer =
        client.to("billing.price").param("id", 9).ask().header("x-tenant", "acme").await.expect("a price");
    assert_eq!(answer.payload().get::<u64>("cents").expect("cents"), 900);
    let notes = notes.all();
    assert_eq!(notes[0], r#"7 of acme in chain-1 {"user":"ann","id":7}"#);
    assert!(notes[1].starts_with("8 of acme in chain-2") && notes[2].starts_with("9 of acme"), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn asks_are_joined_and_selected_as_they_are() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _billing = fixture.host(billing(&notes)).await;
    let client = fixture.client(&["billing"]).await;
    let ask = |id| client.ask(Price { id });
    let all = join_all((1..=3).map(ask)).await.into_iter().map(|answer| answer.expect("a price").cents);
    assert_eq!(all.collect::<Vec<_>>(), [100, 200, 300]);
    let (one, two) = tokio::join!(ask(4), client.to("billing.price").param("id", 5).ask());
    assert_eq!(one.expect("a price").cents, 400);
    assert_eq!(two.expect("a price").payload().get::<u64>("cents").expect("cents"), 500);
    let first = tokio::select! {
        answer = ask(500) => answer,
        answer = ask(6) => answer,
    };
    assert_eq!(first.expect("a price").cents, 600, "the quick one wins");
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_polled_many_times_is_sent_once_and_one_that_is_not_never() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _billing = fixture.host(billing(&notes)).await;
    let client = fixture.client(&["billing"]).await;
    drop(client.ask(Price { id: 1 }));
    let mut slow = client.ask(Price { id: 500 }).timeout(Duration::from_secs(600));
    let mut waits = 0;
    let answer = async {
        loop {
            tokio::select! {
                answer = &mut slow => break answer,
                () = tokio::time::sleep(Duration::from_secs(60)) => waits += 1,
            }
        }
    };
    assert_eq!(answer.await.expect("a price").cents, 500);
    assert_eq!((waits, notes.all().len()), (3, 1), "it waited on after each select");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "changed after it was polled")]
async fn an_ask_is_not_changed_after_it_was_polled() {
    let fixture = Fixture::new();
    let client = fixture.client(&["billing"]).await;
    let mut ask = client.ask(Price { id: 1 });
    let _ = tokio::time::timeout(Duration::ZERO, &mut ask).await;
    drop(ask.timeout(Duration::from_secs(1)));
}

/// Asks for a price in the place of its caller, and passes on what goes wrong.
async fn pass(proxy: Proxy, id: u64) -> Result<Cents> {
    Ok(proxy.ask(Price { id }).timeout(Duration::from_secs(10)).await?)
}

async fn pass_untyped(proxy: Proxy, id: u64) -> Result<serde_json::Value> {
    let answer = proxy.to("billing.price").param("id", id).ask().timeout(Duration::from_secs(10)).await?;
    Ok(json!({ "cents": answer.payload().get::<u64>("cents")? }))
}

async fn pass_to_nobody(proxy: Proxy) -> Result<()> {
    proxy.to("nobody.work").ask().await?;
    Ok(())
}

async fn other_reply() -> serde_json::Value {
    json!({ "cents": "many" })
}

#[tokio::test(start_paused = true)]
async fn the_error_of_an_ask_reaches_the_caller_as_what_it_is() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _billing = fixture.host(billing(&notes)).await;
    let shop =
        Service::new("shop").rpc("typed", params(["id"], pass)).rpc("untyped", params(["id"], pass_untyped));
    let shop = shop.rpc("nobody", pass_to_nobody).discovery(registry(&["billing"]));
    let _shop = fixture.host(shop).await;
    let client = fixture.client(&["shop"]).await;
    let failed = |method: &'static str, id: u64| {
        let ask = client.to(method).param("id", id).ask();
        async { within(ask).await.expect_err("passed on").failed().expect("answered").failure() }
    };
    for method in ["shop.typed", "shop.untyped"] {
        let unknown = failed(method, 404).await;
        assert_eq!((unknown.class(), unknown.code()), ("billing.Unknown", 4040), "{method}");
        assert_eq!(
            (unknown.message(), unknown.detail()),
            ("no such article", Some(r#"{"id":404}"#)),
            "{method}"
        );
        let late = failed(method, 500).await;
        assert_eq!((late.class(), late.code()), ("tavrida.exceptions.Timeout", 1000), "{method}");
        assert_eq!(late.message(), "billing.price did not answer within 10s", "{method}");
    }
    let nobody = failed("shop.nobody", 0).await;
    assert_eq!((nobody.class(), nobody.code()), ("tavrida.exceptions.UnableToDiscover", 1007));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_is_passed_on_as_a_wrong_response() {
    let fixture = Fixture::new();
    let _billing = fixture.host(Service::new("billing").rpc("price", other_reply)).await;
    let shop = Service::new("shop").rpc("typed", params(["id"], pass)).discovery(registry(&["billing"]));
    let _shop = fixture.host(shop).await;
    let error =
        fixture.client(&["shop"]).await.to("shop.typed").param("id", 1).ask().await.expect_err("no price");
    let failure = error.failed().expect("answered").failure();
    assert_eq!((failure.class(), failure.code()), ("tavrida.exceptions.WrongResponse", 1009));
}

#[test]
fn an_ask_that_lost_its_session_is_ambiguous_to_the_caller() {
    let lost = tavrida::proxy::AskError::from(tavrida::transport::ConnectionLost::broken("cut"));
    let failure = Failure::from(lost);
    assert_eq!((failure.class(), failure.code()), ("tavrida.exceptions.Closed", 1000));
}
