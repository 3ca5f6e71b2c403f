//! Matches the broker's answers to publishes. Pure: no channel, no clock.
//!
//! RabbitMQ answers an unroutable message with `basic.return` and then `basic.ack`. lapin does not match them: it queues returns, and
//! whichever confirm resolves next takes the first one. A return is therefore attached to a foreign confirm whenever confirms overtake each
//! other, and a confirm alone says nothing about its own message.
//!
//! What can be inferred, since a return always comes before the ack of its message, and lapin's queue is first in, first out, with one
//! return taken at each confirm:
//!
//! 1. A confirm that carries **no** return found the queue empty. Every return that came before it is therefore attached to a confirm that
//!    resolved before it; once those are read too, it is certain whether its message was returned.
//! 2. A confirm that carries a **foreign** return leaves its own message in doubt: its return may be in the queue. At that moment the queue
//!    is at most as long as the number of unconfirmed publishes (each of them will take one return). When all of these have resolved, the
//!    doubt is resolved. The same holds as soon as a return of a later message is seen, or a later message resolves without one.
//!
//! Returned messages come whole, and are matched by their whole content: exchange, routing key, properties, body. Nothing is therefore
//! added to a message for matching. Two publishes that are equal in all of it are twins, whose outcomes cannot be distinguished: the older
//! one takes the return.

use std::collections::VecDeque;
use std::mem;

use tavrida::field::Table;
use tavrida::transport::{Properties, Publication};

/// An entry's index, reused when it is decided.
pub(super) type Slot = u32;

/// The outcome of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Routed,
    Unroutable,
    Nacked,
}

/// A confirm as lapin delivers it.
#[derive(Debug)]
pub(super) struct Confirm {
    pub(super) slot: Slot,
    pub(super) ack: bool,
    /// The return that is attached to it, of any message.
    pub(super) carried: Option<Publication>,
}

/// The publishes under way on one channel; `P` is returned to the caller with the outcome.
#[derive(Debug)]
pub(super) struct Outstanding<P> {
    entries: Vec<Entry<P>>,
    free: Vec<Slot>,
    /// Entries in the order of publishing; decided ones are skipped, and removed from time to time.
    order: VecDeque<(u64, Slot)>,
    live: usize,
    waiting: usize,
    doubtful: usize,
    next: u64,
    /// Doubts that began before this number was assigned are resolved.
    cleared: u64,
}

#[derive(Debug)]
struct Entry<P> {
    number: u64,
    state: State,
    returned: bool,
    publish: Option<P>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// Acked, with a foreign return: in doubt until all with a number below this are resolved.
    Doubtful(u64),
    Free,
}

impl<P> Default for Outstanding<P> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            order: VecDeque::new(),
            live: 0,
            waiting: 0,
            doubtful: 0,
            next: 0,
            cleared: 0,
        }
    }
}

