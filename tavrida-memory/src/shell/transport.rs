//! [`MemoryTransport`]: connects to an in-process broker.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tavrida::transport::{Session, SessionError, Transport};

use super::handle::Handle;
use super::session::MemorySession;
use super::shared::Shared;

/// The address of a [`MemoryBroker`](super::MemoryBroker). It keeps the broker alive.
#[derive(Clone)]
pub struct MemoryTransport {
    shared: Arc<Shared>,
    peer: u32,
}

impl MemoryTransport {
    pub(super) fn new(shared: Arc<Shared>, peer: u32) -> Self {
        Self { shared, peer }
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        let life = self.shared.lock().open_session(self.peer)?;
        let handle = Arc::new(Handle { shared: self.shared.clone(), life });
        Ok(Arc::new(MemorySession::new(handle)))
    }

    fn endpoint(&self) -> String {
        "memory".to_owned()
    }
}

impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTransport").finish_non_exhaustive()
    }
}
