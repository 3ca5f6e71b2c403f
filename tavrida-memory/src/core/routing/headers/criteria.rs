//! [`Criteria`]: what a binding requires of the headers of a message.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use tavrida::field::{ShortString, Table, Value};

use super::equality::{self, Comparison};
use crate::core::erlang;

/// The wants of a binding: any of them, or all.
#[derive(Debug, Clone)]
pub(super) struct Criteria {
    pub(super) any: bool,
    pub(super) wants: Vec<Want>,
}

/// One relevant argument.
#[derive(Debug, Clone)]
pub(super) struct Want {
    /// The hash of a header that satisfies it.
    pub(super) hash: u64,
    name: ShortString,
    /// Void if only the name is required.
    value: Value,
}

impl PartialEq for Want {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && erlang::same(&self.value, &other.value, true)
    }
}

impl Want {
    fn new(name: &ShortString, value: &Value) -> Self {
        let hash = if *value == Value::Void { name_alone(name) } else { wanted_pair(name, value) };
        Self { hash, name: name.clone(), value: value.clone() }
    }

    /// Returns whether a header satisfies it.
    pub(super) fn holds_for(&self, name: &ShortString, value: &Value, comparison: Comparison) -> bool {
        *name == self.name && (self.value == Value::Void || equality::equal(&self.value, value, comparison))
    }
}

impl Criteria {
    pub(super) fn new(arguments: &Table) -> Result<Self, MatchError> {
        let mode = MatchMode::of(arguments)?;
        let wants = arguments
            .iter()
            .filter(|(name, _)| *name != "x-match" && (mode.with_x || !name.starts_with("x-")))
            .map(|(name, value)| Want::new(name, value))
            .collect();
        Ok(Self { any: mode.any, wants })
    }

    pub(super) fn check(arguments: &Table) -> Result<(), MatchError> {
        MatchMode::of(arguments).map(|_| ())
    }
}

/// Returns the hash of a header of a message for wants that require its value.
pub(super) fn pair(name: &str, found: &Value, comparison: Comparison) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    equality::hash_found(found, comparison, &mut hasher);
    hasher.finish()
}

fn wanted_pair(name: &str, wanted: &Value) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    equality::hash(wanted, &mut hasher);
    hasher.finish()
}

/// Returns the hash of a header for wants that require only its name.
pub(super) fn name_alone(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish()
}

struct MatchMode {
    any: bool,
    with_x: bool,
}

impl MatchMode {
    fn of(arguments: &Table) -> Result<Self, MatchError> {
        let (any, with_x) = match arguments.get("x-match") {
            None => (false, false),
            Some(Value::LongString(text)) => match &text[..] {
                b"all" => (false, false),
                b"any" => (true, false),
                b"all-with-x" => (false, true),
                b"any-with-x" => (true, true),
                other => {
                    return Err(MatchError(format!(
                        "Invalid x-match field value {}; expected all, any, all-with-x, or any-with-x",
                        erlang::binary(other)
                    )));
                }
            },
            Some(other) => {
                return Err(MatchError(format!(
                    "Invalid x-match field type {} (value {}); expected longstr",
                    erlang::type_name(other),
                    erlang::term(other)
                )));
            }
        };
        Ok(Self { any, with_x })
    }
}

/// Why a binding's `x-match` is refused, in RabbitMQ's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchError(String);

impl std::fmt::Display for MatchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MatchError {}
