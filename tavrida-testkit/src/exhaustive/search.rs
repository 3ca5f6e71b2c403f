//! [`OrderSearch`]: a depth-first search through all schedules, by repeated runs.
//!
//! The path is the list of decisions of the current run. A run follows it to its end and continues with first choices, which are appended;
//! then the last decision with another choice takes that choice, and the next run begins. Of two orders of independent steps only one is
//! run: a decision gets another choice where a run has a [race](super::races); and once a step was explored at a place, it *sleeps* below
//! its later siblings until a dependent step wakes it (Godefroid: "Partial-order methods for the verification of concurrent systems", 1996,
//! chapter 5).

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::footprint::Footprint;
use super::node::{Arrivals, FaultChoice, Node, Sleeper};
use super::races::{RunStep, races};
use crate::fault::{Fault, Point, Site};
use crate::random::hash;
use crate::schedule::{Candidate, Guide};
use crate::trace::{ActorId, What};

/// The current step.
struct CurrentStep {
    node: usize,
    footprint: Footprint,
    /// A chosen fault happened in it.
    failed: bool,
}

/// How a run ended, for the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It reached the end of a schedule.
    Through,
    /// It reached a place where every continuation was already explored.
    Blocked,
    /// It diverged from the run before it.
    Astray,
}

/// Which processes resume at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awake {
    /// Steps follow each other; no time passes.
    Steps,
    Nobody,
    One(ActorId),
}

/// What to do after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another run.
    Run,
    /// The search starts again: more orders matter than assumed.
    Anew,
    Nothing,
}

/// The state of a search.
pub(super) struct OrderSearch {
    alphabet: Vec<(Site, Fault)>,
    max_faults: usize,
    /// Whether to skip equivalent orders.
    reduce: bool,
    path: Vec<Node>,
    /// The number of decisions that this run has made.
    depth: usize,
    /// The first decision that the run before did not make in this way.
    changed: usize,
    /// How often time has passed in this run.
    instant: u32,
    step: Option<CurrentStep>,
    /// The sleeping steps at this moment of the run.
    asleep: Vec<Sleeper>,
    /// The number of faults chosen in this run.
    faults: usize,
    came: Came,
    /// The number of running handlers of each process, and of tasks that handlers started.
    working: FxHashMap<ActorId, u32>,
    /// The processes with tasks that outlive their handlers.
    outlived: FxHashSet<ActorId>,
    /// The process that resumes at this instant, while time passes.
    awake: Awake,
    /// Whether several processes ever resumed at one instant.
    together: bool,
    /// Whether the order matters in which processes begin to wait for time.
    timed: bool,
    /// Whether a handler ever waited, by its entry point.
    waited: BTreeMap<String, bool>,
}

impl OrderSearch {
    pub(super) fn new(alphabet: Vec<(Site, Fault)>, max_faults: usize, reduce: bool) -> Self {
        Self {
            alphabet,
            max_faults,
            reduce,
            path: Vec::new(),
            depth: 0,
            changed: 0,
            instant: 0,
            step: None,
            asleep: Vec::new(),
            faults: 0,
            came: Came::Through,
            working: FxHashMap::default(),
            outlived: FxHashSet::default(),
            awake: Awake::Steps,
            together: false,
            timed: false,
            waited: BTreeMap::new(),
        }
    }

    /// Returns the entry points whose handlers never waited, in all runs so far.
    pub(super) fn atomic(&self) -> impl Iterator<Item = &String> {
        self.waited.iter().filter(|(_, waited)| !**waited).map(|(entry_point, _)| entry_point)
    }

    /// Ends the run. Returns how it ended.
    pub(super) fn end_run(&mut self) -> Came {
        self.end_step();
        if self.came == Came::Through && self.depth < self.path.len() {
            self.came = Came::Astray;
        }
        if self.came != Came::Astray && self.reduce {
            self.plan_reversals();
        }
        self.came
    }

    /// Plans a run for each race of this run, in which its steps come in the other order.
    fn plan_reversals(&mut self) {
        let steps = self.path.iter().take(self.depth).enumerate();
        let steps: Vec<RunStep<'_>> = steps.filter_map(|(node, decision)| decision.step(node)).collect();
        // A fault may be what changed: it belongs to the step before it.
        let changed = steps.iter().rev().find(|step| step.node <= self.changed).map_or(0, |step| step.node);
        for race in races(&steps, changed) {
            if let Node::Arrivals(arrivals) = &mut self.path[race.node] {
                arrivals.plan_one_of(&race.beginnings);
            }
        }
    }

    /// Chooses what the next run changes.
    pub(super) fn next_run(&mut self) -> Next {
        (self.depth, self.instant, self.faults, self.came) = (0, 0, 0, Came::Through);
        self.asleep.clear();
        self.working.clear();
        self.outlived.clear();
        self.awake = Awake::Steps;
        if self.together && self.reduce && !self.timed {
            self.timed = true;
            self.path.clear();
            self.changed = 0;
            return Next::Anew;
        }
        while let Some(node) = self.path.last_mut() {
            let more = match node {
                Node::Arrivals(arrivals) => arrivals.advance(),
                Node::Faults(faults) => faults.advance(),
            };
            if more {
                self.changed = self.path.len() - 1;
                return Next::Run;
            }
            self.path.pop();
        }
        Next::Nothing
    }

