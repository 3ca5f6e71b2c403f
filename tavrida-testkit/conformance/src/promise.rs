//! One promise: its text, its source, and its check.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::Capability;
use crate::check::Kept;
use crate::harness::Harness;

/// A running check.
pub(crate) type Act = Pin<Box<dyn Future<Output = Kept> + Send>>;

/// The first version of which some values differ.
pub(crate) const V4_0: (u16, u16) = (4, 0);

/// One promise of every transport.
pub struct Promise {
    room: &'static str,
    text: &'static str,
    source: &'static str,
    needs: Vec<Need>,
    /// The first version of RabbitMQ that it holds for, and the first that it does not hold for any more.
    since: Option<(u16, u16)>,
    before: Option<(u16, u16)>,
    act: Box<dyn Fn(Harness) -> Act + Send + Sync>,
}

/// What a promise needs to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The broker has this capability.
    Capability(Capability),
    /// The environment can break a session's connection.
    Breaker,
    /// The environment can raise an alarm.
    Alarm,
    /// The interval at which a broker retries dead-lettering is known.
    Rounds,
}

/// Returns a promise that `check` checks; its room comes from the table of rooms.
pub(crate) fn promise<F, Fut>(text: &'static str, source: &'static str, check: F) -> Promise
where
    F: Fn(Harness) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Kept> + Send + 'static,
{
    let act: Box<dyn Fn(Harness) -> Act + Send + Sync> = Box::new(move |harness| Box::pin(check(harness)));
    Promise { room: "", text, source, needs: Vec::new(), since: None, before: None, act }
}

impl Promise {
    /// Returns the room that it belongs to, such as `publishing`.
    pub fn room(&self) -> &'static str {
        self.room
    }

    /// Returns what is promised.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Returns the source: rules of the broker semantics (`R25`), or `contract`.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Returns the capabilities that it needs.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        self.needs.iter().filter_map(|need| match need {
            Need::Capability(capability) => Some(*capability),
            Need::Breaker | Need::Alarm | Need::Rounds => None,
        })
    }

    /// Returns whether it is skipped without a [breaker](crate::Suite::with_breaker).
    pub fn needs_breaker(&self) -> bool {
        self.needs.contains(&Need::Breaker)
    }

    /// Returns whether it is skipped without an [alarm](crate::Suite::with_alarm).
    pub fn needs_alarm(&self) -> bool {
        self.needs.contains(&Need::Alarm)
    }

    /// Returns whether it is skipped unless [the time](crate::Suite::dead_letters_anew_within) is known.
    pub fn needs_rounds(&self) -> bool {
        self.needs.contains(&Need::Rounds)
    }

    /// Returns whether it holds for this version of RabbitMQ, major and minor. Some values differ between versions; each has a promise.
    pub fn holds_for(&self, version: (u16, u16)) -> bool {
        self.since.is_none_or(|since| version >= since) && self.before.is_none_or(|before| version < before)
    }

    /// Limits it to this version and those after it.
    pub(crate) fn since(mut self, version: (u16, u16)) -> Self {
        self.since = Some(version);
        self
    }

    /// Limits it to the versions before this one.
    pub(crate) fn before(mut self, version: (u16, u16)) -> Self {
        self.before = Some(version);
        self
    }

    pub(crate) fn in_room(mut self, room: &'static str) -> Self {
        self.room = room;
        self
    }

    pub(crate) fn needing(mut self, capability: Capability) -> Self {
        self.needs.push(Need::Capability(capability));
        self
    }

    pub(crate) fn needing_breaker(mut self) -> Self {
        self.needs.push(Need::Breaker);
        self
    }

    pub(crate) fn needing_alarm(mut self) -> Self {
        self.needs.push(Need::Alarm);
        self
    }

    pub(crate) fn needing_rounds(mut self) -> Self {
        self.needs.push(Need::Rounds);
        self
    }

    pub(crate) fn needs(&self) -> &[Need] {
        &self.needs
    }

    pub(crate) fn check(&self, harness: Harness) -> Act {
        (self.act)(harness)
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise")
            .field("room", &self.room)
            .field("text", &self.text)
            .field("source", &self.source)
            .field("needs", &self.needs)
            .field("since", &self.since)
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}
