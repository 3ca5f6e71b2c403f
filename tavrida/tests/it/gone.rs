//! Servers and clients whose task or runtime has ended: their health says so, and nothing waits for them.

use std::time::Duration;

use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tavrida::{Client, Health};
use tokio::runtime::Runtime;

use crate::fixture::{Fixture, within};

async fn slow() {
    tokio::time::sleep(Duration::from_secs(3600)).await;
}

fn work() -> Service {
    Service::new("work").rpc("slow", slow)
}

#[tokio::test(start_paused = true)]
async fn an_aborted_server_is_stopped_and_not_ready() {
    let fixture = Fixture::new();
    let server = fixture.host(work()).await;
    let handle = server.handle.clone();
    server.abort();
    assert!(server.ended().await.is_err());
    assert_eq!(handle.health(), Health::Stopped);
    let asked = tokio::time::Instant::now();
    assert!(handle.ready(Duration::from_secs(60)).await.expect_err("it has ended").is_closed());
    assert!(handle.requeue_dead_letters(1).await.expect_err("it has ended").is_closed());
    assert_eq!(asked.elapsed(), Duration::ZERO, "at once");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_before_it_served_is_stopped() {
    let fixture = Fixture::new();
    let server = fixture.server(work()).build().expect("it can be built");
    let handle = server.handle();
    drop(server);
    assert_eq!(handle.health(), Health::Stopped);
    assert!(within(handle.ready(Duration::from_secs(60))).await.expect_err("it has ended").is_closed());
    let never_polled = {
        let server = fixture.server(work()).build().expect("it can be built");
        let handle = server.handle();
        drop(server.serve(std::future::pending()));
        handle
    };
    assert_eq!(never_polled.health(), Health::Stopped);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_server_ends_when_it_is_dropped() {
    let fixture = Fixture::new();
    let server = fixture.server(work()).build().expect("it can be built");
    let handle = server.handle();
    let waiting = tokio::spawn(async move { handle.ready(Duration::from_secs(60)).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(server);
    let asked = tokio::time::Instant::now();
    assert!(waiting.await.expect("no panic").expect_err("it has ended").is_closed());
    assert_eq!(asked.elapsed(), Duration::ZERO, "at once");
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_shutdown_panics_is_stopped() {
    let fixture = Fixture::new();
    let server = fixture.server(work()).build().expect("it can be built");
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(async { panic!("a signal handler of a user's") }));
    assert!(serving.await.expect_err("it panicked").is_panic());
    assert_eq!(handle.health(), Health::Stopped);
}

/// A client that was built in a runtime which was shut down since, as a static is between two tests.
fn orphan(fixture: &Fixture) -> Client {
    let runtime = Runtime::new().expect("a runtime");
    let client = runtime.block_on(async {
        let client = fixture.client(&["work"]).await;
        assert_eq!(client.health(), Health::Ready);
        client
    });
    drop(runtime);
    client
}

#[test]
fn a_client_whose_runtime_is_gone_is_stopped_and_its_sends_end_as_closed() {
    let (fixture, home) = (Fixture::new(), Runtime::new().expect("a runtime"));
    let _server = home.block_on(fixture.host(work()));
    let client = orphan(&fixture);
    assert_eq!(client.health(), Health::Stopped);
    home.block_on(async {
        let cast = within(client.to("work.slow").cast()).await;
        assert!(cast.expect_err("no task carries it").is_closed());
        let asked = within(client.to("work.slow").ask()).await;
        assert!(matches!(&asked, Err(AskError::NotSent(error)) if error.is_closed()), "{asked:?}");
        within(client.close()).await;
    });
}

#[test]
fn asks_that_wait_when_the_runtime_of_their_client_ends_are_told_at_once() {
    let (fixture, home) = (Fixture::new(), Runtime::new().expect("a runtime"));
    let _server = home.block_on(fixture.host(work()));
    let runtime = Runtime::new().expect("a runtime");
    let client = runtime.block_on(fixture.client(&["work"]));
    // Its reply queue belongs to the client's runtime then, and not to that of the ask.
    let first = client.to("work.slow").ask().timeout(Duration::from_millis(200));
    assert!(runtime.block_on(first).expect_err("it is slow").is_timeout());
    let ask = home.spawn(client.to("work.slow").ask().timeout(Duration::from_secs(300)));
    // Real time: the ask has to be sent before its client's runtime ends.
    home.block_on(async { tokio::time::sleep(Duration::from_millis(300)).await });
    drop(runtime);
    let ended = home.block_on(ask).expect("no panic");
    assert!(matches!(ended, Err(AskError::Lost(_))), "{ended:?}");
}
