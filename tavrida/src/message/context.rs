//! [`Context`]: the data that a chain of calls collects.

use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::error::Error;
use crate::json::Object;

/// The context of a chain: a JSON object that each hop extends with the payload of the message it received.
///
/// Clones are the same context: what a handler adds through one is visible through the other, and is sent with everything that the handler
/// sends afterwards. It is parsed on demand.
#[derive(Clone, Default)]
pub struct Context(Arc<Mutex<Layers>>);

/// The merged layers, oldest first. They become one object on demand.
#[derive(Default)]
struct Layers {
    base: Object,
    over: SmallVec<[Object; 1]>,
}

impl Layers {
    fn flat(&mut self) -> &Object {
        if !self.over.is_empty() {
            self.base = self.base.merged(&self.over);
            self.over.clear();
        }
        &self.base
    }
}

impl Context {
    /// Returns the value of one key.
    ///
    /// # Errors
    ///
    /// The key is missing or of another type; the error names it.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        match self.0.lock().flat().get(key) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(super::missing_parameter(key)),
            Err(error) => Err(super::ill_typed_parameter(key, &error)),
        }
    }

    /// Sets one key, and replaces an older value.
    ///
    /// # Errors
    ///
    /// The value does not serialise.
    pub fn insert(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let one = std::collections::BTreeMap::from([(key, value)]);
        let layer = super::Payload::new(&one)?;
        self.merge(layer.object());
        Ok(())
    }

    /// Merges all members of an object over the context: theirs win.
    pub fn merge(&self, object: &Object) {
        if !object.is_empty() {
            self.0.lock().over.push(object.clone());
        }
    }

    /// Returns the current context as one object.
    pub fn object(&self) -> Object {
        self.0.lock().flat().clone()
    }

    /// Returns an independent context with the current content of this one.
    pub(crate) fn fork(&self) -> Self {
        self.object().into()
    }
}

impl From<Object> for Context {
    fn from(base: Object) -> Self {
        Self(Arc::new(Mutex::new(Layers { base, over: SmallVec::new() })))
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.object() == other.object()
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({})", self.object())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_keys_win_and_a_clone_is_the_same_context() {
        let context = Context::from(Object::parse(r#"{"how": "plain", "n": 1}"#).unwrap());
        let seen_by_handler = context.clone();
        context.merge(&Object::parse(r#"{"n": 2}"#).unwrap());
        seen_by_handler.insert("added", "here").unwrap();
        assert_eq!(context.object().as_str(), r#"{"how":"plain","n":2,"added":"here"}"#);
        assert_eq!(context.get::<i64>("n").unwrap(), 2);
        assert!(context.get::<i64>("nope").unwrap_err().to_string().contains("'nope' is missing"));
    }

    #[test]
    fn a_fork_goes_its_own_way() {
        let context = Context::default();
        let fork = context.fork();
        fork.insert("only", "there").unwrap();
        assert_eq!(context.object(), Object::EMPTY);
    }

    #[test]
    fn ten_thousand_keys_are_no_trouble() {
        let many: std::collections::BTreeMap<String, usize> =
            (0..10_000).map(|n| (format!("key{n}"), n)).collect();
        let context = Context::from(Object::from_serialize(&many).unwrap());
        context.insert("key7", "new").unwrap();
        assert_eq!(context.get::<String>("key7").unwrap(), "new");
        assert_eq!(context.object().members().names().count(), 10_000);
    }
}
