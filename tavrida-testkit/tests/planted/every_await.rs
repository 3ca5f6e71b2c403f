//! Mistakes between two awaits of a handler: what a send causes overtakes what is sent next, and a process dies in the middle.

use std::time::Duration;

use tavrida::handler::State;
use tavrida::message::Failure;
use tavrida_testkit::exhaustive::{Ending, exhaustive};
use tavrida_testkit::explore;
use tavrida_testkit::fault::{Fault, Faults, Site};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::schedule::Replay;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::book::{Book, order};
use crate::sending::shipped_before_it_is_known;
use crate::{STARTS, service};

/// A transfer in two steps: between them is the second await of its handler.
async fn two_transactions(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn transfer(State(book): State<Book>, id: String) {
        // The account is read.
        tokio::time::sleep(Duration::from_millis(5)).await;
        if book.mended {
            book.enter_once(&id, "from", -5);
        } else {
            book.enter("from", -5);
        }
        // The other bank is slow.
        tokio::time::sleep(Duration::from_millis(5)).await;
        book.enter_once(&id, "to", 5);
    }
    let book = Book::new(mended);
    let bank = service!(book, "bank", "transfer" => ["id"] transfer);
    let graph = sim.graph().service(bank).client("web").start().await;
    order(graph.client("web"), "bank.transfer", "a").await?;
    graph.settle().await;
    assert_eq!(book.sum("from") + book.sum("to"), 0, "money is neither made nor lost");
    Ok(())
}

/// Asserts that a thousand schedules find the mistake from each start, and that what is left of the schedule shows it again, in `decisions`
/// at most.
pub(crate) fn is_found<Fut: Future<Output = Result<(), Failure>>>(
    scenario: impl Fn(Sim) -> Fut + Send + Sync + Copy,
    faults: &Faults,
    decisions: usize,
) {
    for start in STARTS {
        let search = explore(scenario).schedules(1000).seed(start).faults(faults.clone());
        let report = search.without_environment().run();
        let failure = report.failure().unwrap_or_else(|| panic!("not found from seed {start}"));
        let left = failure.schedule.len();
        assert!((1..=decisions).contains(&left), "seed {start}: {}", failure.schedule);
        let replay: Replay = failure.replay().to_string().parse().expect("it reads as it was written");
        let again = Setup { replay: Some(replay.schedule), ..Setup::new(replay.seed) }.run(scenario);
        assert_ne!(again.verdict, Verdict::Passed, "seed {start}");
    }
}

/// Asserts that each schedule with this fault, if there is one, is tried, and which problem there is.
pub(crate) fn in_every_order<Fut: Future<Output = Result<(), Failure>>>(
    scenario: impl Fn(Sim) -> Fut,
    fault: Option<(Site, Fault)>,
    expected: Option<ProblemKind>,
) {
    let search = exhaustive(scenario);
    let report = fault.into_iter().fold(search, |search, (site, fault)| search.fault(site, fault)).run();
    let ending = if expected.is_some() { Ending::Failed } else { Ending::Complete };
    assert_eq!(report.ending, ending, "{report}");
    assert_eq!(report.failures.first().map(|failure| failure.problem.kind.clone()), expected, "{report}");
}

#[test]
fn what_a_send_causes_may_overtake_the_next_send() {
    is_found(|sim| shipped_before_it_is_known(sim, false), &Faults::none(), 1);
}

#[test]
fn every_late_confirm_is_tried() {
    let late = Fault::ConfirmLate(Duration::from_millis(1));
    for late in [None, Some((Site::Publish, late))] {
        let found = Some(ProblemKind::Assertion);
        in_every_order(|sim| shipped_before_it_is_known(sim, false), late, found);
        in_every_order(|sim| shipped_before_it_is_known(sim, true), late, None);
    }
}

#[test]
fn a_process_may_die_at_a_later_await() {
    is_found(|sim| two_transactions(sim, false), &Faults::at_least_once(), 1);
}

#[test]
fn a_crash_is_tried_at_every_await() {
    let crash = Fault::Crash(Duration::from_millis(1));
    let found = Some(ProblemKind::Assertion);
    in_every_order(|sim| two_transactions(sim, false), Some((Site::Wait, crash)), found);
    in_every_order(|sim| two_transactions(sim, true), Some((Site::Wait, crash)), None);
}
