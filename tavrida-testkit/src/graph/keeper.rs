//! [`Keeper`]: keeps the process of a server: starts it, kills it, and starts it anew.

use std::sync::Arc;
use std::time::Duration;

use tavrida::server::ServerBuilder;
use tavrida_memory::MemoryTransport;
use tokio::sync::oneshot;

use crate::sim::world::Probe;
use crate::sim::{ProblemKind, Stage};
use crate::trace::ActorId;

/// Makes the server of a process.
pub(super) type Make = Arc<dyn Fn(MemoryTransport) -> ServerBuilder + Send + Sync>;

/// Keeps one process.
pub(super) struct Keeper {
    pub(super) stage: Stage,
    pub(super) actor: ActorId,
    pub(super) make: Make,
    pub(super) late: Duration,
}

impl Keeper {
    /// Starts the process. What comes back tells when it consumes; nothing where it starts late.
    pub(super) fn start(self) -> Option<oneshot::Receiver<()>> {
        let (tell, ready) = oneshot::channel();
        let late = !self.late.is_zero();
        if late {
            self.stage.world().state().actor(self.actor).retired = true;
        }
        tokio::spawn(self.keep(tell));
        (!late).then_some(ready)
    }

    async fn keep(self, tell: oneshot::Sender<()>) {
        if !self.late.is_zero() {
            tokio::time::sleep(self.late).await;
        }
        let mut tell = Some(tell);
        while let Some(down_for) = self.live(tell.take()).await {
            tokio::time::sleep(down_for).await;
            self.stage.world().state().revive(self.actor);
        }
    }

    /// One life of the process, until it is killed; gives how long it stays down, or nothing where it cannot live.
    async fn live(&self, tell: Option<oneshot::Sender<()>>) -> Option<Duration> {
        let (stage, actor) = (&self.stage, self.actor);
        let probe = Probe { actor, stage: stage.clone() };
        let builder = (self.make)(stage.transport(actor));
        let built = builder.ids(stage.ids(actor)).clock(stage.clock().clone()).incoming(probe).build();
        let server = match built {
            Ok(server) => server,
            Err(error) => {
                self.fail(format!("cannot be built: {error}"));
                return None;
            }
        };
        let handle = server.handle();
        let killed = stage.world().state().actor(actor).killed.clone();
        if let Some(tell) = tell {
            tokio::spawn(async move {
                if handle.ready(Duration::from_secs(60)).await.is_ok() {
                    // Who waited may be gone.
                    let _ = tell.send(());
                }
            });
        }
        tokio::select! {
            biased;
            () = killed.notified() => Some(stage.world().state().actor(actor).down_for),
            ended = server.serve(std::future::pending()) => {
                self.fail(format!("ended: {ended:?}"));
                None
            }
        }
    }

    fn fail(&self, text: String) {
        let mut state = self.stage.world().state();
        let name = state.trace.actor(self.actor).name().to_owned();
        state.actor(self.actor).retired = true;
        state.fail(ProblemKind::Server, format!("server '{name}' {text}"));
    }
}
