//! Starting and finding: a started server consumes, and a service is found by its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tavrida::Health;
use tavrida::prelude::*;
use tavrida::transport::{
    Backoff, ConnectionLost, Exchange, ExchangeKind, Queue, Session, SessionError, Transport,
};
use tavrida_memory::MemoryBroker;

use crate::fixture::{Notes, name, within};
use crate::logs::Log;

async fn fine() {}

fn work() -> Service {
    Service::new("work").rpc("do", fine)
}

#[tokio::test(start_paused = true)]
async fn a_started_server_consumes_and_is_found_by_name() -> Result<()> {
    let broker = MemoryBroker::new().transport();
    let server = Server::builder(broker.clone()).service(work()).start().await?;
    assert_eq!(server.health(), Health::Ready);
    let client = Client::builder(broker).source("client_app").build().await?;
    client.to("work.do").ask().await?;
    assert_eq!(server.counters().handled, 1);
    server.shutdown().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_event_finds_its_subscriber_by_name() -> Result<()> {
    async fn create(proxy: Proxy) -> Result<()> {
        proxy.publish().event("created").send().await?;
        Ok(())
    }
    async fn note(notes: State<Notes>) {
        notes.add("created");
    }
    let (broker, notes) = (MemoryBroker::new().transport(), Notes::default());
    let orders = Service::new("orders").rpc("create", create);
    let mailer = Service::new("mailer").on_notification("orders.created", note).state(notes.clone());
    let _orders = Server::builder(broker.clone()).service(orders).start().await?;
    let _mailer = Server::builder(broker.clone()).service(mailer).start().await?;
    let client = Client::builder(broker).source("client_app").build().await?;
    client.to("orders.create").ask().await?;
    assert_eq!(notes.reach(1).await, ["created"]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_dropped_server_finishes_its_handlers_and_stops() -> Result<()> {
    async fn slow(notes: State<Notes>) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        notes.add("done");
    }
    let (broker, notes) = (MemoryBroker::new().transport(), Notes::default());
    let service = Service::new("work").rpc("do", slow).state(notes.clone());
    let server = Server::builder(broker.clone()).service(service).start().await?;
    let handle = server.handle().clone();
    let client = Client::builder(broker).source("client_app").build().await?;
    client.to("work.do").cast().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(server);
    assert_eq!(notes.reach(1).await, ["done"]);
    within(async {
        while handle.health() != Health::Stopped {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    Ok(())
}

/// An unreachable broker that counts the attempts to connect.
struct Unreachable {
    tried: Arc<AtomicU32>,
    backoff: Backoff,
}

#[async_trait::async_trait]
impl Transport for Unreachable {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        self.tried.fetch_add(1, Ordering::Relaxed);
        Err(ConnectionLost::broken("connection refused").into())
    }

    fn endpoint(&self) -> String {
        "amqp://nowhere".to_owned()
    }

    fn backoff(&self) -> Backoff {
        self.backoff.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_start_says_where_and_why() {
    let transport = Unreachable { tried: Arc::default(), backoff: Backoff::default().max_attempts(3) };
    let error = Server::builder(transport).service(work()).start().await.expect_err("nobody is there");
    let text = error.to_string();
    assert!(text.contains("amqp://nowhere") && text.contains("connection refused"), "{text}");
}

/// Declares a queue that a server of the service `work` will declare otherwise.
async fn conflict(transport: &impl Transport) -> Arc<dyn Session> {
    let session = transport.connect().await.expect("a session");
    let queue = Queue::durable(name("work")).argument(name("x-max-length"), 5);
    session.admin().declare_queue(&queue).await.expect("nobody else has declared it");
    session
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_an_existing_topology_ends_the_start_with_the_brokers_words() {
    let broker = MemoryBroker::new().transport();
    let _session = conflict(&broker).await;
    let began = tokio::time::Instant::now();
    let error = Server::builder(broker).service(work()).start().await.expect_err("the queue is another");
    let text = error.to_string();
    assert!(
        text.contains("406") && text.contains("inequivalent arg 'x-max-length' for queue 'work'"),
        "{text}"
    );
    assert!(began.elapsed().is_zero(), "it did not try again");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_waited_for_where_that_is_wanted_and_warned_of_at_growing_intervals() {
    let (broker, log) = (MemoryBroker::new().transport(), Log::default());
    let session = conflict(&broker).await;
    let _logging = log.begin();
    let server = Server::builder(broker).service(work()).retry_refused_start().build().expect("a server");
    let handle = server.handle();
    let _serving = tokio::spawn(server.serve(std::future::pending()));
    let error = handle.ready(Duration::from_secs(300)).await.expect_err("the queue is another").to_string();
    assert!(error.contains("inequivalent arg"), "{error}");
    let text = log.text();
    let warned: Vec<_> = text.lines().filter(|line| line.contains(" WARN ")).collect();
    assert!(
        (5..10).contains(&warned.len()),
        "the first, second, fourth ... of a hundred attempts: {warned:#?}"
    );
    for part in ["inequivalent arg", "attempts=1 ", "next_attempt_in=", "endpoint="] {
        assert!(warned[0].contains(part), "{part} in {}", warned[0]);
    }
    session.admin().delete_queue("work", false, false).await.expect("it is there");
    handle.ready(Duration::from_secs(60)).await.expect("nothing is in its way now");
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_exchange_is_another_is_told_at_once() {
    let broker = MemoryBroker::new().transport();
    let session = broker.connect().await.expect("a session");
    let exchange = Exchange::durable(name("answers"), ExchangeKind::Fanout);
    session.admin().declare_exchange(&exchange).await.expect("nobody else has declared it");
    let client = Client::builder(broker).source("app").reply_exchange("answers").build();
    let error = client.await.expect_err("the exchange is another").to_string();
    assert!(error.contains("inequivalent arg 'type' for exchange 'answers'"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_given_up_tries_no_more() {
    let tried = Arc::new(AtomicU32::new(0));
    let transport = Unreachable { tried: tried.clone(), backoff: Backoff::default() };
    let start = Server::builder(transport).service(work()).start();
    assert!(tokio::time::timeout(Duration::from_secs(60), start).await.is_err());
    let so_far = tried.load(Ordering::Relaxed);
    assert!(so_far > 1, "it tried while it was wanted");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(tried.load(Ordering::Relaxed), so_far);
}
