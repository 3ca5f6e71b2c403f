//! [`Policy`]: what an operator sets for queues and exchanges by their names (R64).

use serde::{Deserialize, Serialize};
use tavrida::field::{ShortString, Table, Value};
use tavrida_behaviour::Behaviour;

use crate::core::queue::settings::QueueKind;

/// A policy, as set by `rabbitmqctl set_policy`.
///
/// Of several that match, the one with the highest priority applies, and only that one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name: another policy of this name replaces it.
    pub name: ShortString,
    /// The names that it matches.
    pub pattern: NamePattern,
    /// What it applies to.
    pub apply_to: ApplyTo,
    /// Its priority; the same for two policies is not defined.
    pub priority: i32,
    /// What it sets.
    pub definition: Definition,
}

/// The names that a policy matches. RabbitMQ takes regular expressions; these are the usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NamePattern {
    /// All names: `.*`.
    #[default]
    All,
    /// Names that begin with this text: `^text`.
    Prefix(ShortString),
    /// This name: `^name$`.
    Name(ShortString),
}

/// What a policy applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are RabbitMQ's words")]
pub enum ApplyTo {
    #[default]
    All,
    Queues,
    Exchanges,
}

/// What a policy sets, by RabbitMQ's names; times in milliseconds, sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are RabbitMQ's keys")]
pub struct Definition {
    pub alternate_exchange: Option<ShortString>,
    pub dead_letter_exchange: Option<ShortString>,
    pub dead_letter_routing_key: Option<ShortString>,
    pub delivery_limit: Option<u32>,
    pub expires: Option<u64>,
    pub max_length: Option<u64>,
    pub max_length_bytes: Option<u64>,
    pub message_ttl: Option<u64>,
    pub overflow: Option<ShortString>,
}

impl Policy {
    pub(crate) fn matches(&self, name: &str) -> bool {
        match &self.pattern {
            NamePattern::All => true,
            NamePattern::Prefix(start) => name.starts_with(start.as_str()),
            NamePattern::Name(whole) => name == whole.as_str(),
        }
    }

    /// Returns whether it applies to a queue: not if it sets what queues of this type do not have.
    pub(crate) fn suits(&self, name: &str, kind: QueueKind) -> bool {
        self.apply_to != ApplyTo::Exchanges
            && self.matches(name)
            && (kind == QueueKind::Quorum || self.definition.delivery_limit.is_none())
    }
}

impl Definition {
    /// Returns the arguments of a queue together with what the policy sets.
    pub(crate) fn merged(&self, arguments: &Table, kind: QueueKind, behaviour: &Behaviour) -> Table {
        let mut merged = arguments.clone();
        let quorum = kind == QueueKind::Quorum;
        for (name, ours) in [
            ("x-message-ttl", self.message_ttl),
            ("x-expires", self.expires),
            ("x-max-length", self.max_length),
            ("x-max-length-bytes", self.max_length_bytes),
            ("x-delivery-limit", self.delivery_limit.map(u64::from)),
        ] {
            let Some(ours) = ours.and_then(|ours| i64::try_from(ours).ok()) else { continue };
            let theirs = arguments.get(name).and_then(Value::as_i64);
            let value = match theirs {
                None => ours,
                Some(_) if name == "x-expires" && quorum && behaviour.policies_prolong_quorum_queues => ours,
                // No limit is more than any.
                Some(..0) if behaviour.negative_limit_is_none => ours,
                Some(theirs) => theirs.min(ours),
            };
            merged.insert(ShortString::from_static(name), value);
        }
        for (name, ours, ours_wins) in [
            ("x-dead-letter-exchange", &self.dead_letter_exchange, false),
            ("x-dead-letter-routing-key", &self.dead_letter_routing_key, false),
            ("x-overflow", &self.overflow, quorum),
        ] {
            if let Some(ours) = ours
                && (ours_wins || !arguments.contains(name))
            {
                merged.insert(ShortString::from_static(name), ours.clone());
            }
        }
        merged
    }
}
