//! Handlers that ask services of their own server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tavrida::server::ServerBuilder;
use tokio::time::Instant;

use crate::fixture::{Fixture, Notes, registry};

/// How many handlers run at a time, and the most that ever did.
#[derive(Default)]
struct Running {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Running {
    /// Works for a second.
    async fn work(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn create(running: State<Arc<Running>>, proxy: Proxy, id: u64) -> Result<serde_json::Value> {
    let answer = proxy.to("billing.charge").param("id", id).ask().await?;
    running.work().await;
    Ok(json!({ "receipt": answer.payload().get::<u64>("receipt")? }))
}

async fn charge(running: State<Arc<Running>>, id: u64) -> serde_json::Value {
    running.work().await;
    json!({ "receipt": id * 10 })
}

/// A server of two services, one of which asks the other.
fn shop(fixture: &Fixture, running: &Arc<Running>) -> ServerBuilder {
    let orders = Service::new("orders").state(running.clone()).rpc("create", params(["id"], create));
    let billing = Service::new("billing").state(running.clone()).rpc("charge", params(["id"], charge));
    fixture.server(orders).service(billing)
}

/// Sends `count` asks at once. Returns what became of each.
async fn asks(fixture: &Fixture, count: u64) -> Vec<Result<Response, AskError>> {
    let client = fixture.client(&["orders"]).await;
    let ask = |id| client.to("orders.create").param("id", id).ask().timeout(Duration::from_secs(600));
    let asks: Vec<_> = (0..count).map(|id| tokio::spawn(ask(id))).collect();
    let mut ended = Vec::new();
    for ask in asks {
        ended.push(ask.await.expect("no panic"));
    }
    ended
}

async fn all_are_answered(server: ServerBuilder, fixture: &Fixture, count: u64) {
    let _server = fixture.run(server).await;
    for (id, answer) in asks(fixture, count).await.into_iter().enumerate() {
        let receipt = answer.expect("answered").payload().get::<usize>("receipt");
        assert_eq!(receipt.expect("a number"), id * 10);
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_as_come_are_answered_by_default() {
    let fixture = Fixture::new();
    all_are_answered(shop(&fixture, &Arc::default()), &fixture, 40).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_works_one_message_at_a_time_can_ask_itself() {
    let (fixture, running) = (Fixture::new(), Arc::default());
    all_are_answered(shop(&fixture, &running).concurrency(1), &fixture, 5).await;
    assert_eq!(running.most.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_handlers_run_at_a_time_than_the_concurrency_says() {
    let (fixture, running) = (Fixture::new(), Arc::default());
    all_are_answered(shop(&fixture, &running).concurrency(3), &fixture, 30).await;
    assert_eq!(running.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn asks_that_use_up_the_prefetch_fail_at_once_and_name_the_cycle() {
    let fixture = Fixture::new();
    let _server = fixture.run(shop(&fixture, &Arc::default()).prefetch(4)).await;
    let begun = Instant::now();
    let ended = asks(&fixture, 20).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let refused: Vec<_> = ended.iter().filter_map(|ended| ended.as_ref().err()).collect();
    assert!((1..20).contains(&refused.len()), "{} of 20 were refused", refused.len());
    for error in refused {
        let reply = error.failed().unwrap_or_else(|| panic!("not at once: {error}"));
        assert_eq!(reply.class(), "tavrida.exceptions.Cycle");
        for part in ["orders.create", "billing.charge", "queue 'orders'", "prefetch of 4"] {
            assert!(reply.message().contains(part), "{}", reply.message());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefetch_of_one_cannot_bring_the_answer_and_the_asker_is_told() {
    async fn looks(proxy: Proxy) -> serde_json::Value {
        let error = proxy.to("billing.charge").param("id", 1).ask().await.expect_err("it cannot be");
        json!({ "cycle": error.is_cycle() })
    }
    let fixture = Fixture::new();
    let service = Service::new("orders").rpc("create", looks);
    let billing = Service::new("billing").state(Arc::<Running>::default());
    let server = fixture.server(service).service(billing.rpc("charge", params(["id"], charge)));
    let _server = fixture.run(server.prefetch(1)).await;
    let answer = asks(&fixture, 1).await.remove(0).expect("answered");
    assert!(answer.payload().get::<bool>("cycle").expect("a boolean"));
}

#[tokio::test(start_paused = true)]
async fn where_another_server_takes_from_the_same_queue_it_may_answer() {
    let (fixture, running) = (Fixture::new(), Arc::default());
    // Each alone could not: a request is one that the other has to take.
    let _one = fixture.run(shop(&fixture, &running).prefetch(1)).await;
    let _other = fixture.run(shop(&fixture, &running).prefetch(1)).await;
    let answer = asks(&fixture, 1).await.remove(0);
    assert_eq!(answer.expect("answered").payload().get::<u64>("receipt").expect("a number"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_ordered_server_that_asks_another_keeps_its_order() {
    async fn work(notes: State<Notes>, proxy: Proxy, id: u64) -> Result<()> {
        notes.add(format!("begin {id}"));
        proxy.to("billing.charge").param("id", id).ask().await?;
        notes.add(format!("end {id}"));
        Ok(())
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let billing = Service::new("billing").state(Arc::<Running>::default());
    let _billing = fixture.host(billing.rpc("charge", params(["id"], charge))).await;
    let orders = Service::new("orders").state(notes.clone()).discovery(registry(&["billing"]));
    let _orders = fixture.run(fixture.server(orders.rpc("work", params(["id"], work))).concurrency(1)).await;
    let client = fixture.client(&["orders"]).await;
    for id in 0..3 {
        client.to("orders.work").param("id", id).cast().await.expect("sent");
    }
    assert_eq!(notes.reach(6).await, ["begin 0", "end 0", "begin 1", "end 1", "begin 2", "end 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_for_its_turn_to_go_on_is_still_bound_by_its_deadline() {
    async fn asks(proxy: Proxy) -> Result<()> {
        proxy.to("billing.quick").ask().await?;
        Ok(())
    }
    async fn quick() {}
    async fn hogs() {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let fixture = Fixture::new();
    let orders = Service::new("orders").rpc("create", asks);
    let billing = Service::new("billing").rpc("quick", quick).rpc("hogs", hogs);
    let server = fixture.server(orders).service(billing).concurrency(1);
    let _server = fixture.run(server.handler_deadline(Duration::from_secs(90))).await;
    let client = fixture.client(&["orders", "billing"]).await;
    let hog = Client::builder(fixture.broker.transport()).source("hog");
    let hog = hog.discovery(tavrida::discovery::Registry::new().remote_service("billing", "orders_exchange"));
    let hog = hog.build().await.expect("a client");
    let asked = tokio::spawn(client.to("orders.create").ask().timeout(Duration::from_secs(600)));
    for _ in 0..3 {
        hog.to("billing.hogs").cast().await.expect("sent");
    }
    let ended = asked.await.expect("no panic");
    assert!(ended.is_ok() || ended.is_err_and(|error| error.failed().is_some()), "answered either way");
}
