//! [`SimTransport`]: how an actor reaches the broker of its run.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tavrida::transport::{Session, SessionError, Transport};

/// How a server or client of a graph reaches the broker: the simulation's, or a live one. A clone is cheap.
#[derive(Clone)]
pub struct SimTransport(Arc<dyn Transport>);

impl SimTransport {
    pub(crate) fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }
}

#[async_trait]
impl Transport for SimTransport {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        self.0.connect().await
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
