//! The exhaustive search, with time that passes before messages arrive.

use std::time::Duration;

use tavrida::message::Failure;
use tavrida_testkit::exhaustive::{Ending, exhaustive};
use tavrida_testkit::fault::{Fault, Site};
use tavrida_testkit::schedule::Choice;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::chain::graph;

const PATIENCE: Duration = Duration::from_secs(5);

/// Gives up after its patience; that cannot happen if no time passes while anything can arrive.
async fn an_answer_comes_in_time(sim: Sim) -> Result<(), Failure> {
    let graph = graph(&sim).await;
    graph.client("web").to("orders.create").param("cents", 5).ask().timeout(PATIENCE).await?;
    Ok(())
}

#[test]
fn a_timeout_overtakes_each_message_that_is_late_by_as_long() {
    exhaustive(an_answer_comes_in_time).run().assert_ok();
    let late = |by| exhaustive(an_answer_comes_in_time).fault(Site::Deliver, Fault::Delayed(by));
    let in_time = late(PATIENCE - Duration::from_secs(1)).run();
    assert_eq!((in_time.ending, in_time.schedules), (Ending::Complete, 7), "one for each of the messages");
    let report = late(PATIENCE).failures(usize::MAX).run();
    assert_eq!((report.ending, report.schedules, report.failures.len()), (Ending::Complete, 7, 6));
    for failure in &report.failures {
        let schedule = failure.schedule.clone();
        assert_eq!(
            schedule.iter().map(|(_, choice)| choice).collect::<Vec<_>>(),
            [Choice::Fault(Fault::Delayed(PATIENCE))]
        );
        let replayed = Setup { replay: Some(schedule), ..Setup::new(0) }.run(an_answer_comes_in_time);
        assert_eq!(replayed.verdict, Verdict::Failed(Box::new(failure.problem.clone())));
    }
}
