//! [`Dispatcher`]: (kind, entry point) -> handler.

use std::sync::Arc;

use crate::entry_point::EntryPoint;
use crate::error::{Error, Kind};
use crate::handler::{ErasedHandler, Site, StateMap};
use crate::message::MessageKind;

/// The handlers of one service.
///
/// A service has few handlers: a sorted list finds them, and keeps them in order for output and checks.
#[derive(Default)]
pub(crate) struct Dispatcher {
    handlers: Vec<Registered>,
}

struct Registered {
    kind: MessageKind,
    entry_point: EntryPoint,
    handler: Arc<dyn ErasedHandler>,
}

impl Dispatcher {
    /// Registers a handler; an existing one is kept.
    pub(crate) fn register(
        &mut self,
        kind: MessageKind,
        entry_point: EntryPoint,
        handler: Arc<dyn ErasedHandler>,
    ) -> Result<(), Error> {
        match self.place(kind, &entry_point) {
            Ok(_) => {
                let text = format!("two handlers for the {kind} {entry_point}");
                Err(Error::new(Kind::DuplicatedEntryPointRegistration, text))
            }
            Err(place) => {
                self.handlers.insert(place, Registered { kind, entry_point, handler });
                Ok(())
            }
        }
    }

    pub(crate) fn find(
        &self,
        kind: MessageKind,
        entry_point: &EntryPoint,
    ) -> Option<&Arc<dyn ErasedHandler>> {
        self.place(kind, entry_point).ok().map(|place| &self.handlers[place].handler)
    }

    /// Returns the position of a handler, or where to insert it.
    fn place(&self, kind: MessageKind, entry_point: &EntryPoint) -> Result<usize, usize> {
        self.handlers.binary_search_by(|known| (known.kind, &known.entry_point).cmp(&(kind, entry_point)))
    }

    /// Returns the entry points with handlers for a kind, sorted.
    pub(crate) fn entry_points(&self, kind: MessageKind) -> impl Iterator<Item = &EntryPoint> {
        self.handlers.iter().filter(move |known| known.kind == kind).map(|known| &known.entry_point)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.handlers.is_empty()
    }

    /// Checks whether each handler can work here.
    pub(crate) fn check(&self, service: &str, state: &StateMap) -> Result<(), Error> {
        for Registered { kind, entry_point, handler } in &self.handlers {
            handler.check(&Site { kind: *kind, state }).map_err(|flaw| {
                Error::new(
                    Kind::Build,
                    format!("service '{service}', handler of the {kind} {entry_point}: {flaw}"),
                )
            })?;
        }
        Ok(())
    }
}
