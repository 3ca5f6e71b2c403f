//! Middleware around handlers (checks a key, measures time) and before replies (adds a stamp).

use example_support::{Broker, Story};
use tavrida::message::{Message, Reply};
use tavrida::middleware::Next;
use tavrida::prelude::*;

/// What the service answers.
#[derive(serde::Serialize)]
struct Opened {
    door: String,
}

struct Doors(Story);

#[tavrida::service("doors")]
impl Doors {
    #[rpc]
    async fn open(&self, door: String) -> Opened {
        Opened { door }
    }

    #[incoming]
    async fn log(&self, message: Message, next: Next) -> Answer {
        let line = message.to_string();
        let reply = next.run(message).await;
        self.0.tell(format!("log: {line} went {}", if reply.is_ok() { "well" } else { "wrong" }));
        reply
    }

    /// Lets requests with the key pass; all others get an error instead of the handler.
    #[incoming]
    async fn authorise(&self, message: Message, next: Next) -> Answer {
        match message.headers().get_str("authorization") {
            Some("secret") => next.run(message).await,
            Some(_) => Err(Failure::new("door.WrongKey", "the key does not fit").with_code(403)),
            None => Err(Failure::new("door.NoKey", "a key is needed").with_code(401)),
        }
    }

    #[outgoing]
    async fn stamp(&self, mut message: Message) -> Result<Message> {
        message.headers_mut().insert("x-stamp", "doors 1.0")?;
        Ok(message)
    }
}

/// What a middleware passes on.
type Answer = Result<Reply>;

/// Runs the service and a client. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let server = Server::builder(broker.clone())
        .queue("doors")
        .exchange("doors_exchange")
        .service(Doors(story.clone()).into_service())
        .start()
        .await?;
    let registry = Registry::new().remote_service("doors", "doors_exchange");
    let client = Client::builder(broker).source("visitor").discovery(registry).build().await?;

    for key in [None, Some("guess"), Some("secret")] {
        let mut request = client.to("doors.open").param("door", "front");
        if let Some(key) = key {
            request = request.header("authorization", key);
        }
        match request.ask().await {
            Ok(response) => story.tell(format!(
                "visitor: open is {}, stamped by {:?}",
                response.payload().get::<String>("door")?,
                response.headers().get_str("x-stamp"),
            )),
            Err(error) => story.tell(format!("visitor: {error}")),
        }
    }

    client.close().await;
    server.shutdown().await?;
    Ok(story.lines())
}
