//! How channels and connections end, and what an operator does to them.

use tavrida_memory::MemoryBroker;

use crate::rig::{Client, consume, content, declare, listen, method, publish, short};

#[tokio::test]
async fn a_channel_that_the_broker_closed_is_opened_again_under_its_number() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    let passive = method(1, (50, 10), &[vec![0, 0], short("missing"), vec![1], vec![0; 4]].concat());
    client.send(&passive).await;
    let text = "NOT_FOUND - no queue 'missing' in vhost '/'".to_owned();
    assert_eq!(client.close(1).await, (404, text, (50, 10)));
    // What is sent before the client agrees is ignored.
    client.send(&[declare(1, "ignored"), method(1, (20, 41), &[]), method(1, (20, 10), &[0])].concat()).await;
    client.method(1, (20, 11)).await;
    client.send(&declare(1, "q")).await;
    client.method(1, (50, 11)).await;
}

#[tokio::test]
async fn a_close_of_the_client_is_answered_and_ends_the_socket() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&method(0, (10, 50), &[&200u16.to_be_bytes()[..], &short("bye"), &[0; 4]].concat())).await;
    client.method(0, (10, 51)).await;
    assert_eq!(client.frame().await, None);
    assert_eq!(broker.snapshot().connections.len(), 0);
}

#[tokio::test]
async fn r9_shutdown_and_operators_close_with_320() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let forced = |reason: &str| (320, format!("CONNECTION_FORCED - {reason}"), (0, 0));

    let mut client = Client::open(&port).await;
    broker.close_sessions("enough");
    assert_eq!(client.close(0).await, forced("enough"));
    client.agree().await;

    let mut client = Client::open(&port).await;
    broker.restart();
    assert_eq!(client.close(0).await.0, 320);
    client.agree().await;

    let mut client = Client::open(&port).await;
    broker.kill();
    assert_eq!(client.frame().await, None, "a killed node says nothing");

    let mut client = Client::open(&port).await;
    let stopping = tokio::spawn(port.shutdown());
    let reason = "broker forced connection closure with reason 'shutdown'";
    assert_eq!(client.close(0).await, forced(reason));
    client.agree().await;
    stopping.await.expect("the port has shut down");
}

#[tokio::test]
async fn a_dropped_port_breaks_its_connections() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::open(&port).await;
    drop(port);
    assert_eq!(client.frame().await, None);
}

#[tokio::test]
async fn a_cancelled_consumer_learns_of_it() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&[declare(1, "q"), consume(1, "q", "tag", 0)].concat()).await;
    client.method(1, (50, 11)).await;
    client.method(1, (60, 21)).await;
    assert_eq!(broker.cancel_consumers("q"), 1);
    assert_eq!(client.method(1, (60, 30)).await, [short("tag"), vec![1]].concat());
}

#[tokio::test]
async fn r10_a_publisher_is_not_read_during_an_alarm() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    broker.block("low on memory");
    client.send(&[publish(1, "q"), content(1, b"held"), declare(1, "q")].concat()).await;
    assert_eq!(client.method(0, (10, 60)).await, short("low on memory"));
    let mut other = Client::with_channel(&port).await;
    other.send(&declare(1, "other")).await;
    other.method(1, (50, 11)).await;
    assert!(broker.snapshot().queue("q").is_none(), "what is behind the publish waits");
    broker.unblock();
    client.method(0, (10, 61)).await;
    client.method(1, (50, 11)).await;
}

#[tokio::test]
async fn access_request_and_update_secret_are_answered() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&method(1, (30, 10), &[short("/data"), vec![0]].concat())).await;
    assert_eq!(client.method(1, (30, 11)).await, [0, 1]);
    client.send(&method(0, (10, 70), &[vec![0, 0, 0, 1, b'x'], short("why")].concat())).await;
    client.method(0, (10, 71)).await;
}
