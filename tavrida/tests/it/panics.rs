//! Code of users that panics at unusual places: the message ends, answered or dead-lettered, and is worked once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tavrida::discovery::Discovery;
use tavrida::field::{ShortString, Value};
use tavrida::middleware::outgoing_fn;
use tavrida::prelude::*;

use crate::fixture::{Fixture, Notes};

/// Panics when it is dropped: by a deadline, with a result, with a panic.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // A second panic would abort the process: that is Rust's rule.
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

/// Notes each execution. The fourth is too many: a message that comes back again and again would never end the test.
fn note(notes: &Notes) -> Result<()> {
    notes.add("worked");
    if notes.all().len() > 3 {
        Err(Failure::new("test.Loop", "it came back again and again"))
    } else {
        Ok(())
    }
}

/// The text of the error that a call is answered with, and the reason on the dead letter of a cast; each is worked once.
async fn ends<M: 'static>(handler: impl tavrida::handler::Handler<M>, notes: &Notes) -> (String, String) {
    let fixture = Fixture::new();
    let service = Service::new("work").state(notes.clone()).rpc("do", handler);
    let _server = fixture.run(fixture.server(service).handler_deadline(Duration::from_secs(2))).await;
    let client = fixture.client(&["work"]).await;
    let error = client.to("work.do").ask().await.expect_err("it panics");
    let answered = error.failed().unwrap_or_else(|| panic!("no answer: {error}")).message();
    client.to("work.do").cast().await.expect("sent");
    let letter = fixture.take("work.dead").await;
    let text = letter.properties.headers().get("x-tavrida-error-message").and_then(Value::as_str);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(notes.all(), ["worked", "worked"], "the call and the cast, each once");
    (answered, text.expect("a text").to_owned())
}

#[tokio::test(start_paused = true)]
async fn what_the_deadline_drops_may_panic() {
    async fn slow(notes: State<Notes>) -> Result<()> {
        let _bomb = Bomb;
        note(&notes)?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(())
    }
    let (answered, buried) = ends(slow, &Notes::default()).await;
    assert_eq!(answered, "the handler was not done within 2s");
    assert_eq!(buried, answered);
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_panics_with_may_panic_too() {
    async fn throws(notes: State<Notes>) -> Result<()> {
        note(&notes)?;
        std::panic::panic_any(Bomb)
    }
    let (answered, buried) = ends(throws, &Notes::default()).await;
    assert_eq!(answered, "the handler panicked");
    assert_eq!(buried, answered);
}

#[tokio::test(start_paused = true)]
async fn the_cause_of_a_failure_may_panic_when_it_is_dropped() {
    async fn fails(notes: State<Notes>) -> Result<()> {
        note(&notes)?;
        Err(Bomb)?
    }
    let (answered, buried) = ends(fails, &Notes::default()).await;
    assert_eq!((answered.as_str(), buried.as_str()), ("a bomb", "a bomb"));
}

/// Where the message of a call goes whose answer cannot be sent because something panics.
async fn unanswered(service: Service, reply_to: &str) -> String {
    let fixture = Fixture::new();
    let _server = fixture.host(service).await;
    fixture.client(&["work"]).await.to("work.do").reply_to(reply_to).call().await.expect("sent");
    let letter = fixture.take("work.dead").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let text = letter.properties.headers().get("x-tavrida-error-message").and_then(Value::as_str);
    text.expect("a text").to_owned()
}

async fn answer(notes: State<Notes>) -> Result<serde_json::Value> {
    note(&notes)?;
    Ok(json!({ "n": 1 }))
}

#[tokio::test(start_paused = true)]
async fn outgoing_middleware_may_panic() {
    async fn panics(_: tavrida::message::Message) -> Result<tavrida::message::Message> {
        panic!("middleware of a user's")
    }
    let notes = Notes::default();
    let service = Service::new("work").state(notes.clone()).rpc("do", answer).outgoing(outgoing_fn(panics));
    let text = unanswered(service, "work").await;
    assert!(text.contains("middleware of a user's"), "{text}");
    assert_eq!(notes.all(), ["worked"]);
}

#[tokio::test(start_paused = true)]
async fn a_discovery_may_panic() {
    struct Panics;
    impl Discovery for Panics {
        fn service_exchange(&self, _: &str) -> Option<ShortString> {
            panic!("discovery of a user's")
        }
        fn publisher_exchange(&self, _: &str) -> Option<ShortString> {
            None
        }
        fn local_publisher_exchange(&self, _: &str) -> Option<ShortString> {
            None
        }
        fn exchanges(&self) -> Vec<ShortString> {
            Vec::new()
        }
    }
    let notes = Notes::default();
    let service = Service::new("work").state(notes.clone()).rpc("do", answer).discovery(Panics);
    let text = unanswered(service, "elsewhere").await;
    assert!(text.contains("discovery of a user's"), "{text}");
    assert_eq!(notes.all(), ["worked"]);
}

#[tokio::test(start_paused = true)]
async fn ids_may_panic() {
    /// Panics at the fourth id.
    struct Panics(std::sync::atomic::AtomicU32);
    impl tavrida::id::IdSource for Panics {
        fn id(&self, purpose: tavrida::id::Purpose, cause: tavrida::id::Cause<'_>) -> tavrida::id::SmolStr {
            if purpose == tavrida::id::Purpose::Message {
                panic!("ids of a user's, {}", self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            }
            tavrida::id::RandomIds.id(purpose, cause)
        }
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("work").state(notes.clone()).rpc("do", answer);
    let _server = fixture.run(fixture.server(service).ids(Panics(Default::default()))).await;
    let client = Arc::new(fixture.client(&["work"]).await);
    let error =
        client.to("work.do").ask().timeout(Duration::from_secs(5)).await.expect_err("no id, no answer");
    assert!(error.is_timeout(), "{error}");
    assert_eq!(fixture.depth("work.dead").await, 1);
    assert_eq!(notes.all(), ["worked"]);
}
