//! [`Dispatcher`]: (kind, entry point) -> handler.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::handler::{ErasedHandler, Site, StateMap};
use crate::message::MessageKind;

/// The handlers of one service.
#[derive(Default)]
pub(crate) struct Dispatcher {
    handlers: FxHashMap<(MessageKind, EntryPoint), Arc<dyn ErasedHandler>>,
    /// The same keys in order, for whatever is shown or checked.
    entry_points: BTreeMap<(MessageKind, EntryPoint), ()>,
}

impl Dispatcher {
    /// Registers a handler; one that is there stays.
    pub(crate) fn register(
        &mut self,
        kind: MessageKind,
        entry_point: EntryPoint,
        handler: Arc<dyn ErasedHandler>,
    ) -> Result<(), Error> {
        let key = (kind, entry_point);
        if self.handlers.contains_key(&key) {
            let text = format!("two handlers for the {kind} {}", key.1);
            return Err(Error::new(Kind::DuplicatedEntryPointRegistration, text));
        }
        self.entry_points.insert(key.clone(), ());
        self.handlers.insert(key, handler);
        Ok(())
    }

    pub(crate) fn find(
        &self,
        kind: MessageKind,
        entry_point: &EntryPoint,
    ) -> Option<&Arc<dyn ErasedHandler>> {
        // The key is cloned for the look-up: its text is shared, so that this costs a reference count.
        self.handlers.get(&(kind, entry_point.clone()))
    }

    /// The entry points with handlers for a kind, sorted.
    pub(crate) fn entry_points(&self, kind: MessageKind) -> impl Iterator<Item = &EntryPoint> {
        self.entry_points.keys().filter(move |(k, _)| *k == kind).map(|(_, entry_point)| entry_point)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.handlers.is_empty()
    }

    /// Asks each handler whether it can work here.
    pub(crate) fn check(&self, service: &str, state: &StateMap) -> Result<(), Error> {
        for key @ (kind, entry_point) in self.entry_points.keys() {
            self.handlers[key].check(&Site { kind: *kind, state }).map_err(|flaw| {
                Error::new(
                    Kind::Build,
                    format!("service '{service}', handler of the {kind} {entry_point}: {flaw}"),
                )
            })?;
        }
        Ok(())
    }
}
