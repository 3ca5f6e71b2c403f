//! [`At`]: where a scripted fault happens.

use std::fmt;

use super::Fault;

/// The stations of a message's way at which something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// A server of the graph is about to start.
    Boot,
    /// It leaves its sender.
    Publish,
    /// It is about to arrive.
    Deliver,
    /// Its handler is about to begin.
    Start,
    /// Its handler waits for something for the first time.
    Wait,
    /// Its handler is done, and the broker is about to be told.
    Ack,
    /// The broker was told.
    Done,
}

impl Site {
    /// All of them, in the order of a message's way.
    pub const ALL: [Self; 7] =
        [Self::Boot, Self::Publish, Self::Deliver, Self::Start, Self::Wait, Self::Ack, Self::Done];

    /// The word for it, as schedules are written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Publish => "publish",
            Self::Deliver => "deliver",
            Self::Start => "start",
            Self::Wait => "wait",
            Self::Ack => "ack",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A place in a run: a site on the way of a message, the nth time that it comes to pass.
///
/// A message is named by the entry point that it is handled under (`billing.charge` for the request, the response, the error
/// and the notification of that name alike) or, at its publish, by an exchange.
///
/// A place that never comes to pass is told: the run fails, unless the place is [`optional`](At::optional). So a name that is
/// misspelt, or a fault in a branch that no run takes, does not go unseen.
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

    /// When a server of the graph, with all its replicas, is about to start for the first time. This is to be said before the
    /// graph starts: see [`Sim::fault`](crate::sim::Sim::fault).
    pub fn boot(server: &str) -> Self {
        Self::new(Site::Boot, server)
    }

    /// When a message for this entry point leaves its sender.
    pub fn publish(entry_point: &str) -> Self {
        Self::new(Site::Publish, entry_point)
    }

    /// When a message through this exchange, or for this entry point, is about to be confirmed.
    pub fn confirm(exchange: &str) -> Self {
        Self::new(Site::Publish, exchange)
    }

    /// When a message for this entry point is about to arrive.
    pub fn delivery(entry_point: &str) -> Self {
        Self::new(Site::Deliver, entry_point)
    }

    /// When a handler of this entry point is about to begin.
    pub fn start(entry_point: &str) -> Self {
        Self::new(Site::Start, entry_point)
    }

    /// When a handler of this entry point waits for something for the first time.
    pub fn in_handler(entry_point: &str) -> Self {
        Self::new(Site::Wait, entry_point)
    }

    /// When a handler of this entry point is done, and its delivery not acked yet.
    pub fn before_ack(entry_point: &str) -> Self {
        Self::new(Site::Ack, entry_point)
    }

    /// When a delivery for this entry point was acked.
    pub fn after_ack(entry_point: &str) -> Self {
        Self::new(Site::Done, entry_point)
    }

    /// The nth time that this comes to pass, from 1; the first unless said otherwise.
    ///
    /// # Panics
    ///
    /// When it is the 0th.
    #[must_use = "the place comes back with the number"]
    #[track_caller]
    pub fn nth(mut self, nth: u32) -> Self {
        assert!(nth > 0, "times are counted from 1, and {self} has no 0th");
        self.nth = nth;
        self
    }

    /// A run in which it never comes to pass does not fail.
    #[must_use = "the place comes back as an optional one"]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Where on the way.
    pub fn site(&self) -> Site {
        self.site
    }

    /// Whether a run may never come to it.
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

/// A scripted fault whose place did not come to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The place.
    pub at: At,
    /// What was to go wrong there.
    pub fault: Fault,
    /// How often the place came to pass, less often than it had to.
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
