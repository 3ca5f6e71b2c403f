//! Frames that no honest client sends.

use tavrida_memory::MemoryBroker;

use crate::rig::{
    BODY, CONTENT_HEADER, Client, Close, HEARTBEAT, METHOD, content_header, declare, frame, listen, long,
    method, publish, short,
};

/// Sends bytes on a connection with channel 1 open. Returns why the connection is closed.
async fn provoke(bytes: &[u8]) -> Close {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    client.send(bytes).await;
    let close = client.close(0).await;
    assert_eq!(broker.snapshot().connections.len(), 0, "the broker has dropped it");
    client.agree().await;
    close
}

fn closed(code: u16, text: &str, id: (u16, u16)) -> Close {
    (code, text.to_owned(), id)
}

#[tokio::test]
async fn r7_a_frame_that_is_too_large_is_501() {
    let mut bytes = frame(METHOD, 1, &[0; 4]);
    bytes[3..7].copy_from_slice(&200_000u32.to_be_bytes());
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&bytes).await;
    let text = "FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,200000,131064}";
    assert_eq!(client.close(0).await, closed(501, text, (0, 0)));
}

/// The limit of a payload is that of a frame.
#[tokio::test]
async fn r7_a_frame_may_be_larger_than_agreed_by_what_is_around_its_payload() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    let message = [publish(1, "q"), content_header(1, 60, 131_072), frame(BODY, 1, &[7; 131_072])];
    client.send(&[&message.concat()[..], &declare(1, "q")].concat()).await;
    client.method(1, (50, 11)).await;
    client.send(&frame(BODY, 1, &[7; 131_073])).await;
    assert_eq!(client.close(0).await.0, 501);
}

#[tokio::test]
async fn r7_a_connection_is_closed_once() {
    let unknown = method(1, (77, 1), &[]);
    for behind in [frame(9, 0, b"what"), unknown, declare(7, "q"), vec![0xFF; 8]] {
        let port = listen(&MemoryBroker::new()).await;
        let mut client = Client::with_channel(&port).await;
        client.send(&[declare(2, "q"), behind].concat()).await;
        assert_eq!(client.close(0).await.0, 504);
        client.half_close().await;
        assert_eq!(client.frame().await, None, "nothing comes behind it");
    }
}

#[tokio::test]
async fn r1_a_text_that_is_cut_within_a_character_is_as_long_as_any_other() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    let name = format!("n{}", "é".repeat(127));
    client.send(&method(1, (60, 70), &[vec![0, 0], short(&name), vec![0]].concat())).await;
    let close = client.method(1, (20, 40)).await;
    assert_eq!((close[2], close.len()), (255, 2 + 256 + 4));
    let text = String::from_utf8_lossy(&close[3..258]);
    assert!(text.starts_with("NOT_FOUND - no queue 'né") && text.ends_with("é\u{FFFD}..."), "{text}");
}

#[tokio::test]
async fn r7_another_end_of_a_frame_is_501() {
    let mut bytes = frame(METHOD, 1, &[0, 20, 0, 10, 0]);
    *bytes.last_mut().expect("an end") = 205;
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&bytes).await;
    let text = "FRAME_ERROR - type 1, all octets = <<0,20,0,10,0>>: {invalid_frame_end_marker,205}";
    assert_eq!(client.close(0).await, closed(501, text, (0, 0)));
}

#[tokio::test]
async fn r7_arguments_that_cannot_be_read_are_501() {
    let cannot = |bytes: &str| format!("FRAME_ERROR - cannot decode <<{bytes}>>");
    let close = provoke(&method(1, (50, 10), &[0, 0])).await;
    assert_eq!(close, closed(501, &cannot("0,0"), (50, 10)));
    // One octet too many.
    let close = provoke(&method(1, (90, 10), &[7])).await;
    assert_eq!(close.0, 501, "{close:?}");
}

#[tokio::test]
async fn r7_frames_in_another_order_are_505() {
    let text = "UNEXPECTED_FRAME - expected method frame, got non method frame instead";
    assert_eq!(provoke(&content_header(1, 60, 1)).await, closed(505, text, (0, 0)));
    let text =
        "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead";
    assert_eq!(provoke(&[publish(1, "q"), publish(1, "q")].concat()).await, closed(505, text, (60, 40)));
    let text = "UNEXPECTED_FRAME - expected content header for class 60, got one for class 50 instead";
    assert_eq!(
        provoke(&[publish(1, "q"), content_header(1, 50, 1)].concat()).await,
        closed(505, text, (60, 40))
    );
    let text = "UNEXPECTED_FRAME - expected content body, got non content body frame instead";
    let twice = [publish(1, "q"), content_header(1, 60, 1), content_header(1, 60, 1)].concat();
    assert_eq!(provoke(&twice).await, closed(505, text, (60, 40)));
}

