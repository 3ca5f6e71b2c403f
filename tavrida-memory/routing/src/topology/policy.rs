//! What policies set for exchanges and queues, where they win over the arguments (R64).

use tavrida_behaviour::Behaviour;

use crate::value::{Table, Value};

use super::parts::{Exchange, Queue, QueueType};

const ALTERNATE: &str = "alternate-exchange";

/// The settings of which the smaller one holds.
const LIMITS: [&str; 7] = [
    "message-ttl",
    "expires",
    "max-length",
    "max-length-bytes",
    "max-in-memory-length",
    "max-in-memory-bytes",
    DELIVERY_LIMIT,
];

const DELIVERY_LIMIT: &str = "delivery-limit";

/// Returns whether the smaller one of two values holds.
pub(crate) fn is_limit(setting: &str) -> bool {
    LIMITS.contains(&setting)
}

/// Returns whether the first one of two limits holds.
pub(crate) fn limit_wins(setting: &str, limit: &Value, other: &Value, behaviour: &Behaviour) -> bool {
    let (limit, other) = (limit.as_i64(), other.as_i64());
    let is_negative = |limit: Option<i64>| limit.is_some_and(|limit| limit < 0);
    let no_limit_wins = setting == DELIVERY_LIMIT
        && behaviour.negative_limit_is_none
        && (is_negative(limit) || is_negative(other));
    if no_limit_wins { limit > other } else { limit < other }
}

/// What only streams have.
const OF_STREAMS: [&str; 3] = ["max-age", "stream-max-segment-size-bytes", "initial-cluster-size"];
/// What only classic queues have.
const OF_CLASSIC: [&str; 9] = [
    "max-priority",
    "queue-mode",
    "single-active-consumer",
    "ha-mode",
    "ha-params",
    "ha-sync-mode",
    "ha-promote-on-shutdown",
    "ha-promote-on-failure",
    "queue-master-locator",
];
/// What streams do not have, beside that.
const NOT_OF_STREAMS: [&str; 9] = [
    "expires",
    "message-ttl",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "max-length",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "overflow",
];

impl QueueType {
    /// Returns whether a policy that sets this can apply to queues of this type.
    pub(crate) fn has_setting(self, name: &str, behaviour: &Behaviour) -> bool {
        match self {
            Self::Classic => match name {
                DELIVERY_LIMIT | "dead-letter-strategy" => false,
                "queue-leader-locator" => behaviour.classic_queues_accept_leader_locator,
                _ => !OF_STREAMS.contains(&name),
            },
            Self::Quorum => !OF_STREAMS.contains(&name) && !OF_CLASSIC.contains(&name),
            Self::Stream => {
                name != DELIVERY_LIMIT && !OF_CLASSIC.contains(&name) && !NOT_OF_STREAMS.contains(&name)
            }
        }
    }
}

impl Exchange {
    /// Sets what the policies of the virtual host set for it.
    pub(crate) fn set_policy(&mut self, definition: Table) {
        let wins = |name: &str| name == ALTERNATE && !self.arguments.contains(ALTERNATE);
        self.policy = definition.into_iter().filter(|(name, _)| wins(name)).collect();
    }
}

impl Queue {
    /// Sets what the policies of the virtual host set for it.
    pub(crate) fn set_policy(&mut self, definition: Table, behaviour: &Behaviour) {
        let is_quorum = self.queue_type() == QueueType::Quorum;
        let wins = |name: &str, value: &Value| {
            let Some(argument) = self.arguments.get(&format!("x-{name}")) else { return name != ALTERNATE };
            match name {
                "expires" if is_quorum && behaviour.policies_prolong_quorum_queues => true,
                "overflow" => is_quorum,
                _ => is_limit(name) && limit_wins(name, value, argument, behaviour),
            }
        };
        self.policy = definition.into_iter().filter(|(name, value)| wins(name, value)).collect();
    }
}
