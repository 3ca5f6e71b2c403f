//! Handlers that ask their own server, asks whose asker waits no longer, and copies that an older deploy left, over RabbitMQ.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tavrida::prelude::*;
use tavrida::proxy::{Answered, AskError, Responder};
use tavrida::server::{QueueType, ServerBuilder};

use crate::fixture::{Notes, client_builder, eventually, run, serve, server};
use crate::support::{config, connect, count, soon};

fn shop(uri: &str) -> ServerBuilder {
    async fn create(proxy: Proxy, id: u64) -> Result<serde_json::Value> {
        let answer = proxy.to("billing.charge").param("id", id).ask().await?;
        Ok(json!({ "receipt": answer.payload().get::<u64>("receipt")? }))
    }
    async fn later(reply: Responder, proxy: Proxy) -> Result<Answered> {
        Ok(proxy.to("billing.quiet").call_with(reply.keeping(7)).await?)
    }
    async fn come(reply: Responder<tavrida::proxy::Untyped, u64>) -> Answered {
        let state = *reply.state();
        reply.answer(json!({ "state": state }))
    }
    async fn charge(id: u64) -> serde_json::Value {
        json!({ "receipt": id * 10 })
    }
    async fn quiet() {}
    let orders = Service::new("orders")
        .rpc("create", params(["id"], create))
        .rpc("later", later)
        .on_response("billing.quiet", come);
    let billing = Service::new("billing").rpc("charge", params(["id"], charge)).rpc("quiet", quiet);
    server(uri, orders).service(billing)
}

async fn web(uri: &str) -> Client {
    let registry = Registry::new().remote_service("orders", "orders_exchange");
    client_builder(uri).discovery(registry).build().await.unwrap()
}

/// Sends `count` asks at once. Returns what became of each.
async fn asks(client: &Client, count: u64) -> Vec<Result<Response, AskError>> {
    let ask = |id| client.to("orders.create").param("id", id).ask();
    soon(join_all((0..count).map(ask))).await
}

#[tokio::test]
async fn handlers_that_ask_their_own_server_are_answered_however_many_they_are() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let client = web(&vhost.uri()).await;
    for concurrency in [16, 1] {
        let (handle, serving) = serve(shop(&vhost.uri()).concurrency(concurrency)).await;
        for (id, answer) in asks(&client, 50).await.into_iter().enumerate() {
            assert_eq!(answer.unwrap().payload().get::<usize>("receipt").unwrap(), id * 10);
        }
        handle.stop();
        soon(serving).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn asks_that_use_up_the_prefetch_fail_at_once_and_name_the_cycle() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let client = web(&vhost.uri()).await;
    let _server = run(shop(&vhost.uri()).prefetch(1)).await;
    let error = asks(&client, 1).await.remove(0).unwrap_err();
    let reply = error.failed().unwrap_or_else(|| panic!("by a timeout: {error}"));
    assert_eq!(reply.class(), "tavrida.exceptions.Cycle");
    assert!(reply.message().contains("orders.create asks billing.charge"), "{}", reply.message());
}

#[tokio::test]
async fn a_method_that_returns_nothing_brings_a_reply_back_too() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let client = web(&vhost.uri()).await;
    let _server = run(shop(&vhost.uri())).await;
    let answer = soon(client.to("orders.later").ask()).await.unwrap();
    assert_eq!(answer.payload().get::<u64>("state").unwrap(), 7);
}

#[tokio::test]
async fn a_request_whose_asker_waits_no_longer_is_not_begun_though_it_was_prefetched() {
    async fn gated(notes: State<Notes>) {
        notes.add("begun");
        notes.pass_gate().await;
    }
    let (vhost, notes) = (tavrida_rabbitmq::shared_vhost().await.unwrap(), Notes::new());
    let client = web(&vhost.uri()).await;
    let service = Service::new("orders").state(notes.clone()).rpc("gated", gated);
    let server = run(server(&vhost.uri(), service).concurrency(1)).await;
    client.to("orders.gated").cast().await.unwrap();
    notes.reach(1).await;
    // Its time is up while it waits in the server, out of the broker's reach.
    let asked = client.to("orders.gated").ask().timeout(Duration::from_millis(300)).await;
    assert!(asked.unwrap_err().is_timeout());
    notes.open_gate();
    eventually("it is counted", async || server.counters().expired == 1).await;
    client.to("orders.gated").cast().await.unwrap();
    assert_eq!(notes.reach(2).await, ["begun", "begun"], "the two casts");
}

#[tokio::test]
async fn a_retry_for_a_subscriber_that_a_deploy_removed_is_dead_lettered() {
    async fn fails(notes: State<Notes>) -> Result<()> {
        notes.add("tried");
        Err(Failure::new("test.Broken", "not yet"))
    }
    async fn fine() {}
    let (vhost, notes) = (tavrida_rabbitmq::shared_vhost().await.unwrap(), Notes::new());
    let registry = || {
        Registry::new()
            .remote_publisher("shop", "shop_notifications")
            .local_publisher("shop", "shop_notifications")
    };
    let subscriber = |name: &str| Service::new(name).state(notes.clone()).discovery(registry());
    let second = Duration::from_secs(1);
    let deploy = |service: Service| {
        let builder = server(&vhost.uri(), Service::new("orders").rpc("fine", fine)).service(service);
        builder
            .on_failure(Retry::times(3).between(second, second).then_dead_letter())
            .retry_queue_type(QueueType::Classic)
    };
    let (handle, serving) = serve(deploy(subscriber("audit").on_notification("shop.sold", fails))).await;
    let client = client_builder(&vhost.uri()).source("shop").discovery(registry()).build().await.unwrap();
    client.publish().topic("shop.sold").send().await.unwrap();
    notes.reach(1).await;
    eventually("it waits for its retry", async || handle.counters().retried == 1).await;
    handle.stop();
    soon(serving).await.unwrap().unwrap();

    let server = run(deploy(subscriber("billing").on_notification("shop.sold", fine))).await;
    eventually("it is dead-lettered", async || server.counters().dead_lettered == 1).await;
    assert_eq!(server.counters().handled, 0);
    let session = connect(config(&vhost.uri())).await;
    assert_eq!(count(&session, "orders.dead").await, 1);
}
