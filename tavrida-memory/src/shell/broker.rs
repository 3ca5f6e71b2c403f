//! [`MemoryBroker`]: the broker as tests and programs hold it.

use std::fmt;
use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::time::{Clock, SystemClock};

use super::clock::ShellClock;
use super::network::Network;
use super::shared::Shared;
use super::state::State;
use super::transport::MemoryTransport;
use crate::core::{Broker, Command, Config, ConsumerView, Operator, Snapshot};

/// A broker in this process. A clone is another handle to the same broker; brokers made apart never meet.
///
/// It needs no runtime to be made. Its deadlines (TTL, `x-expires`) are met by a task on the runtime that uses it, by tokio's
/// clock, so that a paused runtime moves them too; the task ends when there is nothing to wait for, or with the broker.
///
/// ```
/// use tavrida::field::ShortString;
/// use tavrida::transport::{Publication, Queue, Transport};
/// use tavrida_memory::MemoryBroker;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let session = MemoryBroker::new().transport().connect().await?;
/// let orders = ShortString::from_static("orders");
/// session.declare_queue(&Queue::durable(&orders)).await?;
/// session.publish(Publication::new(ShortString::default(), &orders, "one")).await?;
/// let fetched = session.get("orders").await?.expect("it was published");
/// assert_eq!(&fetched.delivery.body()[..], b"one");
/// fetched.delivery.ack()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MemoryBroker {
    pub(super) shared: Arc<Shared>,
}

impl MemoryBroker {
    /// A fresh broker: virtual host `/`, the predeclared exchanges, nothing else.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A broker with settings of its own.
    pub fn builder() -> Builder {
        Builder { config: Config::default(), clock: Arc::new(SystemClock), core: None, network: None }
    }

    /// A transport whose sessions connect to this broker.
    pub fn transport(&self) -> MemoryTransport {
        self.transport_of(0)
    }

    /// A transport whose sessions a [`Network`] knows by this number.
    pub fn transport_of(&self, peer: u32) -> MemoryTransport {
        MemoryTransport::new(self.shared.clone(), peer)
    }

    /// Stops the broker in good order and starts it again: sessions end with 320, what is durable stays.
    pub fn restart(&self) {
        self.operate(Operator::Restart);
    }

    /// Kills the broker and starts it again: sessions break without a word, and what stays is marked as redelivered.
    pub fn kill(&self) {
        self.operate(Operator::Kill);
    }

    /// Closes all sessions with 320 and this reason, as an operator does with connections.
    pub fn close_sessions(&self, reason: &str) {
        let mut state = self.shared.lock();
        for id in state.sessions.keys().copied().collect::<Vec<_>>() {
            let connection = id.control();
            let operator = Operator::CloseConnection { connection, reason: reason.to_owned() };
            state.apply(Command::Operator(operator));
        }
    }

    /// Cancels all consumers of a queue, as the failure of a queue does: they end with
    /// [`CancelledByBroker`](tavrida::transport::ConsumerError::CancelledByBroker). Gives how many there were.
    pub fn cancel_consumers(&self, queue: &str) -> usize {
        self.for_consumers(queue, |consumer| Operator::CancelConsumer {
            channel: consumer.channel,
            consumer_tag: consumer.tag.clone(),
        })
    }

    /// Closes the channels of all consumers of a queue with a code and text such as `406` and `PRECONDITION_FAILED -
    /// delivery acknowledgement on channel 1 timed out`: they end with
    /// [`Refused`](tavrida::transport::ConsumerError::Refused), and what they had not settled goes back. Gives how many
    /// there were.
    pub fn close_consumers(&self, queue: &str, code: u16, text: &str) -> usize {
        self.for_consumers(queue, |consumer| Operator::CloseChannel {
            channel: consumer.channel,
            code,
            text: text.to_owned(),
        })
    }

    fn for_consumers(&self, queue: &str, operator: impl Fn(&ConsumerView) -> Operator) -> usize {
        let mut state = self.shared.lock();
        let snapshot = state.broker.snapshot();
        let consumers = snapshot.queue(queue).map_or(&[][..], |queue| &queue.consumers);
        for consumer in consumers {
            state.apply(Command::Operator(operator(consumer)));
        }
        consumers.len()
    }

    /// Raises an alarm: who publishes waits until [`unblock`](MemoryBroker::unblock), and its session says why.
    pub fn block(&self, reason: &str) {
        self.operate(Operator::Block { reason: reason.to_owned() });
    }

    /// Ends the alarm: what waited is published.
    pub fn unblock(&self) {
        let mut state = self.shared.lock();
        state.apply(Command::Operator(Operator::Unblock));
        state.publish_waiting();
    }

    /// Intervenes as an operator, an alarm or a failure does.
    pub fn operate(&self, operator: Operator) {
        if operator == Operator::Unblock {
            self.unblock();
        } else {
            self.shared.lock().apply(Command::Operator(operator));
        }
    }

    /// What is in the broker at this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.lock().broker.snapshot()
    }

    /// A copy of the broker as it is at this moment, to look into; connections included.
    pub fn core(&self) -> Broker {
        self.shared.lock().broker.clone()
    }
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").finish_non_exhaustive()
    }
}

/// Settings of a [`MemoryBroker`].
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    config: Config,
    clock: Arc<dyn Clock>,
    core: Option<Broker>,
    network: Option<Arc<dyn Network>>,
}

impl Builder {
    /// The name of the virtual host, which error texts show; `/` by default.
    pub fn virtual_host(mut self, name: impl Into<ShortString>) -> Self {
        self.config.virtual_host = name.into();
        self
    }

    /// Where the names that the broker makes up come from; 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The wall clock, which `x-death` is stamped with; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts from a core that was prepared, such as one where everything is declared, instead of a fresh one; the other
    /// settings of the core are then its own. It should have no connections: their numbers would meet the shell's.
    pub fn core(mut self, core: Broker) -> Self {
        self.core = Some(core);
        self
    }

    /// What lies between sessions and broker; nothing by default.
    pub fn network(mut self, network: Arc<dyn Network>) -> Self {
        self.network = Some(network);
        self
    }

    /// Makes the broker.
    pub fn build(self) -> MemoryBroker {
        let mut clock = ShellClock::new(self.clock);
        if let Some(prepared) = &self.core {
            clock.learn(prepared);
        }
        let core = self.core.unwrap_or_else(|| Broker::new(self.config));
        MemoryBroker { shared: Shared::new(State::new(core, clock, self.network)) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).finish_non_exhaustive()
    }
}
