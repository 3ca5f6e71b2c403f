//! Extreme values in every setter that takes a time or a number: each works, or is refused with a reason, and none panics.

use std::time::Duration;

use tavrida::FailurePolicy;
use tavrida::client::ClientBuilder;
use tavrida::prelude::*;
use tavrida::server::{QueueType, ServerBuilder};
use tavrida::transport::Backoff;

use crate::fixture::{Fixture, Notes, name, registry, within};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn times() -> impl Iterator<Item = Duration> {
    let millis = |n| Duration::from_millis(n);
    let limits = [0, 1, 1 << 31, u64::from(u32::MAX), 1 << 32, 315_360_000_001, i64::MAX as u64, u64::MAX];
    let near = limits.into_iter().flat_map(move |n| [millis(n.saturating_sub(1)), millis(n)]);
    let random = (0..16).map(|shift| Duration::MAX / (1 << (2 * shift)));
    [Duration::ZERO, Duration::from_nanos(1), Duration::MAX, 30 * YEAR, 1_000 * YEAR]
        .into_iter()
        .chain(near)
        .chain(random)
}

fn echo() -> Service {
    Service::new("echo").rpc("say", async || {})
}

/// Starts a server, asks it, and stops it. Returns whether all went well.
async fn serves(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Result<(), String> {
    let fixture = Fixture::new();
    let server = configure(fixture.server(echo())).start().await.map_err(|error| error.to_string())?;
    let answer = fixture.client(&["echo"]).await.to("echo.say").ask().await;
    server.shutdown().await.map_err(|error| error.to_string())?;
    answer.map(drop).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn an_ask_without_end_is_sent_without_a_time_to_live() {
    let fixture = Fixture::new();
    let server = fixture.host(echo()).await;
    let client = fixture.client(&["echo"]).await;
    client.to("echo.say").ask().timeout(Duration::MAX).await.expect("an answer");
    server.stop().await;
    for (timeout, time_to_live) in
        [(Duration::MAX, false), (1_000 * YEAR, false), (YEAR, false), (Duration::from_secs(5), true)]
    {
        let asking = tokio::spawn(client.to("echo.say").ask().timeout(timeout));
        let request = fixture.take("echo").await;
        assert_eq!(request.properties.expiration.is_some(), time_to_live, "{timeout:?}");
        let deadline = request.properties.headers().contains("x-tavrida-deadline");
        assert_eq!(deadline, timeout < Duration::MAX, "{timeout:?}");
        asking.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_with_any_timeout_is_answered_or_times_out() {
    let fixture = Fixture::new();
    let _server = fixture.host(echo()).await;
    let client = fixture.client(&["echo"]).await;
    for timeout in times() {
        let answer = client.to("echo.say").ask().timeout(timeout).await;
        match answer {
            Err(error) if timeout < Duration::from_millis(1) => assert!(error.is_timeout(), "{error}"),
            answer => drop(answer.unwrap_or_else(|error| panic!("{timeout:?}: {error}"))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_with_any_time_limits_serves() {
    for time in times() {
        serves(|server| server.shutdown_timeout(time)).await.expect("it serves");
        let served = serves(|server| server.handler_deadline(time)).await;
        // A handler that may take no time at all fails.
        assert!(served.is_ok() || time.is_zero(), "{time:?}: {served:?}");
        for other in times() {
            let backoff = Backoff::between(time, other);
            serves(|server| server.reconnect(backoff)).await.expect("it serves");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_without_a_time_limit_is_told_a_far_deadline() {
    async fn note(State(notes): State<Notes>, deadline: Deadline) {
        notes.add((deadline.remaining() > YEAR).to_string());
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("echo").state(notes.clone()).rpc("note", note);
    let server = fixture.run(fixture.server(service).handler_deadline(Duration::MAX)).await;
    fixture.client(&["echo"]).await.to("echo.note").cast().await.expect("sent");
    assert_eq!(notes.reach(1).await, ["true"]);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn retries_with_any_delays_are_declared_within_what_the_broker_allows() {
    for (first, most) in times().flat_map(|first| times().map(move |most| (first, most))) {
        let policy = Retry::times(u32::MAX).between(first, most).then_dead_letter();
        let (Some(least), Some(longest)) = (policy.delays().first(), policy.delays().last()) else {
            panic!("no delays between {first:?} and {most:?}");
        };
        assert!(policy.delays().is_sorted(), "{policy:?}");
        assert!(*least >= Duration::from_millis(1) && *longest <= Retry::MAX_DELAY, "{policy:?}");
    }
    let policies: [fn() -> FailurePolicy; 3] = [
        || Retry::times(3).between(Duration::from_secs(1), Duration::MAX).then_dead_letter(),
        || Retry::times(u32::MAX).between(Duration::MAX, Duration::MAX).jitter().then_discard(),
        || Retry::times(0).between(Duration::ZERO, Duration::ZERO).then_dead_letter(),
    ];
    for policy in policies {
        serves(|server| server.on_failure(policy())).await.expect("it serves");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_with_any_limits_of_count_serves_or_says_why_not() {
    for count in [0, 1, 2, 64, usize::from(u16::MAX), u32::MAX as usize, usize::MAX / 2, usize::MAX] {
        let served = serves(|server| server.concurrency(count)).await;
        assert_eq!(served.is_ok(), count > 0, "{count}: {served:?}");
        let prefetch = u16::try_from(count).unwrap_or(u16::MAX);
        let served = serves(|server| server.prefetch(prefetch)).await;
        assert_eq!(served.is_ok(), count > 0, "{count}: {served:?}");
    }
    for limit in [0, 1, u32::MAX] {
        let backoff = || Backoff::default().max_attempts(limit).max_first_attempts(limit);
        serves(|server| server.reconnect(backoff())).await.expect("it serves");
        serves(|server| server.queue_type(QueueType::quorum_with_limit(limit))).await.expect("it serves");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_with_any_patience_connects_or_says_that_it_could_not() {
    let fixture = Fixture::new();
    let _server = fixture.host(echo()).await;
    let client = |configure: &dyn Fn(ClientBuilder) -> ClientBuilder| {
        let builder = Client::builder(fixture.broker.transport()).source("client_app");
        configure(builder.discovery(registry(&["echo"]))).build()
    };
    for time in times() {
        match client(&|builder| builder.patience(time)).await {
            Ok(client) => drop(client.to("echo.say").ask().await.expect("an answer")),
            Err(error) => assert!(error.is_timeout() && time.is_zero(), "{time:?}: {error}"),
        }
        let backoff = Backoff::between(time, Duration::MAX);
        within(client(&|builder| builder.reconnect(backoff.clone()))).await.expect("a client");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_without_end_for_a_server_ends_when_it_is_ready() {
    let fixture = Fixture::new();
    let server = fixture.server(echo()).build().expect("a server");
    let handle = server.handle();
    let _task = tokio::spawn(server.serve(std::future::pending()));
    within(handle.ready(Duration::MAX)).await.expect("it comes up");
    assert_eq!(handle.requeue_dead_letters(usize::MAX).await.expect("none"), 0);
    assert_eq!(fixture.depth(&name("echo")).await, 0);
}
