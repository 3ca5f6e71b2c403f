//! [`GivenUp`]: the messages that came back too often, until their copies are there.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::bare::bare_copy;
use crate::field::{ShortString, Value};
use crate::transport::{Delivery, Publication};

/// On a copy that begins again in the server's queue: how often its message came back.
pub(super) const RETURNS: ShortString = ShortString::from_static("x-tavrida-returns");

/// The messages that were given up and are not acknowledged yet. They outlive their session: their next return may be the last, so that
/// they are copied before anything is consumed again, and what was done for one is not done twice.
#[derive(Default)]
pub(crate) struct GivenUp {
    entries: Mutex<Vec<Entry>>,
    /// Whether a warning of the queue's type was given.
    pub(super) warned: AtomicBool,
}

struct Entry {
    message: Arc<Publication>,
    returns: i64,
    progress: Progress,
    /// Whether this session delivered it.
    in_hand: bool,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) answered: bool,
    pub(super) copied: bool,
}

impl GivenUp {
    /// Records a delivery of a message that is given up. Returns what was done for its message in an earlier session.
    pub(super) fn begin(&self, delivery: &Delivery, returns: i64) -> Progress {
        let (message, content) = (delivery.publication().clone(), bare_copy(delivery, None));
        let mut entries = self.entries.lock();
        let earlier =
            entries.iter_mut().find(|entry| !entry.in_hand && bare_copy(&entry.delivery(), None) == content);
        if let Some(entry) = earlier {
            entry.in_hand = true;
            entry.message = message;
            return entry.progress;
        }
        let progress = Progress { answered: has_begun_again(delivery).is_some(), copied: false };
        entries.push(Entry { message, returns, progress, in_hand: true });
        progress
    }

    pub(super) fn change(&self, message: &Arc<Publication>, change: impl FnOnce(&mut Progress)) {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.message, message)) {
            change(&mut entry.progress);
        }
    }

    /// Records that a message was copied and acknowledged, or only copied.
    pub(super) fn end(&self, message: &Arc<Publication>, acked: bool) {
        match acked {
            true => self.entries.lock().retain(|entry| !Arc::ptr_eq(&entry.message, message)),
            false => self.change(message, |progress| progress.copied = true),
        }
    }

    /// Forgets what was copied in an earlier session and did not come back here.
    pub(super) fn next_session(&self) {
        let mut entries = self.entries.lock();
        entries.retain(|entry| entry.in_hand || !entry.progress.copied);
        entries.iter_mut().for_each(|entry| entry.in_hand = false);
    }

    pub(super) fn first_without_copy(&self) -> Option<(Delivery, i64)> {
        let entries = self.entries.lock();
        let entry = entries.iter().find(|entry| !entry.in_hand && !entry.progress.copied)?;
        Some((entry.delivery(), entry.returns))
    }

    /// Returns why a server between two sessions does not consume, if that is because of these messages.
    pub(crate) fn why_idle(&self) -> Option<String> {
        let (_, returns) = self.first_without_copy()?;
        Some(format!(
            "a message that came back {returns} times has to be dead-lettered before anything is consumed"
        ))
    }
}

impl Entry {
    /// Its delivery was requeued with its session, or is settled elsewhere.
    fn delivery(&self) -> Delivery {
        Delivery::settled(self.message.clone(), true)
    }
}

/// How often a message had come back when this copy of it began again. A service of the original passes on all headers, by an exchange.
pub(super) fn has_begun_again(delivery: &Delivery) -> Option<i64> {
    if !delivery.publication().exchange.is_empty() {
        return None;
    }
    delivery.properties().headers().get(&RETURNS).and_then(Value::as_i64)
}
