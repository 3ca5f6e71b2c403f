//! [`Repair`]: a deleted exchange is declared again when a publish to it is refused.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::cold::cold;
use crate::counters::Tally;
use crate::field::ShortString;
use crate::transport::{
    Binding, Exchange, Publication, PublishError, PublishErrorKind, Session, SessionError,
};

/// How long to wait after a failed repair: each attempt costs the broker a channel.
const PAUSE: Duration = Duration::from_secs(1);

/// The exchanges that this side may declare, with the bindings of its queue to them.
pub(crate) struct OwnExchanges {
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) bindings: Vec<Binding>,
    /// Whether they are declared here; otherwise their absence is only reported.
    pub(crate) declares: bool,
}

/// Detects exchanges of this side that were deleted during the session, and declares them again.
pub(crate) struct Repair {
    /// Set once the services are known; not set for a client.
    own: OnceLock<OwnExchanges>,
    tally: Arc<Tally>,
    /// The missing exchange, why it could not be declared, and when that was tried.
    missing: Mutex<BTreeMap<ShortString, (String, Instant)>>,
    /// Whether an exchange is missing.
    degraded: AtomicBool,
    /// The number of repairs: a send that waited for a pending one needs no other.
    generation: AtomicU64,
    turn: tokio::sync::Mutex<()>,
}

impl Repair {
    pub(crate) fn new(tally: Arc<Tally>) -> Self {
        Self {
            own: OnceLock::new(),
            tally,
            missing: Mutex::default(),
            degraded: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Sets the exchanges of this side, once.
    pub(crate) fn own(&self, own: OwnExchanges) {
        let _ = self.own.set(own);
    }

    /// Returns why an exchange of this side is missing, if one is.
    pub(crate) fn degraded(&self) -> Option<String> {
        let missing = self.missing.lock();
        missing.iter().next().map(|(name, (why, _))| format!("the exchange '{name}' is missing: {why}"))
    }

    /// Records that nothing is missing: everything was declared or checked.
    pub(crate) fn clear(&self) {
        self.missing.lock().clear();
        self.degraded.store(false, Ordering::Relaxed);
    }

    /// Publishes; if an exchange of this side is missing, declares it and publishes once more. The broker did not accept a refused message,
    /// so that this cannot create a duplicate.
    pub(crate) async fn publish(
        &self,
        session: &dyn Session,
        publication: Publication,
    ) -> Result<(), PublishError> {
        let watched = self.degraded.load(Ordering::Relaxed).then(|| publication.exchange.clone());
        let unpublished = match session.publish(publication).await {
            Ok(()) => {
                watched.into_iter().for_each(|exchange| self.found(&exchange));
                return Ok(());
            }
            Err(unpublished) => unpublished,
        };
        match &unpublished.reason {
            PublishErrorKind::Refused(refusal) if refusal.code == 404 => {
                cold(self.publish_again(session, unpublished)).await
            }
            _ => Err(unpublished),
        }
    }

    async fn publish_again(
        &self,
        session: &dyn Session,
        unpublished: PublishError,
    ) -> Result<(), PublishError> {
        let exchange = unpublished.publication.exchange.clone();
        let Some(own) = self.own.get() else { return Err(unpublished) };
        let Some(missing) = own.exchanges.iter().find(|own| own.name == exchange) else {
            return Err(unpublished);
        };
        if !own.declares {
            self.miss(&exchange, "it was deleted, and this server does not declare its topology".into());
            return Err(unpublished);
        }
        let seen = self.generation.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if self.generation.load(Ordering::Acquire) == seen {
            if self.failed_lately(&exchange) {
                return Err(unpublished);
            }
            match declare(session, missing, &own.bindings).await {
                Ok(()) => {
                    tracing::warn!(exchange = &*exchange, "a deleted exchange was declared again");
                    self.generation.fetch_add(1, Ordering::Release);
                    self.tally.repaired.add_one();
                    self.found(&exchange);
                }
                Err(error) => {
                    tracing::error!(exchange = &*exchange, %error, "a deleted exchange cannot be declared again");
                    self.miss(&exchange, error.to_string());
                    return Err(unpublished);
                }
            }
        }
        session.publish(*unpublished.publication).await
    }

    fn failed_lately(&self, exchange: &ShortString) -> bool {
        self.missing.lock().get(exchange).is_some_and(|(_, tried)| tried.elapsed() < PAUSE)
    }

    fn miss(&self, exchange: &ShortString, why: String) {
        self.missing.lock().insert(exchange.clone(), (why, Instant::now()));
        self.degraded.store(true, Ordering::Relaxed);
    }

    fn found(&self, exchange: &ShortString) {
        let mut missing = self.missing.lock();
        missing.remove(exchange);
        self.degraded.store(!missing.is_empty(), Ordering::Relaxed);
    }
}

/// Declares an exchange, and binds the own queue to it as before.
async fn declare(
    session: &dyn Session,
    exchange: &Exchange,
    bindings: &[Binding],
) -> Result<(), SessionError> {
    session.admin().declare_exchange(exchange).await?;
    for binding in bindings.iter().filter(|binding| binding.source == exchange.name) {
        session.admin().bind(binding).await?;
    }
    Ok(())
}
