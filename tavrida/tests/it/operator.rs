//! The stories on the in-process broker, in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tavrida::transport::{ConnectionLost, Session, SessionError, Transport};
use tavrida_memory::{MemoryBroker, MemoryTransport};

use crate::stories::{Broker, Operator};

/// A broker with its operator.
struct Operated {
    broker: MemoryBroker,
    stopped: Arc<AtomicBool>,
}

/// Refuses connections while the broker is stopped.
struct Door {
    transport: MemoryTransport,
    stopped: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Transport for Door {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(ConnectionLost::broken("connection refused").into());
        }
        self.transport.connect().await
    }

    fn endpoint(&self) -> String {
        self.transport.endpoint()
    }
}

impl Broker for Operated {
    type Transport = Door;
    const LATENCY: Duration = Duration::from_millis(1);
    const CONFIRMS_LATE: bool = false;

    async fn begin() -> Self {
        Self { broker: MemoryBroker::new(), stopped: Arc::default() }
    }

    fn transport(&self) -> Door {
        Door { transport: self.broker.transport(), stopped: self.stopped.clone() }
    }
}

impl Operator for Operated {
    async fn close_sessions(&self, reason: &str) {
        self.broker.close_sessions(reason);
    }

    async fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.broker.restart();
    }

    async fn start_again(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    async fn block(&self) {
        self.broker.block("low on memory");
    }

    async fn unblock(&self) {
        self.broker.unblock();
    }

    async fn queues(&self) -> usize {
        self.broker.snapshot().queues.len()
    }
}

crate::stories::each_story!(tokio::test(start_paused = true), Operated, Operated);
