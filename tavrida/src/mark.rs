//! Marks in the code of services: [`sometimes!`](crate::sometimes!) and [`reachable!`](crate::reachable!) name what tests should meet,
//! [`unreachable!`](crate::unreachable!) what must never happen.
//!
//! A test that never met a redelivery proves nothing about redeliveries. A mark says so: a simulation counts the runs that reach it. Marks
//! are code only with the feature `marks`, which `tavrida-testkit` enables: in a production build, which does not have it, they are
//! nothing, and their conditions are not evaluated.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;

/// Whether marks are recorded in this build.
pub const ARE_RECORDED: bool = cfg!(feature = "marks");

/// A mark at which a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark<'a> {
    /// Should hold in some run.
    Sometimes {
        /// The name of the mark.
        name: &'a str,
        /// Whether it holds now.
        holds: bool,
    },
    /// Must not be reached.
    Unreachable {
        /// The name of the mark.
        name: &'a str,
        /// Its place in the source.
        place: &'static Location<'static>,
    },
}

/// Receives marks.
type Record = Box<dyn Fn(Mark<'_>)>;

thread_local! {
    static RECORDER: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Passes each mark that is met on this thread to `record`, until the returned guard is dropped.
#[must_use = "marks are recorded until this is dropped"]
pub fn record_by(record: impl Fn(Mark<'_>) + 'static) -> Recording {
    Recording(RECORDER.replace(Some(Box::new(record))))
}

/// The guard of a recorder: see [`record_by`].
pub struct Recording(Option<Record>);

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDER.set(self.0.take());
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

/// Records a mark: what [`sometimes!`](crate::sometimes!) and [`reachable!`](crate::reachable!) expand to.
pub fn sometimes(name: &str, holds: bool) {
    record(Mark::Sometimes { name, holds });
}

/// Records a mark: what [`unreachable!`](crate::unreachable!) expands to.
#[track_caller]
pub fn unreachable(name: &str) {
    record(Mark::Unreachable { name, place: Location::caller() });
}

fn record(mark: Mark<'_>) {
    RECORDER.with_borrow(|recorder| {
        if let Some(record) = recorder {
            record(mark);
        }
    });
}

/// Marks a condition that should hold in some run of a test: a simulation counts the runs in which it did, and reports that it never did.
/// In a production build it is nothing: see [`mark`](crate::mark).
///
/// ```
/// # let redelivered = true;
/// tavrida::sometimes!("a payment comes twice", redelivered);
/// ```
#[macro_export]
macro_rules! sometimes {
    ($name:expr, $condition:expr $(,)?) => {
        if $crate::mark::ARE_RECORDED {
            $crate::mark::sometimes($name, $condition);
        }
    };
}

/// Marks a place that some run of a test should reach: [`sometimes!`](crate::sometimes!), with a condition that always holds. A mark that no
/// run reaches is unknown to the simulation: name it in the test, as a mark that has to be reached.
///
/// ```
/// # let stock = 0;
/// if stock == 0 {
///     tavrida::reachable!("the shop is sold out");
/// }
/// ```
#[macro_export]
macro_rules! reachable {
    ($name:expr $(,)?) => {
        $crate::sometimes!($name, true)
    };
}

/// Marks a place that no run may reach: a simulation fails there. Unlike the macro of the standard library it does not panic, and in a
/// production build it is nothing: see [`mark`](crate::mark).
///
/// ```
/// # let balance = 5;
/// if balance < 0 {
///     tavrida::unreachable!("an account is overdrawn");
/// }
/// ```
#[macro_export]
macro_rules! unreachable {
    ($name:expr $(,)?) => {
        if $crate::mark::ARE_RECORDED {
            $crate::mark::unreachable($name);
        }
    };
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_recorder_gets_the_marks_while_it_is_there() {
        let marks: Rc<RefCell<Vec<String>>> = Rc::default();
        crate::reachable!("too early");
        let recording = record_by({
            let marks = marks.clone();
            move |mark| {
                marks.borrow_mut().push(match mark {
                    Mark::Sometimes { name, holds } => format!("{name} {holds}"),
                    Mark::Unreachable { name, place } => format!("{name} in {}", place.file()),
                })
            }
        });
        crate::sometimes!("one", 1 > 2);
        crate::reachable!("two");
        crate::unreachable!("three");
        drop(recording);
        crate::reachable!("too late");
        let expected = ["one false", "two true", concat!("three in ", file!())];
        assert_eq!(*marks.borrow(), if ARE_RECORDED { expected.to_vec() } else { Vec::new() });
    }

    #[test]
    fn without_the_feature_no_condition_is_evaluated() {
        let mut evaluated = false;
        crate::sometimes!("a mark", {
            evaluated = true;
            evaluated
        });
        assert_eq!(evaluated, ARE_RECORDED);
    }
}
