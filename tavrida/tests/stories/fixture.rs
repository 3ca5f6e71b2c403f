//! Services, their servers and clients, and helpers that wait for them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tavrida::client::ClientBuilder;
use tavrida::outbound::SendError;
use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tavrida::server::{ServerBuilder, ServerHandle};
use tavrida::transport::{Session, Transport};
use tavrida::{Backoff, Health};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Broker;

/// Longer than any operation here that ends at all.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Awaits what must not hang.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("it must not hang")
}

/// What handlers saw, in order, and a gate that some of them wait at.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Inner>);

struct Inner {
    notes: Mutex<Vec<String>>,
    gate: Semaphore,
}

impl Default for Notes {
    fn default() -> Self {
        Self::new()
    }
}

impl Notes {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { notes: Mutex::default(), gate: Semaphore::new(0) }))
    }

    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.notes.lock().expect("no panic while noting").push(note.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.notes.lock().expect("no panic while noting").clone()
    }

    /// Waits until the notes satisfy a condition.
    pub(crate) async fn until(&self, satisfied: impl Fn(&[String]) -> bool) -> Vec<String> {
        let satisfied = async || satisfied(&self.0.notes.lock().expect("no panic while noting"));
        // Handlers of some tests take minutes, in virtual time.
        let noted = within(10 * SOON, satisfied).await;
        assert!(noted, "other notes are expected than these: {:#?}", self.all());
        self.all()
    }

    /// Waits until there are this many notes.
    pub(crate) async fn reach(&self, count: usize) -> Vec<String> {
        self.until(|notes| notes.len() >= count).await
    }

    pub(crate) fn open_gate(&self) {
        self.0.gate.close();
    }

    fn is_open(&self) -> bool {
        self.0.gate.is_closed()
    }

    pub(crate) async fn pass_gate(&self) {
        self.0.gate.acquire().await.expect_err("the gate is only ever closed for good, which lets all pass");
    }
}

async fn note(notes: State<Notes>, n: i64) {
    notes.add(n.to_string());
}

async fn gated(notes: State<Notes>, n: i64) {
    notes.add(format!("begin {n}"));
    notes.pass_gate().await;
    notes.add(format!("end {n}"));
}

/// Fails until its third attempt.
async fn third_time_lucky(notes: State<Notes>, attempt: Attempt) -> Result<()> {
    notes.add(format!("try {}", attempt.number));
    if attempt.number < 3 { Err(Failure::new("test.Broken", "not yet")) } else { Ok(()) }
}

/// Fails until the gate is open.
async fn once(notes: State<Notes>, n: i64) -> Result<()> {
    if !notes.is_open() {
        return Err(Failure::new("test.Broken", "not yet"));
    }
    notes.add(format!("done {n}"));
    Ok(())
}

/// Fails in its first attempt.
async fn second_time(notes: State<Notes>, attempt: Attempt, n: i64) -> Result<()> {
    if attempt.number == 1 {
        return Err(Failure::new("test.Broken", "not yet"));
    }
    notes.add(n.to_string());
    Ok(())
}

async fn never() -> Result<()> {
    Err(Failure::new("test.Broken", "never"))
}

async fn begin_chain(proxy: Proxy, n: i64) -> Result<()> {
    proxy.to("other.double").param("n", n).call().await?;
    Ok(())
}

async fn end_chain(notes: State<Notes>, n: i64) {
    notes.add(format!("doubled {n}"));
}

async fn fanfare(notes: State<Notes>, n: i64) {
    notes.add(format!("heard {n}"));
}

pub(crate) fn work(notes: &Notes) -> Service {
    Service::new("work")
        .state(notes.clone())
        .discovery(registry())
        .rpc("note", params(["n"], note))
        .rpc("gated", params(["n"], gated))
        .rpc("lucky", third_time_lucky)
        .rpc("never", never)
        .rpc("once", params(["n"], once))
        .rpc("second_time", params(["n"], second_time))
        .rpc("chain", params(["n"], begin_chain))
        .on_response("other.double", params(["n"], end_chain))
        .on_notification("town.fanfare", params(["n"], fanfare))
        .rpc("echo", |request: Request| async move { json!({ "from": request.source().as_str() }) })
}

