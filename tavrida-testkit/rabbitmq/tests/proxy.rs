//! The proxy in front of a node: what passes, when, and what both ends see if it does not.

use std::{io, net::SocketAddr, time::Duration};

use tavrida_rabbitmq::Proxy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{self, Instant},
};

/// Long enough for bytes on loopback to arrive, if they arrive at all.
const A_MOMENT: Duration = Duration::from_millis(200);
const LIMIT: Duration = Duration::from_secs(10);

/// A server that sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let address = listener.local_addr().expect("a bound listener has an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn proxy_to_echo() -> Proxy {
    Proxy::to_address(echo().await).await.expect("loopback has free ports")
}

async fn connect(proxy: &Proxy) -> io::Result<TcpStream> {
    TcpStream::connect(("127.0.0.1", proxy.port())).await
}

/// Sends `bytes` and expects them back.
async fn echoes(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    let mut back = vec![0; bytes.len()];
    time::timeout(LIMIT, stream.read_exact(&mut back)).await??;
    assert_eq!(back, bytes);
    Ok(())
}

#[tokio::test]
async fn bytes_pass_in_both_directions_and_so_does_the_end() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await.unwrap();

    echoes(&mut stream, &vec![7; 1_000_000]).await.unwrap();
    stream.shutdown().await.unwrap();

    let rest = time::timeout(LIMIT, stream.read_to_end(&mut Vec::new())).await.unwrap();
    assert_eq!(rest.unwrap(), 0);
}

#[tokio::test]
async fn a_cut_resets_current_connections_and_lets_new_ones_in() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await.unwrap();
    echoes(&mut stream, b"before").await.unwrap();
    assert_eq!(proxy.connections(), 1);

    proxy.cut().await;

    assert_eq!(proxy.connections(), 0);
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let mut again = connect(&proxy).await.unwrap();
    echoes(&mut again, b"after").await.unwrap();
}

#[tokio::test]
async fn a_refusing_proxy_keeps_current_connections_and_its_port() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await.unwrap();
    echoes(&mut stream, b"one").await.unwrap();

    proxy.refuse().await;
    assert_eq!(connect(&proxy).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    echoes(&mut stream, b"two").await.unwrap();

    proxy.accept().await.unwrap();
    let mut again = connect(&proxy).await.unwrap();
    echoes(&mut again, b"three").await.unwrap();
}

#[tokio::test]
async fn held_bytes_arrive_in_order_after_the_release() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await.unwrap();
    echoes(&mut stream, b"before").await.unwrap();

    proxy.hold();
    stream.write_all(b"one").await.unwrap();
    stream.write_all(b" two").await.unwrap();
    time::timeout(A_MOMENT, stream.read_u8()).await.expect_err("nothing passes");

    proxy.release();
    let mut back = [0; 7];
    time::timeout(LIMIT, stream.read_exact(&mut back)).await.unwrap().unwrap();
    assert_eq!(&back, b"one two");
}

#[tokio::test]
async fn a_held_connection_does_not_even_end() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await.unwrap();
    echoes(&mut stream, b"before").await.unwrap();

    proxy.hold();
    stream.shutdown().await.unwrap();
    time::timeout(A_MOMENT, stream.read_u8()).await.expect_err("the end does not pass");

    proxy.release();
    let end = time::timeout(LIMIT, stream.read_u8()).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_throttled_proxy_keeps_to_its_rate_until_it_is_unthrottled() {
    let proxy = proxy_to_echo().await;
    let mut stream = connect(&proxy).await.unwrap();
    proxy.throttle(20_000);

    let start = Instant::now();
    echoes(&mut stream, &[1; 10_000]).await.unwrap();
    let taken = start.elapsed();
    assert!(taken > Duration::from_millis(400), "10,000 bytes at 20,000 a second took {taken:?}");

    proxy.unthrottle();
    let start = Instant::now();
    echoes(&mut stream, &[2; 200_000]).await.unwrap();
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(5), "200,000 bytes without a limit took {taken:?}");
}

#[tokio::test]
async fn a_client_of_a_proxy_to_nobody_is_reset() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = Proxy::to_address(address).await.unwrap();

    let mut stream = connect(&proxy).await.unwrap();

    let error = time::timeout(LIMIT, stream.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_closed_proxy_and_a_dropped_one_end_their_connections() {
    for close in [true, false] {
        let proxy = proxy_to_echo().await;
        let mut stream = connect(&proxy).await.unwrap();
        echoes(&mut stream, b"before").await.unwrap();

        if close {
            proxy.close().await;
        } else {
            drop(proxy);
        }

        let end = time::timeout(LIMIT, stream.read_u8()).await.unwrap();
        assert!(end.is_err(), "closed: {close}");
    }
}

#[tokio::test]
async fn a_node_answers_through_the_proxy() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let proxy = Proxy::to(vhost.node()).await.unwrap();
    assert_eq!(
        proxy.uri_for(vhost.name()),
        format!("amqp://guest:guest@127.0.0.1:{}/{}", proxy.port(), vhost.name())
    );

    let mut stream = connect(&proxy).await.unwrap();
    stream.write_all(b"AMQP\0\0\x09\x01").await.unwrap();

    assert_eq!(stream.read_u8().await.unwrap(), 1, "the first frame is a method's");
}
