//! [`At`]: where a scripted fault happens.

use std::fmt;

/// The stations of a message's way at which something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
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
    pub const ALL: [Self; 6] = [Self::Publish, Self::Deliver, Self::Start, Self::Wait, Self::Ack, Self::Done];

    /// The word for it, as schedules are written.
    pub const fn as_str(self) -> &'static str {
        match self {
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    site: Site,
    what: String,
    nth: u32,
}

impl At {
    fn new(site: Site, what: &str) -> Self {
        Self { site, what: what.to_owned(), nth: 1 }
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
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// Where on the way.
    pub fn site(&self) -> Site {
        self.site
    }

    pub(crate) fn nth_time(&self) -> u32 {
        self.nth
    }

    pub(crate) fn names(&self, site: Site, topic: &str, exchange: &str) -> bool {
        self.site == site && (self.what == topic || (site == Site::Publish && self.what == exchange))
    }
}
