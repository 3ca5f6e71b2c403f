//! Tower layers around handlers.

use std::time::Duration;

use tavrida::middleware::tower::from_layer;
use tavrida::prelude::*;
use tokio::time::Instant;
use tower::ServiceBuilder;

use crate::fixture::{Fixture, Notes};

/// Works for `ms` milliseconds.
async fn work(notes: State<Notes>, ms: u64) -> Result<()> {
    notes.add(format!("{ms} begins"));
    tokio::time::sleep(Duration::from_millis(ms)).await;
    if ms == 13 {
        return Err(Failure::new("work.Unlucky", "not 13").with_code(4013));
    }
    notes.add(format!("{ms} ends"));
    Ok(())
}

fn service(notes: &Notes) -> Service {
    Service::new("work").state(notes.clone()).rpc("do", params(["ms"], work))
}

async fn error_of(client: &Client, ms: u64) -> String {
    let error = client.to("work.do").param("ms", ms).ask().await.expect_err("it fails");
    let reply = error.failed().expect("an error reply");
    format!("{} ({:?}): {}", reply.class(), reply.code(), reply.message())
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_towers_is_an_error_of_the_call() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let layer = ServiceBuilder::new().timeout(Duration::from_millis(100)).into_inner();
    let _server = fixture.host(service(&notes).incoming(from_layer(layer))).await;
    let client = fixture.client(&["work"]).await;
    client.to("work.do").param("ms", 50).ask().await.expect("it is done in time");
    assert_eq!(error_of(&client, 500).await, "tower.Refused (Some(1000)): request timed out");
    assert_eq!(notes.all(), ["50 begins", "50 ends", "500 begins"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_handler_comes_through_the_layers_as_it_was() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let layer = ServiceBuilder::new().timeout(Duration::from_secs(1)).into_inner();
    let _server = fixture.host(service(&notes).incoming(from_layer(layer))).await;
    let client = fixture.client(&["work"]).await;
    assert_eq!(error_of(&client, 13).await, "work.Unlucky (Some(4013)): not 13");
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_two_lets_the_third_wait() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let layer = ServiceBuilder::new().concurrency_limit(2).into_inner();
    let _server = fixture.host(service(&notes).incoming(from_layer(layer))).await;
    let client = fixture.client(&["work"]).await;
    let began = Instant::now();
    let ask = |ms: u64| client.to("work.do").param("ms", ms).ask();
    let (one, two, three) = tokio::join!(ask(100), ask(100), ask(101));
    for answer in [one, two, three] {
        answer.expect("all are done");
    }
    assert_eq!(began.elapsed().as_millis(), 201, "the third began when one was done");
}

#[tokio::test(start_paused = true)]
async fn load_is_shed_where_it_is_asked_for_and_retried_where_the_error_says_so() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let layer = ServiceBuilder::new().load_shed().concurrency_limit(1).into_inner();
    let shed = from_layer(layer)
        .map_error(|error| Failure::new("work.Busy", error.to_string()).with_code(4029).retryable());
    let retries = Retry::times(3).between(Duration::from_secs(1), Duration::from_secs(1)).then_dead_letter();
    let server = fixture.server(service(&notes).incoming(shed)).on_failure(retries);
    let server = fixture.run(server).await;
    let client = fixture.client(&["work"]).await;
    let ask = |ms: u64| client.to("work.do").param("ms", ms).ask();
    let (one, two) = tokio::join!(ask(100), ask(101));
    one.expect("the first has the place");
    two.expect("the second is put off, and has it then");
    assert_eq!(server.handle.counters().retried, 1);
    assert_eq!(notes.all(), ["100 begins", "100 ends", "101 begins", "101 ends"]);
}
