//! Asks over RabbitMQ: each gets its own answer, through a queue and through direct reply-to, before and after a loss.

use futures_util::future::join_all;
use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tavrida_rabbitmq::Node;

use crate::support::{config, connect, count, drain, soon};
use crate::town::{Notes, client, client_builder, eventually, other, run, serve, server, work};

async fn double(client: &Client, n: i64) -> i64 {
    let answer = soon(client.to("other.double").param("n", n).ask()).await.unwrap();
    answer.payload().get::<i64>("n").unwrap()
}

async fn doubles_by_the_hundred(client: &Client) {
    let doubled = join_all((0..200).map(|n| double(client, n))).await;
    assert!(doubled.into_iter().eq((0..200).map(|n| 2 * n)));
}

async fn survives_a_loss(node: &Node, client: Client) {
    doubles_by_the_hundred(&client).await;
    node.close_all_connections("maintenance").await.unwrap();
    eventually("the loss is noticed", async || client.counters().losses == 1).await;
    doubles_by_the_hundred(&client).await;
    client.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_come_to_a_queue_and_by_direct_reply_to_also_after_a_loss() {
    let node = Node::start().await.unwrap();
    let _server = run(server(&node.uri(), other())).await;
    survives_a_loss(&node, client(&node.uri()).await).await;
    let direct = client_builder(&node.uri()).direct_replies().build().await.unwrap();
    let queues = async || node.eval("length(rabbit_amqqueue:list())").await.unwrap();
    let before = queues().await;
    double(&direct, 1).await;
    assert_eq!(queues().await, before, "no queue is declared for it");
    survives_a_loss(&node, direct).await;
}

/// The consumer of direct replies is on the channel of all publishes, which a refusal would close.
#[tokio::test]
async fn an_ask_that_is_refused_costs_no_other_its_direct_reply() {
    let (vhost, notes) = (tavrida_rabbitmq::shared_vhost().await.unwrap(), Notes::new());
    let _server = run(server(&vhost.uri(), work(&notes))).await;
    let registry =
        Registry::new().remote_service("work", "work_exchange").remote_service("nowhere", "no_exchange");
    let client = client_builder(&vhost.uri()).discovery(registry).direct_replies().build().await.unwrap();
    let waiting = tokio::spawn(client.to("work.gated").param("n", 1).ask());
    notes.reach(1).await;

    for _ in 0..3 {
        let refused = soon(client.to("nowhere.work").ask()).await;
        assert!(matches!(refused, Err(AskError::NotSent(error)) if error.is_refused()));
        client.to("nowhere.work").cast().await.unwrap_err();
    }

    notes.open_gate();
    assert!(soon(waiting).await.unwrap().unwrap().payload().is_empty());
    assert_eq!(client.counters().losses, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transient_request_does_not_survive_a_restart_of_the_broker() {
    let (node, notes) = (Node::start().await.unwrap(), Notes::new());
    // The queue then exists, and has no consumer.
    let (handle, serving) = serve(server(&node.uri(), work(&notes))).await;
    handle.stop();
    soon(serving).await.unwrap().unwrap();
    let client = client(&node.uri()).await;
    let asks =
        [client.to("work.once").param("n", 1).ask(), client.to("work.once").param("n", 2).ask().transient()];
    let waiting = asks.map(|ask| tokio::spawn(ask));
    let session = connect(config(&node.uri())).await;
    eventually("both wait", async || count(&session, "work").await == 2).await;

    node.stop_app().await.unwrap();
    node.start_app().await.unwrap();

    for ask in waiting {
        assert!(matches!(soon(ask).await.unwrap(), Err(AskError::Lost(_))));
    }
    let session = connect(config(&node.uri())).await;
    let left = drain(&session, "work").await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains(r#""n":1"#), "{left:?}");
}
