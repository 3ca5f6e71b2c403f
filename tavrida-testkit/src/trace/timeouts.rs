//! Asks that were not answered in time, as events: the simulation sees messages, and not who waits for them.

use std::time::Duration;

use super::{CONSUMER_CANCELLED, Event, MessageId, Trace, What};

/// An ask without an answer so far.
struct OpenAsk {
    request: MessageId,
    asked: Event,
    within: Duration,
}

impl OpenAsk {
    fn deadline(&self) -> Duration {
        self.asked.at.saturating_add(self.within)
    }

    /// Returns whether an event ends the ask before its deadline.
    fn is_ended_by(&self, event: &Event, trace: &Trace) -> bool {
        let (request, deadline) = (trace.message(self.request), self.deadline());
        let is_of_asker = event.actor == self.asked.actor && event.at <= deadline;
        is_of_asker
            && match &event.what {
                What::Delivered { .. } => event.message.is_some_and(|message| {
                    let answer = trace.message(message);
                    !answer.request_id().is_empty() && answer.request_id() == request.request_id()
                }),
                What::Published(outcome) => {
                    event.message == Some(self.request) && outcome.is_known() && !outcome.is_taken()
                }
                // The asker has ended, and its asks with it.
                What::Ended(_) => {
                    request.cause().is_some() && event.message == request.cause() && event.at < deadline
                }
                What::Crashed | What::Disconnected(_) => true,
                // The reply queue has lost its consumer.
                What::Fault(what) => what.starts_with("channel-closed"),
                What::Note(note) => note == CONSUMER_CANCELLED,
                _ => false,
            }
    }
}

impl Trace {
    /// Adds an event for each ask whose deadline passed before `now` without an answer.
    pub(crate) fn add_timeouts(&mut self, now: Duration) {
        let mut open: Vec<OpenAsk> = Vec::new();
        let mut over: Vec<OpenAsk> = Vec::new();
        let first_end =
            |sent: &super::SentMessage| sent.is_ask() && sent.expires_after().is_some_and(|by| by <= now);
        if !self.messages.iter().any(first_end) {
            return;
        }
        for event in &self.events {
            open.retain(|ask| !ask.is_ended_by(event, self));
            let (due, rest) = open.into_iter().partition(|ask| ask.deadline() < event.at);
            over.extend::<Vec<_>>(due);
            open = rest;
            if let (What::Published(outcome), Some(request)) = (&event.what, event.message)
                && (!outcome.is_known() || outcome.is_taken())
            {
                let (sent, known) = (self.message(request), |ask: &OpenAsk| ask.request == request);
                let within = sent.expires_after().filter(|_| sent.is_ask() && !sent.is_copy());
                if let Some(within) = within.filter(|_| !open.iter().chain(&over).any(known)) {
                    open.push(OpenAsk { request, asked: event.clone(), within });
                }
            }
        }
        over.extend(open.into_iter().filter(|ask| ask.deadline() <= now));
        over.sort_by_key(OpenAsk::deadline);
        for ask in over {
            let (at, Event { actor, message, .. }) = (ask.deadline(), ask.asked);
            // Behind those of the same time: asks time out in the order in which they began.
            let is_before = |event: &Event| {
                event.at < at || (event.at == at && matches!(event.what, What::TimedOut { .. }))
            };
            let place = self.events.partition_point(is_before);
            let what = What::TimedOut { after: ask.within };
            self.events.insert(place, Event { at, actor, message, delivery: 0, channel: None, what });
        }
    }
}