#[tokio::test]
async fn a_body_longer_than_announced_is_501() {
    let bytes = [publish(1, "q"), content_header(1, 60, 2), frame(BODY, 1, b"abc")].concat();
    let text = "FRAME_ERROR - content body is 1 octets too long";
    assert_eq!(provoke(&bytes).await, closed(501, text, (60, 40)));
}

#[tokio::test]
async fn r7_a_frame_on_a_wrong_channel_is_refused() {
    let text = "CHANNEL_ERROR - unexpected method in connection state running";
    assert_eq!(provoke(&declare(0, "q")).await, closed(504, text, (50, 10)));
    let text = "CHANNEL_ERROR - expected 'channel.open'";
    assert_eq!(provoke(&declare(2, "q")).await, closed(504, text, (50, 10)));
    let text = "UNEXPECTED_FRAME - type 8, all octets = <<>>";
    assert_eq!(provoke(&frame(HEARTBEAT, 1, &[])).await, closed(505, text, (0, 0)));
    let text = "FRAME_ERROR - type 9, all octets = <<\"what\">>: unknown_frame";
    assert_eq!(provoke(&frame(9, 0, b"what")).await, closed(501, text, (0, 0)));
}

#[tokio::test]
async fn r6_a_method_of_the_server_is_503() {
    // `queue.declare-ok`
    let bytes = method(1, (50, 11), &[short("q"), vec![0; 8]].concat());
    let text = "COMMAND_INVALID - unimplemented method";
    assert_eq!(provoke(&bytes).await, closed(503, text, (50, 11)));
}

#[tokio::test]
async fn r7_an_unknown_method_ends_the_connection_without_a_word() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&method(1, (77, 1), &[])).await;
    assert_eq!(client.frame().await, None);
    assert_eq!(broker.snapshot().connections.len(), 0);
}

/// `queue.declare` with these arguments.
fn declare_with(arguments: &[u8]) -> Vec<u8> {
    method(1, (50, 10), &[&[0, 0][..], &short("q"), &[0], arguments].concat())
}

#[tokio::test]
async fn r7_a_table_longer_than_its_frame_is_501_and_one_that_lies_within_ends_the_connection() {
    let huge = declare_with(&u32::MAX.to_be_bytes());
    let text = "FRAME_ERROR - cannot decode <<0,0,1,113,0,255,255,255,255>>";
    assert_eq!(provoke(&huge).await, closed(501, text, (50, 10)));
    for entry in [&b"S\xff\xff\xff\xff"[..], b"Zxxx"] {
        let port = listen(&MemoryBroker::new()).await;
        let mut client = Client::with_channel(&port).await;
        client.send(&declare_with(&long(&[short("a"), entry.to_vec()].concat()))).await;
        assert_eq!(client.frame().await, None, "the socket is closed without a word");
    }
}

#[tokio::test]
async fn tables_that_nest_without_end_are_501() {
    let mut nested = long(&[]);
    for _ in 0..10_000 {
        nested = long(&[short("a"), b"F".to_vec(), nested].concat());
    }
    let text = "FRAME_ERROR - table nests deeper than 128 levels";
    assert_eq!(provoke(&declare_with(&nested)).await, closed(501, text, (0, 0)));
}

#[tokio::test]
async fn r7_a_name_that_is_not_utf_8_is_501() {
    let text = "FRAME_ERROR - Malformed UTF-8 in shortstr";
    let declare = method(1, (50, 10), &[0, 0, 2, 0xFF, 0xFE, 0, 0, 0, 0, 0]);
    assert_eq!(provoke(&declare).await, closed(501, text, (0, 0)));
}

#[tokio::test]
async fn r7_methods_of_the_server_have_to_be_readable_too() {
    // `connection.secure-ok` without its response, on a channel.
    let text = "FRAME_ERROR - cannot decode <<>>";
    assert_eq!(provoke(&method(1, (10, 21), &[])).await, closed(501, text, (10, 21)));
    let text = "COMMAND_INVALID - unimplemented method";
    assert_eq!(provoke(&method(1, (10, 21), &long(b"x"))).await, closed(503, text, (10, 21)));
}

