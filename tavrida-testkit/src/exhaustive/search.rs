//! [`Search`]: depth first through all schedules, by running again and again.
//!
//! The path is what was decided in the run under way. A run follows it to its end and goes on with first choices, which
//! are added to it; then the last decision that has another choice takes that, and the next run begins. Of two orders of steps that
//! do not meet only one is run: when a step was gone through at a place, it *sleeps* in what its later siblings lead to, until a
//! step meets it (Godefroid: "Partial-order methods for the verification of concurrent systems", 1996, chapter 5).

use rustc_hash::FxHashMap;

use super::footprint::Footprint;
use crate::fault::{Fault, Point, Site};
use crate::random::hash;
use crate::schedule::{Candidate, Guide};
use crate::trace::{ActorId, What};

/// A step that was gone through already from here.
#[derive(Debug, Clone)]
struct Sleeper {
    /// The arrival that it begins with: it is called the same in each order of steps that do not meet.
    arrival: Point,
    footprint: Footprint,
}

/// A place where a run can go either way.
enum Node {
    Arrivals(Arrivals),
    Faults(Faults),
}

/// One of several messages arrives.
struct Arrivals {
    options: Vec<Point>,
    /// What slept when the run came here.
    asleep: Vec<Sleeper>,
    /// What was gone through from here.
    done: Vec<Sleeper>,
    /// The option of this run.
    current: usize,
    /// What the current option touches when nothing goes wrong in it: what is seen the first time.
    footprint: Option<Footprint>,
    /// Whether something may go wrong after this.
    may_fail: bool,
}

/// Nothing goes wrong, or one of the faults does.
struct Faults {
    options: Vec<Fault>,
    current: Option<usize>,
}

/// The step under way.
struct Step {
    node: usize,
    footprint: Footprint,
    /// Something that we chose went wrong in it.
    failed: bool,
}

/// How a run ended for the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// To the end of a schedule.
    Through,
    /// To a place from where all leads to what was seen.
    Blocked,
    /// Elsewhere than the run before it.
    Astray,
}

/// Who goes on at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awake {
    /// Steps follow each other; no time passes.
    Steps,
    Nobody,
    One(ActorId),
}

/// What comes after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another run.
    Run,
    /// All of it from the beginning: it turned out that more orders matter.
    Anew,
    Nothing,
}

/// What is searched, and how far it came.
pub(super) struct Search {
    alphabet: Vec<(Site, Fault)>,
    max_faults: usize,
    /// Whether steps sleep; without it all orders are run.
    reduce: bool,
    path: Vec<Node>,
    /// How many decisions of the path this run has made.
    depth: usize,
    step: Option<Step>,
    /// What sleeps at this moment of the run.
    asleep: Vec<Sleeper>,
    /// How many faults were chosen in this run.
    faults: usize,
    came: Came,
    /// How many handlers each process has under way.
    working: FxHashMap<ActorId, u32>,
    /// Who goes on at this instant, while time passes.
    awake: Awake,
    /// Whether several processes ever went on at one instant.
    together: bool,
    /// Whether it matters in which order those begin to wait who may wait for time.
    timed: bool,
}

impl Search {
    pub(super) fn new(alphabet: Vec<(Site, Fault)>, max_faults: usize, reduce: bool) -> Self {
        Self {
            alphabet,
            max_faults,
            reduce,
            path: Vec::new(),
            depth: 0,
            step: None,
            asleep: Vec::new(),
            faults: 0,
            came: Came::Through,
            working: FxHashMap::default(),
            awake: Awake::Steps,
            together: false,
            timed: false,
        }
    }

    /// The run is over. Gives how it ended.
    pub(super) fn end_run(&mut self) -> Came {
        self.end_step();
        if self.came == Came::Through && self.depth < self.path.len() {
            self.came = Came::Astray;
        }
        self.came
    }

    /// Chooses what the next run does otherwise.
    pub(super) fn next_run(&mut self) -> Next {
        (self.depth, self.faults, self.came) = (0, 0, Came::Through);
        self.asleep.clear();
        self.working.clear();
        self.awake = Awake::Steps;
        if self.together && self.reduce && !self.timed {
            self.timed = true;
            self.path.clear();
            return Next::Anew;
        }
        while let Some(node) = self.path.last_mut() {
            let more = match node {
                Node::Arrivals(arrivals) => arrivals.advance(self.reduce),
                Node::Faults(faults) => faults.advance(),
            };
            if more {
                return Next::Run;
            }
            self.path.pop();
        }
        Next::Nothing
    }

