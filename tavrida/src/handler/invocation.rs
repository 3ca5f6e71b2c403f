//! [`Invocation`]: one message and its environment, as extractors see them.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Attempt, Deadline};
use crate::message::Message;
use crate::proxy::Proxy;

/// One message that is about to be handled.
pub struct Invocation {
    pub(crate) message: Message,
    pub(crate) proxy: Proxy,
    pub(crate) state: Arc<StateMap>,
    pub(crate) attempt: Attempt,
    pub(crate) deadline: Deadline,
}

impl Invocation {
    /// Returns the message. Its payload is merged into its context.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the proxy that sends in the name of the handler.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Returns the attempt number.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Returns the deadline of the handler.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Returns a state of the service, by its type.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.state.get()
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("message", &self.message.to_string()).finish_non_exhaustive()
    }
}

/// The states of a service, one of each type.
#[derive(Default)]
pub(crate) struct StateMap(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl StateMap {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), state);
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let state = self.0.get(&TypeId::of::<T>())?.clone();
        Some(state.downcast().expect("a state is kept under its own type"))
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateMap({} types)", self.0.len())
    }
}
