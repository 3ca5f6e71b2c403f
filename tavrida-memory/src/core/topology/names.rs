//! The names of exchanges and queues: looking up, and what a name may be.

use tavrida::field::ShortString;

use super::Topology;
use crate::core::errors::{Code, Fault, Named};
use crate::core::ids::ConnectionId;
use crate::core::keys::{ExchangeKey, QueueKey};

impl Topology {
    pub(crate) fn exchange(&self, name: &str) -> Result<ExchangeKey, Fault> {
        let known = self.exchange_names.get(name).copied();
        known.ok_or_else(|| Fault::not_found(format!("no {}", self.exchange_text(name))))
    }

    pub(crate) fn queue(&self, name: &str) -> Result<QueueKey, Fault> {
        let known = self.queue_names.get(name).copied();
        known.ok_or_else(|| Fault::not_found(format!("no {}", self.queue_text(name))))
    }

    /// Checks that an exclusive queue is used by its own connection only (R52).
    pub(crate) fn check_access(&self, queue: QueueKey, connection: ConnectionId) -> Result<(), Fault> {
        match self.queues[queue].owner {
            Some(owner) if owner != connection => Err(self.locked(queue)),
            _ => Ok(()),
        }
    }

    pub(crate) fn locked(&self, queue: QueueKey) -> Fault {
        let what = self.queue_text(&self.queues[queue].name);
        Fault::new(
            Code::ResourceLocked,
            format!(
                "cannot obtain exclusive access to locked {what}. It could be originally declared on another \
                 connection or the exclusive property value does not match that of the original declaration."
            ),
        )
    }

    /// Returns a queue as error texts name it.
    pub(crate) fn queue_text<'a>(&'a self, name: &'a str) -> Named<'a> {
        Named { kind: "queue", name, virtual_host: &self.virtual_host }
    }

    /// Returns an exchange as error texts name it.
    pub(crate) fn exchange_text<'a>(&'a self, name: &'a str) -> Named<'a> {
        Named { kind: "exchange", name, virtual_host: &self.virtual_host }
    }
}

/// Removes line ends from a name (R29).
pub(crate) fn stripped(name: &ShortString) -> ShortString {
    if !name.contains(['\r', '\n']) {
        return name.clone();
    }
    name.replace(['\r', '\n'], "").try_into().expect("a shorter name is short enough")
}

pub(crate) fn check_not_default(name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        Err(Fault::access_refused("operation not permitted on the default exchange"))
    } else {
        Ok(())
    }
}

pub(crate) fn check_not_reserved(kind: &str, name: &str) -> Result<(), Fault> {
    if name.starts_with("amq.") {
        let text = format!("{kind} name '{name}' contains reserved prefix 'amq.*'");
        return Err(Fault::access_refused(text));
    }
    Ok(())
}