    /// Wakes whom the step under way met. A step that slept is only worth going through when something goes wrong in it.
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
        if node.is_asleep(node.current) && !step.failed {
            self.came = Came::Blocked;
        }
        let sleepers = node.asleep.iter().chain(&node.done);
        self.asleep = sleepers.filter(|sleeper| !sleeper.footprint.meets(&step.footprint)).cloned().collect();
        node.footprint.get_or_insert(step.footprint);
    }

    /// The decision of this run at this place, as the path has it; a new one where it ends.
    fn arrivals(&mut self, options: Vec<Point>) -> Option<&mut Arrivals> {
        if self.depth == self.path.len() {
            let mut node = Arrivals {
                options,
                asleep: std::mem::take(&mut self.asleep),
                done: Vec::new(),
                current: 0,
                footprint: None,
                may_fail: !self.alphabet.is_empty() && self.faults < self.max_faults,
            };
            let Some(first) = node.choose() else {
                self.came = Came::Blocked;
                return None;
            };
            node.current = first;
            self.path.push(Node::Arrivals(node));
        } else if !matches!(&self.path[self.depth], Node::Arrivals(node) if node.options == options) {
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

impl Guide for Search {
    fn pick(&mut self, candidates: &[Candidate]) -> Option<usize> {
        self.end_step();
        self.awake = Awake::Steps;
        if self.came != Came::Through {
            return None;
        }
        let options = candidates.iter().map(|candidate| candidate.point).collect();
        let current = self.arrivals(options)?.current;
        let Candidate { process, contended, .. } = candidates[current];
        let footprint = Footprint::of(process, contended);
        self.step = Some(Step { node: self.depth - 1, footprint, failed: false });
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
            self.path.push(Node::Faults(Faults { options, current: None }));
        }
        let Some(Node::Faults(node)) = self.path.get(self.depth) else {
            self.came = Came::Astray;
            return None;
        };
        self.depth += 1;
        let fault = node.options[node.current?];
        self.faults += 1;
        if let Some(step) = &mut self.step {
            step.failed = true;
            step.footprint.add_everything();
        }
        Some(fault)
    }

    fn reached(&mut self, process: ActorId, queues: &mut dyn Iterator<Item = &str>) {
        let Some(step) = &mut self.step else { return };
        step.footprint.add_process(process);
        queues.for_each(|queue| step.footprint.add_queue(hash(queue.as_bytes())));
    }

    fn told(&mut self, process: ActorId, what: &What) {
        match what {
            What::Started { .. } => *self.working.entry(process).or_default() += 1,
            What::Ended(_) => *self.working.entry(process).or_default() -= 1,
            _ => {}
        }
        match &mut self.step {
            Some(step) if what.concerns_all() => step.footprint.add_everything(),
            Some(_) => {}
            None => self.together |= self.awake.goes_on(process),
        }
    }

    fn idle(&mut self) {
        self.end_step();
        self.asleep.clear();
        self.awake = Awake::Nobody;
    }
}

impl Awake {
    /// A process goes on; gives whether another one did at this instant.
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

/// Whether it is the process of the scenario and its clients, who may wait for time whenever they like.
fn is_scenario(process: &ActorId) -> bool {
    process.index() == 0
}

impl Arrivals {
    fn is_asleep(&self, option: usize) -> bool {
        self.asleep.iter().any(|sleeper| sleeper.arrival == self.options[option])
    }

    /// The first option that is worth it: one that sleeps only where something may go wrong in it.
    fn choose(&self) -> Option<usize> {
        (0..self.options.len()).find(|option| self.may_fail || !self.is_asleep(*option))
    }

    /// Goes on to the next option; false where there is none.
    fn advance(&mut self, reduce: bool) -> bool {
        let footprint = self.footprint.take();
        if reduce
            && !self.is_asleep(self.current)
            && let Some(footprint) = footprint
        {
            self.done.push(Sleeper { arrival: self.options[self.current], footprint });
        }
        let worth_it = |option: &usize| self.may_fail || !self.is_asleep(*option);
        let next = (self.current + 1..self.options.len()).find(worth_it);
        next.inspect(|next| self.current = *next).is_some()
    }
}

impl Faults {
    fn advance(&mut self) -> bool {
        let next = self.current.map_or(0, |current| current + 1);
        self.current = Some(next);
        next < self.options.len()
    }
}
