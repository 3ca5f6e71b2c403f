//! Messages in frames, and confirms.

use tavrida_memory::{MemoryBroker, RabbitMq};

use crate::rig::{
    BODY, CONTENT_HEADER, Client, consume, content, content_header, declare, frame, listen, method, publish,
    short,
};

/// `basic.get` of a queue, without acknowledgement.
fn get(queue: &str) -> Vec<u8> {
    method(1, (60, 70), &[vec![0, 0], short(queue), vec![1]].concat())
}

#[tokio::test]
async fn a_body_in_several_frames_is_one_message_and_leaves_in_frames_that_fit() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::open_with(&port, (10, 4096, 0)).await;
    client.send(&[method(1, (20, 10), &[0]), declare(1, "q")].concat()).await;
    client.method(1, (20, 11)).await;
    client.method(1, (50, 11)).await;
    let body: Vec<u8> = (0..10_000u32).map(|n| n as u8).collect();
    client.send(&[publish(1, "q"), content_header(1, 60, 10_000)].concat()).await;
    for part in body.chunks(999) {
        client.send(&frame(BODY, 1, part)).await;
    }
    client.send(&get("q")).await;
    client.method(1, (60, 71)).await;
    assert_eq!(client.frame().await.expect("a header").kind, CONTENT_HEADER);
    let mut parts = Vec::new();
    while parts.iter().map(Vec::len).sum::<usize>() < body.len() {
        parts.push(client.frame().await.expect("a body").payload);
    }
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [4088, 4088, 1824]);
    assert_eq!(parts.concat(), body);
}

#[tokio::test]
async fn headers_leave_in_the_order_in_which_they_came_and_sorted_from_4_0() {
    let number = [short("z"), b"l\0\0\0\0\0\0\0\x05".to_vec()].concat();
    let text = [short("a"), b"S\0\0\0\x01x".to_vec()].concat();
    let header = |first: &[u8], second: &[u8]| {
        let len = (first.len() + second.len()) as u32;
        [&[0, 60, 0, 0][..], &0u64.to_be_bytes(), &[0x20, 0], &len.to_be_bytes(), first, second].concat()
    };
    let came = header(&number, &text);
    for (version, leaves) in [(RabbitMq::V3_10, came.clone()), (RabbitMq::V4_0, header(&text, &number))] {
        let port = listen(&MemoryBroker::builder().like(version).build()).await;
        let mut client = Client::with_channel(&port).await;
        client.send(&declare(1, "q")).await;
        client.method(1, (50, 11)).await;
        client.send(&[publish(1, "q"), frame(CONTENT_HEADER, 1, &came), get("q")].concat()).await;
        client.method(1, (60, 71)).await;
        assert_eq!(client.frame().await.expect("a header").payload, leaves, "{version}");
    }
}

#[tokio::test]
async fn publishes_that_arrive_together_are_confirmed_together() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&[declare(1, "q"), method(1, (85, 10), &[0])].concat()).await;
    client.method(1, (50, 11)).await;
    client.method(1, (85, 11)).await;
    let one = [publish(1, "q"), content(1, b"m")].concat();
    client.send(&one.repeat(500)).await;
    let (mut confirmed, mut frames) = (0, 0);
    while confirmed < 500 {
        let ack = client.method(1, (60, 80)).await;
        let tag = u64::from_be_bytes(ack[..8].try_into().expect("a tag"));
        assert_eq!(ack[8] == 1, tag > confirmed + 1, "several are confirmed by `multiple`");
        (confirmed, frames) = (tag, frames + 1);
    }
    assert!(frames < 100, "{frames} frames confirm 500 publishes");
}

#[tokio::test]
async fn what_was_sent_to_a_consumer_comes_before_the_answer_to_its_cancel() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&declare(1, "q")).await;
    client.method(1, (50, 11)).await;
    let one = [publish(1, "q"), content(1, &[7; 1000])].concat();
    client.send(&one.repeat(2000)).await;
    let cancel = method(1, (60, 30), &[short("t"), vec![0]].concat());
    client.send(&[consume(1, "q", "t", 2), cancel, get("q")].concat()).await;
    client.method(1, (60, 21)).await;
    for _ in 0..2000 {
        client.method(1, (60, 60)).await;
        assert_eq!(client.frame().await.expect("a header").kind, CONTENT_HEADER);
        assert_eq!(client.frame().await.expect("a body").payload.len(), 1000);
    }
    client.method(1, (60, 31)).await;
    client.method(1, (60, 72)).await;
}
