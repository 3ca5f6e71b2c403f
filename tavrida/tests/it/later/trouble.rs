//! Responders that are misused, or not used at all: no caller waits forever.

use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida::proxy::{Answered, AskError, Responder};

use super::{Charge, Create, billing};
use crate::fixture::{Fixture, Notes, registry};

/// A service with one method `answer` and the handler of answers of `billing.charge`.
fn with<M: 'static, N: 'static>(
    method: impl tavrida::handler::Handler<M>,
    response: impl tavrida::handler::Handler<N>,
) -> Service {
    Service::new("orders")
        .rpc("create", method)
        .on_response("billing.charge", response)
        .discovery(registry(&["billing"]))
}

async fn pass_on(reply: Responder, proxy: Proxy) -> Result<()> {
    proxy.request(Charge { cents: 100 }).call_with(reply).await?;
    Ok(())
}

async fn asked(service: Service) -> (Fixture, Result<Response, AskError>) {
    let fixture = Fixture::new();
    let policy = Retry::times(1).between(Duration::from_secs(1), Duration::from_secs(1)).then_dead_letter();
    let _servers =
        (fixture.run(fixture.server(service).on_failure(policy)).await, fixture.host(billing()).await);
    let client = fixture.client(&["orders"]).await;
    let answer = client.to("orders.create").ask().timeout(Duration::from_secs(200)).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    (fixture, answer)
}

fn error_text(answer: Result<Response, AskError>) -> String {
    let error = answer.expect_err("an error");
    error.failed().unwrap_or_else(|| panic!("{error}")).message()
}

