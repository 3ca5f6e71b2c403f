//! Middleware, around handlers and before sends, for all four kinds of messages.

use serde_json::json;
use tavrida::discovery::Registry;
use tavrida::message::{Message, MessageKind, Reply};
use tavrida::middleware::{Next, from_fn, outgoing_fn};
use tavrida::prelude::*;

use crate::fixture::{Fixture, Notes};

/// Records each message on its way in and out.
fn noting(notes: &Notes, who: &'static str) -> impl tavrida::middleware::Incoming {
    let notes = notes.clone();
    from_fn(move |message: Message, next: Next| {
        let notes = notes.clone();
        async move {
            notes.add(format!("{who} > {}", message.kind()));
            let reply = next.run(message).await;
            notes.add(format!("{who} < {}", if reply.is_ok() { "ok" } else { "failed" }));
            reply
        }
    })
}

async fn fine() -> serde_json::Value {
    json!({ "fine": true })
}

#[tokio::test(start_paused = true)]
async fn the_first_added_is_the_outermost() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work")
        .rpc("do", fine)
        .incoming(noting(&notes, "outer"))
        .incoming(noting(&notes, "inner"));
    let _server = fixture.host(service).await;
    fixture.client(&["work"]).await.to("work.do").ask().await.expect("an answer");
    assert_eq!(notes.all(), ["outer > request", "inner > request", "inner < ok", "outer < ok"]);
}

