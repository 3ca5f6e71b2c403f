//! Methods as middleware.

use serde_json::{Value, json};
use tavrida::message::{Message, Reply};
use tavrida::middleware::Next;
use tavrida::prelude::*;

use super::Told;
use crate::fixture::{Fixture, Notes};

struct Guarded {
    key: &'static str,
    told: Told,
}

#[tavrida::service("guarded")]
impl Guarded {
    #[incoming]
    async fn authorise(&self, message: Message, next: Next) -> Result<Reply> {
        if message.headers().get_str("x-key") != Some(self.key) {
            return Err(Failure::new("auth.Denied", "a key is needed").with_code(401));
        }
        next.run(message).await
    }

    #[incoming]
    async fn count(message: Message, next: Next) -> Result<Reply> {
        next.run(message).await
    }

    #[outgoing]
    async fn stamp(&self, mut message: Message) -> Result<Message> {
        message.headers_mut().insert("x-stamp", "guarded")?;
        Ok(message)
    }

    #[outgoing(request, notification)]
    async fn look(&self, message: Message) -> Result<Message> {
        self.told.add(format!("{} leaves", message.kind()));
        Ok(message)
    }

    #[rpc]
    async fn open(&self, proxy: Proxy) -> Result<Value> {
        proxy.to("guarded.inner").cast().await?;
        Ok(json!({ "open": true }))
    }

    #[rpc]
    async fn inner(&self) {}
}

#[tokio::test(start_paused = true)]
async fn methods_surround_the_handlers_of_their_service() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let service = Guarded { key: "sesame", told: Told(notes.clone()) }.into_service();
    let _server = fixture.host(service).await;
    let client = fixture.client(&["guarded"]).await;
    let error = client.to("guarded.open").ask().await.expect_err("no key");
    assert_eq!(error.failed().expect("answered").code(), Some(401));
    let answer = client.to("guarded.open").header("x-key", "sesame").ask().await.expect("opened");
    assert_eq!(answer.headers().get_str("x-stamp"), Some("guarded"));
    assert_eq!(notes.all(), ["request leaves"]);
}