pub(crate) fn other() -> Service {
    async fn double(n: i64) -> serde_json::Value {
        json!({ "n": 2 * n })
    }
    async fn refuse() -> Result<()> {
        Err(Failure::new("test.Refused", "not today").with_code(4001))
    }
    let other = Service::new("other").discovery(registry());
    other.rpc("double", params(["n"], double)).rpc("refuse", refuse)
}

pub(crate) fn registry() -> Registry {
    Registry::new()
        .remote_service("work", "work_exchange")
        .remote_service("other", "other_exchange")
        .remote_publisher("town", "town_notifications")
        .local_publisher("town", "town_notifications")
}

/// Fast, but slow enough at first for a test to see the disconnected state.
pub(crate) fn backoff() -> Backoff {
    Backoff::between(Duration::from_millis(200), Duration::from_secs(1))
}

/// Returns a builder of a server whose queue and exchange have the service's name.
pub(crate) fn server(transport: impl Transport, service: Service) -> ServerBuilder {
    let exchange = format!("{}_exchange", service.name());
    let queue = service.name().to_owned();
    Server::builder(transport).queue(queue).exchange(exchange).service(service).reconnect(backoff())
}

/// Serves in the background until its handle stops it. The task returns how that ended.
pub(crate) async fn serve(server: ServerBuilder) -> (ServerHandle, JoinHandle<Result<(), tavrida::Error>>) {
    let server = server.build().expect("a server that is put together well");
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(SOON).await.expect("the server comes up");
    (handle, serving)
}

/// Serves in the background until the runtime of the test ends, or its handle stops it.
pub(crate) async fn run(server: ServerBuilder) -> ServerHandle {
    serve(server).await.0
}

pub(crate) async fn client(transport: impl Transport) -> Client {
    client_builder(transport).build().await.expect("a client")
}

pub(crate) fn client_builder(transport: impl Transport) -> ClientBuilder {
    let builder = Client::builder(transport).source("client_app").discovery(registry());
    builder.reconnect(backoff()).patience(SOON)
}

/// Whether an ask ended with the loss of the session that it waited on.
pub(crate) fn is_lost<B: Broker>(error: &AskError) -> bool {
    matches!(error, AskError::Lost(_))
        || B::CONFIRMS_LATE && matches!(error, AskError::NotSent(error) if error.is_ambiguous())
}

/// Returns the number of messages that are ready in a queue.
pub(crate) async fn count(session: &Arc<dyn Session>, queue: &str) -> u32 {
    session.admin().declare_queue_passive(queue).await.expect("the queue is there").messages
}

/// Returns the bodies of a queue's messages, in order, and removes them.
pub(crate) async fn drain(session: &Arc<dyn Session>, queue: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    while let Some(fetched) = session.get(queue).await.expect("the queue is there") {
        bodies.push(String::from_utf8(fetched.delivery.body().to_vec()).expect("text"));
        fetched.delivery.ack().expect("the session lives");
    }
    bodies
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    assert!(within(SOON, holds).await, "it must come to this: {what}");
}

/// Waits up to `limit` until a condition holds. Returns whether it does.
pub(crate) async fn within(limit: Duration, holds: impl AsyncFn() -> bool) -> bool {
    let begin = Instant::now();
    while !holds().await {
        if begin.elapsed() >= limit {
            return false;
        }
        sleep(Duration::from_millis(1)).await;
    }
    true
}

pub(crate) async fn consuming(handle: &ServerHandle) {
    eventually("the server consumes", async || handle.health() == Health::Ready).await;
}

/// Casts `work.note` until a cast is held by an alarm of the broker: the alarm reaches the connection some time after it is raised, and
/// shows at the next publish.
pub(crate) async fn held_by_alarm(client: &Client, n: i64) -> JoinHandle<Result<Sent, SendError>> {
    loop {
        let cast = tokio::spawn(client.to("work.note").param("n", n).cast());
        let blocked = || matches!(client.health(), Health::Blocked { .. });
        eventually("the cast ends, or the alarm shows", async || cast.is_finished() || blocked()).await;
        if !cast.is_finished() {
            return cast;
        }
    }
}
