//! [`Incoming`]: middleware around the handler.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::message::{Failure, Message, Reply};

/// Code that runs around the handlers of a service.
#[async_trait]
pub trait Incoming: Send + Sync + 'static {
    /// Processes one message.
    ///
    /// Call [`Next::run`] to pass the message on; its result is the answer of the rest of the chain. Without that call the chain ends here:
    /// `Ok(reply)` is the answer instead of the handler's.
    ///
    /// # Errors
    ///
    /// Treated like a handler's error: an error reply for a call, the failure policy for the rest.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the handler's deadline passes or the session is lost.
    async fn handle(&self, message: Message, next: Next) -> Result<Reply, Failure>;
}

/// The rest of the chain, including the handler.
#[must_use = "a message that is not passed on does not reach its handler"]
pub struct Next {
    chain: Arc<[Arc<dyn Incoming>]>,
    done: usize,
    endpoint: Arc<dyn Endpoint>,
}

/// The end of the chain: the handler.
pub(crate) trait Endpoint: Send + Sync {
    fn reach(self: Arc<Self>, message: Message) -> BoxFuture<'static, Result<Reply, Failure>>;
}

impl Next {
    pub(crate) fn new(chain: Arc<[Arc<dyn Incoming>]>, endpoint: Arc<dyn Endpoint>) -> Self {
        Self { chain, done: 0, endpoint }
    }

    /// Passes the message on to the next middleware, or to the handler.
    ///
    /// # Errors
    ///
    /// The failure of the handler, or of a later middleware.
    pub async fn run(mut self, message: Message) -> Result<Reply, Failure> {
        match self.chain.get(self.done).cloned() {
            Some(middleware) => {
                self.done += 1;
                middleware.handle(message, self).await
            }
            None => self.endpoint.reach(message).await,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Next({} of {} middlewares done)", self.done, self.chain.len())
    }
}