#[tokio::test]
async fn r7_arguments_of_the_connection_that_cannot_be_read_are_541() {
    assert_eq!(provoke(&method(0, (10, 21), &[])).await, closed(541, "INTERNAL_ERROR", (0, 0)));
    let text = "FRAME_ERROR - Malformed UTF-8 in shortstr";
    let secret = [long(b"x"), vec![1, 0xFF]].concat();
    assert_eq!(provoke(&method(0, (10, 70), &secret)).await, closed(501, text, (10, 70)));
}

/// A text that is not UTF-8 matters only where all fields are there.
#[tokio::test]
async fn r7_missing_bytes_are_seen_before_texts() {
    let text = "FRAME_ERROR - cannot decode <<0,0,1,255,0>>";
    assert_eq!(provoke(&method(1, (50, 10), &[0, 0, 1, 0xFF, 0])).await, closed(501, text, (50, 10)));
    let header = |properties: &[u8]| {
        let bytes = [&[0, 60, 0, 0][..], &0u64.to_be_bytes(), properties].concat();
        [publish(1, "q"), frame(CONTENT_HEADER, 1, &bytes)].concat()
    };
    let one_too_many = header(&[0x80, 0, 1, 0xFF, 9]);
    assert_eq!(provoke(&one_too_many).await, closed(541, "INTERNAL_ERROR", (0, 0)));
}

#[tokio::test]
async fn r7_what_is_shown_of_a_frame_is_broken_into_lines() {
    let mut bytes = method(1, (50, 10), &[0, 0, 3, 97, 51, 57, 8, 1, 0, 0, 0]);
    *bytes.last_mut().expect("an end") = 0;
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&bytes).await;
    let shown = "FRAME_ERROR - type 1, all octets = <<0,50,0,10,0,0,3,97,51,57,8,1,0,0,0>>: ";
    let text = format!("{shown}{{invalid_frame_end_marker,\n{}0}}", " ".repeat(62));
    assert_eq!(client.close(0).await, closed(501, &text, (0, 0)));
}

#[tokio::test]
async fn half_a_frame_and_an_end_are_a_broken_connection() {
    let broker = MemoryBroker::new();
    let port = listen(&broker).await;
    let mut client = Client::with_channel(&port).await;
    client.send(&content_header(1, 60, 1)[..9]).await;
    drop(client);
    while !broker.snapshot().connections.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn r7_properties_that_cannot_be_read_are_541() {
    let header = frame(CONTENT_HEADER, 1, &[&[0, 60, 0, 0][..], &0u64.to_be_bytes(), &[0x80, 0, 9]].concat());
    assert_eq!(provoke(&[publish(1, "q"), header].concat()).await, closed(541, "INTERNAL_ERROR", (0, 0)));
}

/// RabbitMQ reads properties last.
#[tokio::test]
async fn r88_a_missing_exchange_comes_before_properties_that_cannot_be_read() {
    let port = listen(&MemoryBroker::new()).await;
    let mut client = Client::with_channel(&port).await;
    let publish = method(1, (60, 40), &[vec![0, 0], short("missing"), short("q"), vec![0]].concat());
    let header = frame(CONTENT_HEADER, 1, &[&[0, 60, 0, 0][..], &0u64.to_be_bytes(), &[0x80, 0, 9]].concat());
    client.send(&[publish, header].concat()).await;
    assert_eq!(client.close(1).await.0, 404);
}

#[tokio::test]
async fn r7_floats_that_are_not_finite_are_541() {
    let float = |octet: u8, bits: &[u8]| {
        let table = [&[1, b'x', octet][..], bits].concat();
        let length = u32::try_from(table.len()).expect("a small table").to_be_bytes();
        let properties = [&[0x20, 0][..], &length, &table].concat();
        frame(CONTENT_HEADER, 1, &[&[0, 60, 0, 0][..], &0u64.to_be_bytes(), &properties].concat())
    };
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (single, double) = ((number as f32).to_be_bytes(), number.to_be_bytes());
        for header in [float(b'f', &single), float(b'd', &double)] {
            let provoked = provoke(&[publish(1, "q"), header].concat()).await;
            assert_eq!(provoked, closed(541, "INTERNAL_ERROR", (0, 0)), "{number}");
        }
    }
}
