//! [`Client`]: a client that speaks frames, and may lie.

use std::net::SocketAddr;
use std::time::Duration;

use tavrida_memory::MemoryBroker;
use tavrida_memory::port::{Port, PortBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const HEADER: &[u8] = b"AMQP\0\0\x09\x01";
pub(crate) const METHOD: u8 = 1;
pub(crate) const CONTENT_HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 8;

/// Opens a port of this broker on any free port number.
pub(crate) async fn listen(broker: &MemoryBroker) -> Port {
    broker.listen("127.0.0.1:0").await.expect("a port")
}

/// Opens a port with these settings.
pub(crate) async fn listen_as(builder: PortBuilder) -> Port {
    builder.listen("127.0.0.1:0").await.expect("a port")
}

/// A frame that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) channel: u16,
    pub(crate) payload: Vec<u8>,
}

/// A close of a channel or a connection: code, text, class and method.
pub(crate) type Close = (u16, String, (u16, u16));

pub(crate) struct Client {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(port: &Port) -> Self {
        Self::connect_to(port.addr()).await
    }

    /// Connects to any broker.
    pub(crate) async fn connect_to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the broker accepts");
        Self { stream, input: Vec::new() }
    }

    /// Connects and logs in to `/`, with the capabilities of a usual client.
    pub(crate) async fn open(port: &Port) -> Self {
        Self::open_with(port, (2047, 131_072, 0)).await
    }

    /// Connects and logs in with these limits: channels, size of a frame, heartbeat.
    pub(crate) async fn open_with(port: &Port, limits: (u16, u32, u16)) -> Self {
        let mut client = Self::connect(port).await;
        client.send(HEADER).await;
        client.method(0, (10, 10)).await;
        client.send(&start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES)).await;
        client.method(0, (10, 30)).await;
        client.send(&tune_ok(limits)).await;
        client.send(&open("/")).await;
        client.method(0, (10, 41)).await;
        client
    }

    /// Connects, and opens channel 1.
    pub(crate) async fn with_channel(port: &Port) -> Self {
        let mut client = Self::open(port).await;
        client.send(&method(1, (20, 10), &[0])).await;
        client.method(1, (20, 11)).await;
        client
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the port reads");
    }

    /// Sends to a broker that may have closed the socket.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Closes the socket for what this client sends.
    pub(crate) async fn half_close(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Returns the next frame; `None` if the port closed the socket.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        self.try_frame(PATIENCE).await.expect("the port answers")
    }

    /// As [`frame`](Self::frame), but `None` if nothing comes for this time.
    pub(crate) async fn try_frame(&mut self, patience: Duration) -> Option<Option<Frame>> {
        loop {
            if let Some(size) = self.input.get(3..7) {
                let size = u32::from_be_bytes(size.try_into().expect("four bytes")) as usize;
                if self.input.len() >= size + 8 {
                    let bytes: Vec<u8> = self.input.drain(..size + 8).collect();
                    assert_eq!(bytes[size + 7], 0xCE, "the frame ends with its mark");
                    let channel = u16::from_be_bytes([bytes[1], bytes[2]]);
                    let payload = bytes[7..size + 7].to_vec();
                    return Some(Some(Frame { kind: bytes[0], channel, payload }));
                }
            }
            match timeout(patience, self.stream.read_buf(&mut self.input)).await.ok()? {
                Ok(0) | Err(_) => return Some(None),
                Ok(_) => {}
            }
        }
    }

    /// Returns the arguments of the next frame, which must be this method.
    pub(crate) async fn method(&mut self, channel: u16, id: (u16, u16)) -> Vec<u8> {
        let frame = self.frame().await.expect("the connection is open");
        assert_eq!((frame.kind, frame.channel, id_of(&frame)), (METHOD, channel, id), "{frame:?}");
        frame.payload[4..].to_vec()
    }

    /// Returns why the port closes the connection, or the channel if its number is not 0.
    pub(crate) async fn close(&mut self, channel: u16) -> Close {
        let id = if channel == 0 { (10, 50) } else { (20, 40) };
        let arguments = self.method(channel, id).await;
        let code = u16::from_be_bytes([arguments[0], arguments[1]]);
        let length = usize::from(arguments[2]);
        let text = String::from_utf8(arguments[3..3 + length].to_vec()).expect("a text");
        let [c1, c2, m1, m2] = arguments[3 + length..] else { panic!("class and method are missing") };
        (code, text, (u16::from_be_bytes([c1, c2]), u16::from_be_bytes([m1, m2])))
    }

    /// Checks that the port closes the socket once it has its close-ok.
    pub(crate) async fn agree(&mut self) {
        self.send(&method(0, (10, 51), &[])).await;
        assert_eq!(self.frame().await, None, "the socket is closed");
    }

    /// Returns the bytes that the port sent before it closed the socket.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await.expect("an end").unwrap_or(0) > 0
        {
        }
        std::mem::take(&mut self.input)
    }
}

