//! One service that answers one request, and a client that sends it.

use example_support::{Broker, Story};
use tavrida::prelude::*;

/// The service `test_hello`.
pub struct Hello(pub Story);

#[tavrida::service("test_hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, request: Request, param: i64) {
        self.0.tell(format!("hello: a {} from {} with param = {param}", request.kind(), request.source()));
    }
}

/// Runs the service and a client. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let server = Server::builder(broker.clone())
        .queue("test_service")
        .exchange("test_exchange")
        .service(Hello(story.clone()).into_service())
        .start()
        .await?;

    let registry = Registry::new().remote_service("test_hello", "test_exchange");
    let client = Client::builder(broker).source("client_app").discovery(registry).build().await?;
    client.to("test_hello.hello").param("param", 123).cast().await?;

    story.until("param = 123").await?;
    client.close().await;
    server.shutdown().await?;
    Ok(story.lines())
}
