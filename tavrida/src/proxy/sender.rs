//! [`Sender`]: the identity, the session and the ids of a send.

use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::responder_state::ResponderState;
use crate::asks::{Asks, HandlerAsks, OpenAsk};
use crate::entry_point::EntryPoint;
use crate::error::Error;
use crate::id::IdScope;
use crate::link::{Epoch, Link};
use crate::message::{Context, CorrelationId, Headers, Message};
use crate::outbound::{Outbound, Seal, SendError, SendOptions, Sent};

/// What a proxy and a client send with. Clones are the same sender.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Inner>);

struct Inner {
    source: EntryPoint,
    correlation_id: Option<CorrelationId>,
    context: Context,
    headers: Mutex<Headers>,
    route: Route,
    outbound: Arc<Outbound>,
    asks: Arc<Asks>,
    ids: IdScope,
    responder_state: ResponderState,
}

/// The identity of a sender.
pub(crate) struct Identity {
    pub(crate) source: EntryPoint,
    /// `None` outside a chain: each send starts one.
    pub(crate) correlation_id: Option<CorrelationId>,
    pub(crate) context: Context,
    pub(crate) headers: Headers,
}

/// The session of a send.
pub(crate) enum Route {
    /// The session of the handled delivery: if it is lost, the handler's sends fail, since the message is redelivered.
    Delivery { epoch: Epoch, asks: Arc<HandlerAsks> },
    /// The current session; waits for one if there is none.
    Current { link: Arc<Link>, patience: Duration },
}

impl Sender {
    pub(crate) fn new(
        identity: Identity,
        route: Route,
        outbound: Arc<Outbound>,
        asks: Arc<Asks>,
        ids: IdScope,
    ) -> Self {
        let Identity { source, correlation_id, context, headers } = identity;
        let headers = Mutex::new(headers);
        let responder_state = ResponderState::default();
        Self(Arc::new(Inner {
            source,
            correlation_id,
            context,
            headers,
            route,
            outbound,
            asks,
            ids,
            responder_state,
        }))
    }

    pub(crate) async fn epoch(&self) -> Result<Epoch, Error> {
        match &self.0.route {
            Route::Delivery { epoch, .. } => Ok(epoch.clone()),
            Route::Current { link, patience } => link.current_session().wait(*patience).await,
        }
    }

    pub(crate) async fn send(&self, message: Message, options: SendOptions) -> Result<Sent, SendError> {
        match self.epoch().await {
            Ok(epoch) => self.send_on(&epoch, message, options).await.inspect_err(|error| {
                if error.is_closed() {
                    self.lost(&epoch);
                }
            }),
            Err(error) => Err(SendError::new(error, message)),
        }
    }

    /// Records that this session was lost, so that the next send waits for another: an immediate retry would fail at once, and keep the
    /// link's own task from noticing.
    pub(crate) fn lost(&self, epoch: &Epoch) {
        if let Route::Current { link, .. } = &self.0.route
            && epoch.session.closed().now_or_never().is_some()
        {
            link.current_session().lose(epoch);
        }
    }

    pub(crate) async fn send_on(
        &self,
        epoch: &Epoch,
        message: Message,
        options: SendOptions,
    ) -> Result<Sent, SendError> {
        self.0.outbound.send(&*epoch.session, message, &self.0.ids, options).await
    }

    /// Returns how long a send waits for a session.
    pub(crate) fn patience(&self) -> Duration {
        match &self.0.route {
            Route::Delivery { .. } => Duration::ZERO,
            Route::Current { patience, .. } => *patience,
        }
    }

    pub(crate) fn source(&self) -> &EntryPoint {
        &self.0.source
    }

    pub(crate) fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0.correlation_id.as_ref()
    }

    pub(crate) fn context(&self) -> &Context {
        &self.0.context
    }

    pub(crate) fn headers(&self) -> MutexGuard<'_, Headers> {
        self.0.headers.lock()
    }

    pub(crate) fn ids(&self) -> &IdScope {
        &self.0.ids
    }

    /// Signs and checks what is answered later, where there is a secret.
    pub(super) fn seal(&self) -> Option<&Seal> {
        self.0.outbound.seal.as_deref()
    }

    pub(crate) fn responder_state(&self) -> &ResponderState {
        &self.0.responder_state
    }

    pub(crate) fn asks(&self) -> &Asks {
        &self.0.asks
    }

    /// Notes that the handler, if this is one's, waits for an answer of this address.
    pub(crate) fn open_ask(&self, destination: &EntryPoint) -> Option<OpenAsk> {
        match &self.0.route {
            Route::Delivery { asks, .. } => {
                Some(asks.begin(asks.is_of_itself(destination, &*self.0.outbound.discovery)))
            }
            Route::Current { .. } => None,
        }
    }

    /// Looks whether a handler's ask can be answered.
    ///
    /// # Errors
    ///
    /// It is one of a [cycle](HandlerAsks::check_cycle).
    pub(crate) async fn check_cycle(&self, epoch: &Epoch, request: &Message) -> Result<(), Error> {
        match &self.0.route {
            Route::Delivery { asks, .. }
                if asks.is_of_itself(request.destination(), &*self.0.outbound.discovery) =>
            {
                asks.check_cycle(request.source(), request.destination(), &*epoch.session).await
            }
            _ => Ok(()),
        }
    }

    /// How long the asker of a request waits: see [`Outbound::time_left`].
    pub(crate) fn time_left(&self, request: &Message) -> Option<Duration> {
        self.0.outbound.time_left(request)
    }
}
