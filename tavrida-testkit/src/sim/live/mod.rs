//! Runs the same scenario on a live RabbitMQ: a wrapper around the real transport records what happens as in a simulation.
//!
//! Only what a live broker can do is offered: messages are sent and handled, [`settle`](crate::graph::Graph::settle_within) waits in real
//! time, and the laws are checked. Faults, virtual time and schedules are refused by name.

mod recorder;
mod session;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tavrida::time::later;
use tavrida::transport::Transport;
use tavrida_amqp::{AmqpConfig, AmqpTransport, ConfigError};
use tokio::time::Instant;

use super::run::{Ended, Finished, Setup, outside_of_runtimes};
use super::world::{Time, World};
use super::{Harness, SimClock};
use crate::schedule::Director;

pub(crate) use recorder::Recorder;

/// The interval between two checks of the queues.
const LOOK: Duration = Duration::from_millis(20);

impl Setup {
    /// Runs a scenario once on a live RabbitMQ, in real time. Queues and exchanges have the names that the graph gives them: use a separate
    /// virtual host.
    ///
    /// # Errors
    ///
    /// The URI is invalid.
    ///
    /// # Panics
    ///
    /// Panics inside a runtime. The scenario panics on any method that needs a simulation.
    #[track_caller]
    pub fn run_live<F, Fut>(&self, uri: &str, scenario: F) -> Result<Finished, ConfigError>
    where
        F: FnOnce(super::Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        outside_of_runtimes();
        let transport: Arc<dyn Transport> = Arc::new(AmqpTransport::new(AmqpConfig::from_uri(uri)?));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system gives a runtime what it needs");
        Ok(self.finish(runtime, async {
            let world = World::new(Director::replaying(Default::default()), Time::flowing());
            let harness = Harness::live(world, SimClock::system(), transport);
            self.play(&harness, scenario).await;
            harness
        }))
    }
}

impl Harness {
    /// Waits up to `within` until a live broker has no more work for the graph. Returns whether that happened.
    pub(super) async fn settled_live(&self, transport: &Arc<dyn Transport>, within: Duration) -> bool {
        let deadline = later(Instant::now(), within);
        let mut quiet = 0;
        while Instant::now() < deadline {
            quiet = if self.is_quiet_live(transport).await { quiet + 1 } else { 0 };
            if quiet == 2 {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }

    /// Returns whether no handler runs, no delivery or publish is open, and the queues are empty.
    async fn is_quiet_live(&self, transport: &Arc<dyn Transport>) -> bool {
        let queues = {
            let state = self.world().state();
            if !state.is_quiet() || state.publishing > 0 {
                return false;
            }
            state.queues.clone()
        };
        let Ok(session) = transport.connect().await else { return false };
        let mut empty = true;
        for queue in queues {
            empty &=
                session.admin().declare_queue_passive(&queue).await.is_ok_and(|status| status.messages == 0);
        }
        // An error when closing a session that only reads is harmless.
        let _ = session.close().await;
        empty
    }
}
