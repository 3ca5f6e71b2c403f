//! Services for tests: one in-process broker, running servers, a client, and access to the broker's state.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tavrida::discovery::Registry;
use tavrida::field::{ShortString, Table};
use tavrida::server::{ServerBuilder, ServerHandle};
use tavrida::time::Clock;
use tavrida::transport::{Consume, Properties, Publication, Session, Transport};
use tavrida::{Client, Server, Service};
use tavrida_memory::MemoryBroker;
use tokio::task::JoinHandle;

pub(crate) use crate::stories::fixture::Notes;

pub(crate) struct Fixture {
    pub(crate) broker: MemoryBroker,
}

/// A running server.
pub(crate) struct Running {
    pub(crate) handle: ServerHandle,
    task: JoinHandle<Result<(), tavrida::Error>>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.handle.stop();
        self.task.await.expect("the server does not panic").expect("the server ends well");
    }

    /// Waits for the end of the server's task.
    pub(crate) async fn ended(self) -> Result<Result<(), tavrida::Error>, tokio::task::JoinError> {
        self.task.await
    }

    /// Ends the server like a crash.
    pub(crate) fn abort(&self) {
        self.task.abort();
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self { broker: MemoryBroker::new() }
    }

    /// Returns a builder of a server whose queue and exchange have the service's name.
    pub(crate) fn server(&self, service: Service) -> ServerBuilder {
        let name = service.name().to_owned();
        Server::builder(self.broker.transport())
            .queue(name.as_str())
            .exchange(exchange(&name))
            .service(service)
    }

    pub(crate) async fn run(&self, server: ServerBuilder) -> Running {
        let server = server.build().expect("a server that is put together well");
        let handle = server.handle();
        let task = tokio::spawn(server.serve(std::future::pending()));
        handle.ready(Duration::from_secs(60)).await.expect("the server comes up");
        Running { handle, task }
    }

    /// Runs a service on its own server.
    pub(crate) async fn host(&self, service: Service) -> Running {
        self.run(self.server(service)).await
    }

    /// Returns a client that knows these services by the names of their exchanges.
    pub(crate) async fn client(&self, services: &[&str]) -> Client {
        let builder = Client::builder(self.broker.transport()).source("client_app");
        builder.discovery(registry(services)).build().await.expect("a client")
    }

    /// The same with a wall clock of its own.
    pub(crate) async fn client_with_clock(&self, services: &[&str], clock: impl Clock) -> Client {
        let builder = Client::builder(self.broker.transport()).source("client_app").clock(clock);
        builder.discovery(registry(services)).build().await.expect("a client")
    }

    /// Opens a session for the test.
    pub(crate) async fn session(&self) -> Arc<dyn Session> {
        self.broker.transport().connect().await.expect("a session")
    }

    /// Returns how many messages are ready in a queue.
    pub(crate) async fn depth(&self, queue: &str) -> u32 {
        self.session().await.admin().declare_queue_passive(queue).await.expect("the queue is there").messages
    }

    /// Waits for a message in a queue and gets it.
    pub(crate) async fn take(&self, queue: &str) -> Arc<Publication> {
        let session = self.session().await;
        let mut consumer = session.consume(&Consume::new(name(queue), 1)).await.expect("a consumer");
        let delivery = within(consumer.next()).await.expect("a delivery");
        let publication = delivery.publication().clone();
        delivery.ack().expect("the session lives");
        publication
    }

    /// Publishes any message to a queue, bypassing the library.
    pub(crate) async fn inject(&self, queue: &str, headers: Table, body: impl Into<Bytes>) {
        let mut publication = Publication::new(ShortString::default(), name(queue), body);
        publication.properties = Properties { headers: Some(headers), ..Properties::default() };
        self.session().await.publish(publication).await.expect("the queue takes it");
    }
}

pub(crate) fn exchange(service: &str) -> String {
    format!("{service}_exchange")
}

pub(crate) fn registry(services: &[&str]) -> Registry {
    services
        .iter()
        .fold(Registry::new(), |registry, service| registry.remote_service(service, exchange(service)))
}

pub(crate) fn name(text: &str) -> ShortString {
    ShortString::try_from(text).expect("a short name")
}

/// Returns the seven headers of a request to a service's method.
pub(crate) fn request_headers(destination: &str, reply_to: &str) -> Table {
    let pairs = [
        ("message_type", "request"),
        ("correlation_id", "chain-1"),
        ("request_id", "request-1"),
        ("message_id", "message-1"),
        ("source", "stranger.main"),
        ("destination", destination),
        ("reply_to", reply_to),
    ];
    pairs.into_iter().map(|(key, value)| (name(key), value)).collect()
}

/// Awaits what must happen, with a limit in (virtual) time.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("it happens within a minute of virtual time")
}
