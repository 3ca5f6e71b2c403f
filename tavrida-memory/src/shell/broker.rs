//! [`MemoryBroker`]: the handle to a broker for tests and programs.

use std::fmt;
use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::time::{Clock, SystemClock};

use super::clock::ShellClock;
use super::network::Network;
use super::shared::Shared;
use super::state::State;
use super::transport::MemoryTransport;
use crate::core::{Behaviour, Broker, Command, Config, ConsumerView, Operator, RabbitMq, Snapshot};

/// A broker in this process. Clones are handles to the same broker; separately created brokers are independent.
///
/// Creating it needs no runtime. A task on the runtime that uses it handles its deadlines (TTL, `x-expires`) with tokio's clock, so that a
/// paused runtime advances them too. The task ends when there is no deadline, or with the broker.
///
/// ```
/// use tavrida::field::ShortString;
/// use tavrida::transport::{Publication, Queue, Transport};
/// use tavrida_memory::MemoryBroker;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> tavrida::prelude::Result<()> {
/// let session = MemoryBroker::new().transport().connect().await?;
/// let orders = ShortString::from_static("orders");
/// session.admin().declare_queue(&Queue::durable(&orders)).await?;
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
    /// Creates a broker with virtual host `/` and the predeclared exchanges.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with settings for a broker.
    pub fn builder() -> Builder {
        Builder {
            config: Config::default(),
            clock: Arc::new(SystemClock),
            core: None,
            network: None,
            frame_max: 0,
            late_confirms: false,
        }
    }

    /// Returns a transport whose sessions connect to this broker.
    pub fn transport(&self) -> MemoryTransport {
        self.transport_of(0)
    }

    /// Returns a transport whose sessions have this peer number for a [`Network`].
    pub fn transport_of(&self, peer: u32) -> MemoryTransport {
        MemoryTransport::new(self.shared.clone(), peer)
    }

    /// Stops the broker in good order and restarts it: sessions end with 320, durable topology and persistent messages stay.
    pub fn restart(&self) {
        self.operate(Operator::Restart);
    }

    /// Kills the broker and restarts it: sessions break without a close, and remaining messages are marked as redelivered.
    pub fn kill(&self) {
        self.operate(Operator::Kill);
    }

    /// Closes all sessions, and all connections of ports, with 320 and this reason, as an operator closes connections.
    pub fn close_sessions(&self, reason: &str) {
        let mut state = self.shared.lock();
        for id in state.sessions.keys().copied().collect::<Vec<_>>() {
            let connection = id.control();
            let operator = Operator::CloseConnection { connection, reason: reason.to_owned() };
            state.apply(Command::Operator(operator));
        }
        #[cfg(feature = "port")]
        state.close_remotes(reason);
    }

    /// Cancels all consumers of a queue, as the failure of a queue does: they end with
    /// [`CancelledByBroker`](tavrida::transport::ConsumerError::CancelledByBroker). Returns how many there were.
    pub fn cancel_consumers(&self, queue: &str) -> usize {
        self.for_consumers(queue, |consumer| Operator::CancelConsumer {
            channel: consumer.channel,
            consumer_tag: consumer.tag.clone(),
        })
    }

    /// Closes the channels of all consumers of a queue with a code and text such as `406` and `PRECONDITION_FAILED - delivery
    /// acknowledgement on channel 1 timed out`: they end with [`Refused`](tavrida::transport::ConsumerError::Refused), and their unsettled
    /// deliveries are requeued. Returns how many there were.
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

    /// Raises an alarm: publishers wait until [`unblock`](MemoryBroker::unblock), and their sessions report the reason.
    pub fn block(&self, reason: &str) {
        self.operate(Operator::Block { reason: reason.to_owned() });
    }

    /// Clears the alarm: waiting messages are published.
    pub fn unblock(&self) {
        let mut state = self.shared.lock();
        state.apply(Command::Operator(Operator::Unblock));
        state.publish_waiting();
    }

    /// Executes an action of an operator, an alarm or a failure.
    pub fn operate(&self, operator: Operator) {
        if operator == Operator::Unblock {
            self.unblock();
        } else {
            self.shared.lock().apply(Command::Operator(operator));
        }
    }

    /// Returns the current state of the broker.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.lock().broker.snapshot()
    }

    /// Returns a copy of the current broker for inspection, including connections.
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
    frame_max: u32,
    late_confirms: bool,
}

impl Builder {
    /// Sets the name of the virtual host, which error texts show. The default is `/`.
    pub fn virtual_host(mut self, name: impl Into<ShortString>) -> Self {
        self.config.virtual_host = name.into();
        self
    }

    /// Lets the broker behave as a version of RabbitMQ does.
    ///
    /// ```
    /// use tavrida_memory::{MemoryBroker, RabbitMq};
    ///
    /// let broker = MemoryBroker::builder().like(RabbitMq::V3_10).build();
    /// # drop(broker);
    /// ```
    pub fn like(self, version: RabbitMq) -> Self {
        self.behaviour(version.into())
    }

    /// Lets the broker behave in this way. The default is that of [`RabbitMq::default`].
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        self.config.behaviour = behaviour;
        self
    }

    /// Makes a durable queue that is declared without a type a quorum queue, as RabbitMQ 4 does in a virtual host that was added with
    /// `--default-queue-type quorum` (R139). Exclusive and auto-delete queues stay classic; 3.10 has no such setting, and ignores this.
    pub fn quorum_by_default(mut self) -> Self {
        self.config.quorum_by_default = true;
        self
    }

    /// Sets the seed of the names that the broker generates. The default is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Sets the wall clock, which stamps `x-death`. The default is the system's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts from a prepared core, such as one with a declared topology, instead of a new one; the core then keeps its own settings. It
    /// must have no connections: their numbers would collide with the shell's.
    pub fn core(mut self, core: Broker) -> Self {
        self.core = Some(core);
        self
    }

    /// Sets the network between sessions and broker. The default is none.
    pub fn network(mut self, network: Arc<dyn Network>) -> Self {
        self.network = Some(network);
        self
    }

    /// Sets the largest frame, in bytes, which bounds headers and arguments: what does not fit is refused with 501, as over RabbitMQ, whose
    /// own setting is 131,072. 0 is no limit, and the default.
    pub fn frame_max(mut self, frame_max: u32) -> Self {
        self.frame_max = frame_max;
        self
    }

    /// Lets outcomes of publishes come late, as over a network: who publishes goes on only after other tasks of the runtime had several turns,
    /// so that what a message causes may come before what its sender sends next. By default outcomes come at once. Without effect with a
    /// [`network`](Builder::network), which decides about outcomes.
    pub fn late_confirms(mut self) -> Self {
        self.late_confirms = true;
        self
    }

    /// Creates the broker.
    pub fn build(self) -> MemoryBroker {
        let mut clock = ShellClock::new(self.clock);
        if let Some(prepared) = &self.core {
            clock.learn(prepared);
        }
        let core = self.core.unwrap_or_else(|| Broker::new(self.config));
        let mut state = State::new(core, clock, self.network);
        state.frame_max = self.frame_max as usize;
        state.late_confirms = self.late_confirms && state.network.is_none();
        MemoryBroker { shared: Shared::new(state) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).finish_non_exhaustive()
    }
}
