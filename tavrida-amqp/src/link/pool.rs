//! [`Pool`]: the open connections of a transport.

use parking_lot::Mutex;
use std::sync::{Arc, Weak};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tavrida::transport::SessionError;
use tokio::runtime::{self, Handle};

use super::connections::{Connections, Lease};
use crate::config::AmqpConfig;

type Opening = BoxFuture<'static, Result<Arc<Connections>, SessionError>>;

/// The open connections of a transport and its clones.
#[derive(Default)]
pub(crate) struct Pool(Mutex<State>);

#[derive(Default)]
struct State {
    open: Vec<Weak<Connections>>,
    /// A pending attempt, and its runtime: concurrent sessions wait for the same attempt.
    opening: Option<(runtime::Id, WeakShared<Opening>)>,
}

impl Pool {
    /// Returns a lease of open connections, or of new ones.
    pub(crate) async fn lease(self: &Arc<Self>, config: &Arc<AmqpConfig>) -> Result<Lease, SessionError> {
        loop {
            let opening = {
                let mut state = self.0.lock();
                if let Some(lease) = state.lease() {
                    return Ok(lease);
                }
                self.opening(&mut state, config)
            };
            let connections = opening.await?;
            // More sessions may have waited than there are leases.
            if let Some(lease) = connections.lease() {
                return Ok(lease);
            }
        }
    }

    fn opening(self: &Arc<Self>, state: &mut State, config: &Arc<AmqpConfig>) -> Shared<Opening> {
        let runtime = Handle::current().id();
        if let Some((of, opening)) = &state.opening
            && *of == runtime
            && let Some(opening) = opening.upgrade()
            && opening.peek().is_none()
        {
            return opening;
        }
        let (pool, config) = (Arc::downgrade(self), config.clone());
        let opening = async move {
            let connections = Connections::open(&config).await?;
            if let Some(pool) = pool.upgrade() {
                pool.0.lock().open.push(Arc::downgrade(&connections));
            }
            Ok(connections)
        };
        let opening = opening.boxed().shared();
        state.opening = opening.downgrade().map(|opening| (runtime, opening));
        opening
    }
}

impl State {
    fn lease(&mut self) -> Option<Lease> {
        self.open.retain(|connections| connections.strong_count() > 0);
        let mut open =
            self.open.iter().filter_map(Weak::upgrade).filter(|connections| connections.is_usable());
        open.find_map(|connections| connections.lease())
    }
}
