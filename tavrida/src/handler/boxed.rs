//! Type-erased handlers.

use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Handler, Invocation, Site};
use crate::message::{Failure, Reply};

/// A [`Handler`] of any function type.
pub(crate) trait ErasedHandler: Send + Sync {
    fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>>;
    fn check(&self, site: &Site<'_>) -> Result<(), String>;
}

struct Erased<H, M> {
    handler: H,
    marker: PhantomData<fn() -> M>,
}

impl<H: Handler<M>, M: 'static> ErasedHandler for Erased<H, M> {
    fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.handler.call(invocation)
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        self.handler.check(site)
    }
}

pub(crate) fn erase<M: 'static>(handler: impl Handler<M>) -> Arc<dyn ErasedHandler> {
    Arc::new(Erased { handler, marker: PhantomData })
}
