//! Asks: concurrent requests that share one private reply queue.
//!
//! The reply queue is declared when a session first needs it. It is exclusive to that session and named by the broker, so that replicas do
//! not receive each other's answers. Services of this library answer to that queue directly (AMQP's `reply_to` property). Services of the
//! Python original answer to the `reply_to` header, a reserved address: their answers reach the same queue through the exchange of the
//! asking side, if it has one.
//!
//! With direct replies there is no queue: the broker forwards answers as they come.

mod nested;
mod pending;

use std::sync::{Arc, OnceLock};

use smol_str::{SmolStr, format_smolstr};
use tokio::sync::Mutex;

pub(crate) use nested::{HandlerAsks, OpenAsk, ServerAsks};
pub(crate) use pending::{Pending, Waiting};

use crate::counters::Tally;
use crate::entry_point::EntryPoint;
use crate::envelope;
use crate::field::ShortString;
use crate::link::Epoch;
use crate::show::shown;
use crate::task::OwnTask;
use crate::transport::{
    Binding, ConnectionLost, Consume, Consumer, DIRECT_REPLY_TO, Queue, Session, SessionError,
};

/// The asking side of a client or server.
pub(crate) struct Asks {
    /// A reserved method name that is unique to this client or server.
    instance: SmolStr,
    /// The address for the service that asked first: most clients and servers ask as one service.
    address: OnceLock<EntryPoint>,
    /// The exchange for answers of the original's services, if any.
    exchange: Option<ShortString>,
    direct: bool,
    pending: Arc<Pending>,
    /// The reply queue, and the epoch whose session it belongs to.
    queue: Mutex<Option<(u64, ShortString)>>,
    tally: Arc<Tally>,
}

impl Asks {
    pub(crate) fn new(instance: SmolStr, exchange: Option<ShortString>, tally: Arc<Tally>) -> Self {
        Self {
            instance: format_smolstr!("{}{instance}", EntryPoint::RESERVED),
            address: OnceLock::new(),
            exchange,
            direct: false,
            pending: Arc::default(),
            queue: Mutex::new(None),
            tally,
        }
    }

    /// Creates the asking side for direct replies.
    pub(crate) fn direct(instance: SmolStr, tally: Arc<Tally>) -> Self {
        Self { direct: true, ..Self::new(instance, None, tally) }
    }

    /// Returns the address for answers to a service: a method of it that no handler can have.
    pub(crate) fn address(&self, service: &str) -> EntryPoint {
        let make = || EntryPoint::new(service, &self.instance).unwrap_or_default();
        let kept = self.address.get_or_init(make);
        if kept.service() == Some(service) { kept.clone() } else { make() }
    }

    pub(crate) fn pending(&self) -> &Arc<Pending> {
        &self.pending
    }

    /// Returns the reply queue of this session, and declares, binds and consumes it if needed.
    pub(crate) async fn queue(&self, epoch: &Epoch) -> Result<ShortString, SessionError> {
        let mut queue = self.queue.lock().await;
        if let Some((number, name)) = &*queue
            && *number == epoch.number
            && self.pending.is_open(*number)
        {
            return Ok(name.clone());
        }
        let session = &epoch.session;
        let name = match self.direct {
            true => ShortString::from_static(DIRECT_REPLY_TO),
            false => self.declare(&**session).await?,
        };
        // No consumer could receive an unacknowledged answer again: the queue is deleted with the session.
        let consumer = session.consume(&Consume { no_ack: true, ..Consume::new(&name, 0) }).await?;
        self.pending.open(epoch.number);
        let open = OpenQueue { pending: self.pending.clone(), epoch: epoch.number, _own: OwnTask::begin() };
        tokio::spawn(take_answers(consumer, open, self.tally.clone()));
        *queue = Some((epoch.number, name.clone()));
        Ok(name)
    }

    /// Declares and binds a queue for answers.
    async fn declare(&self, session: &dyn Session) -> Result<ShortString, SessionError> {
        let name = session.admin().declare_queue(&Queue::exclusive()).await?.name;
        if let Some(exchange) = &self.exchange {
            let every_service =
                ShortString::try_from(format!("*.{}", self.instance)).expect("an instance is short");
            session.admin().bind(&Binding::queue(&name, exchange, every_service)).await?;
        }
        Ok(name)
    }
}

/// The reply queue of an epoch while it is consumed. Dropped with its task, when the runtime ends, it fails the asks that wait.
struct OpenQueue {
    pending: Arc<Pending>,
    epoch: u64,
    _own: OwnTask,
}

impl Drop for OpenQueue {
    fn drop(&mut self) {
        self.pending.close(self.epoch, &ConnectionLost::broken("the runtime of the asker was shut down"));
    }
}

/// Delivers answers to the asks that wait for them until the session ends; the remaining asks then fail with the loss.
async fn take_answers(mut consumer: Consumer, open: OpenQueue, tally: Arc<Tally>) {
    let end = loop {
        let delivery = match consumer.next().await {
            Ok(delivery) => delivery,
            Err(end) => break end,
        };
        match envelope::decode(delivery.publication()) {
            Ok(message) => {
                if let Err(message) = open.pending.resolve(message) {
                    tally.late.add_one();
                    tracing::debug!(message = %shown(&message), request_id = %shown(message.request_id()), "an answer came too late");
                }
            }
            Err(undecodable) => {
                tally.unreadable.add_one();
                let error = undecodable.error.without_payload();
                tracing::warn!(error = %shown(&error), "an answer cannot be read");
            }
        }
    };
    open.pending.close(open.epoch, &ConnectionLost::broken(end.to_string()));
}