#[tokio::test(start_paused = true)]
async fn a_reply_can_be_used_at_once_and_once_for_an_untyped_call() {
    async fn now(reply: Responder) -> Answered {
        reply.answer(json!({ "n": 1 }))
    }
    async fn never() {}
    let (_fixture, answer) = asked(with(now, never)).await;
    assert_eq!(answer.expect("answered").payload().as_str(), r#"{"n":1}"#);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_dropped_is_an_error_and_no_silence() {
    async fn forget(_reply: Responder) {}
    async fn never() {}
    let (_fixture, answer) = asked(with(forget, never)).await;
    assert_eq!(error_text(answer), "orders.create was handled to its end, and nobody answered");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_came_back_and_is_dropped_or_not_even_taken_is_an_error_too() {
    async fn drops(_reply: Responder) {}
    async fn takes_none() {}
    let (_fixture, answer) = asked(with(pass_on, drops)).await;
    assert_eq!(error_text(answer), "orders.create was handled to its end, and nobody answered");
    let (_fixture, answer) = asked(with(pass_on, takes_none)).await;
    assert_eq!(error_text(answer), "orders.create was handled to its end, and nobody answered");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_handles_is_an_error_for_the_first_caller() {
    let service = Service::new("orders").rpc("create", pass_on).discovery(registry(&["billing"]));
    let (fixture, answer) = asked(service).await;
    assert_eq!(error_text(answer), "no handler for the response billing.charge here");
    assert_eq!(fixture.depth("orders.dead").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_with_the_reply_in_hand_is_the_answer() {
    async fn fails(_reply: Responder) -> Result<()> {
        Err(Failure::new("orders.Closed", "come back tomorrow"))
    }
    async fn never() {}
    let (fixture, answer) = asked(with(fails, never)).await;
    assert_eq!(error_text(answer), "come back tomorrow");
    assert_eq!(fixture.depth("orders.dead").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failing_handler_of_the_answer_is_tried_again_and_tells_the_first_caller_in_the_end() {
    async fn second_time(reply: Responder, attempt: Attempt) -> Result<()> {
        if attempt.number == 1 {
            return Err(Failure::new("orders.NotYet", "not yet"));
        }
        reply.answer(json!({ "attempt": attempt.number }));
        Ok(())
    }
    async fn never(_reply: Responder) -> Result<()> {
        Err(Failure::new("orders.Never", "never"))
    }
    let (_fixture, answer) = asked(with(pass_on, second_time)).await;
    assert_eq!(answer.expect("answered").payload().as_str(), r#"{"attempt":2}"#);
    let (fixture, answer) = asked(with(pass_on, never)).await;
    assert_eq!(error_text(answer), "never");
    assert_eq!(fixture.depth("orders.dead").await, 1, "for whoever looks at the dead letters");
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_the_reply_has_gone_on_is_no_second_answer() {
    async fn fails_late(reply: Responder, proxy: Proxy) -> Result<()> {
        proxy.request(Charge { cents: 100 }).call_with(reply).await?;
        Err(Failure::new("orders.Late", "too late"))
    }
    async fn answers(reply: Responder) {
        reply.answer(json!({ "n": 1 }));
    }
    let (fixture, answer) = asked(with(fails_late, answers)).await;
    assert_eq!(answer.expect("answered").payload().as_str(), r#"{"n":1}"#);
    assert_eq!(fixture.depth("orders.dead").await, 1, "it failed, twice, and is kept");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_sent_gives_the_reply_back() {
    async fn otherwise(reply: Responder, proxy: Proxy) -> Answered {
        match proxy.to("nobody.there").call_with(reply.keeping(7)).await {
            Ok(answered) => answered,
            Err(not_carried) => {
                let text = not_carried.to_string();
                not_carried.reply.answer(json!({ "text": text }))
            }
        }
    }
    async fn fails(reply: Responder, proxy: Proxy) -> Result<Answered> {
        Ok(proxy.to("nobody.there").call_with(reply).await?)
    }
    async fn never() {}
    let (_fixture, answer) = asked(with(otherwise, never)).await;
    let text: String = answer.expect("answered").payload().get("text").expect("a text");
    assert!(text.contains("no discovery knows the service 'nobody'"), "{text}");
    let (_fixture, answer) = asked(with(fails, never)).await;
    assert!(error_text(answer).contains("no discovery knows the service 'nobody'"));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_too_large_is_refused_before_the_broker_would() {
    async fn large(reply: Responder, proxy: Proxy) -> Result<Answered> {
        let reply = reply.keeping("x".repeat(40_000));
        Ok(proxy.request(Charge { cents: 100 }).call_with(reply).await?)
    }
    async fn never() {}
    let (_fixture, answer) = asked(with(large, never)).await;
    let text = error_text(answer);
    assert!(text.contains("the state of the reply: 40") && text.contains("32768 are the most"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_state_of_another_type_is_an_error_that_says_so() {
    async fn keeps_text(reply: Responder, proxy: Proxy) -> Result<Answered> {
        Ok(proxy.request(Charge { cents: 100 }).call_with(reply.keeping("seven".to_owned())).await?)
    }
    async fn wants_number(reply: Responder<tavrida::proxy::Untyped, u64>) {
        reply.answer(());
    }
    let (_fixture, answer) = asked(with(keeps_text, wants_number)).await;
    let text = error_text(answer);
    assert!(text.contains("the state of the reply: invalid type: string"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_reply_may_wait_in_a_task_while_its_message_is_not_settled() {
    async fn in_a_task(reply: Responder) {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(20)).await;
            reply.answer(json!({ "n": 1 }));
        });
    }
    let fixture = Fixture::new();
    let server = fixture.host(Service::new("orders").rpc("create", in_a_task)).await;
    let client = fixture.client(&["orders"]).await;
    let asked = tokio::spawn(async move { client.to("orders.create").ask().await });
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(server.handle.counters().handled, 0, "a crash would bring the message back");
    let answer = asked.await.expect("no panic").expect("answered");
    assert_eq!(answer.payload().as_str(), r#"{"n":1}"#);
}

#[tokio::test(start_paused = true)]
async fn the_handler_of_a_cast_may_take_a_reply_that_nobody_gets() {
    async fn note(notes: State<Notes>, reply: Responder) {
        notes.add(format!("awaited: {}", reply.is_awaited()));
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.host(Service::new("orders").state(notes.clone()).rpc("create", note)).await;
    fixture.client(&["orders"]).await.to("orders.create").cast().await.expect("sent");
    assert_eq!(notes.reach(1).await, ["awaited: false"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.handle.counters().handled, 1);
}

#[tokio::test]
async fn a_reply_where_none_can_be_is_told_when_the_server_is_built() {
    async fn hears(_reply: Responder) {}
    async fn with_state(_reply: Responder<Create, u64>) {}
    let fixture = Fixture::new();
    let registry = registry(&[]).remote_publisher("stock", "stock_notifications");
    let service = Service::new("orders").on_notification("stock.low", hears).discovery(registry);
    let error = fixture.server(service).build().expect_err("refused").to_string();
    assert!(error.contains("a notification is never answered"), "{error}");
    let error = fixture
        .server(Service::new("orders").rpc("create", with_state))
        .build()
        .expect_err("refused")
        .to_string();
    assert!(
        error.contains("a Responder with a state of type u64, which a request does not bring"),
        "{error}"
    );
}

/// A service whose method `look` returns nothing.
fn quiet() -> Service {
    async fn look() {}
    Service::new("billing").rpc("look", look).discovery(registry(&["orders"]))
}

#[tokio::test(start_paused = true)]
async fn a_method_that_returns_nothing_brings_the_reply_back_too() {
    async fn looks(reply: Responder, proxy: Proxy) -> Result<Answered> {
        Ok(proxy.to("billing.look").call_with(reply.keeping(7)).await?)
    }
    async fn looked(reply: Responder<tavrida::proxy::Untyped, u64>) -> Answered {
        let state = *reply.state();
        reply.answer(json!({ "looked": state }))
    }
    let fixture = Fixture::new();
    let orders = || Service::new("orders").rpc("create", looks).discovery(registry(&["billing"]));
    let _billing = fixture.host(quiet()).await;
    let server = fixture.host(orders().on_response("billing.look", looked)).await;
    let answer = fixture.client(&["orders"]).await.to("orders.create").ask().await.expect("answered");
    assert_eq!(answer.payload().as_str(), r#"{"looked":7}"#);
    server.stop().await;

    // Without a handler of the answer the first caller gets an error, and no silence.
    let _server = fixture.host(orders()).await;
    let error =
        fixture.client(&["orders"]).await.to("orders.create").ask().await.expect_err("nobody answers");
    let reply = error.failed().unwrap_or_else(|| panic!("{error}"));
    assert_eq!(reply.message(), "no handler for the response billing.look here");
}
