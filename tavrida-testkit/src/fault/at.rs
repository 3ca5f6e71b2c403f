//! [`At`]: the place of a scripted fault.

use std::fmt;

use super::Fault;

/// The steps in the life of a message at which a fault can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// A server of the graph is about to start.
    Boot,
    /// The message leaves its sender.
    Publish,
    /// The message is about to arrive.
    Deliver,
    /// The handler of the message is about to begin.
    Start,
    /// The handler waits: at each await that is not ready at once, and again each time it is woken and still waits.
    Wait,
    /// The handler has ended, and the delivery is about to be acknowledged.
    Ack,
    /// The broker has the acknowledgement.
    Done,
    /// Code is at a [yield point](crate::yield_point). Schedules have decisions here, but no faults: they happen at [`Site::Wait`].
    Yield,
}

impl Site {
    /// All sites: first those that a message reaches, in that order.
    pub const ALL: [Self; 8] = [
        Self::Boot,
        Self::Publish,
        Self::Deliver,
        Self::Start,
        Self::Wait,
        Self::Ack,
        Self::Done,
        Self::Yield,
    ];

    /// Returns the word for it in the text of a schedule.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Publish => "publish",
            Self::Deliver => "deliver",
            Self::Start => "start",
            Self::Wait => "wait",
            Self::Ack => "ack",
            Self::Done => "done",
            Self::Yield => "yield",
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A place in a run: a site that a message reaches, and which time it does.
///
/// The message is named by the entry point that handles it (`billing.charge` for the request, the response, the error and the notification
/// of that name alike) or, when it is published, by an exchange.
///
/// A run that never reaches the place fails, unless the place is [`optional`](At::optional). This catches a misspelt name, and a fault in a
/// branch that no run takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    site: Site,
    what: String,
    nth: u32,
    optional: bool,
}

impl At {
    fn new(site: Site, what: &str) -> Self {
        Self { site, what: what.to_owned(), nth: 1, optional: false }
    }

    /// Is reached when a server of the graph, with all its replicas, is about to start for the first time. Set it before the graph starts:
    /// see [`Sim::fault`](crate::sim::Sim::fault).
    pub fn boot(server: &str) -> Self {
        Self::new(Site::Boot, server)
    }

    /// Is reached when a message for this entry point leaves its sender.
    pub fn publish(entry_point: &str) -> Self {
        Self::new(Site::Publish, entry_point)
    }

    /// Is reached when a message through this exchange, or for this entry point, is about to be confirmed.
    pub fn confirm(exchange: &str) -> Self {
        Self::new(Site::Publish, exchange)
    }

    /// Is reached when a message for this entry point is about to arrive.
    pub fn delivery(entry_point: &str) -> Self {
        Self::new(Site::Deliver, entry_point)
    }

    /// Is reached when a handler of this entry point is about to begin.
    pub fn start(entry_point: &str) -> Self {
        Self::new(Site::Start, entry_point)
    }

    /// Is reached each time a handler of this entry point waits.
    pub fn in_handler(entry_point: &str) -> Self {
        Self::new(Site::Wait, entry_point)
    }

    /// Is reached when a handler of this entry point has ended, and its delivery is not acknowledged yet.
    pub fn before_ack(entry_point: &str) -> Self {
        Self::new(Site::Ack, entry_point)
    }

    /// Is reached when a delivery for this entry point was acknowledged.
    pub fn after_ack(entry_point: &str) -> Self {
        Self::new(Site::Done, entry_point)
    }

    /// Sets which occurrence is meant, counted from 1. The default is the first.
    ///
    /// # Panics
    ///
    /// Panics if `nth` is 0.
    #[must_use = "the place comes back with the number"]
    #[track_caller]
    pub fn nth(mut self, nth: u32) -> Self {
        assert!(nth > 0, "times are counted from 1, and {self} has no 0th");
        self.nth = nth;
        self
    }

    /// Allows runs that never reach the place.
    #[must_use = "the place comes back as an optional one"]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Returns the site.
    pub fn site(&self) -> Site {
        self.site
    }

    /// Returns whether a run may miss the place.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    pub(crate) fn nth_time(&self) -> u32 {
        self.nth
    }

    pub(crate) fn names(&self, site: Site, topic: &str, exchange: &str) -> bool {
        self.site == site && (self.what == topic || (site == Site::Publish && self.what == exchange))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of '{}'", self.site, self.what)?;
        if self.nth > 1 { write!(f, ", time {}", self.nth) } else { Ok(()) }
    }
}

/// A scripted fault whose place the run did not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The place.
    pub at: At,
    /// The fault.
    pub fault: Fault,
    /// How often the run reached the place: less often than the fault needs.
    pub seen: u32,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, fault, seen } = self;
        let times = match seen {
            0 => "never".to_owned(),
            1 => "once".to_owned(),
            _ => format!("{seen} times"),
        };
        write!(f, "{fault} at {at} did not happen: it came to pass {times}")
    }
}
