//! [`Criteria`]: what a binding asks of the headers of a message.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use tavrida::field::{ShortString, Table, Value};

use super::equality;
use crate::core::erlang;

/// What a binding asks for: any of its wants, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Criteria {
    pub(super) any: bool,
    pub(super) wants: Box<[Want]>,
}

/// One argument that counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Want {
    /// The hash of the header that would satisfy it.
    pub(super) hash: u64,
    name: ShortString,
    /// Void where the name alone is asked for.
    value: Value,
}

/// The headers of a message with their hashes.
pub(super) struct Headers<'a> {
    entries: Vec<Entry<'a>>,
}

pub(super) struct Entry<'a> {
    /// The hash of name and value.
    pub(super) pair: u64,
    /// The hash of the name alone.
    pub(super) name_alone: u64,
    name: &'a ShortString,
    value: &'a Value,
}

impl<'a> Headers<'a> {
    pub(super) fn new(headers: &'a Table) -> Self {
        let entries = headers
            .iter()
            .map(|(name, value)| Entry { pair: pair(name, value), name_alone: name_alone(name), name, value })
            .collect();
        Self { entries }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter()
    }
}

impl Want {
    fn new(name: &ShortString, value: &Value) -> Self {
        let hash = if *value == Value::Void { name_alone(name) } else { pair(name, value) };
        Self { hash, name: name.clone(), value: value.clone() }
    }

    pub(super) fn holds_for(&self, entry: &Entry<'_>) -> bool {
        let (hash, asks_for_value) = match self.value {
            Value::Void => (entry.name_alone, false),
            _ => (entry.pair, true),
        };
        hash == self.hash
            && *entry.name == self.name
            && (!asks_for_value || equality::equal(&self.value, entry.value))
    }
}

impl Criteria {
    pub(super) fn new(arguments: &Table) -> Result<Self, InvalidMatch> {
        let mode = Mode::of(arguments)?;
        let wants = arguments
            .iter()
            .filter(|(name, _)| *name != "x-match" && (mode.with_x || !name.starts_with("x-")))
            .map(|(name, value)| Want::new(name, value))
            .collect();
        Ok(Self { any: mode.any, wants })
    }

    pub(super) fn check(arguments: &Table) -> Result<(), InvalidMatch> {
        Mode::of(arguments).map(|_| ())
    }

    pub(super) fn hold(&self, headers: &Headers<'_>) -> bool {
        let holds = |want: &Want| headers.iter().any(|entry| want.holds_for(entry));
        if self.any { self.wants.iter().any(holds) } else { self.wants.iter().all(holds) }
    }
}

fn pair(name: &str, value: &Value) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    equality::hash(value, &mut hasher);
    hasher.finish()
}

fn name_alone(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish()
}

struct Mode {
    any: bool,
    with_x: bool,
}

impl Mode {
    fn of(arguments: &Table) -> Result<Self, InvalidMatch> {
        let (any, with_x) = match arguments.get("x-match") {
            None => (false, false),
            Some(Value::LongString(text)) => match &text[..] {
                b"all" => (false, false),
                b"any" => (true, false),
                b"all-with-x" => (false, true),
                b"any-with-x" => (true, true),
                other => {
                    return Err(InvalidMatch(format!(
                        "Invalid x-match field value {}; expected all, any, all-with-x, or any-with-x",
                        erlang::binary(other)
                    )));
                }
            },
            Some(other) => {
                return Err(InvalidMatch(format!(
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
pub struct InvalidMatch(String);

impl std::fmt::Display for InvalidMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidMatch {}
