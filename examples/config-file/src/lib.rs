//! Servers from configuration files: one program, and each file sets which services run, where, and how they find the others.

use example_support::{Broker, Story};
use serde::Serialize;
use tavrida::prelude::*;
use tavrida::server::RunningServer;
use tavrida_amqp::ServerConfig;

#[derive(Serialize)]
struct Greeting {
    text: String,
}

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn greet(&self, proxy: Proxy, name: String) -> Result<Greeting> {
        let answer = proxy.to("world.name").param("short", name).ask().await?;
        let greeting = Greeting { text: format!("hello, {}", answer.payload().get::<String>("text")?) };
        proxy.publish().param("text", &greeting.text).send().await?;
        Ok(greeting)
    }
}

struct World(Story);

#[tavrida::service("world")]
impl World {
    #[rpc]
    async fn name(&self, short: String) -> Greeting {
        Greeting { text: format!("{short} of the whole world") }
    }

    #[subscribe("hello.greet")]
    async fn heard(&self, text: String) {
        self.0.tell(format!("world: heard {text:?}"));
    }
}

/// Starts the server described by a file next to `Cargo.toml`, with the environment overriding it.
///
/// A real program calls [`ServerConfig::builder`], which connects to the broker that the file names; an example runs on the given broker.
async fn start(file: &str, broker: &Broker, story: &Story) -> Result<RunningServer> {
    let config = ServerConfig::from_file(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")))?;
    story.tell(format!("{file}: {} on {}", config.queue(), config.connection().endpoint()));
    let offered = [Hello.into_service(), World(story.clone()).into_service()];
    Ok(config.builder_on(broker.clone(), offered)?.start().await?)
}

/// Runs both servers and a client. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let world = start("world.toml", &broker, &story).await?;
    let hello = start("hello.toml", &broker, &story).await?;

    let registry = Registry::new().remote_service("hello", "hello_exchange");
    let client = Client::builder(broker).source("guest").discovery(registry).build().await?;
    let answer = client.to("hello.greet").param("name", "Ann").ask().await?;
    story.until("world: heard").await?;
    story.tell(format!("guest: got {:?}", answer.payload().get::<String>("text")?));

    client.close().await;
    hello.shutdown().await?;
    world.shutdown().await?;
    Ok(story.lines())
}
