//! [`Recorder`]: a transport wrapper that records what passes through it.

use std::sync::Arc;

use async_trait::async_trait;
use tavrida::transport::{Backoff, Session, SessionError, Transport};

use super::session::Recorded;
use crate::sim::world::World;
use crate::trace::{ActorId, What};

/// How an actor reaches a live broker.
pub(crate) struct Recorder {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) world: Arc<World>,
    pub(crate) actor: ActorId,
}

#[async_trait]
impl Transport for Recorder {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        let inner = self.inner.connect().await?;
        let number = {
            let mut state = self.world.state();
            let number = state.open_live_session(self.actor);
            state.tell(self.actor, What::Connected);
            number
        };
        Ok(Arc::new(Recorded::new(inner, self.world.clone(), self.actor, number)))
    }

    fn endpoint(&self) -> String {
        self.inner.endpoint()
    }

    fn backoff(&self) -> Backoff {
        self.inner.backoff()
    }
}