#[tokio::test(start_paused = true)]
async fn all_four_kinds_pass_through_and_reach_their_handlers() {
    async fn begin(proxy: Proxy) -> Result<()> {
        proxy.publish().event("begun").send().await?;
        proxy.to("other.fine").call().await?;
        proxy.to("other.fails").call().await?;
        Ok(())
    }
    async fn fails() -> Result<()> {
        Err(Failure::new("test.Broken", "always"))
    }
    let heard =
        |what: &'static str| move |notes: State<Notes>| async move { notes.add(format!("handled {what}")) };
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let registry = Registry::new()
        .local_publisher("work", "work_notifications")
        .remote_publisher("work", "work_notifications");
    let service = Service::new("work")
        .state(notes.clone())
        .rpc("begin", begin)
        .on_response("other.fine", heard("response"))
        .on_error("other.fails", heard("error"))
        .on_notification("work.begun", heard("notification"))
        .incoming(noting(&notes, "m"))
        .discovery(registry);
    let server = fixture.server(service).service(Service::new("other").rpc("fine", fine).rpc("fails", fails));
    let _server = fixture.run(server).await;
    fixture.client(&["work"]).await.to("work.begin").cast().await.expect("sent");
    let mut seen = notes.reach(11).await;
    seen.retain(|note| note.starts_with("handled") || note.contains('>'));
    seen.sort();
    assert_eq!(
        seen,
        [
            "handled error",
            "handled notification",
            "handled response",
            "m > error",
            "m > notification",
            "m > request",
            "m > response"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_middleware_changes_the_message_that_the_handler_sees() {
    let rename = from_fn(|mut message: Message, next: Next| async move {
        message.set_payload(tavrida::message::Payload::new(&json!({ "name": "changed" }))?);
        next.run(message).await
    });
    let greet = |name: String| async move { json!({ "name": name }) };
    let fixture = Fixture::new();
    let service = Service::new("work").rpc("greet", params(["name"], greet)).incoming(rename);
    let _server = fixture.host(service).await;
    let client = fixture.client(&["work"]).await;
    let answer = client.to("work.greet").param("name", "original").ask().await.expect("an answer");
    assert_eq!(answer.payload().get::<String>("name").expect("a name"), "changed");
    assert_eq!(answer.context().get::<String>("name").expect("merged"), "changed");
}

#[tokio::test(start_paused = true)]
async fn a_middleware_answers_in_the_handlers_place_with_a_response_or_an_error() {
    let guard = from_fn(|message: Message, next: Next| async move {
        let Ok(request) = message.clone().into_request() else { return next.run(message).await };
        match request.headers().get_str("x-want") {
            Some("response") => {
                Ok(request.respond(tavrida::message::Payload::new(&json!({ "early": 1 }))?).into())
            }
            Some("error") => Ok(request.fail(&Failure::new("guard.Closed", "closed").with_code(423)).into()),
            Some("failure") => Err(Failure::new("guard.Broken", "broken")),
            Some("nothing") => Ok(Reply::Nothing),
            _ => next.run(message).await,
        }
    });
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let work = |notes: State<Notes>| async move { notes.add("reached the handler") };
    let _server =
        fixture.host(Service::new("work").state(notes.clone()).rpc("do", work).incoming(guard)).await;
    let client = fixture.client(&["work"]).await;
    let ask = |want: &'static str| client.to("work.do").header("x-want", want).ask();

    let early = ask("response").await.expect("a response");
    assert_eq!(early.payload().get::<i64>("early").expect("a number"), 1);
    assert_eq!(ask("error").await.expect_err("an error").failed().expect("answered").code(), Some(423));
    assert_eq!(
        ask("failure").await.expect_err("an error").failed().expect("answered").class(),
        "guard.Broken"
    );
    assert!(ask("nothing").await.expect("an ask is always answered").payload().is_empty());
    assert_eq!(notes.all(), Vec::<String>::new());
    ask("handler").await.expect("an answer");
    assert_eq!(notes.all(), ["reached the handler"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_middleware_on_a_cast_is_a_failure_of_the_cast() {
    let broken = from_fn(|_: Message, _: Next| async { Err(Failure::new("test.Broken", "in the middle")) });
    let fixture = Fixture::new();
    let _server = fixture.host(Service::new("work").rpc("do", fine).incoming(broken)).await;
    fixture.client(&["work"]).await.to("work.do").cast().await.expect("sent");
    let letter = fixture.take("work.dead").await;
    let text = letter.properties.headers().get("x-tavrida-error-message").and_then(|value| value.as_str());
    assert_eq!(text, Some("in the middle"));
}

#[tokio::test(start_paused = true)]
async fn outgoing_middleware_sees_replies_and_other_sends_where_it_opts_in() {
    async fn relay(proxy: Proxy) -> Result<serde_json::Value> {
        proxy.to("work.done").cast().await?;
        Ok(json!({}))
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let sees = |who: &'static str| {
        let notes = notes.clone();
        outgoing_fn(move |message: Message| {
            notes.add(format!("{who} {} {}", message.kind(), !message.message_id().is_empty()));
            async { Ok(message) }
        })
    };
    let service = Service::new("work")
        .rpc("relay", relay)
        .rpc("done", || async {})
        .outgoing(sees("replies"))
        .outgoing(sees("all").on(MessageKind::ALL));
    let _server = fixture.host(service).await;
    fixture.client(&["work"]).await.to("work.relay").ask().await.expect("an answer");
    assert_eq!(notes.all(), ["all request true", "replies response true", "all response true"]);
}

#[tokio::test(start_paused = true)]
async fn an_outgoing_middleware_that_fails_keeps_the_reply_from_being_lost_silently() {
    let broken = outgoing_fn(|_: Message| async { Err(Failure::new("test.Broken", "no ink")) });
    let fixture = Fixture::new();
    let _server = fixture.host(Service::new("work").rpc("do", fine).outgoing(broken)).await;
    let client = fixture.client(&["work"]).await;
    let asked = tokio::spawn(async move { client.to("work.do").ask().await });
    let letter = fixture.take("work.dead").await;
    let text = letter.properties.headers().get("x-tavrida-error-message").and_then(|value| value.as_str());
    assert!(text.expect("why").contains("no ink"), "{text:?}");
    assert!(asked.await.expect("no panic").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_has_outgoing_middleware_too() {
    let stamp = outgoing_fn(|mut message: Message| async move {
        message.headers_mut().insert("x-stamp", "client")?;
        Ok(message)
    });
    let work = |request: Request| async move { json!({ "stamp": request.headers().get_str("x-stamp") }) };
    let fixture = Fixture::new();
    let _server = fixture.host(Service::new("work").rpc("do", work)).await;
    let client = Client::builder(fixture.broker.transport())
        .source("client_app")
        .discovery(crate::fixture::registry(&["work"]))
        .outgoing(stamp.on([MessageKind::Request]))
        .build()
        .await
        .expect("a client");
    let answer = client.to("work.do").ask().await.expect("an answer");
    assert_eq!(answer.payload().get::<String>("stamp").expect("stamped"), "client");
}
