//! Three services that find each other through one `.ds` file.

use example_support::{Broker, Story};
use serde::{Deserialize, Serialize};
use tavrida::prelude::*;
use tavrida::server::RunningServer;

/// The file, beside `Cargo.toml`. A real program names a path with `Registry::from_ds_file`.
const SERVICES: &str = include_str!("../services.ds");

/// A text for the translator, and what it answers.
#[derive(Serialize, Deserialize, Rpc)]
#[rpc("translator.translate", reply = Text)]
struct Text {
    text: String,
}

struct Translator;

#[tavrida::service("translator")]
impl Translator {
    #[rpc(Text)]
    async fn translate(&self, english: Text) -> Text {
        Text { text: english.text.replace("hello", "привет") }
    }
}

struct Greeter;

#[tavrida::service("greeter")]
impl Greeter {
    #[rpc]
    async fn greet(&self, proxy: Proxy, name: String) -> Result<Text> {
        let greeting = proxy.ask(Text { text: format!("hello, {name}") }).await?;
        proxy.publish().param("text", &greeting.text).send().await?;
        Ok(greeting)
    }
}

struct Archive(Story);

#[tavrida::service("archive")]
impl Archive {
    #[subscribe("greeter.greet")]
    async fn keep(&self, text: String) {
        self.0.tell(format!("archive: kept {text:?}"));
    }
}

async fn start(broker: &Broker, service: Service) -> Result<RunningServer> {
    let (queue, exchange) = (format!("{}_queue", service.name()), format!("{}_exchange", service.name()));
    Ok(Server::builder(broker.clone()).queue(queue).exchange(exchange).service(service).start().await?)
}

/// Runs all services and a client. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let knows = |service: &str, subscriptions: &[&str]| Registry::from_ds(SERVICES, service, subscriptions);

    let translator = Translator.into_service().discovery(knows("translator", &[])?);
    let translator = start(&broker, translator).await?;
    let archive = Archive(story.clone()).into_service().discovery(knows("archive", &["greeter"])?);
    let archive = start(&broker, archive).await?;
    let greeter = Greeter.into_service().discovery(knows("greeter", &[])?);
    let greeter = start(&broker, greeter).await?;

    let registry = Registry::new().remote_service("greeter", "greeter_exchange");
    let client = Client::builder(broker).source("guest").discovery(registry).build().await?;
    let answer = client.to("greeter.greet").param("name", "Ann").ask().await?;
    story.until("archive: kept").await?;
    story.tell(format!("guest: got {:?}", answer.payload().get::<String>("text")?));

    client.close().await;
    for server in [greeter, archive, translator] {
        server.shutdown().await?;
    }
    Ok(story.lines())
}
