//! Optional features of a broker.

use std::fmt;

/// A feature that not every broker has. [`Suite::without`](crate::Suite::without) skips the promises that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Errors have RabbitMQ's own texts, and generated names have RabbitMQ's form.
    RabbitWording,
    /// A declaration compares and checks the fields of exchanges and queues as RabbitMQ does.
    DeclareChecks,
    /// An error may close the whole connection (scope connection).
    ConnectionErrors,
    /// The exchanges `amq.*` exist from the start, and the prefix is reserved.
    PredeclaredExchanges,
    /// Topic exchanges.
    TopicExchange,
    /// Headers exchanges.
    HeadersExchange,
    /// Exchanges can be bound to exchanges.
    ExchangeBindings,
    /// Exchanges have an alternate exchange.
    AlternateExchange,
    /// Exchanges that clients cannot publish to.
    InternalExchange,
    /// Queues and exchanges that are deleted with their last user.
    AutoDelete,
    /// Queues that belong to one session.
    ExclusiveQueues,
    /// Shared queues that do not survive a restart of the broker. RabbitMQ 4.3 refuses them unless it is configured otherwise.
    TransientQueues,
    /// Queues that the broker names.
    ServerNamedQueues,
    /// Messages expire: `x-message-ttl` and the property `expiration`.
    MessageTtl,
    /// Unused queues expire: `x-expires`.
    QueueExpiry,
    /// Queues are limited in length or bytes, and drop or refuse messages over the limit.
    LengthLimits,
    /// Queues dead-letter rejected, expired and dropped messages to an exchange.
    DeadLettering,
    /// Messages have priorities: `x-max-priority`.
    MessagePriorities,
    /// Consumers have priorities: `x-priority`.
    ConsumerPriorities,
    /// A consumer can have exclusive access to a queue.
    ExclusiveConsumers,
    /// Queues with one active consumer at a time: `x-single-active-consumer`.
    SingleActiveConsumer,
    /// Further routing keys in the headers `CC` and `BCC`.
    CarbonCopies,
    /// Properties are checked when a message is published: `user_id`, `expiration`, `delivery_mode`.
    PropertyChecks,
    /// Headers keep the type of every field value.
    FieldTypes,
    /// Quorum queues: `x-queue-type`.
    QuorumQueues,
    /// Replies go directly to the requesting consumer: `amq.rabbitmq.reply-to`.
    DirectReplies,
}

impl Capability {
    /// All capabilities.
    pub const ALL: [Self; 26] = [
        Self::RabbitWording,
        Self::DeclareChecks,
        Self::ConnectionErrors,
        Self::PredeclaredExchanges,
        Self::TopicExchange,
        Self::HeadersExchange,
        Self::ExchangeBindings,
        Self::AlternateExchange,
        Self::InternalExchange,
        Self::AutoDelete,
        Self::ExclusiveQueues,
        Self::TransientQueues,
        Self::ServerNamedQueues,
        Self::MessageTtl,
        Self::QueueExpiry,
        Self::LengthLimits,
        Self::DeadLettering,
        Self::MessagePriorities,
        Self::ConsumerPriorities,
        Self::ExclusiveConsumers,
        Self::SingleActiveConsumer,
        Self::CarbonCopies,
        Self::PropertyChecks,
        Self::FieldTypes,
        Self::QuorumQueues,
        Self::DirectReplies,
    ];
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RabbitWording => "RabbitMQ's wording",
            Self::DeclareChecks => "RabbitMQ's checks of declared fields",
            Self::ConnectionErrors => "errors that close a connection",
            Self::PredeclaredExchanges => "predeclared exchanges",
            Self::TopicExchange => "topic exchanges",
            Self::HeadersExchange => "headers exchanges",
            Self::ExchangeBindings => "bindings between exchanges",
            Self::AlternateExchange => "alternate exchanges",
            Self::InternalExchange => "internal exchanges",
            Self::AutoDelete => "auto-delete",
            Self::ExclusiveQueues => "exclusive queues",
            Self::TransientQueues => "shared queues that a restart deletes",
            Self::ServerNamedQueues => "queues named by the broker",
            Self::MessageTtl => "expiry of messages",
            Self::QueueExpiry => "expiry of queues",
            Self::LengthLimits => "length limits",
            Self::DeadLettering => "dead-lettering",
            Self::MessagePriorities => "message priorities",
            Self::ConsumerPriorities => "consumer priorities",
            Self::ExclusiveConsumers => "exclusive consumers",
            Self::SingleActiveConsumer => "single active consumers",
            Self::CarbonCopies => "the headers CC and BCC",
            Self::PropertyChecks => "checks of message properties",
            Self::FieldTypes => "typed header fields",
            Self::QuorumQueues => "quorum queues",
            Self::DirectReplies => "direct replies",
        })
    }
}