impl<P: AsRef<Publication>> Outstanding<P> {
    /// Adds a publish that is sent now.
    pub(super) fn add(&mut self, publish: P) -> Slot {
        let entry =
            Entry { number: self.next, state: State::Waiting, returned: false, publish: Some(publish) };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.entries[slot as usize] = entry;
                slot
            }
            None => {
                self.entries.push(entry);
                Slot::try_from(self.entries.len() - 1).expect("a window is far below four billion")
            }
        };
        self.order.push_back((self.next, slot));
        self.next += 1;
        self.live += 1;
        self.waiting += 1;
        slot
    }

    /// Returns how many have no outcome yet.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Returns the number of the oldest without an outcome.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.order.iter().find(|(number, slot)| self.is(*number, *slot)).map(|(number, _)| *number)
    }

    /// Returns whether some publish is confirmed without a known outcome.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubtful > 0
    }

    /// Adds confirms. The set must be closed: everything that resolved before one of them is in it, or was added before. Returns what is
    /// decided now.
    pub(super) fn confirm(&mut self, confirms: &mut Vec<Confirm>, decided: &mut Vec<(P, Outcome)>) {
        for confirmed in confirms.iter_mut() {
            if let Some(returned) = confirmed.carried.take() {
                let own = self.mark(&returned, confirmed.slot);
                // Kept to mark that it carried a foreign one.
                confirmed.carried = (!own).then_some(returned);
            }
        }
        for confirmed in confirms.drain(..) {
            self.resolve(confirmed, decided);
        }
        if self.doubtful > 0 {
            self.end_doubts(decided);
        }
        self.sweep();
    }

    /// Removes one entry without an outcome, if it exists.
    pub(super) fn take(&mut self, slot: Slot) -> Option<P> {
        let entry = &mut self.entries[slot as usize];
        match mem::replace(&mut entry.state, State::Free) {
            State::Free => return None,
            State::Waiting => self.waiting -= 1,
            State::Doubtful(_) => self.doubtful -= 1,
        }
        self.live -= 1;
        self.free.push(slot);
        entry.publish.take()
    }

    /// Removes all entries without an outcome, in the order of publishing.
    pub(super) fn take_all(&mut self) -> Vec<P> {
        let order = mem::take(&mut self.order);
        order
            .into_iter()
            .filter_map(|(number, slot)| self.is(number, slot).then(|| self.take(slot))?)
            .collect()
    }

    /// Finds the oldest matching message for a return, and marks it. Returns whether it is the one in `carrier`.
    fn mark(&mut self, returned: &Publication, carrier: Slot) -> bool {
        let mut found = None;
        let mut likely = None;
        for &(number, slot) in &self.order {
            let entry = &self.entries[slot as usize];
            if entry.number != number || entry.state == State::Free || entry.returned {
                continue;
            }
            let sent = entry.publish.as_ref().expect("it is not free").as_ref();
            if !sent.mandatory || !same_address_and_body(sent, returned) {
                continue;
            }
            if same_properties(&sent.properties, &returned.properties) {
                found = Some(slot);
                break;
            }
            likely = likely.or(Some(slot));
        }
        // If a property does not equal itself (a NaN in a header), the likely one is taken.
        let Some(slot) = found.or(likely) else {
            tracing::error!(exchange = ?returned.exchange, routing_key = ?returned.routing_key, "a message came back that was not sent");
            return false;
        };
        let entry = &mut self.entries[slot as usize];
        entry.returned = true;
        self.cleared = self.cleared.max(entry.number);
        slot == carrier
    }

    fn resolve(&mut self, Confirm { slot, ack, carried }: Confirm, decided: &mut Vec<(P, Outcome)>) {
        let entry = &mut self.entries[slot as usize];
        if entry.state != State::Waiting {
            return;
        }
        let mandatory = entry.publish.as_ref().is_some_and(|publish| publish.as_ref().mandatory);
        if carried.is_none() {
            self.cleared = self.cleared.max(entry.number);
        }
        match (ack, carried) {
            (false, _) => self.decide_nacked(slot, decided),
            (true, Some(_)) if mandatory && !entry.returned => {
                entry.state = State::Doubtful(self.next);
                self.waiting -= 1;
                self.doubtful += 1;
            }
            (true, _) => self.decide_acked(slot, decided),
        }
    }

    fn decide_acked(&mut self, slot: Slot, decided: &mut Vec<(P, Outcome)>) {
        let returned = self.entries[slot as usize].returned;
        self.decide(slot, if returned { Outcome::Unroutable } else { Outcome::Routed }, decided);
    }

    fn decide_nacked(&mut self, slot: Slot, decided: &mut Vec<(P, Outcome)>) {
        let returned = self.entries[slot as usize].returned;
        self.decide(slot, Outcome::Nacked, decided);
        if returned && let Some((publish, _)) = decided.last() {
            // A message that a queue refused was not returned: its twin was.
            let twin = publish.as_ref().clone();
            self.mark(&twin, slot);
        }
    }

    fn decide(&mut self, slot: Slot, outcome: Outcome, decided: &mut Vec<(P, Outcome)>) {
        if let Some(publish) = self.take(slot) {
            decided.push((publish, outcome));
        }
    }

    fn end_doubts(&mut self, decided: &mut Vec<(P, Outcome)>) {
        let all_before = self.first_waiting().unwrap_or(self.next);
        let cleared = self.cleared;
        for at in 0..self.order.len() {
            let (number, slot) = self.order[at];
            let entry = &self.entries[slot as usize];
            let State::Doubtful(horizon) = entry.state else { continue };
            if entry.number == number && (entry.returned || all_before >= horizon || cleared >= horizon) {
                self.decide_acked(slot, decided);
            }
        }
    }

    /// Returns the number of the oldest publish without a confirm.
    fn first_waiting(&self) -> Option<u64> {
        if self.waiting == 0 {
            return None;
        }
        let waiting = |&&(number, slot): &&(u64, Slot)| {
            let entry = &self.entries[slot as usize];
            entry.number == number && entry.state == State::Waiting
        };
        self.order.iter().find(waiting).map(|(number, _)| *number)
    }

    fn is(&self, number: u64, slot: Slot) -> bool {
        let entry = &self.entries[slot as usize];
        entry.number == number && entry.state != State::Free
    }

    fn sweep(&mut self) {
        while let Some(&(number, slot)) = self.order.front() {
            if self.is(number, slot) {
                break;
            }
            self.order.pop_front();
        }
        if self.order.len() > 2 * self.live + 64 {
            let mut order = mem::take(&mut self.order);
            order.retain(|&(number, slot)| self.is(number, slot));
            self.order = order;
        }
    }
}

fn same_address_and_body(sent: &Publication, returned: &Publication) -> bool {
    sent.properties.message_id == returned.properties.message_id
        && sent.routing_key == returned.routing_key
        && sent.exchange == returned.exchange
        && sent.body == returned.body
}

/// Compares properties without the header `BCC`, which RabbitMQ removes from deliveries and returns.
fn same_properties(sent: &Properties, returned: &Properties) -> bool {
    const BCC: &str = "BCC";
    if sent.headers().contains(BCC) {
        let headers = |properties: &Properties| {
            let mut headers: Table = properties.headers().clone();
            headers.remove(BCC);
            headers
        };
        let without = |properties: &Properties| Properties { headers: None, ..properties.clone() };
        return headers(sent) == headers(returned) && without(sent) == without(returned);
    }
    sent == returned
}
