//! Finds handlers that wait for each other in a circle.

use super::{ActorId, Ask, Handler, Idle, MessageId, Waits, WaitsAt};

/// A handler of a cycle: its index, the ask that it waits for, and where that request waits if no handler has begun it.
pub(super) struct Link<'w> {
    pub(super) handler: &'w Handler,
    pub(super) ask: &'w Ask,
    pub(super) idle: Option<&'w Idle>,
}

impl Waits<'_> {
    /// Returns handlers each of which waits for the next, and the last for the first.
    pub(super) fn cycle(&self) -> Option<Vec<Link<'_>>> {
        (0..self.handlers.len()).find_map(|start| {
            let mut path = Vec::new();
            self.follow(start, start, &mut path, &mut vec![false; self.handlers.len()]).then_some(path)
        })
    }

    /// Follows what a handler waits for until it is the `start` again.
    fn follow<'w>(&'w self, at: usize, start: usize, path: &mut Vec<Link<'w>>, seen: &mut [bool]) -> bool {
        if std::mem::replace(&mut seen[at], true) {
            return false;
        }
        let handler = &self.handlers[at];
        for ask in &handler.asks {
            let (idle, next) = self.awaited(ask.request);
            path.push(Link { handler, ask, idle });
            for next in next {
                if next == start || self.follow(next, start, path, seen) {
                    return true;
                }
            }
            path.pop();
        }
        false
    }

    /// Returns where a request waits, and the handlers that must end before it is answered.
    fn awaited(&self, request: MessageId) -> (Option<&Idle>, Vec<usize>) {
        let handlers = self.handlers.iter().enumerate();
        let of_it = |handler: &Handler| handler.delivery.1 == Some(request);
        let begun: Vec<usize> = handlers.filter(|(_, handler)| of_it(handler)).map(|(at, _)| at).collect();
        if !begun.is_empty() {
            return (None, begun);
        }
        let Some(idle) = self.idle.iter().find(|idle| idle.message == request) else {
            return (None, Vec::new());
        };
        let receivers = self.receivers(&idle.place);
        let busy =
            self.handlers.iter().enumerate().filter(|(_, handler)| receivers.contains(&handler.delivery.0));
        (Some(idle), busy.map(|(at, _)| at).collect())
    }

    /// Returns who takes messages from a place.
    pub(super) fn receivers(&self, place: &WaitsAt) -> Vec<ActorId> {
        match place {
            WaitsAt::Prefetched(actor) => vec![*actor],
            WaitsAt::Queued(queue) => {
                let of_it = self.trace.channels().iter().filter(|channel| channel.queue == *queue);
                let mut actors: Vec<ActorId> = of_it.map(|channel| channel.actor).collect();
                actors.sort_unstable();
                actors.dedup();
                actors
            }
        }
    }
}
