//! A transport that silently changes what is published through it.

use std::sync::Arc;

use async_trait::async_trait;
use tavrida::Server;
use tavrida::discovery::Registry;
use tavrida::server::ServerBuilder;
use tavrida::transport::{
    Binding, Broker, ConnectionLost, Consume, Consumer, Exchange, GetMessage, Publication, PublishFuture,
    Queue, QueueStatus, Session, SessionError, Transport,
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
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError> {
        self.inner.declare_exchange(exchange).await
    }

    async fn declare_exchange_passive(&self, name: &str) -> Result<(), SessionError> {
        self.inner.declare_exchange_passive(name).await
    }

    async fn delete_exchange(&self, name: &str, if_unused: bool) -> Result<(), SessionError> {
        self.inner.delete_exchange(name, if_unused).await
    }

    async fn declare_queue(&self, queue: &Queue) -> Result<QueueStatus, SessionError> {
        self.inner.declare_queue(queue).await
    }

    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError> {
        self.inner.declare_queue_passive(name).await
    }

    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError> {
        self.inner.delete_queue(name, if_unused, if_empty).await
    }

    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError> {
        self.inner.purge_queue(name).await
    }

    async fn bind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.inner.bind(binding).await
    }

    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError> {
        self.inner.unbind(binding).await
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
