//! What differs between versions of RabbitMQ, decision by decision.
//!
//! The in-process broker (`tavrida-memory`) and the topologies of `tavrida-routing` follow the same [`Behaviour`], and share nothing else:
//! each implements the decisions in its own way, and the tests of the one verify the other.

use std::fmt;

/// A version of RabbitMQ whose behaviour is proven: the differential suite runs against a node of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RabbitMq {
    /// 3.10, as observed on 3.10.8.
    V3_10,
    /// 4.0, as observed on 4.0.5.
    #[default]
    V4_0,
}

impl fmt::Display for RabbitMq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3_10 => "RabbitMQ 3.10",
            Self::V4_0 => "RabbitMQ 4.0",
        })
    }
}

/// The decisions in which versions of RabbitMQ differ, each with its rule of the broker semantics.
///
/// Code asks for a decision, and never for a version. [`Behaviour::of`] returns the decisions of a proven version; single ones can be
/// changed, for example to those of later versions, which are known by RabbitMQ's source and not by a node:
///
/// ```
/// use tavrida_behaviour::{Behaviour, RabbitMq};
///
/// let mut later = Behaviour::of(RabbitMq::V4_0);
/// later.refuses_transient_queues = true;
/// assert_ne!(later, RabbitMq::V4_0.into());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behaviour {
    /// R39: a headers exchange compares integers with integers and floats with floats; `0.0` is not `-0.0`, and a timestamp of a message
    /// counts in milliseconds. Otherwise all numbers compare by value.
    pub matches_numbers_by_type: bool,
    /// R6: an unknown exchange type closes the channel (406). Otherwise the connection (503).
    pub unknown_exchange_type_is_soft: bool,
    /// R54: a queue that is declared without a type counts as declared `classic`, or as the default type of the virtual host, and error
    /// texts show it. Otherwise it has no type in them.
    pub declares_types: bool,
    /// R56: a classic queue accepts `x-queue-leader-locator`. Otherwise 406.
    pub classic_queues_accept_leader_locator: bool,
    /// R56, R105: the arguments of stream filters are known, and refused for other queues. Otherwise ignored.
    pub knows_stream_filters: bool,
    /// R105: `x-cancel-on-ha-failover` is no argument of a consumer, and ignored. Otherwise it must be a boolean.
    pub ignores_ha_failover: bool,
    /// R88: the user id is checked after all else. Otherwise before the expiration.
    pub checks_user_last: bool,
    /// R89: every delivery mode is taken. Otherwise only 1 and 2.
    pub takes_every_delivery_mode: bool,
    /// R66: `expiration` is delivered as a plain number: `+00` becomes `0`. Otherwise as it was published.
    pub rewrites_expiration: bool,
    /// R87: headers are delivered sorted by name. Otherwise as published, until the message is dead-lettered.
    pub sorts_headers: bool,
    /// R88: the largest body, in bytes.
    pub largest_body: usize,
    /// R64: the `expires` of a policy replaces that of a quorum queue. Otherwise the smaller one counts.
    pub policies_prolong_quorum_queues: bool,
    /// R77: `x-max-priority` 0 is as 1. Otherwise it is no priority at all.
    pub one_priority_at_least: bool,
    /// R84: the history of a message is the broker's own record, which `x-death` only shows: what a client says in it is replaced.
    /// Otherwise it is continued.
    pub records_deaths: bool,
    /// R79: a dead letter with another routing key keeps its `CC` header, and is not routed by it. Otherwise it is removed.
    pub keeps_copies: bool,
    /// R117: a transaction routes each message when it is published. Otherwise a message to the default exchange waits with its keys.
    pub transactions_route_at_publish: bool,
    /// R132: the delivery limit of a quorum queue that is declared without one.
    pub default_delivery_limit: Option<u64>,
    /// R132: a negative delivery limit is none. Otherwise the first return is one too many.
    pub negative_limit_is_none: bool,
    /// R132: a message that is dropped by the limit gives its consumer one credit. Otherwise two.
    pub drops_give_one_credit: bool,
    /// R131: only returned messages have an `x-delivery-count`. Otherwise `basic.get` shows 0 for the others.
    pub counts_only_returns: bool,
    /// R133: consumers of a quorum queue take their turns by the age of their subscription. Otherwise by consumer tag.
    pub quorum_consumers_by_age: bool,
    /// R137: quorum queues have two priorities: up to 4, and above, of which two are delivered for one of the others. Otherwise none.
    pub quorum_priorities: bool,
    /// R138: a consumer with a higher priority takes over a quorum queue with a single active consumer. Otherwise it waits for its turn.
    pub quorum_priority_takes_over: bool,
    /// By source, not by node (4.3): a queue that is neither durable nor exclusive is refused with 541.
    pub refuses_transient_queues: bool,
    /// By source, not by node (4.3): how many `#` the pattern of a topic binding may have; more are refused with 406.
    pub most_hashes: Option<usize>,
    /// By source, not by node (4.3): what a client returns does not count towards the delivery limit of a quorum queue; what comes back
    /// because its channel ended does.
    pub forgives_returns: bool,
}

impl Behaviour {
    /// Returns the behaviour of a version.
    pub const fn of(version: RabbitMq) -> Self {
        let four = match version {
            RabbitMq::V3_10 => false,
            RabbitMq::V4_0 => true,
        };
        Self {
            matches_numbers_by_type: four,
            unknown_exchange_type_is_soft: four,
            declares_types: four,
            classic_queues_accept_leader_locator: four,
            knows_stream_filters: four,
            ignores_ha_failover: four,
            checks_user_last: four,
            takes_every_delivery_mode: four,
            rewrites_expiration: four,
            sorts_headers: four,
            largest_body: if four { 16_777_216 } else { 134_217_728 },
            policies_prolong_quorum_queues: !four,
            one_priority_at_least: four,
            records_deaths: four,
            keeps_copies: four,
            transactions_route_at_publish: four,
            default_delivery_limit: if four { Some(20) } else { None },
            negative_limit_is_none: four,
            drops_give_one_credit: four,
            counts_only_returns: four,
            quorum_consumers_by_age: four,
            quorum_priorities: four,
            quorum_priority_takes_over: four,
            refuses_transient_queues: false,
            most_hashes: None,
            forgives_returns: false,
        }
    }
}

impl Default for Behaviour {
    /// The behaviour of the default version.
    fn default() -> Self {
        Self::of(RabbitMq::default())
    }
}

impl From<RabbitMq> for Behaviour {
    fn from(version: RabbitMq) -> Self {
        Self::of(version)
    }
}
