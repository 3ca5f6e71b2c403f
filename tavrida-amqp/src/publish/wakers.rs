//! Which of many futures to poll: a waker for each slot, and the list of woken slots, in order.

use parking_lot::Mutex;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use futures_util::task::AtomicWaker;

use super::outstanding::Slot;

/// The woken slots. A slot's waker is created once and reused by all users of the slot.
#[derive(Default)]
pub(super) struct WokenSlots {
    woken: Arc<Woken>,
    wakers: Vec<Waker>,
}

#[derive(Default)]
struct Woken {
    slots: Mutex<Vec<Slot>>,
    task: AtomicWaker,
}

struct SlotWaker {
    slot: Slot,
    woken: Arc<Woken>,
}

impl WokenSlots {
    pub(super) fn waker(&mut self, slot: Slot) -> &Waker {
        while self.wakers.len() <= slot as usize {
            let slot = Slot::try_from(self.wakers.len()).expect("it is below another slot");
            self.wakers.push(Arc::new(SlotWaker { slot, woken: self.woken.clone() }).into());
        }
        &self.wakers[slot as usize]
    }

    /// Wakes `cx` when a slot is woken from now on.
    pub(super) fn register(&self, cx: &Context<'_>) {
        self.woken.task.register(cx.waker());
    }

    /// Moves the slots woken since the last call into `slots`, which must be empty.
    pub(super) fn take(&self, slots: &mut Vec<Slot>) {
        debug_assert!(slots.is_empty());
        mem::swap(slots, &mut self.woken.slots.lock());
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let first = {
            let mut slots = self.woken.slots.lock();
            slots.push(self.slot);
            slots.len() == 1
        };
        if first {
            self.woken.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_in_the_order_in_which_they_were_woken() {
        let mut woken = WokenSlots::default();
        for slot in [2, 0, 1, 0] {
            woken.waker(slot).wake_by_ref();
        }
        let mut slots = Vec::new();
        woken.take(&mut slots);
        assert_eq!(slots, [2, 0, 1, 0]);
        slots.clear();
        woken.take(&mut slots);
        assert!(slots.is_empty());
    }
}
