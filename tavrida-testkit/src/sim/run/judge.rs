//! Judges a finished run: by its failures, the laws, and the laws of the test.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use super::{Finished, Setup, Verdict, panics};
use crate::laws::{self, Facts, Remains};
use crate::problem::{Problem, ProblemKind};
use crate::run::Run;
use crate::sim::Harness;
use crate::sim::world::OwnLaw;
use crate::trace::Trace;

impl Setup {
    /// Judges what happened in a finished run.
    pub(super) fn judge(&self, harness: &Harness) -> Finished {
        let world = harness.world();
        let mut state = world.state();
        let unmet = state.unmet();
        let ended = state.ended;
        state.trace.add_timeouts(ended);
        let (trace, problem) = (Arc::new(std::mem::take(&mut state.trace)), state.problem.take());
        // An abandoned run is incomplete: laws do not apply.
        let whole = !state.given_up;
        let waived = state.waived.and(self.waived);
        let (own_laws, schedule) = (std::mem::take(&mut state.own_laws), state.director.take_deviations());
        drop(state);
        let own_laws = || own_laws.into_iter().find_map(|(name, law)| check(name, law, &trace, ended));
        let laws = || {
            if !whole {
                return None;
            }
            let is_made = |id: &str| world.ids.made_chain(id);
            let remains = || harness.remains().expect("only a simulation's broker is looked into");
            let remains: &dyn Fn() -> Remains = &remains;
            let mut facts = Facts::of(&trace, ended, &is_made);
            facts.remains = (!harness.is_live()).then_some(remains);
            facts.live = harness.is_live();
            facts.twice = self.twice;
            laws::check(&facts, waived, own_laws)
        };
        let verdict = match problem.or_else(laws) {
            Some(problem) => Verdict::Failed(Box::new(problem)),
            None => Verdict::Passed,
        };
        Finished { verdict, trace, schedule, unmet }
    }
}

/// Returns how a run violates a law of the test.
fn check(name: String, law: OwnLaw, trace: &Arc<Trace>, at: Duration) -> Option<Problem> {
    let run = Run::from(trace.clone());
    let text = match std::panic::catch_unwind(AssertUnwindSafe(|| law(&run))) {
        Ok(text) => text?,
        Err(_) => panics::take().unwrap_or_else(|| "a panic".to_owned()),
    };
    Some(Problem { kind: ProblemKind::Law(name), text, at, chain: None })
}
