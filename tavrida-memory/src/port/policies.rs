//! Policies of definitions, as the core has them.

use serde_json::{Map, Value as Json};
use tavrida::field::ShortString;

use crate::core::{ApplyTo, Definition, NamePattern, Policy};

impl Policy {
    /// Returns a policy of definitions. Its pattern is one of those that [`NamePattern`] has, and its keys are those of [`Definition`].
    pub(super) fn from_definitions(
        name: ShortString,
        pattern: &str,
        apply_to: Option<&str>,
        priority: i32,
        definition: &Map<String, Json>,
    ) -> Result<Self, String> {
        let apply_to = match apply_to {
            None | Some("all") => ApplyTo::All,
            Some("queues") => ApplyTo::Queues,
            Some("exchanges") => ApplyTo::Exchanges,
            Some(other) => return Err(format!("policy '{name}': 'apply-to' {other} is not supported")),
        };
        let unknown = |what: &str| format!("policy '{name}': {what} is not supported");
        let pattern = pattern_of(pattern).ok_or_else(|| unknown(&format!("the pattern '{pattern}'")))?;
        let definition = definition_of(definition).map_err(|key| unknown(&format!("'{key}'")))?;
        Ok(Self { name, pattern, apply_to, priority, definition })
    }
}

fn pattern_of(pattern: &str) -> Option<NamePattern> {
    if matches!(pattern, "" | ".*" | "^.*" | "^.*$" | ".*$" | "^") {
        return Some(NamePattern::All);
    }
    let text = pattern.strip_prefix('^')?;
    let (text, whole) = match text.strip_suffix('$') {
        Some(text) => (text, true),
        None => (text.strip_suffix(".*").unwrap_or(text), false),
    };
    let literal = text.replace("\\.", "\0");
    if literal.contains(|c| "\\.[](){}*+?|^$".contains(c)) {
        return None;
    }
    let text = ShortString::try_from(literal.replace('\0', ".")).ok()?;
    Some(if whole { NamePattern::Name(text) } else { NamePattern::Prefix(text) })
}

/// Reads what a policy sets. The error is a key that is unknown, or has a value of another type.
fn definition_of(members: &Map<String, Json>) -> Result<Definition, &str> {
    let mut definition = Definition::default();
    for (key, json) in members {
        let text = || json.as_str().and_then(|text| ShortString::try_from(text).ok());
        let number = || json.as_u64();
        let known = match key.as_str() {
            "alternate-exchange" => set(&mut definition.alternate_exchange, text()),
            "dead-letter-exchange" => set(&mut definition.dead_letter_exchange, text()),
            "dead-letter-routing-key" => set(&mut definition.dead_letter_routing_key, text()),
            "delivery-limit" => {
                set(&mut definition.delivery_limit, number().and_then(|limit| limit.try_into().ok()))
            }
            "expires" => set(&mut definition.expires, number()),
            "max-length" => set(&mut definition.max_length, number()),
            "max-length-bytes" => set(&mut definition.max_length_bytes, number()),
            "message-ttl" => set(&mut definition.message_ttl, number()),
            "overflow" => set(&mut definition.overflow, text()),
            // What mirrors did has no meaning on one node.
            "ha-mode" | "ha-params" | "ha-sync-mode" | "queue-mode" | "queue-version" => true,
            _ => false,
        };
        if !known {
            return Err(key);
        }
    }
    Ok(definition)
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}
