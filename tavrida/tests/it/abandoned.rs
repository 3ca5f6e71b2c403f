//! Asks whose asker waits no longer: they are not begun, and answers that come too late are counted.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tavrida::counters::Counters;
use tavrida::prelude::*;
use tavrida::time::{Clock, SystemClock};
use tokio::time::Instant;

use crate::fixture::{Fixture, Notes, Running, name};

/// A wall clock that goes with virtual time, ahead of the system's or behind it.
struct Wall {
    began: (SystemTime, Instant),
    ahead: i64,
}

impl Wall {
    fn ahead_by(seconds: i64) -> Self {
        Self { began: (SystemClock.now(), Instant::now()), ahead: seconds }
    }
}

impl Clock for Wall {
    fn now(&self) -> SystemTime {
        let now = self.began.0 + self.began.1.elapsed();
        let by = Duration::from_secs(self.ahead.unsigned_abs());
        if self.ahead < 0 { now - by } else { now + by }
    }
}

async fn slow(notes: State<Notes>) -> serde_json::Value {
    notes.add("begun");
    tokio::time::sleep(Duration::from_secs(1)).await;
    json!({ "n": 1 })
}

/// A server that works one message at a time for a second each, whose clock is some seconds ahead.
async fn busy(fixture: &Fixture, notes: &Notes, ahead: i64) -> Running {
    let service = Service::new("calc").state(notes.clone()).rpc("slow", slow);
    fixture.run(fixture.server(service).concurrency(1).clock(Wall::ahead_by(ahead))).await
}

/// Twelve asks at once with 2.5 s each: how many are answered, and what the server and the client count.
async fn twelve_asks(ahead: i64) -> (usize, usize, Counters, Counters) {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = busy(&fixture, &notes, ahead).await;
    let client = fixture.client_with_clock(&["calc"], Wall::ahead_by(0)).await;
    let asks = (0..12).map(|_| client.to("calc.slow").ask().timeout(Duration::from_millis(2500)));
    let asks: Vec<_> = asks.map(tokio::spawn).collect();
    let mut answered = 0;
    for ask in asks {
        answered += usize::from(ask.await.expect("no panic").is_ok());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    (answered, notes.all().len(), server.handle.counters(), client.counters())
}

#[tokio::test(start_paused = true)]
async fn asks_whose_turn_comes_too_late_are_not_begun_and_are_counted_as_expired() {
    let (answered, begun, server, client) = twelve_asks(0).await;
    assert_eq!((answered, begun), (2, 3), "the third was begun in time, and was not done in time");
    assert_eq!((server.expired, server.handled), (9, 3));
    assert_eq!((server.late, client.late), (1, 1), "on both sides: the asker lives, and no longer waits");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_by_an_hour_changes_nothing() {
    for ahead in [-3600, 3600] {
        let (answered, begun, server, _) = twelve_asks(ahead).await;
        assert_eq!((answered, begun, server.expired, server.late), (2, 3, 9, 1), "{ahead} s ahead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_tried_again_is_not_begun_after_its_asker_has_left() {
    async fn fails(notes: State<Notes>, attempt: Attempt) -> Result<()> {
        notes.add(format!("try {}", attempt.number));
        Err(Failure::new("test.Broken", "not yet").retryable())
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Service::new("calc").state(notes.clone()).rpc("fails", fails);
    let policy = Retry::times(5).between(Duration::from_secs(10), Duration::from_secs(10));
    let server = fixture.server(service).on_failure(policy.then_dead_letter()).clock(Wall::ahead_by(0));
    let server = fixture.run(server).await;
    let client = fixture.client_with_clock(&["calc"], Wall::ahead_by(0)).await;
    let asked = client.to("calc.fails").ask().timeout(Duration::from_secs(15)).await;
    assert!(asked.expect_err("it fails").is_timeout());
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(notes.all(), ["try 1", "try 2"]);
    assert_eq!(server.handle.counters().expired, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_passed_on_keeps_the_time_of_its_asker() {
    async fn pass(proxy: Proxy, request: Request) -> Result<()> {
        proxy.to("calc.slow").answer_to_caller().transfer(&request).await?;
        Ok(())
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = busy(&fixture, &notes, 0).await;
    let desk = Service::new("desk").rpc("pass", pass).discovery(crate::fixture::registry(&["calc"]));
    let _desk = fixture.run(fixture.server(desk).clock(Wall::ahead_by(0))).await;
    let client = fixture.client_with_clock(&["desk"], Wall::ahead_by(0)).await;
    let ask = || tokio::spawn(client.to("desk.pass").ask().timeout(Duration::from_millis(1500)));
    let asks = [ask(), ask(), ask()];
    let mut answered = 0;
    for ask in asks {
        answered += usize::from(ask.await.expect("no panic").is_ok());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((answered, notes.all().len(), server.handle.counters().expired), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_requeued_is_worked_though_its_asker_has_left() {
    async fn fails_once(notes: State<Notes>) {
        notes.add("worked");
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = fixture.server(Service::new("calc").state(notes.clone()).rpc("work", fails_once));
    let server = fixture.run(server.clock(Wall::ahead_by(0))).await;
    let client = fixture.client_with_clock(&["calc"], Wall::ahead_by(0)).await;
    // No handler takes it, and it is dead-lettered with its deadline.
    assert!(client.to("calc.nothing").ask().timeout(Duration::from_secs(5)).await.is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(fixture.depth("calc.dead").await, 1);
    assert_eq!(server.handle.requeue_dead_letters(1).await.expect("sent back"), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        (fixture.depth("calc.dead").await, server.handle.counters().expired),
        (1, 0),
        "it was looked at"
    );
}

#[tokio::test(start_paused = true)]
async fn handlers_and_answers_do_not_show_the_deadline() {
    async fn look(request: Request) -> serde_json::Value {
        json!({ "headers": format!("{:?}", request.headers()) })
    }
    let fixture = Fixture::new();
    let _server = fixture.host(Service::new("calc").rpc("look", look)).await;
    let client = fixture.client(&["calc"]).await;
    let answer = client.to("calc.look").ask().await.expect("answered");
    assert_eq!(answer.payload().get::<String>("headers").expect("text"), "{}");
    assert!(answer.headers().is_empty());
    let forged = fixture.client(&["calc"]).await;
    let refused = forged.to("calc.look").header(name("x-tavrida-deadline"), 1_i64).cast().await;
    assert!(refused.is_err(), "the name is the library's");
}

#[tokio::test(start_paused = true)]
async fn a_cast_that_carries_on_a_deadline_by_mistake_never_expires() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let server = busy(&fixture, &notes, 0).await;
    // A service of the original passes all headers on that it was sent.
    let mut headers = crate::fixture::request_headers("calc.slow", "");
    headers.insert(name("x-tavrida-deadline"), 1_i64);
    fixture.inject("calc", headers, r#"{"payload": {}, "context": {}}"#).await;
    assert_eq!(notes.reach(1).await, ["begun"]);
    assert_eq!(server.handle.counters().expired, 0);
}
