//! Clients that do not read, and many of them.

use tavrida_memory::MemoryBroker;

use crate::rig::{Client, consume, content, declare, listen, method, publish};

#[tokio::test]
async fn who_does_not_read_holds_up_nobody_and_deliveries_wait_in_the_broker() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut slow = Client::with_channel(&port).await;
    slow.send(&[declare(1, "q"), declare(1, "own"), consume(1, "q", "t", 2)].concat()).await;
    slow.method(1, (50, 11)).await;
    slow.method(1, (50, 11)).await;
    slow.method(1, (60, 21)).await;

    let mut other = Client::with_channel(&port).await;
    let one = [publish(1, "q"), content(1, &[7; 10_000])].concat();
    for _ in 0..100 {
        other.send(&one.repeat(50)).await;
    }
    other.send(&declare(1, "after")).await;
    other.method(1, (50, 11)).await;

    // 50 MB are more than sockets buffer.
    let waiting = broker.core().sending();
    assert_eq!(waiting.len(), 1, "deliveries wait in the outbox of the slow reader");
    // It still publishes.
    slow.send(&[publish(1, "own"), content(1, b"x")].concat()).await;
    while broker.snapshot().queue("own").expect("declared").ready.is_empty() {
        tokio::task::yield_now().await;
    }
    // All arrives once it reads.
    for _ in 0..5000 {
        slow.method(1, (60, 60)).await;
        assert_eq!(slow.frame().await.expect("a header").payload.len(), 14);
        assert_eq!(slow.frame().await.expect("a body").payload.len(), 10_000);
    }
}

#[tokio::test]
async fn hundreds_of_connections_have_thousands_of_channels() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = Client::open(&port).await;
        let open: Vec<u8> = (1..=20).flat_map(|channel| method(channel, (20, 10), &[0])).collect();
        client.send(&open).await;
        clients.push(client);
    }
    for client in &mut clients {
        for channel in 1..=20 {
            client.method(channel, (20, 11)).await;
        }
    }
    assert_eq!(broker.snapshot().connections.len(), 200);
}
