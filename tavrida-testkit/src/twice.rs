//! [`Setup::run_twice`]: checks that a run repeats exactly.

use std::future::Future;

use crate::problem::{Problem, ProblemKind};
use crate::sim::{Ended, Finished, Setup, Sim, Verdict};
use crate::trace::{Event, Trace, What};

impl Setup {
    /// Runs a scenario twice. If the second run differs from the first, the returned run has that as its problem
    /// ([`ProblemKind::Nondeterminism`]): its text shows the first events that differ and names the handler.
    ///
    /// [Explorations](crate::explore()) do it with one schedule in 16, and with at least one.
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

const OF_PROCESSES: &str = "It depends on something that is constant in one process and differs between two: the order of a HashMap in a \
    static, an address, the id of the process or of a thread. The documentation of tavrida_testkit::sim says what to use instead";

/// Returns the first difference between two runs that should be equal, as a problem.
fn difference(first: &Finished, second: &Finished) -> Option<Problem> {
    let (text, event) =
        told_apart(first, &second.trace.text(), &verdict_line(&second.verdict), Some(&second.trace))?;
    Some(problem(first, event, format!("the run was made twice, and {text}{ADVICE}")))
}

/// As [`difference`], with the text and the verdict of a run that another process made.
pub(crate) fn between_processes(here: &Finished, trace: &str, verdict: &str) -> Option<Problem> {
    let (text, event) = told_apart(here, trace, verdict, None)?;
    Some(problem(here, event, format!("the run was made in two processes, and {text}{OF_PROCESSES}")))
}

/// Returns how a run differs from another one, as text, and the number of the event.
fn told_apart(
    first: &Finished,
    other: &str,
    verdict: &str,
    other_trace: Option<&Trace>,
) -> Option<(String, usize)> {
    if let Some(Parting { event, one, other }) = parting(&first.trace.text(), other) {
        let traces = [Some(&*first.trace), other_trace].into_iter().flatten();
        let mut events = traces.filter_map(|trace| Some((trace, trace.events().get(event)?)));
        let whose = events.find_map(|(trace, event)| handler(trace, event));
        let whose = whose.map(|handler| format!("This is {handler}.\n")).unwrap_or_default();
        let text = format!("it went two ways.\n  first:  {one}\n  second: {other}\n{whose}");
        return Some((text, event));
    }
    let own = verdict_line(&first.verdict);
    (own != verdict).then(|| {
        let how = "the same happened, and it was judged in two ways.";
        (format!("{how}\n  first:  {own}\n  second: {verdict}\n"), usize::MAX)
    })
}

/// Returns the problem of a run that differs at this event.
fn problem(run: &Finished, event: usize, text: String) -> Problem {
    let events = run.trace.events();
    let at = events.get(event).or(events.last()).map(|event| event.at).unwrap_or_default();
    Problem { kind: ProblemKind::Nondeterminism, text, at, chain: None }
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

/// Returns a verdict on one line, for people and for comparisons.
pub(crate) fn verdict_line(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed(problem) => problem.to_string().replace('\n', "\\n"),
    }
}
