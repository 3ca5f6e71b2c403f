//! Decides which settlements to send, and when. Pure: no channel, no clock.
//!
//! An ack costs the broker more than the delivery it settles, and one ack can settle many: `multiple` settles all tags up to its own. Acks
//! are therefore held briefly, and sent as one up to the tag below the lowest unsettled tag. Above such a gap they are sent one by one.
//! Rejects and requeues are sent at once, after the acks before them.

use std::collections::VecDeque;

use tavrida::transport::AckKind;

/// A settlement to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    Ack { tag: u64, multiple: bool },
    Reject { tag: u64, requeue: bool },
}

/// The open deliveries of one channel, lowest tag first. Tags of a channel with a single consumer have no gaps.
#[derive(Debug)]
pub(super) struct Acks {
    lowest: u64,
    marks: VecDeque<Mark>,
    held: usize,
    open: usize,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Held,
    Sent,
}

impl Acks {
    /// The maximum number of held acks. Measured: batches of 10 give the gain; 100 give no more.
    const LIMIT: usize = 50;

    /// For a consumer with this prefetch (0 is no limit): at most half of it is held, otherwise the broker would wait for us.
    pub(super) fn new(prefetch: u16) -> Self {
        let limit = match prefetch {
            0 => Self::LIMIT,
            prefetch => (usize::from(prefetch) / 2).clamp(1, Self::LIMIT),
        };
        Self { lowest: 1, marks: VecDeque::new(), held: 0, open: 0, limit }
    }

    /// Records a delivery.
    pub(super) fn hand_out(&mut self, tag: u64) {
        debug_assert_eq!(tag, self.lowest + self.marks.len() as u64, "tags come in order, without holes");
        self.marks.push_back(Mark::Open);
        self.open += 1;
    }

    /// Returns the number of unsettled deliveries.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Returns the number of held acks.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Settles a delivery; `send` gets what is due. An unknown tag is ignored.
    pub(super) fn settle(&mut self, tag: u64, kind: AckKind, send: &mut dyn FnMut(Settlement)) {
        let Some(mark) = tag.checked_sub(self.lowest).and_then(|at| self.marks.get_mut(at as usize)) else {
            return;
        };
        if *mark != Mark::Open {
            return;
        }
        self.open -= 1;
        if kind == AckKind::Ack {
            *mark = Mark::Held;
            self.held += 1;
            if self.held >= self.limit {
                self.flush(send);
            }
            return;
        }
        *mark = Mark::Sent;
        self.flush(send);
        send(Settlement::Reject { tag, requeue: kind == AckKind::Requeue });
    }

    /// Sends all held acks.
    pub(super) fn flush(&mut self, send: &mut dyn FnMut(Settlement)) {
        self.flush_below_the_gap(send);
        if self.held == 0 {
            return;
        }
        for (mark, tag) in self.marks.iter_mut().zip(self.lowest..) {
            if *mark == Mark::Held {
                *mark = Mark::Sent;
                send(Settlement::Ack { tag, multiple: false });
            }
        }
        self.held = 0;
    }

    fn flush_below_the_gap(&mut self, send: &mut dyn FnMut(Settlement)) {
        let settled = self.marks.iter().position(|mark| *mark == Mark::Open).unwrap_or(self.marks.len());
        let held = self.marks.range(..settled).filter(|mark| **mark == Mark::Held).count();
        // RabbitMQ requires the tag itself to be unsettled, also with `multiple`.
        if let Some(last) = self.marks.range(..settled).rposition(|mark| *mark == Mark::Held) {
            send(Settlement::Ack { tag: self.lowest + last as u64, multiple: held > 1 });
        }
        self.held -= held;
        self.marks.drain(..settled);
        self.lowest += settled as u64;
    }
}

#[cfg(test)]
mod tests {
    use Settlement::{Ack, Reject};

    use super::*;

    fn handed_out(prefetch: u16, tags: u64) -> Acks {
        let mut acks = Acks::new(prefetch);
        (1..=tags).for_each(|tag| acks.hand_out(tag));
        acks
    }

    fn settle(acks: &mut Acks, tags: impl IntoIterator<Item = u64>) -> Vec<Settlement> {
        let mut sent = Vec::new();
        tags.into_iter()
            .for_each(|tag| acks.settle(tag, AckKind::Ack, &mut |settlement| sent.push(settlement)));
        sent
    }

    fn flush(acks: &mut Acks) -> Vec<Settlement> {
        let mut sent = Vec::new();
        acks.flush(&mut |settlement| sent.push(settlement));
        sent
    }

    #[test]
    fn acks_in_order_go_as_one_at_half_the_prefetch() {
        let mut acks = handed_out(20, 20);
        assert_eq!(settle(&mut acks, 1..10), []);
        assert_eq!(settle(&mut acks, [10]), [Ack { tag: 10, multiple: true }]);
        assert_eq!(settle(&mut acks, 11..20), []);
        assert_eq!(flush(&mut acks), [Ack { tag: 19, multiple: true }]);
        assert_eq!(flush(&mut acks), []);
    }

    #[test]
    fn nothing_is_held_with_a_prefetch_of_one() {
        let mut acks = handed_out(1, 1);
        assert_eq!(settle(&mut acks, [1]), [Ack { tag: 1, multiple: false }]);
    }

    #[test]
    fn multiple_stops_below_the_lowest_unsettled_and_the_rest_goes_singly() {
        let mut acks = handed_out(20, 8);
        assert_eq!(settle(&mut acks, [1, 2, 4, 6, 7]), []);
        let singly = |tag| Ack { tag, multiple: false };
        assert_eq!(flush(&mut acks), [Ack { tag: 2, multiple: true }, singly(4), singly(6), singly(7)]);
        assert_eq!(settle(&mut acks, [3, 5]), []);
        assert_eq!(
            flush(&mut acks),
            [Ack { tag: 5, multiple: true }],
            "4 is settled: multiple passes over it"
        );
        assert_eq!(acks.open(), 1);
    }

    #[test]
    fn a_multiple_never_names_a_tag_that_is_settled() {
        let mut acks = handed_out(20, 3);
        settle(&mut acks, [1, 3]);
        assert_eq!(flush(&mut acks).len(), 2);
        assert_eq!(settle(&mut acks, [2]), []);
        assert_eq!(flush(&mut acks), [Ack { tag: 2, multiple: false }]);
    }

    #[test]
    fn a_refusal_goes_at_once_after_the_acks_before_it() {
        let mut acks = handed_out(20, 3);
        settle(&mut acks, [1, 2]);
        let mut sent = Vec::new();
        acks.settle(3, AckKind::Requeue, &mut |settlement| sent.push(settlement));
        assert_eq!(sent, [Ack { tag: 2, multiple: true }, Reject { tag: 3, requeue: true }]);
    }

    #[test]
    fn each_tag_is_settled_once() {
        let mut acks = handed_out(1, 2);
        assert_eq!(settle(&mut acks, [1, 1]).len(), 1);
        assert_eq!(settle(&mut acks, [0, 3]), [], "never handed out");
    }
}
