//! A transport that silently changes what is published through it.

use std::sync::Arc;

use async_trait::async_trait;
use tavrida::Server;
use tavrida::discovery::Registry;
use tavrida::server::ServerBuilder;
use tavrida::transport::{
    Admin, Broker, ConnectionLost, Consume, Consumer, GetMessage, Publication, PublishFuture, Session,
    SessionError, Transport,
};
use tavrida_testkit::sim::SimTransport;

use crate::shop::billing;

/// Changes a publication, or drops it.
pub(crate) type Twist = fn(Publication) -> Option<Publication>;

/// A server of `billing`, at the expected exchange, with a crooked transport.
pub(crate) fn crooked_billing(twist: Twist) -> impl Fn(SimTransport) -> ServerBuilder + Send + Sync {
    move |inner| {
        let registry = Registry::new().remote_service("orders", "orders").remote_service("web", "web");
        Server::builder(Crooked { inner, twist })
            .queue("billing")
            .exchange("billing_exchange")
            .service(billing().discovery(registry))
    }
}

struct Crooked {
    inner: SimTransport,
    twist: Twist,
}

struct CrookedSession {
    inner: Arc<dyn Session>,
    twist: Twist,
}

#[async_trait]
impl Transport for Crooked {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        Ok(Arc::new(CrookedSession { inner: self.inner.connect().await?, twist: self.twist }))
    }

    fn endpoint(&self) -> String {
        self.inner.endpoint()
    }
}

#[async_trait]
impl Session for CrookedSession {
    fn admin(&self) -> &dyn Admin {
        self.inner.admin()
    }

    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        match (self.twist)(publication) {
            Some(publication) => self.inner.publish(publication),
            None => PublishFuture::ready(Ok(())),
        }
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
        self.inner.get(queue).await
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        self.inner.consume(consume).await
    }

    async fn close(&self) -> Result<(), SessionError> {
        self.inner.close().await
    }

    async fn closed(&self) -> ConnectionLost {
        self.inner.closed().await
    }

    fn blocked(&self) -> Option<String> {
        self.inner.blocked()
    }

    fn broker(&self) -> Option<Broker> {
        self.inner.broker()
    }
}
