//! Three services that find each other through one `.ds` file.

use example_support::{Broker, Result, Running, Story};
use tavrida::prelude::*;

/// The file, beside `Cargo.toml`. A real program names a path with `Registry::from_ds_file`.
const SERVICES: &str = include_str!("../services.ds");

/// What the translator answers.
#[derive(serde::Serialize)]
struct Translation {
    text: String,
}

async fn translate(text: String) -> Translation {
    Translation { text: text.replace("hello", "привет") }
}

async fn greet(proxy: Proxy, name: String) -> tavrida::prelude::Result<Translation> {
    let answer = proxy.to("translator.translate").param("text", format!("hello, {name}")).ask().await?;
    let text: String = answer.payload().get("text")?;
    proxy.publish().param("text", &text).send().await?;
    Ok(Translation { text })
}

async fn keep(story: State<Story>, text: String) {
    story.tell(format!("archive: kept {text:?}"));
}

async fn start(broker: &Broker, service: Service) -> Result<Running> {
    let (queue, exchange) = (format!("{}_queue", service.name()), format!("{}_exchange", service.name()));
    Running::start(Server::builder(broker.clone()).queue(queue).exchange(exchange).service(service).build()?)
        .await
}

/// Runs all services and a client, and gives what happened.
///
/// # Errors
///
/// Whatever goes wrong first.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let knows = |service: &str, subscriptions: &[&str]| Registry::from_ds(SERVICES, service, subscriptions);

    let translator = Service::new("translator").rpc("translate", params(["text"], translate));
    let translator = start(&broker, translator.discovery(knows("translator", &[])?)).await?;
    let archive =
        Service::new("archive").state(story.clone()).on_notification("greeter.greet", params(["text"], keep));
    let archive = start(&broker, archive.discovery(knows("archive", &["greeter"])?)).await?;
    let greeter = Service::new("greeter").rpc("greet", params(["name"], greet));
    let greeter = start(&broker, greeter.discovery(knows("greeter", &[])?)).await?;

    let registry = Registry::new().remote_service("greeter", "greeter_exchange");
    let client = Client::builder(broker).source("guest").discovery(registry).build().await?;
    let answer = client.to("greeter.greet").param("name", "Ann").ask().await?;
    story.until("archive: kept").await?;
    story.tell(format!("guest: got {:?}", answer.payload().get::<String>("text")?));

    client.close().await;
    for server in [greeter, archive, translator] {
        server.stop().await?;
    }
    Ok(story.lines())
}
