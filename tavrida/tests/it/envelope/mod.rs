//! The envelope with messages from other senders.

use tavrida::envelope::decode;
use tavrida::field::{ShortString, Table, Value};
use tavrida::message::Message;
use tavrida::transport::Publication;

mod answers;
mod refused;
mod strange;

const SEVEN: [&str; 7] =
    ["correlation_id", "message_id", "request_id", "message_type", "source", "destination", "reply_to"];

const BODY: &str = r#"{"payload": {"order": 7}, "context": {}}"#;

/// A valid call, with a body.
fn call(body: &str) -> Publication {
    let texts = ["c-1", "m-1", "r-1", "request", "client", "shop.buy", "client"];
    let mut publication =
        Publication::new(exchange(), ShortString::from_static("shop.buy"), body.as_bytes().to_vec());
    let table = SEVEN.into_iter().zip(texts).map(|(name, text)| (ShortString::from_static(name), text));
    publication.properties.headers = Some(table.collect());
    publication
}

fn exchange() -> ShortString {
    ShortString::from_static("shop_exchange")
}

fn headers(publication: &mut Publication) -> &mut Table {
    publication.properties.headers.as_mut().expect("a call has headers")
}

fn set(publication: &mut Publication, header: &'static str, value: impl Into<Value>) {
    headers(publication).insert(ShortString::from_static(header), value);
}

fn read(body: &str) -> Message {
    decode(&call(body)).expect("it is read")
}
