//! [`Link`]: one connection to a broker, frame by frame.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use amq_protocol::frame::{AMQPFrame, ProtocolVersion, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use amq_protocol::types::{AMQPValue, FieldTable, ShortString as WireString};
use tavrida::field::Table;
use tavrida::transport::Publication;
use tavrida_memory::core::{
    Arrival, ChannelId, CloseReason, ConnectionId, Delivered, Got, Method, MethodReply,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::convert::{from_wire, properties_from_wire, properties_to_wire};
use super::methods::{reply, to_class};
use super::order;
use crate::heard::Said;

/// What the broker sends in one frame, or in several that belong together.
#[derive(Debug)]
pub(crate) enum Word {
    Said(Said),
    Arrived(Arrival),
}

/// The socket broke, or the bytes were not AMQP.
pub(crate) type LinkError = io::Error;

/// A connection.
pub(crate) struct Link {
    id: ConnectionId,
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    words: VecDeque<(ChannelId, Word)>,
    contents: BTreeMap<u16, Content>,
    confirms: BTreeMap<u16, Confirms>,
    /// The headers of the content header that came last.
    headers: Option<Table>,
    /// The text of the close that came last.
    close_text: String,
}

/// A message whose frames are still arriving.
struct Content {
    head: basic::AMQPMethod,
    publication: Publication,
    missing: Option<u64>,
}

/// The publishes of a channel that wait for confirms.
#[derive(Default)]
struct Confirms {
    last: u64,
    open: BTreeSet<u64>,
}

impl Link {
    /// Connects and logs in as guest.
    pub(crate) async fn connect(id: ConnectionId, port: u16, vhost: &str) -> Result<Self, LinkError> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        let mut link = Self {
            id,
            stream,
            input: Vec::new(),
            output: Vec::new(),
            words: VecDeque::new(),
            contents: BTreeMap::new(),
            confirms: BTreeMap::new(),
            headers: None,
            close_text: String::new(),
        };
        link.shake_hands(vhost).await?;
        Ok(link)
    }

    async fn shake_hands(&mut self, vhost: &str) -> Result<(), LinkError> {
        use connection::{AMQPMethod, Open, StartOk, TuneOk};
        self.frame(&AMQPFrame::ProtocolHeader(ProtocolVersion::amqp_0_9_1()));
        self.connection_method().await?;
        let mut abilities = FieldTable::default();
        for name in [
            "publisher_confirms",
            "exchange_exchange_bindings",
            "basic.nack",
            "consumer_cancel_notify",
            "connection.blocked",
            "consumer_priorities",
            "authentication_failure_close",
            "per_consumer_qos",
            "direct_reply_to",
        ] {
            abilities.insert(name.into(), AMQPValue::Boolean(true));
        }
        let mut client = FieldTable::default();
        client.insert("capabilities".into(), AMQPValue::FieldTable(abilities));
        self.send_connection(AMQPMethod::StartOk(StartOk {
            client_properties: client,
            mechanism: "PLAIN".into(),
            response: "\0guest\0guest".into(),
            locale: "en_US".into(),
        }));
        self.connection_method().await?;
        self.send_connection(AMQPMethod::TuneOk(TuneOk {
            channel_max: 2047,
            frame_max: 131_072,
            heartbeat: 0,
        }));
        self.send_connection(AMQPMethod::Open(Open { virtual_host: WireString::from(vhost) }));
        match self.connection_method().await? {
            AMQPMethod::OpenOk(_) => Ok(()),
            other => Err(io::Error::other(format!("instead of connection.open-ok: {other:?}"))),
        }
    }

    async fn connection_method(&mut self) -> Result<connection::AMQPMethod, LinkError> {
        match self.read_frame().await? {
            AMQPFrame::Method(0, AMQPClass::Connection(method)) => Ok(method),
            other => Err(io::Error::other(format!("instead of a connection's method: {other:?}"))),
        }
    }

    fn send_connection(&mut self, method: connection::AMQPMethod) {
        self.frame(&AMQPFrame::Method(0, AMQPClass::Connection(method)));
    }

    fn frame(&mut self, frame: &AMQPFrame) {
        let context = WriteContext::from(std::mem::take(&mut self.output));
        let written = gen_frame(frame)(context).expect("a vector takes any frame");
        self.output = written.into_inner().0;
    }

    /// Appends a method with its content to the output buffer; [`next`](Link::next) sends it.
    pub(crate) fn send(&mut self, number: u16, method: &Method) {
        match method {
            Method::BasicQos { prefetch_size: 1.., .. } => return self.send_qos(number, method),
            Method::ChannelOpen => drop(self.confirms.remove(&number)),
            Method::ConfirmSelect { .. } => drop(self.confirms.entry(number).or_default()),
            _ => {}
        }
        self.frame(&AMQPFrame::Method(number, to_class(method)));
        if let Some(arguments) = order::arguments(method) {
            order::overwrite(&mut self.output, 1, arguments);
        }
        if let Method::BasicPublish { publication, .. } = method {
            if let Some(confirms) = self.confirms.get_mut(&number) {
                confirms.last += 1;
                confirms.open.insert(confirms.last);
            }
            let start = self.output.len();
            self.frame(&AMQPFrame::Header(
                number,
                amq_protocol::frame::AMQPContentHeader {
                    class_id: 60,
                    body_size: publication.body.len() as u64,
                    properties: properties_to_wire(&publication.properties),
                },
            ));
            order::overwrite_headers(&mut self.output[start..], &publication.properties);
            for part in publication.body.chunks(131_064) {
                self.frame(&AMQPFrame::Body(number, part.to_vec()));
            }
        }
    }

    /// The codec lacks `prefetch_size`.
    fn send_qos(&mut self, number: u16, method: &Method) {
        let Method::BasicQos { prefetch_size, prefetch_count, global } = method else { return };
        self.output.push(1);
        self.output.extend(number.to_be_bytes());
        self.output.extend(11_u32.to_be_bytes());
        self.output.extend([0, 60, 0, 10]);
        self.output.extend(prefetch_size.to_be_bytes());
        self.output.extend(prefetch_count.to_be_bytes());
        self.output.extend([u8::from(*global), 0xce]);
    }

    /// Writes `connection.close`.
    pub(crate) fn send_close(&mut self) {
        self.send_connection(connection::AMQPMethod::Close(connection::Close {
            reply_code: 200,
            reply_text: "done".into(),
            class_id: 0,
            method_id: 0,
        }));
    }

    /// Answers the broker's `connection.close`.
    pub(crate) async fn close_ok(&mut self) -> Result<(), LinkError> {
        self.send_connection(connection::AMQPMethod::CloseOk(connection::CloseOk {}));
        self.flush().await
    }

    /// Sends the output buffer.
    pub(crate) async fn flush(&mut self) -> Result<(), LinkError> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.output.clear();
        }
        Ok(())
    }

    /// Sends the output buffer, and waits for the broker's next word. Cancel safe once nothing is to be sent.
    pub(crate) async fn next(&mut self) -> Result<(ChannelId, Word), LinkError> {
        loop {
            if let Some(word) = self.words.pop_front() {
                return Ok(word);
            }
            let frame = self.read_frame().await?;
            self.take(frame)?;
        }
    }

    async fn read_frame(&mut self) -> Result<AMQPFrame, LinkError> {
        self.flush().await?;
        loop {
            if let Some(size) = self.input.get(3..7) {
                let size =
                    u32::from_be_bytes(size.try_into().expect("four bytes are four bytes")) as usize + 8;
                if self.input.len() >= size {
                    if let Some(text) = order::take_close_text(&mut self.input[..size]) {
                        self.close_text = text;
                    }
                    let parsed = parse_frame(&self.input[..size]);
                    let frame = parsed.map_err(|error| io::Error::other(format!("no frame: {error:?}")))?.1;
                    if matches!(frame, AMQPFrame::Header(..)) {
                        self.headers = order::headers(&self.input[..size]);
                    }
                    self.input.drain(..size);
                    return Ok(frame);
                }
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the broker closed the socket"));
            }
        }
    }

    fn take(&mut self, frame: AMQPFrame) -> Result<(), LinkError> {
        match frame {
            AMQPFrame::Method(number, class) => self.take_method(number, class),
            AMQPFrame::Header(number, header) => {
                let headers = self.headers.take();
                let content = self.content(number)?;
                content.publication.properties = properties_from_wire(&header.properties);
                content.publication.properties.headers = headers;
                content.missing = Some(header.body_size);
                self.finish(number)
            }
            AMQPFrame::Body(number, data) => {
                let content = self.content(number)?;
                content.missing = content.missing.map(|missing| missing - data.len() as u64);
                let body = [&content.publication.body[..], &data].concat();
                content.publication.body = body.into();
                self.finish(number)
            }
            AMQPFrame::Heartbeat => Ok(()),
            other => Err(io::Error::other(format!("not expected: {other:?}"))),
        }
    }

    fn content(&mut self, number: u16) -> Result<&mut Content, LinkError> {
        self.contents.get_mut(&number).ok_or_else(|| io::Error::other("content without a method"))
    }

    fn say(&mut self, number: u16, said: Said) {
        self.words.push_back((self.id.channel(number), Word::Said(said)));
    }

    fn take_method(&mut self, number: u16, class: AMQPClass) -> Result<(), LinkError> {
        use basic::AMQPMethod as Basic;
        if let Some(reply) = reply(&class) {
            self.say(number, Said::Reply(reply));
            return Ok(());
        }
        match class {
            AMQPClass::Basic(head @ (Basic::Deliver(_) | Basic::GetOk(_) | Basic::Return(_))) => {
                let content = Content { head, publication: Publication::default(), missing: None };
                self.contents.insert(number, content);
            }
            AMQPClass::Basic(Basic::Ack(ack)) => self.confirm(number, ack.delivery_tag, ack.multiple, true),
            AMQPClass::Basic(Basic::Nack(nack)) => {
                self.confirm(number, nack.delivery_tag, nack.multiple, false)
            }
            AMQPClass::Basic(Basic::Cancel(cancel)) => {
                let cancel = Arrival::Cancel { consumer_tag: from_wire(&cancel.consumer_tag) };
                self.words.push_back((self.id.channel(number), Word::Arrived(cancel)));
            }
            AMQPClass::Channel(channel::AMQPMethod::Close(close)) => {
                self.contents.remove(&number);
                let text = std::mem::take(&mut self.close_text);
                let (code, class, method) = (close.reply_code, close.class_id, close.method_id);
                self.say(number, Said::Closed(CloseReason { code, text, class, method }));
            }
            AMQPClass::Connection(connection::AMQPMethod::Close(close)) => {
                let text = std::mem::take(&mut self.close_text);
                let (code, class, method) = (close.reply_code, close.class_id, close.method_id);
                self.say(0, Said::Closed(CloseReason { code, text, class, method }));
            }
            AMQPClass::Connection(connection::AMQPMethod::CloseOk(_)) => self.say(0, Said::ConnectionCloseOk),
            AMQPClass::Connection(connection::AMQPMethod::Blocked(blocked)) => {
                self.say(0, Said::Blocked(blocked.reason.to_string()));
            }
            AMQPClass::Connection(connection::AMQPMethod::Unblocked(_)) => self.say(0, Said::Unblocked),
            other => return Err(io::Error::other(format!("not expected: {other:?}"))),
        }
        Ok(())
    }

    /// One confirm may cover several publishes (R93).
    fn confirm(&mut self, number: u16, tag: u64, multiple: bool, ack: bool) {
        let Some(confirms) = self.confirms.get_mut(&number) else {
            return self.say(number, Said::Confirm { delivery_tag: tag, ack });
        };
        let settled: Vec<u64> = if multiple {
            confirms.open.iter().copied().filter(|open| *open <= tag || tag == 0).collect()
        } else {
            vec![tag]
        };
        for delivery_tag in settled {
            confirms.open.remove(&delivery_tag);
            self.words.push_back((self.id.channel(number), Word::Said(Said::Confirm { delivery_tag, ack })));
        }
    }

    /// A message is complete when its body is.
    fn finish(&mut self, number: u16) -> Result<(), LinkError> {
        if self.content(number)?.missing != Some(0) {
            return Ok(());
        }
        let Some(Content { head, mut publication, .. }) = self.contents.remove(&number) else {
            return Ok(());
        };
        let (exchange, routing_key) = match &head {
            basic::AMQPMethod::Deliver(head) => (&head.exchange, &head.routing_key),
            basic::AMQPMethod::GetOk(head) => (&head.exchange, &head.routing_key),
            basic::AMQPMethod::Return(head) => (&head.exchange, &head.routing_key),
            other => return Err(io::Error::other(format!("has no content: {other:?}"))),
        };
        publication.exchange = from_wire(exchange);
        publication.routing_key = from_wire(routing_key);
        let publication = Arc::new(publication);
        let word = match head {
            basic::AMQPMethod::Deliver(head) => Word::Arrived(Arrival::Delivery(Delivered {
                consumer_tag: from_wire(&head.consumer_tag),
                delivery_tag: head.delivery_tag,
                redelivered: head.redelivered,
                publication,
            })),
            basic::AMQPMethod::GetOk(head) => Word::Said(Said::Reply(MethodReply::BasicGetOk(Got {
                delivery_tag: head.delivery_tag,
                redelivered: head.redelivered,
                message_count: head.message_count,
                publication,
            }))),
            basic::AMQPMethod::Return(head) => Word::Said(Said::Return {
                code: head.reply_code,
                text: head.reply_text.to_string(),
                publication,
            }),
            other => return Err(io::Error::other(format!("has no content: {other:?}"))),
        };
        self.words.push_back((self.id.channel(number), word));
        Ok(())
    }
}
