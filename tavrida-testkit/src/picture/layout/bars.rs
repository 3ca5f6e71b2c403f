//! [`Bars`]: the deliveries that actors hold, and running handlers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bar, BarKind};
use crate::picture::story::Story;
use crate::trace::{ActorId, Ending, Event, MessageId, What};

/// The width of a bar.
pub(super) const WIDE: i32 = 8;
/// The distance between the bars of one actor.
const STEP: i32 = 7;
/// How far a bar extends above and below the rows where it begins and ends.
const ABOVE: i32 = 4;
const BELOW: i32 = 9;

/// The bars so far.
pub(super) struct Bars {
    /// The deliveries that must be settled: what is prefetched waits, though no handler begins.
    settled: BTreeSet<DrawnDelivery>,
    /// Running handlers, and held deliveries.
    open: Vec<OpenBar>,
    slots: BTreeMap<ActorId, Vec<Option<DrawnDelivery>>>,
    done: Vec<Bar>,
}

type DrawnDelivery = (ActorId, MessageId, u32);

struct OpenBar {
    delivery: DrawnDelivery,
    kind: BarKind,
    x: i32,
    from: i32,
}

impl Bars {
    pub(super) fn new(story: &Story<'_>) -> Self {
        let must_be = |event: &Event| {
            let channel = event.channel.map(|channel| &story.trace.channels()[channel.index()]);
            matches!(event.what, What::Delivered { .. }) && channel.is_some_and(|channel| !channel.no_ack)
        };
        let settled = story.events.iter().filter(|event| is_settled(event) || must_be(event));
        let settled = settled.filter_map(|event| delivery(event)).collect();
        Self { settled, open: Vec::new(), slots: BTreeMap::new(), done: Vec::new() }
    }

    /// Returns how far the bars of an actor extend to the right of its line.
    pub(super) fn reach(&self, actor: ActorId) -> i32 {
        let slots = self.slots.get(&actor).map_or(&[][..], Vec::as_slice);
        let last = slots.iter().rposition(Option::is_some).unwrap_or(0);
        i32::try_from(last).expect("few handlers work at once") * STEP
    }

    /// Returns the offset, to the right of the actor's line, of the bar in which it handles a message.
    pub(super) fn offset(&self, actor: ActorId, message: MessageId) -> Option<i32> {
        let slots = self.slots.get(&actor)?;
        let slot = slots.iter().rposition(|slot| slot.is_some_and(|(_, held, _)| held == message))?;
        Some(i32::try_from(slot).expect("few handlers work at once") * STEP)
    }

    /// Adds an event at a height, of an actor whose line is at `x`.
    pub(super) fn event(&mut self, event: &Event, x: i32, y: i32) {
        match &event.what {
            What::Crashed | What::Disconnected(_) => self.drop_all(event.actor, y),
            _ => {
                if let Some(delivery) = delivery(event) {
                    self.of_delivery(event, delivery, x, y);
                }
            }
        }
    }

    fn of_delivery(&mut self, event: &Event, delivery: DrawnDelivery, x: i32, y: i32) {
        match &event.what {
            What::Delivered { .. } if self.settled.contains(&delivery) => {
                self.begin(delivery, BarKind::Held, x, y);
            }
            What::Started { .. } => self.begin(delivery, BarKind::Work, x, y),
            What::Ended(ending) => {
                let kind = match ending {
                    Ending::Quiet | Ending::Answered => BarKind::Work,
                    Ending::Failed(_) | Ending::Panicked | Ending::Dropped => BarKind::Broken,
                };
                self.end(delivery, BarKind::Work, kind, y);
            }
            _ if is_settled(event) => self.end(delivery, BarKind::Held, BarKind::Held, y),
            _ => {}
        }
    }

    fn begin(&mut self, delivery: DrawnDelivery, kind: BarKind, x: i32, y: i32) {
        let slots = self.slots.entry(delivery.0).or_default();
        let slot = slots
            .iter()
            .position(|slot| *slot == Some(delivery))
            .or_else(|| slots.iter().position(Option::is_none));
        let slot = slot.unwrap_or_else(|| {
            slots.push(None);
            slots.len() - 1
        });
        slots[slot] = Some(delivery);
        let x = x - WIDE / 2 + i32::try_from(slot).expect("few handlers work at once") * STEP;
        self.open.push(OpenBar { delivery, kind, x, from: y - ABOVE });
    }

    fn end(&mut self, delivery: DrawnDelivery, was: BarKind, kind: BarKind, y: i32) {
        let Some(at) = self.open.iter().position(|open| open.delivery == delivery && open.kind == was) else {
            return;
        };
        let open = self.open.remove(at);
        self.put(&open, kind, y + BELOW);
    }

    fn put(&mut self, open: &OpenBar, kind: BarKind, to: i32) {
        self.done.push(Bar { message: open.delivery.1, x: open.x, from: open.from, to, kind });
        if !self.open.iter().any(|other| other.delivery == open.delivery) {
            let slots = self.slots.get_mut(&open.delivery.0).into_iter().flatten();
            slots.filter(|slot| **slot == Some(open.delivery)).for_each(|slot| *slot = None);
        }
    }

    /// Ends all deliveries that an actor holds; handlers may continue.
    fn drop_all(&mut self, actor: ActorId, y: i32) {
        while let Some(at) =
            self.open.iter().position(|open| open.delivery.0 == actor && open.kind == BarKind::Held)
        {
            let open = self.open.remove(at);
            self.put(&open, BarKind::Held, y);
        }
    }

    /// Returns all bars; open ones end at this height.
    pub(super) fn finish(mut self, y: i32) -> Vec<Bar> {
        for open in std::mem::take(&mut self.open) {
            self.put(&open, open.kind, y);
        }
        // Held deliveries are drawn below running handlers.
        self.done.sort_by_key(|bar| bar.kind != BarKind::Held);
        self.done
    }
}

fn delivery(event: &Event) -> Option<DrawnDelivery> {
    event.message.filter(|_| event.delivery > 0).map(|message| (event.actor, message, event.delivery))
}

fn is_settled(event: &Event) -> bool {
    matches!(event.what, What::Acked | What::Rejected | What::Requeued | What::AckLost | What::Zombie)
}
