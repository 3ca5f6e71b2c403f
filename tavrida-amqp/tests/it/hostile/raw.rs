//! A publisher that writes frames byte by byte, for what no client library would send.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const FRAME_END: u8 = 0xCE;

/// One connection with channel 1 open.
pub(crate) struct RawPublisher(TcpStream);

impl RawPublisher {
    /// Logs in as guest.
    pub(crate) async fn connect(port: u16, vhost: &str) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        stream.write_all(b"AMQP\0\0\x09\x01").await.unwrap();
        let mut raw = Self(stream);
        raw.expect(10, 10).await;
        let login = [&[0, 0, 0, 0][..], &short(b"PLAIN"), &long(b"\0guest\0guest"), &short(b"en_US")];
        raw.method(0, 10, 11, &login.concat()).await;
        raw.expect(10, 30).await;
        let tune = [&2047_u16.to_be_bytes()[..], &131_072_u32.to_be_bytes(), &0_u16.to_be_bytes()];
        raw.method(0, 10, 31, &tune.concat()).await;
        raw.method(0, 10, 40, &[&short(vhost.as_bytes())[..], &[0, 0]].concat()).await;
        raw.expect(10, 41).await;
        raw.method(1, 20, 10, &[0]).await;
        raw.expect(20, 11).await;
        raw
    }

    /// Publishes to a queue, with properties as they are encoded, flags included.
    pub(crate) async fn publish(&mut self, queue: &str, properties: &[u8], body: &[u8]) {
        self.publish_with_key("", queue.as_bytes(), properties, body).await;
    }

    /// Publishes with a routing key of any bytes.
    pub(crate) async fn publish_with_key(
        &mut self,
        exchange: &str,
        key: &[u8],
        properties: &[u8],
        body: &[u8],
    ) {
        let publish = [&[0, 0][..], &short(exchange.as_bytes()), &short(key), &[0]].concat();
        self.method(1, 60, 40, &publish).await;
        let len = (body.len() as u64).to_be_bytes();
        self.frame(HEADER, 1, &[&[0, 60, 0, 0][..], &len, properties].concat()).await;
        self.frame(BODY, 1, body).await;
    }

    /// Closes the connection: the broker has routed all that was published before.
    pub(crate) async fn close(mut self) {
        self.method(0, 10, 50, &[&200_u16.to_be_bytes()[..], &short(b""), &[0, 0, 0, 0]].concat()).await;
        self.expect(10, 51).await;
    }

    async fn method(&mut self, channel: u16, class: u16, method: u16, arguments: &[u8]) {
        let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), arguments].concat();
        self.frame(METHOD, channel, &payload).await;
    }

    async fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) {
        self.0.write_all(&frame(kind, channel, payload)).await.unwrap();
    }

    /// Reads frames up to this method.
    async fn expect(&mut self, class: u16, method: u16) {
        loop {
            let mut head = [0; 7];
            self.0.read_exact(&mut head).await.unwrap();
            let len = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
            let mut payload = vec![0; len + 1];
            self.0.read_exact(&mut payload).await.unwrap();
            if head[0] == METHOD {
                let found = (u16::from_be_bytes([payload[0], payload[1]]), payload[3]);
                assert_eq!(found, (class, method as u8), "{:?}", String::from_utf8_lossy(&payload));
                return;
            }
        }
    }
}

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&[kind][..], &channel.to_be_bytes(), &len, payload, &[FRAME_END]].concat()
}

/// The first frame of a broker, with these server properties (a table with its length).
pub(crate) fn connection_start(server_properties: &[u8]) -> Vec<u8> {
    let parts = [&[0, 10, 0, 10, 0, 9][..], server_properties, &long(b"PLAIN"), &long(b"en_US")];
    frame(METHOD, 0, &parts.concat())
}

/// Properties that are nothing but headers.
pub(crate) fn only_headers(headers: &[Vec<u8>]) -> Vec<u8> {
    [&(1_u16 << 13).to_be_bytes()[..], &table(headers)].concat()
}

/// The entries of a request's seven headers.
pub(crate) fn request_headers(destination: &str) -> Vec<Vec<u8>> {
    let headers = [
        ("message_type", "request"),
        ("correlation_id", "c"),
        ("request_id", "r"),
        ("message_id", "m"),
        ("source", "foe"),
        ("destination", destination),
        ("reply_to", ""),
    ];
    headers.map(|(name, value)| entry(name.as_bytes(), b'S', &long(value.as_bytes()))).to_vec()
}

pub(crate) fn entry(name: &[u8], letter: u8, value: &[u8]) -> Vec<u8> {
    [&short(name)[..], &[letter], value].concat()
}

/// The letter and bytes of a value that nests this deep: tables, arrays, or both in turns.
pub(crate) fn nested(levels: usize, letters: &[u8]) -> (u8, Vec<u8>) {
    let (mut letter, mut value) = (b'V', Vec::new());
    for level in 0..levels {
        let outer = letters[level % letters.len()];
        let inner =
            if outer == b'F' { entry(b"n", letter, &value) } else { [&[letter][..], &value].concat() };
        (letter, value) = (outer, long(&inner));
    }
    (letter, value)
}

pub(crate) fn table(entries: &[Vec<u8>]) -> Vec<u8> {
    long(&entries.concat())
}

pub(crate) fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

pub(crate) fn short(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8][..], bytes].concat()
}
