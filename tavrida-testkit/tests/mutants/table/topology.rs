//! Mutants with faults in declaring, deleting and checking.

use tavrida::field::Table;
use tavrida::transport::{Binding, BrokerError, Exchange, ExchangeKind, Scope, SessionError};

use super::{Mutant, mutant};
use crate::twist::{Habit, Twist};

pub(super) fn declaring() -> Vec<Mutant> {
    vec![
        mutant(
            "exchanges are never durable",
            Twist { exchange: |exchange| exchange.durable = false, ..Twist::NONE },
            "exchanges",
            "declaring an exchange with other fields is refused",
        ),
        mutant(
            "exchanges are never deleted by themselves",
            Twist { exchange: |exchange| exchange.auto_delete = false, ..Twist::NONE },
            "routing",
            "an auto-delete exchange goes with its last binding",
        ),
        mutant(
            "exchanges are never internal",
            Twist { exchange: |exchange| exchange.internal = false, ..Twist::NONE },
            "routing",
            "an internal exchange refuses publishes",
        ),
        mutant(
            "exchanges lose their arguments",
            Twist { exchange: |exchange| exchange.arguments = Table::new(), ..Twist::NONE },
            "routing",
            "goes to its alternate exchange",
        ),
        mutant(
            "topic exchanges compare keys as direct ones do",
            Twist { exchange: topic_to_direct, ..Twist::NONE },
            "topics",
            "each of 33 patterns",
        ),
        mutant(
            "queues are never durable",
            Twist { queue: |queue| queue.durable = false, ..Twist::NONE },
            "arguments",
            "declaring a queue with other flags",
        ),
        mutant(
            "queues belong to everybody",
            Twist { queue: |queue| queue.exclusive = false, ..Twist::NONE },
            "ownership",
            "an exclusive queue is closed to other sessions",
        ),
        mutant(
            "queues are never deleted by themselves",
            Twist { queue: |queue| queue.auto_delete = false, ..Twist::NONE },
            "ownership",
            "an auto-delete queue goes when its last consumer is cancelled",
        ),
        mutant(
            "bindings lose their arguments",
            Twist { binding: |binding| binding.arguments = Table::new(), ..Twist::NONE },
            "bindings",
            "arguments are part of a binding's identity",
        ),
        mutant(
            "keys lose their case",
            Twist { binding: lower_case_key, ..Twist::NONE },
            "routing",
            "a direct exchange compares the key byte by byte",
        ),
        mutant(
            "bindings stay",
            Twist::habit(Habit::NeverUnbinds),
            "bindings",
            "binding twice is one binding, and one unbind removes it",
        ),
        mutant(
            "all sessions are one",
            Twist::habit(Habit::OneForAll),
            "life",
            "a session works on when another one is closed",
        ),
        mutant(
            "what one session owns all own",
            Twist::habit(Habit::OneForAll),
            "ownership",
            "an exclusive queue is closed to other sessions",
        ),
        mutant(
            "used exchanges are deleted",
            Twist::habit(Habit::DeletesAnyway),
            "exchanges",
            "is not deleted if unused",
        ),
        mutant(
            "full queues are deleted",
            Twist::habit(Habit::DeletesAnyway),
            "queues",
            "is not deleted if empty",
        ),
        mutant(
            "a missing queue is empty",
            Twist::habit(Habit::ForgivesMissing),
            "getting",
            "getting from a missing queue is refused",
        ),
    ]
}

pub(super) fn looking() -> Vec<Mutant> {
    vec![
        mutant(
            "consumers count as messages",
            Twist { status: |status| status.messages += status.consumers, ..Twist::NONE },
            "queues",
            "a queue's status counts",
        ),
        mutant(
            "purges and deletions count one too many",
            Twist { count: |count| count + 1, ..Twist::NONE },
            "queues",
            "deleting a missing queue is fine: 0 messages",
        ),
        mutant(
            "refusals have another code",
            Twist { error: |error| change_refusal(error, |refusal| refusal.code = 404), ..Twist::NONE },
            "bindings",
            "the default exchange cannot be bound",
        ),
        mutant(
            "refusals come in other words",
            Twist { error: |error| change_refusal(error, |refusal| refusal.text.push('.')), ..Twist::NONE },
            "refusals",
            "refusals come in RabbitMQ's own words",
        ),
        mutant(
            "refusals claim to end the session",
            Twist { error: |error| change_refusal(error, widen), ..Twist::NONE },
            "queues",
            "purging a missing queue is refused",
        ),
        mutant(
            "a session does not say that it is blocked",
            Twist { blocked: |_| None, ..Twist::NONE },
            "alarms",
            "a session that publishes is told that it is blocked",
        ),
        mutant(
            "a session is blocked from the start",
            Twist { blocked: |_| Some("low on memory".to_owned()), ..Twist::NONE },
            "life",
            "a session is alive after connecting, and not blocked",
        ),
    ]
}

/// Queues that lose one argument each.
pub(super) fn arguments() -> Vec<Mutant> {
    [
        ("x-message-ttl", "expiry", "a message is gone after the queue's time to live"),
        ("x-expires", "expiry", "an unused queue is gone after its time"),
        ("x-max-length", "limits", "a queue over its length drops its oldest"),
        ("x-max-length-bytes", "limits", "a queue over its bytes drops its oldest"),
        ("x-overflow", "limits", "a queue that rejects publishes keeps what it has"),
        ("x-dead-letter-exchange", "dead letters", "the default exchange can be the dead-letter exchange"),
        ("x-dead-letter-routing-key", "dead letters", "a dead-letter routing key replaces"),
        ("x-max-priority", "priorities", "messages of higher priority come first"),
        ("x-single-active-consumer", "priorities", "the first gets all"),
    ]
    .map(|(loses, room, promise)| mutant(loses, Twist { loses, ..Twist::NONE }, room, promise))
    .into()
}

fn topic_to_direct(exchange: &mut Exchange) {
    if exchange.kind == ExchangeKind::Topic {
        exchange.kind = ExchangeKind::Direct;
    }
}

fn lower_case_key(binding: &mut Binding) {
    let key = binding.routing_key.to_lowercase();
    binding.routing_key = key.try_into().expect("no longer than it was");
}

fn change_refusal(error: &mut SessionError, change: fn(&mut BrokerError)) {
    if let SessionError::Refused(refusal) = error {
        change(refusal);
    }
}

fn widen(refusal: &mut BrokerError) {
    refusal.scope = Scope::Connection;
}
