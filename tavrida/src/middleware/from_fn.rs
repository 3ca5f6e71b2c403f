//! Functions as middleware.

use std::future::Future;

use async_trait::async_trait;

use super::{Incoming, Next, Outgoing};
use crate::message::{Failure, Message, MessageKind, Reply};

/// Returns incoming middleware made from an async function of a message and [`Next`].
pub fn from_fn<F, Fut>(function: F) -> FromFn<F>
where
    F: Fn(Message, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Failure>> + Send + 'static,
{
    FromFn(function)
}

/// See [`from_fn`].
#[derive(Debug, Clone)]
pub struct FromFn<F>(F);

#[async_trait]
impl<F, Fut> Incoming for FromFn<F>
where
    F: Fn(Message, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Failure>> + Send + 'static,
{
    async fn handle(&self, message: Message, next: Next) -> Result<Reply, Failure> {
        (self.0)(message, next).await
    }
}

/// Returns outgoing middleware made from an async function of a message. It sees responses and errors; see [`OutgoingFn::on`].
pub fn outgoing_fn<F, Fut>(function: F) -> OutgoingFn<F>
where
    F: Fn(Message) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Message, Failure>> + Send + 'static,
{
    OutgoingFn { function, sees: vec![MessageKind::Response, MessageKind::Error] }
}

/// See [`outgoing_fn`].
#[derive(Debug, Clone)]
pub struct OutgoingFn<F> {
    function: F,
    sees: Vec<MessageKind>,
}

impl<F> OutgoingFn<F> {
    /// Applies the function to these kinds of messages instead.
    #[must_use = "the middleware comes back with the kinds"]
    pub fn on(mut self, kinds: impl IntoIterator<Item = MessageKind>) -> Self {
        self.sees = kinds.into_iter().collect();
        self
    }
}

#[async_trait]
impl<F, Fut> Outgoing for OutgoingFn<F>
where
    F: Fn(Message) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Message, Failure>> + Send + 'static,
{
    async fn handle(&self, message: Message) -> Result<Message, Failure> {
        (self.function)(message).await
    }

    fn sees(&self, kind: MessageKind) -> bool {
        self.sees.contains(&kind)
    }
}
