//! Runs a scenario on a RabbitMQ whose address an environment variable has.

use std::future::Future;
use std::time::Duration;

use crate::sim::{Ended, Sim};

/// Runs a scenario on the RabbitMQ at the address in `variable`, and says on stderr whether it ran.
#[track_caller]
pub(super) fn check<F, Fut>(test: &str, variable: &str, horizon: Duration, scenario: F)
where
    F: Fn(Sim) -> Fut,
    Fut: Future<Output: Ended>,
{
    match std::env::var(variable) {
        Ok(uri) if !uri.is_empty() => {
            run(test, variable, &uri, horizon, scenario);
            eprintln!("{test}: passed on the RabbitMQ of {variable}");
        }
        _ => eprintln!("{test}: not run on RabbitMQ, since {variable} is not set"),
    }
}

#[cfg(feature = "live")]
#[track_caller]
fn run<F, Fut>(test: &str, variable: &str, uri: &str, horizon: Duration, scenario: F)
where
    F: Fn(Sim) -> Fut,
    Fut: Future<Output: Ended>,
{
    use parking_lot::Mutex;

    use crate::sim::{Setup, Verdict};

    /// One graph at a time: two graphs may use the same queue names.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    let setup = Setup { horizon, ..Setup::new(1) };
    let finished =
        setup.run_live(uri, scenario).unwrap_or_else(|error| panic!("{test}: {variable}: {error}"));
    if let Verdict::Failed(problem) = &finished.verdict {
        let trace = finished.trace.text_without_times();
        panic!(
            "{test} fails on the RabbitMQ of {variable}, and passed in the simulation: {problem}\n{trace}"
        );
    }
}

#[cfg(not(feature = "live"))]
#[track_caller]
fn run<F>(test: &str, variable: &str, _: &str, _: Duration, _: F) {
    panic!("{test}: {variable} is set, and tavrida-testkit was built without its feature `live`");
}
