//! Who waits for whom, as text.

use std::fmt;
use std::time::Duration;

use super::{ActorId, Ask, Handler, Idle, Waits, WaitsAt};
use crate::trace::MessageId;
use crate::trace::names::Names;

/// The most lines of one kind.
const MOST: usize = 20;

impl fmt::Display for Waits<'_> {
    /// Writes one line for each handler, ask of a client, and message that waits, and the cycle if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = &Names::of(self.trace);
        let asks = self.asks.iter().map(|ask| {
            let asker = self.trace.actor(ask.asker).name();
            format!("{asker} awaits {}, since {}", self.label(names, ask.request), time(ask.since))
        });
        lines(f, asks)?;
        lines(f, self.handlers.iter().map(|handler| self.handler(names, handler)))?;
        lines(f, self.idle.iter().map(|idle| self.idle(names, idle)))?;
        let Some(cycle) = self.cycle() else { return Ok(()) };
        let steps: Vec<String> = cycle
            .iter()
            .flat_map(|link| {
                let asked = self.topic(link.ask.request);
                let awaits = format!("{} awaits {asked}", self.work(link.handler));
                let behind = link.idle.map(|idle| format!("{asked} {}", self.place(idle)));
                [Some(awaits), behind]
            })
            .flatten()
            .collect();
        writeln!(f, "  a cycle, which nothing ends but a deadline: {}", steps.join("; "))
    }
}

impl Waits<'_> {
    /// `left.a (m1)`.
    fn label(&self, names: &Names<'_>, message: MessageId) -> String {
        format!("{} ({})", self.topic(message), names.message(message))
    }

    fn topic(&self, message: MessageId) -> &str {
        self.trace.message(message).topic()
    }

    fn work(&self, handler: &Handler) -> &str {
        handler.delivery.1.map_or("a handler", |message| self.topic(message))
    }

    fn handler(&self, names: &Names<'_>, handler: &Handler) -> String {
        let (actor, message, delivery) = handler.delivery;
        let what = message.map_or_else(|| "a message".to_owned(), |message| self.label(names, message));
        let nth = if delivery > 1 { format!(", delivery {delivery}") } else { String::new() };
        let asks: Vec<String> = handler.asks.iter().map(|ask| self.asked(names, ask)).collect();
        let awaits = match asks.is_empty() {
            true => "waits for no message: for a timer, a lock, a Notify or a task".to_owned(),
            false => format!("awaits {}", asks.join(" and ")),
        };
        let (actor, since) = (self.trace.actor(actor).name(), time(handler.since));
        format!("the handler of {what} in {actor}{nth}, since {since}, {awaits}")
    }

    fn asked(&self, names: &Names<'_>, ask: &Ask) -> String {
        self.label(names, ask.request)
    }

    fn idle(&self, names: &Names<'_>, idle: &Idle) -> String {
        let nature = if self.trace.message(idle.message).is_retry() { "the retry of " } else { "" };
        format!(
            "{nature}{} {}, since {}",
            self.label(names, idle.message),
            self.place(idle),
            time(idle.since)
        )
    }

    /// `waits in left's prefetch: left works 1 at a time`.
    fn place(&self, idle: &Idle) -> String {
        match &idle.place {
            WaitsAt::Prefetched(actor) => {
                let name = self.trace.actor(*actor).name();
                format!("waits in {name}'s prefetch: {}", self.busy(*actor))
            }
            WaitsAt::Queued(queue) => {
                let receivers = self.receivers(&idle.place);
                let busy: Vec<String> = receivers.iter().map(|actor| self.full(*actor, queue)).collect();
                let busy = if busy.is_empty() { "nobody consumes it".to_owned() } else { busy.join(", ") };
                format!("waits in the queue '{queue}': {busy}")
            }
        }
    }

    fn busy(&self, actor: ActorId) -> String {
        let works = self.handlers.iter().filter(|handler| handler.delivery.0 == actor).count();
        format!("{} works {works} at a time", self.trace.actor(actor).name())
    }

    /// How many messages of a queue an actor holds, of how many it takes.
    fn full(&self, actor: ActorId, queue: &str) -> String {
        let channels = self.trace.channels().iter().filter(|channel| channel.actor == actor);
        let prefetch =
            channels.filter(|channel| channel.queue == queue).map(|channel| channel.prefetch).next_back();
        let works = self.handlers.iter().filter(|handler| handler.delivery.0 == actor).count();
        let waits = self.idle.iter().filter(|idle| idle.place == WaitsAt::Prefetched(actor)).count();
        let (name, held) = (self.trace.actor(actor).name(), works + waits);
        match prefetch {
            Some(prefetch) if prefetch > 0 => format!("{name} holds {held}, of {prefetch} at most"),
            _ => format!("{name} holds {held}"),
        }
    }
}

fn lines(f: &mut fmt::Formatter<'_>, all: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let count = all.len();
    for line in all.take(MOST) {
        writeln!(f, "  {line}")?;
    }
    if count > MOST {
        writeln!(f, "  .. and {} more", count - MOST)?;
    }
    Ok(())
}

/// In milliseconds, as the events of a failure.
pub(crate) fn time(at: Duration) -> String {
    format!("{}ms", at.as_millis())
}
