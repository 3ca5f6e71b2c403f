//! Two services: a request, a call to the other service, its response and its error, a notification.
//!
//! ```text
//! client_app -> test_hello.hello -> test_world.world => test_hello (response, or error)
//!                       \-> test_hello.hello (notification) -> test_world
//! ```

mod hello;
mod world;

use example_support::{Broker, Story};
use tavrida::prelude::*;

use hello::Hello;
use world::World;

/// Runs both services and a client. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    // A subscriber may start before its publisher.
    let world = Server::builder(broker.clone())
        .queue("test_world_service")
        .exchange("test_world_exchange")
        .service(World(story.clone()).service())
        .start()
        .await?;
    let hello = Server::builder(broker.clone())
        .queue("test_service")
        .exchange("test_exchange")
        .service(Hello(story.clone()).service())
        .start()
        .await?;

    let registry = Registry::new().remote_service("test_hello", "test_exchange");
    let client = Client::builder(broker).source("client_app").discovery(registry).build().await?;

    story.tell("== a chain that fails at its end ==");
    client.to("test_hello.hello").param("param", -1).correlation_id("chain-1").cast().await?;
    story.until("error from").await?;
    story.until("notification from").await?;

    story.tell("== a chain that goes well ==");
    client.to("test_hello.hello").param("param", 123).correlation_id("chain-2").cast().await?;
    story.until("param = 123\"").await?;
    story.until("response from").await?;

    client.close().await;
    hello.shutdown().await?;
    world.shutdown().await?;
    Ok(story.lines())
}
