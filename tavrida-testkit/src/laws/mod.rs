//! Laws: properties that are checked in every run.
//!
//! A run that violates a law fails. Laws have exemptions for intended behaviour; a run that violates one on purpose waives it by name
//! ([`Sim::waive`](crate::sim::Sim::waive), [`Setup::waive`](crate::sim::Setup::waive)). A test adds its own laws with
//! [`Sim::law`](crate::sim::Sim::law).
//!
//! | law | what it requires | exempt |
//! |---|---|---|
//! | [`SETTLED`] | a confirmed message is acked, rejected, dead-lettered, or still in a queue at the end | messages expired by their own expiration or by a fault; messages in a deleted queue, or on the way to a consumer without acknowledgements that was cut off; transient messages at a restart of the broker; a live broker, whose contents are unknown |
//! | [`HOT_LOOP`] | no consumer requeues a message repeatedly without time passing: ten times within a second | redeliveries caused by faults |
//! | [`ONE_ANSWER`] | a call that was handled to the end was answered, and not more often than it was delivered; a cast is not answered | a call whose handler answers nothing, unless it is an ask or brings a reply back; an ask whose asker had given up before a handler began |
//! | [`PAIRS`] | an answer has the request id of a request, and the correlation id of that request | |
//! | [`ROUTABLE`] | no request is unroutable | requests to a service of [`late`](crate::graph::GraphBuilder::late), until it starts |
//! | [`ASKS_END`] | an ask ends with its answer, its deadline, or the end of its session or reply queue | |
//! | [`CORRELATION`] | what a handler sends has the correlation id of the message it handles | an id that was given explicitly; not for answers |
//! | [`CONTEXT`] | an answer has all keys of its request's context | answers that are deferred until another answer comes; other messages lack keys only if their context was replaced |
//! | [`FIFO`] | a consumer gets the messages of a queue in the order in which they were published | redelivered, dead-lettered and prioritised messages; a live broker, whose order of arrival is unknown |
//! | [`PREFETCH`] | no consumer has more unsettled deliveries than its prefetch | |
//! | [`RECEIVER`] | a delivery is settled on the channel on which it arrived | |
//! | [`IDLE`] | at the end no handler runs, and no delivery is unsettled | deliveries of sessions and channels that broke |
//! | [`DEADLINES`] | no handler is dropped by its deadline | runs with faults: a handler may then repeat what its lost session refuses |
//! | [`DEAD_LETTERS`] | no message is given up that the test does not look for: it asks a [`Run`](crate::run::Run) for dead letters or its text, or the broker for its queues | runs with faults; messages that stubs fail |
//! | [`IDEMPOTENT`] | a message that is handled twice has the effects of one handling; checked if [everything is delivered twice](crate::sim::Setup::delivering_twice) | |

mod calls;
mod chains;
mod channels;
mod effects;
mod end;
mod facts;
mod messages;

use std::fmt;
use std::time::Duration;

use crate::problem::{Problem, ProblemKind};
use crate::trace::MessageId;
pub(crate) use facts::{Facts, Remains};

/// A confirmed message is settled, dead-lettered, or still in a queue.
pub const SETTLED: &str = "confirmed messages are settled";
/// Nothing is requeued in a loop.
pub const HOT_LOOP: &str = "nothing is redelivered in a hot loop";
/// A call gets one answer or one error.
pub const ONE_ANSWER: &str = "a call gets one answer";
/// Request ids pair up.
pub const PAIRS: &str = "answers pair with requests";
/// No request is unroutable.
pub const ROUTABLE: &str = "requests are routable";
/// Every ask ends.
pub const ASKS_END: &str = "asks end";
/// The correlation id is constant along a chain.
pub const CORRELATION: &str = "correlation ids are constant";
/// No context key vanishes.
pub const CONTEXT: &str = "context keys stay";
/// Queues are first in, first out.
pub const FIFO: &str = "queues are first in, first out";
/// The prefetch is never exceeded.
pub const PREFETCH: &str = "prefetch is kept";
/// Only the receiver settles.
pub const RECEIVER: &str = "verdicts come from the receiver";
/// Nothing is in flight at the end.
pub const IDLE: &str = "nothing is in flight at the end";
/// No handler is dropped by its deadline.
pub const DEADLINES: &str = "handlers end before their deadlines";
/// No message is given up unseen.
pub const DEAD_LETTERS: &str = "dead letters are looked at";
/// Handlers are idempotent.
pub const IDEMPOTENT: &str = "handlers are idempotent";

