//! [`SimTransport`]: how an actor reaches the broker of its run.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tavrida::transport::{Session, SessionError, Transport};

/// The transport of a server or client of a graph: to the simulated broker, or to a live one. Clones are cheap.
#[derive(Clone)]
pub struct SimTransport(Arc<dyn Transport>);

impl SimTransport {
    pub(crate) fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }
}

impl Transport for SimTransport {
    // Written out to return the broker's own future, without another box.
    fn connect<'a, 'f>(&'a self) -> BoxFuture<'f, Result<Arc<dyn Session>, SessionError>>
    where
        'a: 'f,
        Self: 'f,
    {
        self.0.connect()
    }

    fn endpoint(&self) -> String {
        self.0.endpoint()
    }
}

impl fmt::Debug for SimTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimTransport").field(&self.endpoint()).finish()
    }
}
