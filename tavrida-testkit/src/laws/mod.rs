//! Laws: what holds in every run, asked or not.
//!
//! A run that breaks one has failed. Each law has exemptions, for what is meant to be so; a run where it is broken on purpose waives it
//! by its name ([`Sim::waive`](crate::sim::Sim::waive), [`Setup::waive`](crate::sim::Setup::waive)). A law of a test's own is added
//! with [`Sim::law`](crate::sim::Sim::law).
//!
//! | law | what it says | exempt |
//! |---|---|---|
//! | [`SETTLED`] | a confirmed message is acked, rejected, dead-lettered, or still in a queue at the end | what expired as its own expiration or a fault says; what was in a queue that is gone, or on its way to a consumer without acknowledgements that was cut off; transient messages at a restart of the broker; a live broker, which cannot be looked into |
//! | [`HOT_LOOP`] | no consumer gives a message back again and again without time passing: ten times within a second | redeliveries that faults bring about |
//! | [`ONE_ANSWER`] | a call that was worked to its end was answered, and not more often than it was delivered; a cast is not answered | a call (not an ask) whose handler answers nothing |
//! | [`PAIRS`] | an answer has the request id of a request, and that one's correlation id | |
//! | [`ROUTABLE`] | no request is unroutable | requests to a service of [`late`](crate::graph::GraphBuilder::late), until it starts |
//! | [`ASKS_END`] | an ask has come to its answer, its deadline, or the end of its session or reply queue | |
//! | [`CORRELATION`] | what a handler sends has the correlation id of what it handles | an id that was given explicitly; not for answers |
//! | [`CONTEXT`] | an answer has all keys of its request's context | answers that are put off until another answer comes; whatever else is sent lacks keys only where its context was replaced |
//! | [`FIFO`] | a consumer gets the messages of a queue in the order in which they were published | redelivered, dead-lettered and prioritised messages; a live broker, of which it is not seen in which order it got them |
//! | [`PREFETCH`] | no consumer has more unsettled deliveries than its prefetch | |
//! | [`RECEIVER`] | a verdict comes on the channel on which its delivery arrived | |
//! | [`IDLE`] | at the end no handler works, and no delivery waits for its verdict | deliveries of sessions and channels that broke |
//! | [`IDEMPOTENT`] | a message that is worked twice has the effects of once; checked where [everything is delivered twice](crate::sim::Setup::delivering_twice) | |

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
/// Nothing is given back again and again.
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
/// Handlers are idempotent.
pub const IDEMPOTENT: &str = "handlers are idempotent";

/// A law: its name, and how it is checked.
struct Law {
    name: &'static str,
    check: fn(&Facts<'_>) -> Option<Broken>,
}

/// All laws, in the order in which they are checked: what explains most comes first.
const ALL: [Law; 13] = [
    Law { name: HOT_LOOP, check: messages::hot_loop },
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
    Law { name: IDEMPOTENT, check: effects::idempotent },
];

/// The names of all laws.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|law| law.name)
}

/// A law that is broken.
pub(crate) struct Broken {
    text: String,
    at: Duration,
    message: Option<MessageId>,
}

/// Which laws are waived for a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waivers(u16);

impl Waivers {
    /// Waives a law.
    ///
    /// # Errors
    ///
    /// There is none of this name; the text lists those that there are.
    pub(crate) fn waive(&mut self, name: &str) -> Result<(), UnknownLaw> {
        let place = ALL.iter().position(|law| law.name == name).ok_or_else(|| UnknownLaw(name.to_owned()))?;
        self.0 |= 1 << place;
        Ok(())
    }

    /// Those of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, place: usize) -> bool {
        self.0 & 1 << place != 0
    }
}

/// A name that is no law's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownLaw(String);

impl fmt::Display for UnknownLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no law is named '{}'; the laws are:", self.0)?;
        names().try_for_each(|name| write!(f, "\n    {name}"))
    }
}

/// The first law that a finished run breaks, if it breaks one that was not waived.
pub(crate) fn check(facts: &Facts<'_>, waived: Waivers) -> Option<Problem> {
    let laws = ALL.iter().enumerate().filter(|(place, _)| !waived.has(*place));
    let (law, broken) =
        laws.map(|(_, law)| (law, (law.check)(facts))).find(|(_, broken)| broken.is_some())?;
    let Broken { text, at, message } = broken?;
    let chain = message.map(|id| facts.trace.message(id).correlation_id()).filter(|id| !id.is_empty());
    Some(Problem { kind: ProblemKind::Law(law.name.to_owned()), text, at, chain })
}

#[cfg(test)]
mod tests;
