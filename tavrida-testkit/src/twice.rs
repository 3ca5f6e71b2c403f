//! [`Setup::run_twice`]: checks that a run repeats exactly.

use std::future::Future;

use crate::problem::{Problem, ProblemKind};
use crate::sim::{Ended, Finished, Setup, Sim, Verdict};
use crate::trace::{Event, Trace, What};

impl Setup {
    /// Runs a scenario twice. If the second run differs from the first, the returned run has that as its problem
    /// ([`ProblemKind::Nondeterminism`]): its text shows the first events that differ and names the handler.
    ///
    /// [Explorations](crate::explore()) do it with one seed in 64.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicI64, Ordering};
    ///
    /// use tavrida_testkit::problem::ProblemKind;
    /// use tavrida_testkit::sim::{Setup, Sim, Verdict};
    ///
    /// // It outlives a run: the second run begins with what the first left.
    /// static ORDERS: AtomicI64 = AtomicI64::new(1);
    ///
    /// let finished = Setup::new(1).run_twice(|sim: Sim| async move {
    ///     sim.note(format!("order {}", ORDERS.fetch_add(1, Ordering::Relaxed)));
    /// });
    /// let Verdict::Failed(problem) = finished.verdict else { panic!("it was not seen") };
    /// assert_eq!(problem.kind, ProblemKind::Nondeterminism);
    /// assert!(problem.text.contains("note: order 1") && problem.text.contains("note: order 2"));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics inside a runtime.
    #[track_caller]
    pub fn run_twice<F, Fut>(&self, scenario: F) -> Finished
    where
        F: Fn(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let first = self.run(&scenario);
        self.run_again(first, &scenario)
    }

    /// Repeats a run; if it differs, that becomes the problem of the first.
    #[track_caller]
    pub(crate) fn run_again<F, Fut>(&self, mut first: Finished, scenario: &F) -> Finished
    where
        F: Fn(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let second = self.run(scenario);
        if let Some(problem) = difference(&first, &second) {
            first.verdict = Verdict::Failed(Box::new(problem));
        }
        first
    }
}

const ADVICE: &str = "It depends on something that the seed does not steer: the order of a HashMap, select! without `biased;` \
    (tavrida::select! is steered), random numbers, the clock of the system, what an earlier run left in a static. \
    The documentation of tavrida_testkit::sim says what to use instead";

/// Returns the first difference between two runs that should be equal, as a problem.
fn difference(first: &Finished, second: &Finished) -> Option<Problem> {
    let (text, end) = match parting(&first.trace.text(), &second.trace.text()) {
        Some(Parting { event, one, other }) => {
            let events =
                [&first.trace, &second.trace].map(|trace| Some((&**trace, trace.events().get(event)?)));
            let whose = events.into_iter().flatten().find_map(|(trace, event)| handler(trace, event));
            let whose = whose.map(|handler| format!("This is {handler}.\n")).unwrap_or_default();
            (format!("it went two ways.\n  first:  {one}\n  second: {other}\n{whose}"), event)
        }
        None if first.verdict != second.verdict => {
            let (one, other) = (told(&first.verdict), told(&second.verdict));
            (
                format!(
                    "the same happened, and it was judged in two ways.\n  first:  {one}\n  second: {other}\n"
                ),
                usize::MAX,
            )
        }
        None => return None,
    };
    let events = first.trace.events();
    let at = events.get(end).or(events.last()).map(|event| event.at).unwrap_or_default();
    let text = format!("the run was made twice, and {text}{ADVICE}");
    Some(Problem { kind: ProblemKind::Nondeterminism, text, at, chain: None })
}

struct Parting {
    /// The number of the first event that differs.
    event: usize,
    one: String,
    other: String,
}

/// Returns where two texts of traces first differ.
fn parting(one: &str, other: &str) -> Option<Parting> {
    let (mut one, mut other) = (one.lines(), other.lines());
    // The first line is the format.
    for line in 0_usize.. {
        let (one, other) = (one.next(), other.next());
        if one == other {
            one?;
            continue;
        }
        let [one, other] = [one, other].map(|line| line.unwrap_or("the run is over").to_owned());
        return Some(Parting { event: line.saturating_sub(1), one, other });
    }
    None
}

/// Returns the handler that caused an event, for people.
fn handler(trace: &Trace, event: &Event) -> Option<String> {
    let message = event.message?;
    let handled = match event.what {
        What::Published(_) => trace.message(message).cause()?,
        What::Ended(_) | What::Acked | What::Rejected | What::Requeued => message,
        _ => return None,
    };
    let (handled, server) = (trace.message(handled), trace.actor(event.actor));
    Some(format!("what the handler of {handled} in '{server}' did"))
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed(problem) => problem.to_string(),
    }
}
