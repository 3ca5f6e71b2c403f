//! [`Code`]: the kinds of findings.

use std::fmt;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Messages are lost, or a service cannot work.
    Error,
    /// Something has no effect or is surprising.
    Warning,
    /// Worth knowing.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $text:literal, $severity:ident, $about:literal;)*) => {
        /// The kind of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $about] $name,)*
        }

        impl Code {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the name, such as `dead-binding`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Returns its severity.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }

            /// Returns a description of the kind, in one sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)*
                }
            }
        }
    };
}

codes! {
    AlternateMissing, "alternate-missing", Error, "An alternate exchange does not exist.";
    AnswerUnroutable, "answer-unroutable", Error, "Answers to a service reach no queue of it.";
    DeadLetterLost, "dead-letter-lost", Error, "Dead letters of a queue reach no queue.";
    DeadLetterMissing, "dead-letter-missing", Error, "A dead-letter exchange does not exist.";
    DeclarationClash, "declaration-clash", Error, "Two sides declare one name differently.";
    UnknownMethod, "unknown-method", Error, "A service is called by a method that it does not answer.";
    UnknownService, "unknown-service", Error, "A service is called that is not in the graph.";
    AlternateUnused, "alternate-unused", Warning, "An alternate exchange never takes a message.";
    AskCycle, "ask-cycle", Warning, "Services wait for each other in a cycle.";
    DeadBinding, "dead-binding", Warning, "A binding makes no difference.";
    DeadLetterLoop, "dead-letter-loop", Warning, "Dead letters come back to the queue where they began.";
    EventWithoutSubscriber, "event-without-subscriber", Warning, "An event has no subscriber.";
    ExchangeWithoutBindings, "exchange-without-bindings", Warning, "An exchange routes nothing.";
    PatternNeverMatches, "pattern-never-matches", Warning, "A binding matches nothing that the services publish.";
    QueueWithoutConsumer, "queue-without-consumer", Warning, "No service consumes a queue.";
    SubscriptionWithoutPublisher, "subscription-without-publisher", Warning, "No service publishes an event that another subscribes to.";
    Swallowed, "swallowed", Warning, "A message is lost although there is an alternate exchange.";
    UnhandledAnswer, "unhandled-answer", Warning, "A call has no handler for its answer.";
    UnhandledError, "unhandled-error", Warning, "A call has no handler for its error.";
    UnreachableQueue, "unreachable-queue", Warning, "No exchange leads a message into a queue.";
    UnusedAllow, "unused-allow", Warning, "A finding is allowed that is not found.";
    ClassicQueue, "classic-queue", Info, "A durable queue is on one node alone.";
    Incomplete, "incomplete", Info, "A search was cut by its limits.";
    NoAlternate, "no-alternate", Info, "Messages to an exchange can reach no queue, and nothing takes them.";
    UnboundedQueue, "unbounded-queue", Info, "A queue can grow without limit.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