pub(crate) fn id_of(frame: &Frame) -> (u16, u16) {
    let payload = &frame.payload;
    (u16::from_be_bytes([payload[0], payload[1]]), u16::from_be_bytes([payload[2], payload[3]]))
}

pub(crate) fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(channel.to_be_bytes());
    bytes.extend((payload.len() as u32).to_be_bytes());
    bytes.extend(payload);
    bytes.push(0xCE);
    bytes
}

pub(crate) fn method(channel: u16, (class, method): (u16, u16), arguments: &[u8]) -> Vec<u8> {
    frame(METHOD, channel, &[&class.to_be_bytes(), &method.to_be_bytes(), arguments].concat())
}

pub(crate) fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

pub(crate) fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

pub(crate) const CAPABILITIES: [&str; 3] =
    ["authentication_failure_close", "consumer_cancel_notify", "connection.blocked"];

pub(crate) fn start_ok(mechanism: &str, response: &[u8], capabilities: &[&str]) -> Vec<u8> {
    let abilities: Vec<u8> =
        capabilities.iter().flat_map(|name| [short(name), b"t\x01".to_vec()].concat()).collect();
    let client = [short("capabilities"), b"F".to_vec(), long(&abilities)].concat();
    method(0, (10, 11), &[long(&client), short(mechanism), long(response), short("en_US")].concat())
}

pub(crate) fn tune_ok((channels, frame_max, heartbeat): (u16, u32, u16)) -> Vec<u8> {
    method(
        0,
        (10, 31),
        &[&channels.to_be_bytes()[..], &frame_max.to_be_bytes(), &heartbeat.to_be_bytes()].concat(),
    )
}

pub(crate) fn open(virtual_host: &str) -> Vec<u8> {
    method(0, (10, 40), &[short(virtual_host), vec![0, 0]].concat())
}

/// `queue.declare` of a queue without arguments.
pub(crate) fn declare(channel: u16, queue: &str) -> Vec<u8> {
    method(channel, (50, 10), &[vec![0, 0], short(queue), vec![0], long(&[])].concat())
}

/// `basic.publish` to the default exchange, without its content.
pub(crate) fn publish(channel: u16, key: &str) -> Vec<u8> {
    method(channel, (60, 40), &[vec![0, 0], short(""), short(key), vec![0]].concat())
}

/// A content without properties: its header, and its body in one frame.
pub(crate) fn content(channel: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = content_header(channel, 60, body.len() as u64);
    if !body.is_empty() {
        bytes.extend(frame(BODY, channel, body));
    }
    bytes
}

pub(crate) fn content_header(channel: u16, class: u16, size: u64) -> Vec<u8> {
    frame(
        CONTENT_HEADER,
        channel,
        &[&class.to_be_bytes()[..], &[0, 0], &size.to_be_bytes(), &[0, 0]].concat(),
    )
}

/// `basic.consume` with this tag; `flags` bit 1 is `no_ack`.
pub(crate) fn consume(channel: u16, queue: &str, tag: &str, flags: u8) -> Vec<u8> {
    method(channel, (60, 20), &[vec![0, 0], short(queue), short(tag), vec![flags], long(&[])].concat())
}
