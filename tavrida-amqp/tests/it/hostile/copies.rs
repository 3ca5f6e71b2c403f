//! Messages that fail, with contents of which no copy with the reason could be made.

use tavrida::field::ShortString;
use tavrida::prelude::*;
use tavrida::transport::Publication;

use super::{Target, request};

/// As many as a server works at once, several times over.
const MANY: u32 = 64;

impl Target {
    async fn survives(&self, hostile: impl Fn() -> Publication) {
        for _ in 0..MANY {
            self.session.publish(hostile()).await.unwrap();
        }
        self.still_answers(20).await;
        self.ends_as_dead_letters(MANY).await;
    }
}

#[tokio::test]
async fn messages_whose_error_quotes_a_long_value_end_as_dead_letters() {
    let payload = format!(r#"{{"n": "{}"}}"#, "x".repeat(130_000));
    Target::start().await.survives(|| request("work.note", &payload)).await;
}

#[tokio::test]
async fn messages_whose_handler_fails_with_a_long_text_end_as_dead_letters() {
    async fn long() -> Result<()> {
        Err(Failure::new("a.B", "é".repeat(65_000)))
    }
    let target = Target::with(|service| service.rpc("long", long)).await;
    target.survives(|| request("work.long", "{}")).await;
    let dead = target.session.get("work.dead").await.unwrap().unwrap();
    let text = dead.delivery.properties().headers().get("x-tavrida-error-message").unwrap().as_str().unwrap();
    assert!(text.starts_with("éé") && text.contains("130000 bytes"), "{} bytes", text.len());
}

#[tokio::test]
async fn messages_whose_headers_fill_their_frame_end_as_dead_letters() {
    let target = Target::start().await;
    let long = |len: usize| {
        let mut full = request("work.never", "{}");
        full.properties.headers.as_mut().unwrap().insert(ShortString::from_static("long"), "h".repeat(len));
        full
    };
    // A frame of 128 KiB has 8 bytes around the content header.
    let longest = 131_072 - 8 - long(0).properties.encoded_len();
    target.survives(|| long(longest)).await;
}

/// RabbitMQ accepts the property `user_id` only from that user.
#[tokio::test]
async fn messages_of_another_user_end_as_dead_letters() {
    let target = Target::start().await;
    let node = target.vhost.node();
    node.rabbitmqctl(["add_user", "other", "secret"]).await.ok();
    node.rabbitmqctl(["set_permissions", "-p", target.vhost.name(), "other", ".*", ".*", ".*"])
        .await
        .unwrap();
    let uri = target.vhost.uri().replace("guest:guest", "other:secret");
    let other = crate::support::connect(tavrida_amqp::AmqpConfig::from_uri(&uri).unwrap()).await;
    for _ in 0..MANY {
        let mut signed = request("work.never", "{}");
        signed.properties.user_id = Some(ShortString::from_static("other"));
        other.publish(signed).await.unwrap();
    }
    target.still_answers(20).await;
    target.ends_as_dead_letters(MANY).await;
}
