//! Services on a broker, for tests of whole servers and clients.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tavrida::client::ClientBuilder;
use tavrida::outbound::SendError;
use tavrida::prelude::*;
use tavrida::server::{ServerBuilder, ServerHandle};
use tavrida::{Backoff, Health};
use tavrida_amqp::AmqpTransport;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::support::{config, soon};

/// What handlers saw, in order, and a gate that some of them wait at.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Inner>);

struct Inner {
    notes: Mutex<Vec<String>>,
    noted: Notify,
    gate: Semaphore,
}

impl Notes {
    pub(crate) fn new() -> Self {
        let (notes, noted) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { notes, noted, gate: Semaphore::new(0) }))
    }

    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.notes.lock().unwrap().push(note.into());
        self.0.noted.notify_waiters();
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.notes.lock().unwrap().clone()
    }

    /// Waits until the notes satisfy a condition.
    pub(crate) async fn until(&self, satisfied: impl Fn(&[String]) -> bool) -> Vec<String> {
        soon(async {
            loop {
                let noted = self.0.noted.notified();
                let all = self.all();
                if satisfied(&all) {
                    return all;
                }
                noted.await;
            }
        })
        .await
    }

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
    Service::new("other").discovery(registry()).rpc("double", params(["n"], double))
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

pub(crate) fn transport(uri: &str) -> AmqpTransport {
    AmqpTransport::new(config(uri).heartbeat(2).connect_timeout(Duration::from_secs(2)))
}

pub(crate) fn server(uri: &str, service: Service) -> ServerBuilder {
    let exchange = format!("{}_exchange", service.name());
    let queue = service.name().to_owned();
    Server::builder(transport(uri)).queue(queue).exchange(exchange).service(service).reconnect(backoff())
}

/// Serves in the background until its handle stops it. The task returns how that ended.
pub(crate) async fn serve(server: ServerBuilder) -> (ServerHandle, JoinHandle<Result<(), tavrida::Error>>) {
    let server = server.build().unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(crate::support::SOON).await.unwrap();
    (handle, serving)
}

/// Serves in the background until the runtime of the test ends, or its handle stops it.
pub(crate) async fn run(server: ServerBuilder) -> ServerHandle {
    serve(server).await.0
}

pub(crate) async fn client(uri: &str) -> Client {
    client_builder(uri).build().await.unwrap()
}

pub(crate) fn client_builder(uri: &str) -> ClientBuilder {
    let builder = Client::builder(transport(uri)).source("client_app").discovery(registry());
    builder.reconnect(backoff()).patience(crate::support::SOON)
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    assert!(within(crate::support::SOON, holds).await, "it must come to this: {what}");
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
