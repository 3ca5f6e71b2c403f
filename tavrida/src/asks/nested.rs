//! Asks of handlers. While a handler waits for an answer it runs nothing, and needs no slot of its server.
//!
//! Its message stays unsettled, and counts for the prefetch. Where all messages of a prefetch belong to handlers that ask
//! this very server, the broker delivers none of their requests: a cycle that no waiting ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use crate::discovery::Discovery;
use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::field::ShortString;
use crate::transport::Session;

/// How long all handlers have to wait for each other before it counts as a cycle.
const GRACE: Duration = Duration::from_millis(50);

/// The asks that handlers of one server wait for.
pub(crate) struct ServerAsks {
    queue: ShortString,
    exchange: ShortString,
    /// The services of the server.
    services: Vec<ShortString>,
    prefetch: AtomicU16,
    /// Messages are handled in order: a handler keeps its slot, unless that would keep its answer away.
    ordered: bool,
    /// Handlers that wait for this very server.
    on_itself: AtomicUsize,
    warned: AtomicBool,
}

impl ServerAsks {
    pub(crate) fn new(
        (queue, exchange): (ShortString, ShortString),
        services: Vec<ShortString>,
        prefetch: u16,
        ordered: bool,
    ) -> Arc<Self> {
        let (on_itself, warned) = (AtomicUsize::new(0), AtomicBool::new(false));
        let prefetch = AtomicU16::new(prefetch);
        Arc::new(Self { queue, exchange, services, prefetch, ordered, on_itself, warned })
    }

    /// Returns the exchange of the server.
    pub(crate) fn exchange(&self) -> &str {
        &self.exchange
    }

    /// The consumer of a new session may have another prefetch.
    pub(crate) fn set_prefetch(&self, prefetch: u16) {
        self.prefetch.store(prefetch, Ordering::Relaxed);
    }

    pub(crate) fn prefetch(&self) -> usize {
        self.prefetch.load(Ordering::Relaxed).into()
    }

    /// Warns once of handlers that take up half of the prefetch, while they wait for others to be delivered.
    fn warn(&self, waiting: usize) {
        let prefetch = self.prefetch();
        if waiting >= prefetch.div_ceil(2) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                queue = &*self.queue,
                prefetch,
                waiting,
                "half of the prefetch is taken up by handlers that ask services of their own server; with all of it taken up, \
                 such asks fail: raise the prefetch, or answer later (`call_with`)"
            );
        }
    }
}

/// The asks that one handler waits for.
pub(crate) struct HandlerAsks {
    server: Arc<ServerAsks>,
    open: AtomicUsize,
    on_itself: AtomicUsize,
}

impl HandlerAsks {
    pub(crate) fn new(server: Arc<ServerAsks>) -> Arc<Self> {
        Arc::new(Self { server, open: AtomicUsize::new(0), on_itself: AtomicUsize::new(0) })
    }

    /// Whether requests to an address come back to the handler's own server.
    pub(crate) fn is_of_itself(&self, destination: &EntryPoint, discovery: &dyn Discovery) -> bool {
        let service = destination.service().unwrap_or_default();
        let ServerAsks { services, exchange, .. } = &*self.server;
        services.iter().any(|name| name == service)
            && discovery.service_exchange(service).is_some_and(|found| found == *exchange)
    }

    /// An ask begins, to a service of the handler's own server or to another.
    pub(crate) fn begin(self: &Arc<Self>, of_itself: bool) -> OpenAsk {
        self.open.fetch_add(1, Ordering::SeqCst);
        if of_itself && self.on_itself.fetch_add(1, Ordering::SeqCst) == 0 {
            let waiting = self.server.on_itself.fetch_add(1, Ordering::SeqCst) + 1;
            self.server.warn(waiting);
        }
        OpenAsk { handler: self.clone(), of_itself }
    }

    /// Whether the handler, which does nothing at the moment, needs no slot.
    pub(crate) fn needs_no_slot(&self) -> bool {
        let waits_for = if self.server.ordered { &self.on_itself } else { &self.open };
        waits_for.load(Ordering::SeqCst) > 0
    }

    /// Looks whether an ask to a service of this server can be answered.
    ///
    /// # Errors
    ///
    /// All that the broker delivers before something is settled are messages whose handlers wait as this one does, and no
    /// other server takes from the queue.
    pub(crate) async fn check_cycle(
        &self,
        source: &EntryPoint,
        destination: &EntryPoint,
        session: &dyn Session,
    ) -> Result<(), Error> {
        let (queue, prefetch) = (&self.server.queue, self.server.prefetch());
        let all_wait = || self.server.on_itself.load(Ordering::SeqCst) >= prefetch;
        if !all_wait() {
            return Ok(());
        }
        // A cycle lasts, and an answer that is on its way does not: then its handler continues.
        tokio::time::sleep(GRACE).await;
        // Another consumer may take the requests. Only now, since it costs a round trip.
        if !all_wait()
            || !session.admin().declare_queue_passive(queue).await.is_ok_and(|queue| queue.consumers <= 1)
        {
            return Ok(());
        }
        let text = format!(
            "a cycle: {source} asks {destination} of its own server, and the whole prefetch of {prefetch} on the queue '{queue}' is \
             taken up by handlers that wait for such answers, so that no request is delivered; raise the prefetch, or answer \
             later (`call_with`)"
        );
        Err(Error::new(Kind::Cycle, text))
    }
}

/// An ask that has no answer yet; dropping it ends it.
pub(crate) struct OpenAsk {
    handler: Arc<HandlerAsks>,
    of_itself: bool,
}

impl Drop for OpenAsk {
    fn drop(&mut self) {
        let HandlerAsks { server, open, on_itself } = &*self.handler;
        open.fetch_sub(1, Ordering::SeqCst);
        if self.of_itself && on_itself.fetch_sub(1, Ordering::SeqCst) == 1 {
            server.on_itself.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
