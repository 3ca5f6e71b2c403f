//! Brokers without a capability, which say so.

use tavrida::field::{Table, Value};
use tavrida::transport::{
    Binding, BrokerError, Consume, DIRECT_REPLY_TO, Destination, Exchange, ExchangeKind, Publication,
    PublishError, PublishErrorKind, Queue, SessionError,
};
use tavrida_testkit::conformance::Capability;

use crate::twist::Twist;

/// What a transport returns for an operation that its broker does not support.
const UNSUPPORTED: SessionError = SessionError::Unsupported("this");

/// The capability that a broker lacks. `None` if it has all.
#[derive(Clone, Copy)]
pub(crate) struct Unable(pub(crate) Option<Capability>);

/// A broker that lacks a capability.
pub(crate) fn unable(capability: Capability) -> Twist {
    let twist = Twist { unable: Unable(Some(capability)), ..Twist::NONE };
    match capability {
        Capability::RabbitWording => Twist { error: reword, outcome: reword_publish, ..twist },
        _ => twist,
    }
}

fn reword(error: &mut SessionError) {
    if let SessionError::Refused(refusal) = error {
        refusal.text = "no".to_owned();
    }
}

fn reword_publish(outcome: &mut Result<(), PublishError>) {
    if let Err(PublishError { reason: PublishErrorKind::Refused(refusal), .. }) = outcome {
        refusal.text = "no".to_owned();
    }
}

impl Unable {
    pub(crate) fn exchange(self, exchange: &Exchange) -> Result<(), SessionError> {
        let needed = match self.0 {
            Some(Capability::TopicExchange) => exchange.kind == ExchangeKind::Topic,
            Some(Capability::HeadersExchange) => exchange.kind == ExchangeKind::Headers,
            Some(Capability::InternalExchange) => exchange.internal,
            Some(Capability::AutoDelete) => exchange.auto_delete,
            Some(Capability::AlternateExchange) => exchange.arguments.contains("alternate-exchange"),
            Some(Capability::PredeclaredExchanges) => exchange.name.starts_with("amq."),
            _ => false,
        };
        unless(needed)
    }

    pub(crate) fn queue(self, queue: &Queue) -> Result<(), SessionError> {
        let has = |names: &[&str]| has(&queue.arguments, names);
        let needed = match self.0 {
            Some(Capability::AutoDelete) => queue.auto_delete,
            Some(Capability::ExclusiveQueues) => queue.exclusive,
            Some(Capability::TransientQueues) => !queue.durable && !queue.exclusive,
            Some(Capability::QuorumQueues) => {
                queue.arguments.get("x-queue-type").and_then(Value::as_str) == Some("quorum")
            }
            Some(Capability::ServerNamedQueues) => queue.name.is_empty(),
            Some(Capability::LengthLimits) => has(&["x-max-length", "x-max-length-bytes", "x-overflow"]),
            Some(Capability::QueueExpiry) => has(&["x-expires"]),
            Some(Capability::MessageTtl) => has(&["x-message-ttl"]),
            Some(Capability::DeadLettering) => has(&["x-dead-letter-exchange", "x-dead-letter-routing-key"]),
            Some(Capability::MessagePriorities) => has(&["x-max-priority"]),
            Some(Capability::SingleActiveConsumer) => has(&["x-single-active-consumer"]),
            _ => false,
        };
        unless(needed)
    }

    pub(crate) fn binding(self, binding: &Binding) -> Result<(), SessionError> {
        let between_exchanges = matches!(binding.destination, Destination::Exchange(_));
        unless(self.0 == Some(Capability::ExchangeBindings) && between_exchanges)
    }

    pub(crate) fn consume(self, consume: &Consume) -> Result<(), SessionError> {
        let needed = match self.0 {
            Some(Capability::ExclusiveConsumers) => consume.exclusive,
            Some(Capability::DirectReplies) => consume.queue == DIRECT_REPLY_TO,
            Some(Capability::ConsumerPriorities) => has(&consume.arguments, &["x-priority"]),
            _ => false,
        };
        unless(needed)
    }

    pub(crate) fn publication(self, publication: &Publication) -> Result<(), PublishError> {
        let needed = match self.0 {
            Some(Capability::CarbonCopies) => has(publication.properties.headers(), &["CC", "BCC"]),
            _ => false,
        };
        match needed {
            true => {
                let refusal = PublishErrorKind::Refused(BrokerError::channel(540, "NOT_IMPLEMENTED - this"));
                Err(PublishError::new(refusal, publication.clone()))
            }
            false => Ok(()),
        }
    }
}

fn has(table: &Table, names: &[&str]) -> bool {
    names.iter().any(|name| table.contains(name))
}

fn unless(needed: bool) -> Result<(), SessionError> {
    if needed { Err(UNSUPPORTED) } else { Ok(()) }
}
