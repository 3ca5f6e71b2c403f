//! A [tower](https://docs.rs/tower) layer as middleware, for timeouts, limits and load shedding.
//!
//! [`from_layer`] takes any layer whose service can be cloned and sent. The layer sees a [`Call`] (a message with the rest of the chain)
//! and the resulting [`Reply`].
//!
//! ```
//! use std::time::Duration;
//! use tavrida::middleware::tower::from_layer;
//! use tavrida::prelude::*;
//! use tower::ServiceBuilder;
//!
//! async fn slow(n: u64) {}
//!
//! let limits = ServiceBuilder::new().load_shed().concurrency_limit(8).timeout(Duration::from_secs(2)).into_inner();
//! let service = Service::new("slow").rpc("do", params(["n"], slow)).incoming(from_layer(limits));
//! ```
//!
//! # Readiness
//!
//! For each message the layer's service is cloned, waited for (`poll_ready`) and called. Waiting is part of the handling: the message stays
//! with this server, its deadline runs, and the broker sends at most the prefetch meanwhile. A layer that is not ready therefore causes
//! back-pressure, and one that sheds load (`load_shed`) fails instead. State that clones do not share (such as that of a `rate_limit`) must
//! be put behind a `buffer`.
//!
//! # Errors
//!
//! A handler's failure passes through the layers as [`Failed`] and is unchanged afterwards. An error of the layer itself becomes a failure
//! of the class `tower.Refused` with its text; [`FromLayer::map_error`] changes that, for example to a [retryable](Failure::retryable) one.

use parking_lot::Mutex;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, poll_fn};
use tower_layer::Layer;
use tower_service::Service;

use super::{Incoming, Next};
use crate::message::{Failure, Message, Reply};

/// An error of a layer.
pub type LayerError = Box<dyn StdError + Send + Sync>;

/// The request type of a layer: a message, and the rest of the chain.
#[derive(Debug)]
pub struct Call {
    message: Message,
    next: Next,
}

impl Call {
    /// Returns the message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the message, to change it.
    pub fn message_mut(&mut self) -> &mut Message {
        &mut self.message
    }
}

/// The innermost service: the rest of the chain, including the handler. Always ready.
#[derive(Debug, Clone, Copy, Default)]
pub struct Handlers(());

impl Service<Call> for Handlers {
    type Response = Reply;
    type Error = Failed;
    type Future = BoxFuture<'static, Result<Reply, Failed>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        Box::pin(async move { call.next.run(call.message).await.map_err(Failed) })
    }
}

/// The failure of a handler, as an error for layers.
#[derive(Debug, Clone)]
pub struct Failed(pub Failure);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Failed {}

/// Returns incoming middleware made from a layer.
pub fn from_layer<L>(layer: L) -> FromLayer<L::Service>
where
    L: Layer<Handlers>,
    L::Service: Service<Call, Response = Reply> + Clone + Send + 'static,
{
    FromLayer { service: Mutex::new(layer.layer(Handlers::default())), on_error: Arc::new(refused) }
}

/// See [`from_layer`].
pub struct FromLayer<S> {
    /// Cloned for each message; the lock makes it shareable where the service is not.
    service: Mutex<S>,
    on_error: Arc<dyn Fn(LayerError) -> Failure + Send + Sync>,
}

impl<S> FromLayer<S> {
    /// Sets how an error of the layer itself becomes a failure.
    #[must_use = "the middleware comes back with the function"]
    pub fn map_error(mut self, on_error: impl Fn(LayerError) -> Failure + Send + Sync + 'static) -> Self {
        self.on_error = Arc::new(on_error);
        self
    }
}

impl<S> fmt::Debug for FromLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromLayer").finish_non_exhaustive()
    }
}

#[async_trait]
impl<S> Incoming for FromLayer<S>
where
    S: Service<Call, Response = Reply> + Clone + Send + 'static,
    S::Error: Into<LayerError> + Send,
    S::Future: Send,
{
    async fn handle(&self, message: Message, next: Next) -> Result<Reply, Failure> {
        let mut service = self.service.lock().clone();
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
            return Err(self.failure(error.into()));
        }
        service.call(Call { message, next }).await.map_err(|error| self.failure(error.into()))
    }
}

impl<S> FromLayer<S> {
    fn failure(&self, error: LayerError) -> Failure {
        match error.downcast::<Failed>() {
            Ok(failed) => failed.0,
            Err(error) => (self.on_error)(error),
        }
    }
}

fn refused(error: LayerError) -> Failure {
    Failure::new("tower.Refused", error.to_string())
}
