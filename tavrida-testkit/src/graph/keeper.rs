//! [`Keeper`]: starts, kills and restarts the process of a server.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;

use tavrida::Server;
use tavrida::server::{ServerBuilder, ServerHandle};
use tavrida::task::OwnTask;
use tokio::sync::{Notify, oneshot};

use crate::problem::ProblemKind;
use crate::sim::world::Probe;
use crate::sim::{Harness, SimClock, SimTransport};
use crate::trace::ActorId;

/// Makes the server of a process.
pub(super) type Make = Arc<dyn Fn(SimTransport) -> ServerBuilder + Send + Sync>;

/// Keeps one process.
pub(super) struct Keeper {
    pub(super) process: Process,
    /// The delay of its first start.
    pub(super) late: Duration,
    /// The server of the first start, if it is already built.
    pub(super) first: Option<Server>,
}

/// A process, running or not.
pub(super) struct Process {
    pub(super) harness: Harness,
    pub(super) actor: ActorId,
    pub(super) clock: SimClock,
    pub(super) version: Arc<Version>,
}

/// The version of a server that its process runs, or runs from its next start on.
pub(super) struct Version {
    make: Mutex<Make>,
    /// Who waits until an upgraded server consumes.
    upgrading: Mutex<Option<oneshot::Sender<()>>>,
    /// Ends the process in good order.
    stop: Notify,
}

impl Version {
    pub(super) fn new(make: Make) -> Arc<Self> {
        Arc::new(Self { make: Mutex::new(make), upgrading: Mutex::default(), stop: Notify::new() })
    }

    /// Returns who waits until the server consumes that starts now, if it is an upgraded one.
    fn take_upgrading(&self) -> Option<oneshot::Sender<()>> {
        let tell = self.upgrading.lock().take()?;
        // Upgraded while it was down: there is nothing to stop.
        let _ = self.stop.notified().now_or_never();
        Some(tell)
    }

    /// Stops the process in good order, and starts it in another version. The returned receiver fires when it consumes.
    pub(super) fn upgrade(&self, make: Make) -> oneshot::Receiver<()> {
        let (tell, ready) = oneshot::channel();
        *self.make.lock() = make;
        *self.upgrading.lock() = Some(tell);
        self.stop.notify_one();
        ready
    }
}

impl Keeper {
    /// Starts the process. The returned receiver fires when it consumes. Returns `None` for a late start.
    pub(super) fn start(self) -> Option<oneshot::Receiver<()>> {
        let Self { process, late, first } = self;
        if late.is_zero() {
            let (tell, ready) = oneshot::channel();
            // Boxed: a task is moved several times before it runs, and a server's life is not small.
            let own = OwnTask::begin();
            tokio::spawn(Box::pin(async move {
                let _own = own;
                process.keep(first, Some(tell)).await;
            }));
            return Some(ready);
        }
        process.harness.world().state().actor(process.actor).retired = true;
        let own = OwnTask::begin();
        tokio::spawn(Box::pin(async move {
            let _own = own;
            tokio::time::sleep(late).await;
            process.keep(first, None).await;
        }));
        None
    }
}

impl Process {
    /// Runs the process, and starts it again each time that it is killed or upgraded.
    async fn keep(self, mut first: Option<Server>, mut tell: Option<oneshot::Sender<()>>) {
        loop {
            let server = match first.take().map_or_else(|| self.build(), Ok) {
                Ok(server) => server,
                Err(error) => return self.fail(format!("cannot be built: {error}")),
            };
            tell = self.version.take_upgrading().or(tell);
            match self.live(server, &mut tell).await {
                ProcessEnd::Killed(down_for) => {
                    tokio::time::sleep(down_for).await;
                    self.harness.world().state().revive(self.actor);
                }
                ProcessEnd::Stopped => {}
                ProcessEnd::Failed => return,
            }
        }
    }

    /// Builds the server for one start of the process.
    ///
    /// # Errors
    ///
    /// The server cannot be built.
    pub(super) fn build(&self) -> Result<Server, tavrida::Error> {
        let (harness, actor) = (&self.harness, self.actor);
        let probe = Probe { actor, harness: harness.clone() };
        let make = self.version.make.lock().clone();
        let builder = make(harness.transport(actor));
        builder.ids(harness.ids(actor)).clock(self.clock.clone()).incoming(probe).build()
    }

    /// Runs the process until it ends.
    async fn live(&self, server: Server, tell: &mut Option<oneshot::Sender<()>>) -> ProcessEnd {
        let killed = self.harness.world().state().actor(self.actor).killed.clone();
        let handle = server.handle();
        let mut stops = false;
        let stop = async {
            self.version.stop.notified().await;
            stops = true;
        };
        let ended = tokio::select! {
            biased;
            () = killed.notified() => {
                return ProcessEnd::Killed(self.harness.world().state().actor(self.actor).down_for);
            }
            ended = server.serve(stop) => ended,
            never = tell_when_ready(&handle, tell) => match never {},
        };
        if ended.is_ok() && stops {
            return ProcessEnd::Stopped;
        }
        self.fail(format!("ended: {ended:?}"));
        ProcessEnd::Failed
    }

    /// Fails the run: the process cannot start.
    pub(super) fn fail(&self, text: String) {
        let mut state = self.harness.world().state();
        let name = state.trace.actor(self.actor).name().to_owned();
        state.actor(self.actor).retired = true;
        state.fail(ProblemKind::Server, format!("server '{name}' {text}"));
    }
}

/// How a process ended.
enum ProcessEnd {
    /// It was killed, and stays down for this time.
    Killed(Duration),
    /// In good order, for an upgrade.
    Stopped,
    /// It cannot start.
    Failed,
}

/// Fires `tell` when the server consumes, if it is set. A server that is killed before leaves it to the next one.
async fn tell_when_ready(server: &ServerHandle, tell: &mut Option<oneshot::Sender<()>>) -> Infallible {
    if tell.is_some() {
        let ready = server.ready(Duration::from_secs(60)).await;
        if let Some(tell) = tell.take()
            && ready.is_ok()
        {
            // The receiver may have been dropped.
            let _ = tell.send(());
        }
    }
    std::future::pending().await
}
