//! The services under chaos: two services, one of them with two replicas, and their clients.

use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida::server::{ServerBuilder, ServerHandle};
use tavrida::{Backoff, Health};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::books::Books;

/// Longer than any operation that ends at all, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The heartbeat in seconds: a silent broker is given up after twice as long.
const HEARTBEAT: u16 = 1;

/// One of this many messages fails in its first attempt.
const STUMBLE: usize = 16;

type Serving = JoinHandle<Result<(), tavrida::Error>>;

pub(crate) struct Fixture {
    servers: Vec<(&'static str, ServerHandle, Serving)>,
    pub(crate) publishers: Vec<Client>,
    pub(crate) asker: Client,
}

/// What handlers work with.
#[derive(Clone)]
struct Desk {
    books: Books,
}

impl Desk {
    /// Works for a moment, and fails some messages in their first attempt.
    async fn work(&self, attempt: Attempt, text: &str) -> Result<()> {
        sleep(Duration::from_millis(text.len() as u64 % 4)).await;
        let number = text.split(':').next().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0);
        if attempt.number == 1 && number.is_multiple_of(STUMBLE) {
            return Err(Failure::new("chaos.Stumbled", "at the first try"));
        }
        Ok(())
    }
}

async fn keep(desk: State<Desk>, attempt: Attempt, text: String) -> Result<()> {
    desk.work(attempt, &text).await?;
    desk.books.saw(&text);
    Ok(())
}

async fn pass_on(desk: State<Desk>, attempt: Attempt, proxy: tavrida::Proxy, text: String) -> Result<()> {
    desk.work(attempt, &text).await?;
    proxy.to("store.confirm").param("text", text).call().await?;
    Ok(())
}

async fn confirm(text: String) -> serde_json::Value {
    json!({ "text": text })
}

/// The front takes casts, answers asks, and calls the store, whose answer ends the chain. The store also subscribes to notifications.
fn front(desk: &Desk) -> Service {
    Service::new("front")
        .state(desk.clone())
        .discovery(registry())
        .rpc("keep", params(["text"], keep))
        .rpc("pass_on", params(["text"], pass_on))
        .rpc("echo", params(["text"], confirm))
        .on_response("store.confirm", params(["text"], keep))
}

fn store(desk: &Desk) -> Service {
    Service::new("store")
        .state(desk.clone())
        .discovery(registry())
        .rpc("confirm", params(["text"], confirm))
        .on_notification("crier.news", params(["text"], keep))
}

fn registry() -> Registry {
    Registry::new()
        .remote_service("front", "front_exchange")
        .remote_service("store", "store_exchange")
        .remote_publisher("crier", "crier_notifications")
        .local_publisher("crier", "crier_notifications")
}

fn transport(uri: &str) -> AmqpTransport {
    let config = AmqpConfig::from_uri(uri).unwrap().frame_max(8192).heartbeat(HEARTBEAT);
    AmqpTransport::new(config.connect_timeout(Duration::from_secs(3)))
}

fn backoff() -> Backoff {
    Backoff::between(Duration::from_millis(50), Duration::from_millis(500))
}

fn server(uri: &str, service: Service) -> ServerBuilder {
    let name = service.name().to_owned();
    let retry = Retry::times(100).between(Duration::from_millis(100), Duration::from_millis(100));
    Server::builder(transport(uri))
        .exchange(format!("{name}_exchange"))
        .queue(name)
        .service(service)
        .reconnect(backoff())
        .on_failure(retry.then_dead_letter())
}

async fn client(uri: &str, name: &str) -> Client {
    let client = Client::builder(transport(uri)).source(name).discovery(registry());
    client.reconnect(backoff()).patience(Duration::from_secs(3)).build().await.unwrap()
}

impl Fixture {
    /// Connects all services and clients to `uri`.
    pub(crate) async fn found(uri: &str, books: &Books) -> Self {
        let desk = Desk { books: books.clone() };
        let mut servers = Vec::new();
        for (name, service) in [("front 1", front(&desk)), ("front 2", front(&desk)), ("store", store(&desk))]
        {
            let server = server(uri, service).build().unwrap();
            let handle = server.handle();
            servers.push((name, handle.clone(), tokio::spawn(server.serve(std::future::pending()))));
            handle.ready(LIMIT).await.unwrap();
        }
        let publishers = vec![client(uri, "publisher_1").await, client(uri, "publisher_2").await];
        Self { servers, publishers, asker: client(uri, "asker").await }
    }

    fn health(&self) -> Vec<(&str, Health)> {
        let servers = self.servers.iter().map(|(name, handle, _)| (*name, handle.health()));
        let clients = self.publishers.iter().map(|client| ("publisher", client.health()));
        servers.chain(clients).chain([("asker", self.asker.health())]).collect()
    }

    /// Waits until all are connected and consume, according to their health.
    pub(crate) async fn healed(&self) {
        let healing = async {
            while self.health().iter().any(|(_, health)| *health != Health::Ready) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        if timeout(LIMIT, healing).await.is_err() {
            panic!("not healed within {LIMIT:?}: {}", self.report());
        }
    }

    /// Returns the health of all, for the analysis of a failure.
    pub(crate) fn report(&self) -> String {
        let counters: Vec<_> = self.servers.iter().map(|(_, handle, _)| handle.counters()).collect();
        format!("{:#?}\n{counters:#?}", self.health())
    }

    /// Stops all in good order.
    pub(crate) async fn close(self) {
        for client in self.publishers.iter().chain([&self.asker]) {
            timeout(LIMIT, client.close()).await.expect("a client closes");
        }
        for (name, handle, serving) in self.servers {
            handle.stop();
            let ended = timeout(LIMIT, serving).await.unwrap_or_else(|_| panic!("{name} does not stop"));
            ended.expect("no panic").unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
