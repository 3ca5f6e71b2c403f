//! The workloads through the whole library: typed handlers, asks, chains.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tavrida::prelude::*;
use tavrida::server::ServerHandle;
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tokio::task::JoinHandle;

use super::body::{Echo, Order, order};
use super::measure::{Meter, Taken};
use super::{PREFETCH, WINDOW};

/// The queue of typed messages.
pub(crate) const TYPED: &str = "bench_typed";

pub(crate) struct Library {
    uri: String,
    client: Client,
}

struct Running(ServerHandle, JoinHandle<Result<(), tavrida::Error>>);

impl Running {
    async fn stop(self) {
        self.0.stop();
        self.1.await.unwrap().unwrap();
    }
}

async fn work(meter: State<Arc<Meter>>, order: Order) {
    std::hint::black_box(&order);
    meter.tick();
}

async fn echo(Echo(order): Echo) -> Result<Order> {
    Ok(order)
}

async fn hello(proxy: Proxy, n: u64) -> Result<()> {
    proxy.to("world.world").param("n", n).call().await?;
    Ok(())
}

async fn world(n: u64) -> serde_json::Value {
    serde_json::json!({ "n": n })
}

async fn answered(meter: State<Arc<Meter>>, n: u64) {
    std::hint::black_box(n);
    meter.tick();
}

fn registry() -> Registry {
    ["bench", "hello", "world"]
        .into_iter()
        .fold(Registry::new(), |registry, name| registry.remote_service(name, format!("{name}_exchange")))
}

impl Library {
    pub(crate) async fn connect(uri: &str) -> Self {
        let transport = AmqpTransport::new(AmqpConfig::from_uri(uri).unwrap());
        let client = Client::builder(transport).source("bench_client").discovery(registry());
        let library = Self { uri: uri.to_owned(), client: client.build().await.unwrap() };
        // Declares the queues, so that they can be filled.
        for service in [library.worker(&Meter::new(0)), greeter(&Meter::new(0)), greeted()] {
            library.serve(service).await.stop().await;
        }
        library
    }

    fn worker(&self, meter: &Arc<Meter>) -> (&'static str, Service) {
        (TYPED, Service::new("bench").state(meter.clone()).handle(work).handle(echo))
    }

    async fn serve(&self, (queue, service): (&str, Service)) -> Running {
        let transport = AmqpTransport::new(AmqpConfig::from_uri(&self.uri).unwrap());
        let exchange = format!("{}_exchange", service.name());
        let server = Server::builder(transport).queue(queue).exchange(exchange).service(service);
        let server = server.prefetch(PREFETCH).concurrency(64).build().unwrap();
        let handle = server.handle();
        let serving = tokio::spawn(server.serve(std::future::pending()));
        handle.ready(Duration::from_secs(30)).await.unwrap();
        Running(handle, serving)
    }

    /// Publishes casts of orders to the queue of typed messages.
    pub(crate) async fn fill(&self, messages: usize) {
        let client = self.client.clone();
        windowed(messages, || client.cast(order())).await;
    }

    /// Handles this many casts of orders.
    pub(crate) async fn handle(&self, messages: usize) -> Taken {
        let meter = Meter::new(messages);
        let server = self.serve(self.worker(&meter)).await;
        let taken = meter.taken().await;
        server.stop().await;
        taken
    }

    /// Sends this many asks, with limited concurrency.
    pub(crate) async fn ask(&self, asks: usize, at_a_time: usize, transient: bool) -> Taken {
        let server = self.serve(self.worker(&Meter::new(0))).await;
        let one_after_the_other = async || {
            for _ in 0..asks / at_a_time {
                let ask = self.client.ask(Echo(order()));
                let answer: Order = if transient { ask.transient() } else { ask }.await.unwrap();
                std::hint::black_box(&answer);
            }
        };
        // The first ask declares the reply queue.
        let _: Order = self.client.ask(Echo(order())).await.unwrap();
        let taken =
            Taken::by(async { drop(join_all((0..at_a_time).map(|_| one_after_the_other())).await) }).await;
        server.stop().await;
        taken
    }

    /// Handles this many chains hello -> world -> hello that wait in the queue.
    pub(crate) async fn chains(&self, chains: usize) -> Taken {
        let client = self.client.clone();
        windowed(chains, || client.to("hello.hello").param("n", 7).cast()).await;
        let meter = Meter::new(chains);
        let mut servers = Vec::new();
        let taken = Taken::by(async {
            servers.push(self.serve(greeted()).await);
            servers.push(self.serve(greeter(&meter)).await);
            meter.taken().await;
        });
        let taken = taken.await;
        for server in servers {
            server.stop().await;
        }
        taken
    }
}

fn greeter(meter: &Arc<Meter>) -> (&'static str, Service) {
    let service = Service::new("hello").state(meter.clone()).discovery(registry());
    let service = service.rpc("hello", params(["n"], hello));
    ("bench_hello", service.on_response("world.world", params(["n"], answered)))
}

fn greeted() -> (&'static str, Service) {
    ("bench_world", Service::new("world").discovery(registry()).rpc("world", params(["n"], world)))
}

async fn windowed<F, E>(count: usize, send: impl Fn() -> F)
where
    F: Future<Output = Result<Sent, E>>,
    E: std::fmt::Debug,
{
    let mut under_way = FuturesUnordered::new();
    for _ in 0..count {
        under_way.push(send());
        if under_way.len() == WINDOW {
            under_way.next().await.unwrap().unwrap();
        }
    }
    while let Some(outcome) = under_way.next().await {
        outcome.unwrap();
    }
}
