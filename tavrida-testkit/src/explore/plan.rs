//! [`Plan`]: a schedule as a proptest value.

use parking_lot::Mutex;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::arbitrary::any;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{TestCaseError, TestRunner};

use super::events::events;
use super::reduce::Reducer;
use crate::fault::Faults;
use crate::schedule::{Deviations, Policy, Replay};
use crate::sim::{Ended, Finished, Setup, Sim, Verdict};

/// Returns a proptest strategy for plans: the schedule of a run, to be drawn together with the inputs of the scenario.
///
/// When a test fails, the schedule shrinks as in [`explore`](super::explore()), and the other values shrink as in proptest. Put the plan
/// first: the other values then shrink under a fixed schedule.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use proptest::prelude::*;
/// use tavrida::Service;
/// use tavrida::handler::params;
/// use tavrida::message::Failure;
/// use tavrida_testkit::explore::plans;
/// use tavrida_testkit::sim::Sim;
///
/// /// All payments are there in the end, whatever their order of arrival.
/// async fn nothing_is_lost(sim: Sim, payments: Vec<i64>) -> Result<(), Failure> {
///     let balance = Arc::new(Mutex::new(0_i64));
///     let account = {
///         let balance = balance.clone();
///         move || {
///             let balance = balance.clone();
///             Service::new("account").rpc("pay", params(["cents"], move |cents: i64| {
///                 *balance.lock().unwrap() += cents;
///                 async {}
///             }))
///         }
///     };
///     let graph = sim.graph().service(account).client("web").start().await;
///     for cents in &payments {
///         graph.client("web").to("account.pay").param("cents", *cents).cast().await?;
///     }
///     graph.settle().await;
///     assert_eq!(*balance.lock().unwrap(), payments.iter().sum::<i64>());
///     Ok(())
/// }
///
/// proptest! {
///     # #![proptest_config(ProptestConfig::with_cases(16))]
///     # /*
///     #[test]
///     # */
///     fn payments_add_up(plan in plans(), payments in prop::collection::vec(1..100_i64, 0..8)) {
///         plan.check(|sim| nothing_is_lost(sim, payments))?;
///     }
/// }
/// # payments_add_up();
/// ```
pub fn plans() -> Plans {
    Plans { setup: Setup { policy: Policy::Portfolio, ..Setup::new(0) } }
}

/// A strategy of [`Plan`]s: see [`plans`].
#[derive(Debug, Clone)]
#[must_use = "a strategy is drawn from by proptest"]
pub struct Plans {
    setup: Setup,
}

impl Plans {
    /// Sets the policy that makes schedules. The default is [`Portfolio`](Policy::Portfolio).
    pub fn policy(mut self, policy: Policy) -> Self {
        self.setup.policy = policy;
        self
    }

    /// Sets the faults that may happen at random. The default is none.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.setup.faults = faults;
        self
    }

    /// Limits a run in virtual time. The default is one hour.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.setup.horizon = horizon;
        self
    }
}

impl Strategy for Plans {
    type Tree = PlanTree;
    type Value = Plan;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = any::<u64>().new_tree(runner)?.current();
        let plan = Plan { setup: Setup { seed, ..self.setup.clone() }, made: Arc::default() };
        Ok(PlanTree { plan, reducer: None, proposed: None })
    }
}

/// The schedule of a run: a seed with a policy and faults, or fixed decisions.
#[derive(Clone)]
pub struct Plan {
    setup: Setup,
    /// The decisions of its latest run.
    made: Arc<Mutex<Option<Deviations>>>,
}

impl Plan {
    /// Runs a scenario. If a test makes several runs, the last one shrinks.
    ///
    /// # Panics
    ///
    /// Panics inside a runtime.
    pub fn run<F, Fut>(&self, scenario: F) -> Finished
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let finished = self.setup.run(scenario);
        *self.made.lock() = Some(finished.schedule.clone());
        finished
    }

    /// As [`run`](Plan::run), for a proptest test.
    ///
    /// # Errors
    ///
    /// The run failed; the text has the reason, the schedule and the events that matter.
    ///
    /// # Panics
    ///
    /// Panics inside a runtime.
    pub fn check<F, Fut>(&self, scenario: F) -> Result<Finished, TestCaseError>
    where
        F: FnOnce(Sim) -> Fut,
        Fut: Future<Output: Ended>,
    {
        let finished = self.run(scenario);
        let Verdict::Failed(problem) = &finished.verdict else { return Ok(finished) };
        let schedule = self.replay().labelled(&finished.trace);
        let events = events(&finished.trace, problem.chain.as_deref(), &finished.schedule);
        Err(TestCaseError::fail(format!("{problem}\nschedule: {schedule}\nwhat happened:\n{events}")))
    }

    /// Returns the replay of the latest run, or of the plan if it already has fixed decisions.
    pub fn replay(&self) -> Replay {
        let schedule = self.made().or_else(|| self.setup.replay.clone()).unwrap_or_default();
        Replay { seed: self.setup.seed, schedule }
    }

    fn made(&self) -> Option<Deviations> {
        self.made.lock().clone()
    }

    /// Returns the same plan with this schedule.
    fn by(&self, schedule: Deviations) -> Self {
        Self { setup: Setup { replay: Some(schedule), ..self.setup.clone() }, made: self.made.clone() }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, policy) = (self.setup.seed, self.setup.policy.of_seed(self.setup.seed));
        match (&self.setup.replay, self.made()) {
            (None, None) => write!(f, "Plan(seed {seed:#x}, {policy})"),
            _ => write!(f, "Plan('{}')", self.replay()),
        }
    }
}

/// A [`Plan`] that proptest shrinks.
#[derive(Debug, Clone)]
pub struct PlanTree {
    plan: Plan,
    /// Set once the plan failed.
    reducer: Option<Reducer>,
    /// The proposed schedule, not yet known to fail.
    proposed: Option<Deviations>,
}

impl PlanTree {
    fn propose(&mut self) -> bool {
        self.proposed = self.reducer.as_mut().and_then(Reducer::propose);
        self.proposed.is_some()
    }
}

impl ValueTree for PlanTree {
    type Value = Plan;

    fn current(&self) -> Plan {
        match (&self.proposed, &self.reducer) {
            (Some(proposed), _) => self.plan.by(proposed.clone()),
            (None, Some(reducer)) => self.plan.by(reducer.best()),
            (None, None) => self.plan.clone(),
        }
    }

    fn simplify(&mut self) -> bool {
        match (&mut self.reducer, self.proposed.take()) {
            (Some(reducer), Some(proposed)) => {
                reducer.failed(&self.plan.made().unwrap_or(proposed));
            }
            (Some(_), None) => {}
            (None, _) => self.reducer = self.plan.made().map(|made| Reducer::new(&made)),
        }
        self.propose()
    }

    fn complicate(&mut self) -> bool {
        let (Some(reducer), Some(_)) = (&mut self.reducer, self.proposed.take()) else { return false };
        reducer.passed();
        self.propose();
        // Without another proposal, the plan falls back to the smallest that fails, which is a change as well.
        true
    }
}
