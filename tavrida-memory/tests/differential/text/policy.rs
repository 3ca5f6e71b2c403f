//! What an operator does, as text: policies and alarms.

use tavrida_memory::core::{ApplyTo, Definition, NamePattern, Operator, Policy};

use super::read::Named;
use super::write::Words;

pub(super) const SET: &str = "policy.set";
pub(super) const CLEAR: &str = "policy.clear";
pub(super) const RAISE: &str = "alarm.raise";
pub(super) const END: &str = "alarm.clear";

/// What RabbitMQ says when its memory is low.
const REASON: &str = "low on memory";

const APPLY_TO: [(ApplyTo, &str); 3] =
    [(ApplyTo::All, "all"), (ApplyTo::Queues, "queues"), (ApplyTo::Exchanges, "exchanges")];

/// Returns the alarm that programs raise.
pub(crate) fn alarm() -> Operator {
    Operator::Block { reason: REASON.to_owned() }
}

pub(super) fn write(operator: &Operator, words: &mut Words) {
    let policy = match operator {
        Operator::SetPolicy(policy) => policy,
        Operator::ClearPolicy { name } => {
            words.word(CLEAR);
            return words.text("name", name);
        }
        Operator::Block { .. } => return words.word(RAISE),
        Operator::Unblock => return words.word(END),
        other => unreachable!("no program has {other:?}"),
    };
    words.word(SET);
    words.text("name", &policy.name);
    match &policy.pattern {
        NamePattern::All => {}
        NamePattern::Prefix(start) => words.text("prefix", start),
        NamePattern::Name(name) => words.text("only", name),
    }
    let apply_to = APPLY_TO.iter().find(|(known, _)| *known == policy.apply_to).map_or("", |(_, name)| name);
    words.text("apply_to", apply_to);
    words.number("priority", Some(policy.priority));
    let definition = &policy.definition;
    words.option("alternate_exchange", definition.alternate_exchange.as_deref());
    words.option("dead_letter_exchange", definition.dead_letter_exchange.as_deref());
    words.option("dead_letter_routing_key", definition.dead_letter_routing_key.as_deref());
    words.number("delivery_limit", definition.delivery_limit);
    words.number("expires", definition.expires);
    words.number("max_length", definition.max_length);
    words.number("max_length_bytes", definition.max_length_bytes);
    words.number("message_ttl", definition.message_ttl);
    words.option("overflow", definition.overflow.as_deref());
}

pub(super) fn read(name: &str, words: &mut Named) -> Result<Operator, String> {
    match name {
        CLEAR => return Ok(Operator::ClearPolicy { name: words.text("name") }),
        RAISE => return Ok(alarm()),
        END => return Ok(Operator::Unblock),
        _ => {}
    }
    let pattern = match (words.option("prefix"), words.option("only")) {
        (None, None) => NamePattern::All,
        (Some(start), _) => NamePattern::Prefix(start),
        (None, Some(name)) => NamePattern::Name(name),
    };
    let apply_to = words.text("apply_to");
    let apply_to = APPLY_TO.iter().find(|(_, known)| apply_to == *known).map(|(known, _)| *known);
    Ok(Operator::SetPolicy(Policy {
        name: words.text("name"),
        pattern,
        apply_to: apply_to.ok_or("apply_to is all, queues or exchanges")?,
        priority: words.number("priority")?.unwrap_or(0),
        definition: Definition {
            alternate_exchange: words.option("alternate_exchange"),
            dead_letter_exchange: words.option("dead_letter_exchange"),
            dead_letter_routing_key: words.option("dead_letter_routing_key"),
            delivery_limit: words.number("delivery_limit")?,
            expires: words.number("expires")?,
            max_length: words.number("max_length")?,
            max_length_bytes: words.number("max_length_bytes")?,
            message_ttl: words.number("message_ttl")?,
            overflow: words.option("overflow"),
        },
    }))
}