/// A law: its name and its check.
struct Law {
    name: &'static str,
    check: fn(&Facts<'_>) -> Option<Broken>,
}

/// All laws, in the order in which they are checked: the most explanatory come first.
const ALL: [Law; 15] = [
    Law { name: HOT_LOOP, check: messages::hot_loop },
    Law { name: DEADLINES, check: end::deadlines },
    Law { name: ROUTABLE, check: calls::routable },
    Law { name: PAIRS, check: calls::pairs },
    Law { name: ONE_ANSWER, check: calls::one_answer },
    Law { name: CORRELATION, check: chains::correlation },
    Law { name: CONTEXT, check: chains::context },
    Law { name: FIFO, check: channels::fifo },
    Law { name: PREFETCH, check: channels::prefetch },
    Law { name: RECEIVER, check: channels::receiver },
    Law { name: SETTLED, check: messages::settled },
    Law { name: ASKS_END, check: calls::asks_end },
    Law { name: IDLE, check: end::idle },
    Law { name: DEAD_LETTERS, check: end::dead_letters },
    Law { name: IDEMPOTENT, check: effects::idempotent },
];

/// Returns the names of all laws.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|law| law.name)
}

/// A violated law.
pub(crate) struct Broken {
    text: String,
    at: Duration,
    message: Option<MessageId>,
}

/// The laws that are waived for a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waivers(u16);

impl Waivers {
    /// Waives a law.
    ///
    /// # Errors
    ///
    /// No law has this name; the text lists the laws.
    pub(crate) fn waive(&mut self, name: &str) -> Result<(), UnknownLaw> {
        let place = ALL.iter().position(|law| law.name == name).ok_or_else(|| UnknownLaw(name.to_owned()))?;
        self.0 |= 1 << place;
        Ok(())
    }

    /// Waives this law, which exists.
    fn with(mut self, name: &str) -> Self {
        self.waive(name).expect("it is a law");
        self
    }

    /// Returns the union of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, place: usize) -> bool {
        self.0 & 1 << place != 0
    }
}

/// A name that is not the name of a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownLaw(String);

impl fmt::Display for UnknownLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no law is named '{}'; the laws are:", self.0)?;
        names().try_for_each(|name| write!(f, "\n    {name}"))
    }
}

/// Returns the first law that a finished run violates and does not waive. The laws of the test come before the last of these, since they
/// may look at dead letters.
pub(crate) fn check(
    facts: &Facts<'_>,
    waived: Waivers,
    own: impl FnOnce() -> Option<Problem>,
) -> Option<Problem> {
    let first = first_broken(facts, waived.with(DEAD_LETTERS));
    first.or_else(own).or_else(|| first_broken(facts, waived))
}

fn first_broken(facts: &Facts<'_>, waived: Waivers) -> Option<Problem> {
    let laws = ALL.iter().enumerate().filter(|(place, _)| !waived.has(*place));
    let (law, broken) =
        laws.map(|(_, law)| (law, (law.check)(facts))).find(|(_, broken)| broken.is_some())?;
    let Broken { text, at, message } = broken?;
    let chain = message.map(|id| facts.trace.message(id).correlation_id()).filter(|id| !id.is_empty());
    Some(Problem { kind: ProblemKind::Law(law.name.to_owned()), text, at, chain })
}

#[cfg(test)]
mod tests;
