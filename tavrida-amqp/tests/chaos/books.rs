//! The books: what was sent, what outcome the library reported, and what handlers saw. Recorded by content, outside the library.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// Clones are the same books.
#[derive(Clone, Default)]
pub(crate) struct Books(Arc<Inner>);

#[derive(Default)]
struct Inner {
    pages: Mutex<Pages>,
    changed: Notify,
}

#[derive(Default)]
struct Pages {
    /// By the number in the content.
    messages: Vec<Entry>,
    /// Updated with each change, because it is read all the time.
    standing: Standing,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    told: Told,
    handled: u32,
    /// A queue that may have contained it was deleted.
    excused: bool,
}

/// The outcome reported to the publisher.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Told {
    /// Nothing yet.
    #[default]
    Nothing,
    /// It is routed and must be handled.
    Confirmed,
    /// It may be routed or not.
    Ambiguous,
    /// It is not routed and must not be handled.
    Denied,
}

/// The outcomes of asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asks {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
}

/// The current totals of the books.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) confirmed: usize,
    pub(crate) ambiguous: usize,
    pub(crate) denied: usize,
    /// Handled at least once, whatever the publisher's outcome.
    pub(crate) handled: usize,
    /// Handlings beyond the first.
    pub(crate) duplicates: usize,
    /// Confirmed, and not handled since a queue was deleted.
    pub(crate) excused: usize,
    /// Confirmed, not handled, without an excuse.
    pub(crate) missing: BTreeSet<usize>,
    /// Denied, but handled.
    pub(crate) untrue: BTreeSet<usize>,
    /// Contents that were not sent.
    pub(crate) foreign: Vec<String>,
    pub(crate) asks: Asks,
}

/// Returns the content of a message: of varying length, and unique.
pub(crate) fn content(number: usize) -> String {
    format!("{number}:{}", "0123456789abcdef".repeat(number % 13))
}

impl Books {
    /// Records that a message is about to be sent. Returns its number.
    pub(crate) fn begin(&self) -> usize {
        let mut pages = self.pages();
        pages.messages.push(Entry::default());
        pages.messages.len() - 1
    }

    /// Records the outcome that the publisher got.
    pub(crate) fn told(&self, number: usize, told: Told) {
        self.change(|pages| pages.change(number, |entry| entry.told = told));
    }

    /// Records that a handler saw a content.
    pub(crate) fn saw(&self, seen: &str) {
        let number = seen.split(':').next().and_then(|number| number.parse::<usize>().ok());
        self.change(|pages| match number {
            Some(number) if number < pages.messages.len() && content(number) == seen => {
                pages.change(number, |entry| entry.handled += 1);
            }
            _ => pages.standing.foreign.push(seen.to_owned()),
        });
    }

    /// Records how an ask ended.
    pub(crate) fn asked(&self, answered: bool) {
        self.change(|pages| match answered {
            true => pages.standing.asks.answered += 1,
            false => pages.standing.asks.failed += 1,
        });
    }

    /// Excuses all messages in transit: a queue was deleted with its messages.
    pub(crate) fn excuse(&self) {
        self.change(|pages| {
            for number in 0..pages.messages.len() {
                if pages.messages[number].handled == 0 {
                    pages.change(number, |entry| entry.excused = true);
                }
            }
        });
    }

    pub(crate) fn standing(&self) -> Standing {
        self.pages().standing.clone()
    }

    /// Waits up to a limit until the books satisfy a condition. Returns their totals then.
    pub(crate) async fn until(
        &self,
        within: Duration,
        satisfied: impl Fn(&Standing) -> bool,
    ) -> Result<Standing, Standing> {
        let waiting = async {
            loop {
                let changed = self.0.changed.notified();
                {
                    let pages = self.pages();
                    if satisfied(&pages.standing) {
                        return pages.standing.clone();
                    }
                }
                changed.await;
                // Some hundred changes a second are checked together.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(within, waiting).await.map_err(|_| self.standing())
    }

    fn change(&self, change: impl FnOnce(&mut Pages)) {
        change(&mut self.pages());
        self.0.changed.notify_waiters();
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap()
    }
}

impl Pages {
    fn change(&mut self, number: usize, change: impl FnOnce(&mut Entry)) {
        let before = self.messages[number];
        change(&mut self.messages[number]);
        self.standing.move_entry(number, before, self.messages[number]);
    }
}

impl Standing {
    fn move_entry(&mut self, number: usize, before: Entry, after: Entry) {
        for (count, is) in [
            (&mut self.confirmed, (|entry| entry.told == Told::Confirmed) as fn(&Entry) -> bool),
            (&mut self.ambiguous, |entry| entry.told == Told::Ambiguous),
            (&mut self.denied, |entry| entry.told == Told::Denied),
            (&mut self.handled, |entry| entry.handled > 0),
            (&mut self.excused, |entry| entry.is_missing() && entry.excused),
        ] {
            *count = *count + usize::from(is(&after)) - usize::from(is(&before));
        }
        self.duplicates += (after.duplicates() - before.duplicates()) as usize;
        keep(&mut self.missing, number, after.is_missing() && !after.excused);
        keep(&mut self.untrue, number, after.told == Told::Denied && after.handled > 0);
    }
}

impl Entry {
    fn is_missing(&self) -> bool {
        self.told == Told::Confirmed && self.handled == 0
    }

    fn duplicates(&self) -> u32 {
        self.handled.saturating_sub(1)
    }
}

fn keep(numbers: &mut BTreeSet<usize>, number: usize, there: bool) {
    if there {
        numbers.insert(number);
    } else {
        numbers.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(books: &Books, told: Told) -> usize {
        let number = books.begin();
        books.told(number, told);
        number
    }

    #[test]
    fn what_was_confirmed_is_missing_until_it_is_handled_and_handled_twice_is_a_duplicate() {
        let books = Books::default();
        let number = told(&books, Told::Confirmed);
        assert_eq!(books.standing().missing, BTreeSet::from([number]));
        books.saw(&content(number));
        books.saw(&content(number));
        let standing = books.standing();
        assert_eq!((standing.missing.len(), standing.handled, standing.duplicates), (0, 1, 1));
    }

    #[test]
    fn an_excuse_covers_what_was_sent_before_it_and_nothing_after() {
        let books = Books::default();
        let before = books.begin();
        books.excuse();
        books.told(before, Told::Confirmed);
        let after = told(&books, Told::Confirmed);
        let standing = books.standing();
        assert_eq!((standing.excused, standing.missing), (1, BTreeSet::from([after])));
    }

    #[test]
    fn what_was_denied_and_came_and_what_nobody_sent_are_told() {
        let books = Books::default();
        let denied = told(&books, Told::Denied);
        books.saw(&content(denied));
        books.saw("7:garbled");
        let standing = books.standing();
        assert_eq!(
            (standing.untrue, standing.foreign),
            (BTreeSet::from([denied]), vec!["7:garbled".to_owned()])
        );
    }
}
