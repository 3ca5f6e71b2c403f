//! One message must never stop a service: what it contains decides over its own end and nothing else.

mod copies;
mod deep;
mod fuzz;
mod raw;
mod replies;

use std::time::Duration;

use tavrida::field::{ShortString, Table};
use tavrida::prelude::*;
use tavrida::server::ServerHandle;
use tavrida::transport::{Properties, Publication, Session};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::VirtualHost;

use crate::fixture::{Notes, backoff, eventually, registry, work};
use crate::support::{connect, count, soon};

/// A server of the service `work` with the frame size of production, and what tests it.
struct Target {
    vhost: VirtualHost,
    session: std::sync::Arc<dyn Session>,
    notes: Notes,
    handle: ServerHandle,
    client: Client,
}

impl Target {
    async fn start() -> Self {
        Self::with(|service| service).await
    }

    async fn with(extend: impl FnOnce(Service) -> Service) -> Self {
        let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
        let notes = Notes::new();
        let transport = || AmqpTransport::new(AmqpConfig::from_uri(&vhost.uri()).unwrap());
        let server = Server::builder(transport()).queue("work").exchange("work_exchange");
        let handle = crate::fixture::run(server.service(extend(work(&notes))).reconnect(backoff())).await;
        let client = Client::builder(transport()).source("client_app").discovery(registry());
        let client = client.patience(crate::support::SOON).build().await.unwrap();
        let session = connect(AmqpConfig::from_uri(&vhost.uri()).unwrap()).await;
        Self { vhost, session, notes, handle, client }
    }

    async fn raw(&self) -> raw::RawPublisher {
        raw::RawPublisher::connect(self.vhost.node().port(), self.vhost.name()).await
    }

    /// All hostile messages end as dead letters, and nothing else happened.
    async fn ends_as_dead_letters(&self, hostile: u32) {
        let dead = async || count(&self.session, "work.dead").await == hostile;
        eventually("each hostile message is dead-lettered", dead).await;
        eventually("none is stuck", async || count(&self.session, "work").await == 0).await;
        eventually("all are counted", async || self.handle.counters().dead_lettered == u64::from(hostile))
            .await;
    }

    /// The service works, and so does the client.
    async fn still_answers(&self, asks: usize) {
        for _ in 0..asks {
            // RabbitMQ 4 encodes headers again for each delivery, in time that grows with the square of their depth: seconds.
            let ask = self.client.to("work.echo").ask().timeout(Duration::from_secs(18));
            soon(ask).await.unwrap();
        }
    }
}

/// A request to `work` as any publisher may send it.
fn request(destination: &'static str, payload: &str) -> Publication {
    let headers = [
        ("message_type", "request"),
        ("correlation_id", "c"),
        ("request_id", "r"),
        ("message_id", "m"),
        ("source", "foe"),
        ("destination", destination),
        ("reply_to", ""),
    ];
    let headers: Table =
        headers.into_iter().map(|(name, text)| (ShortString::from_static(name), text)).collect();
    let body = format!(r#"{{"payload": {payload}, "context": {{}}}}"#);
    let mut publication = Publication::new(ShortString::default(), ShortString::from_static("work"), body);
    publication.properties = Properties { headers: Some(headers), ..Properties::default() };
    publication
}