    /// Wakes the sleeping steps that depend on the current step. A sleeping step is run again only to inject a fault.
    fn end_step(&mut self) {
        let Some(mut step) = self.step.take() else { return };
        let is_at_work = |process: &ActorId| self.working.get(process).is_some_and(|handlers| *handlers > 0);
        if self.timed
            && step.footprint.processes().iter().any(|process| is_scenario(process) || is_at_work(process))
        {
            step.footprint.add_wait();
        }
        let Node::Arrivals(node) = &mut self.path[step.node] else {
            unreachable!("a step begins with an arrival");
        };
        if node.is_current_asleep() && !step.failed {
            self.came = Came::Blocked;
        }
        self.asleep = node.sleepers_after(&step.footprint);
        node.ran(step.footprint);
    }

    /// Returns whether a process may have tasks whose code is not seen to run.
    fn has_hidden_tasks(&self, process: ActorId) -> bool {
        is_scenario(&process) || self.outlived.contains(&process)
    }

    /// Returns the decision of this run at this place, from the path or appended to it.
    fn arrivals(&mut self, options: Vec<Point>) -> Option<&mut Arrivals> {
        if self.depth == self.path.len() {
            let may_fail = !self.alphabet.is_empty() && self.faults < self.max_faults;
            let asleep = std::mem::take(&mut self.asleep);
            let Some(node) = Arrivals::new(options, asleep, may_fail, self.reduce, self.instant) else {
                self.came = Came::Blocked;
                return None;
            };
            self.path.push(Node::Arrivals(Box::new(node)));
        } else if !matches!(&self.path[self.depth], Node::Arrivals(node) if node.options() == options) {
            self.came = Came::Astray;
            return None;
        }
        self.depth += 1;
        match self.path.get_mut(self.depth - 1) {
            Some(Node::Arrivals(node)) => Some(node),
            _ => None,
        }
    }
}

impl Guide for OrderSearch {
    fn pick(&mut self, candidates: &[Candidate]) -> Option<usize> {
        self.end_step();
        self.awake = Awake::Steps;
        if self.came != Came::Through {
            return None;
        }
        let options = candidates.iter().map(|candidate| candidate.point).collect();
        let current = self.arrivals(options)?.current();
        let candidate = candidates[current];
        let Candidate { point, process, contended, .. } = candidate;
        let footprint = match point.site {
            Site::Publish if !self.has_hidden_tasks(process) => Footprint::of_confirm(process),
            _ => Footprint::of(process, contended),
        };
        self.step = Some(CurrentStep { node: self.depth - 1, footprint, failed: false });
        Some(current)
    }

    fn has_faults(&self) -> bool {
        !self.alphabet.is_empty()
    }

    fn fault(&mut self, point: Point, can: &dyn Fn(Fault) -> bool) -> Option<Fault> {
        if self.came != Came::Through {
            return None;
        }
        let here = self.alphabet.iter().filter(|(site, fault)| *site == point.site && can(*fault));
        let options: Vec<Fault> = here.map(|(_, fault)| *fault).collect();
        if options.is_empty() || self.faults == self.max_faults {
            return None;
        }
        if self.depth == self.path.len() {
            self.path.push(Node::Faults(FaultChoice::new(options)));
        }
        let Some(Node::Faults(node)) = self.path.get(self.depth) else {
            self.came = Came::Astray;
            return None;
        };
        self.depth += 1;
        let fault = node.current()?;
        self.faults += 1;
        if let Some(step) = &mut self.step {
            step.failed = true;
            if !fault.only_takes_time() {
                step.footprint.add_everything();
            }
        }
        Some(fault)
    }

    fn reached(&mut self, process: ActorId, queues: &mut dyn Iterator<Item = &str>) {
        let Some(step) = &mut self.step else { return };
        step.footprint.add_process(process);
        queues.for_each(|queue| step.footprint.add_subject(hash(queue.as_bytes())));
    }

    fn entered(&mut self, process: ActorId) {
        if let Some(step) = &mut self.step {
            step.footprint.add_process(process);
        }
    }

    fn touched(&mut self, subject: u64) {
        if let Some(step) = &mut self.step {
            step.footprint.add_subject(subject);
        }
    }

    fn handled(&mut self, entry_point: &str, waited: bool) {
        match self.waited.get_mut(entry_point) {
            Some(ever) => *ever |= waited,
            None => drop(self.waited.insert(entry_point.to_owned(), waited)),
        }
    }

    fn told(&mut self, process: ActorId, what: &What) {
        match what {
            What::Started { .. } => *self.working.entry(process).or_default() += 1,
            What::Ended(_) => *self.working.entry(process).or_default() -= 1,
            _ => {}
        }
        match &mut self.step {
            Some(step) if what.concerns_all() => step.footprint.add_disturbed(process),
            Some(_) => {}
            None => self.together |= self.awake.goes_on(process),
        }
    }

    fn outlived(&mut self, process: ActorId) {
        // Never taken back: where the task ends is not known.
        *self.working.entry(process).or_default() += 1;
        self.outlived.insert(process);
    }

    fn idle(&mut self) {
        self.end_step();
        self.asleep.clear();
        self.instant += 1;
        self.awake = Awake::Nobody;
    }
}

impl Awake {
    /// Records that a process resumes. Returns whether another one did at this instant.
    fn goes_on(&mut self, process: ActorId) -> bool {
        match *self {
            Self::Steps => false,
            Self::Nobody => {
                *self = Self::One(process);
                false
            }
            Self::One(other) => other != process,
        }
    }
}

/// Returns whether it is the process of the scenario and its clients, which may wait for time at any point.
fn is_scenario(process: &ActorId) -> bool {
    process.index() == 0
}
