//! [`World`]: the state of a run, behind one lock. The network between sessions and broker queries it; handlers report to it.

mod actors;
mod agenda;
mod guard;
mod messages;
mod network;
mod probe;
mod resumptions;
mod tasks;
mod time;

use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};
use tavrida::field::ShortString;
use tavrida_memory::PublishFate;
use tavrida_memory::core::ChannelId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::ids::IdBook;
use crate::fault::{Fault, Means, Point, Site, Unmet};
use crate::laws::{self, Waivers};
use crate::problem::{Problem, ProblemKind};
use crate::random::hash;
use crate::run::Run;
use crate::schedule::{Candidate, Director, Label};
use crate::trace::{ActorId, ActorKind, ChannelNumber, Event, MessageId, Outcome, Trace, What};

pub(crate) use actors::ActorState;
pub(crate) use agenda::Action;
pub(crate) use guard::{Guard, Rest};
pub(crate) use messages::Messages;
pub(crate) use probe::Probe;
pub(crate) use resumptions::{Awaits, Resumption};
pub(crate) use time::Time;

/// After this many requeues in a row without time passing, the run would not end.
const ENDLESS: u32 = 10_000;

/// A law of a test: returns the violation, if any.
pub(crate) type OwnLaw = Box<dyn FnOnce(&Run) -> Option<String> + Send>;

/// The state of one run.
pub(crate) struct World {
    state: Mutex<State>,
    pub(crate) ids: Arc<IdBook>,
    /// Makes the pump wake at another time.
    pub(crate) pump: Notify,
    /// Wakes the tasks that wait for quiescence.
    pub(crate) settled: Notify,
    /// Signals that the run cannot continue.
    pub(crate) ruined: Notify,
    pub(crate) time: Arc<Time>,
    pub(crate) rest: Rest,
}

pub(crate) struct State {
    pub(crate) time: Arc<Time>,
    pub(crate) trace: Trace,
    pub(crate) director: Director,
    pub(crate) messages: Messages,
    pub(crate) actors: Vec<ActorState>,
    /// Buffer for the messages that could arrive, reused from step to step.
    pub(crate) arriving: Vec<Arriving>,
    pub(crate) candidates: Vec<Candidate>,
    /// Code that waits until the run lets it go on.
    pub(crate) resumptions: Vec<Resumption>,
    /// How many yield points were reached, by [key](crate::schedule::yield_key).
    yields: FxHashMap<u64, u32>,
    /// Unsettled deliveries.
    pub(crate) held: FxHashMap<(ChannelId, u64), Held>,
    /// Settlements that the broker does not have yet, with the event to record when it does.
    pub(crate) late: Vec<(ChannelId, ActorId, Held, What)>,
    /// The open channels, by the broker's number.
    pub(crate) channels: FxHashMap<ChannelId, ChannelNumber>,
    /// When the heads that are delayed may arrive, by channel, with their number.
    pub(crate) due: FxHashMap<ChannelId, (u64, Instant)>,
    /// How many others arrive before the heads that are overtaken, by channel, with their number.
    pub(crate) overtaken: FxHashMap<ChannelId, (u64, u32)>,
    /// Queues that lost a consumer to a fault.
    pub(crate) bereft: Vec<Bereft>,
    /// Timed actions; the number keeps those of one time in order.
    pub(crate) agenda: BTreeMap<(Instant, u64), Action>,
    pub(crate) planned: u64,
    /// When the pump wakes.
    pub(crate) wake_at: Option<Instant>,
    /// Running handlers.
    pub(crate) handlers: u32,
    pub(crate) tasks: tasks::Tasks,
    /// How many tasks wait for quiescence.
    pub(crate) settlers: u32,
    /// The fate of the message that is being published at this moment.
    fate: PublishFate,
    /// Open publishes, on a live broker.
    #[cfg(feature = "live")]
    pub(crate) publishing: u32,
    /// The queues that servers consume, on a live broker.
    #[cfg(feature = "live")]
    pub(crate) queues: BTreeSet<String>,
    pub(crate) problem: Option<Problem>,
    /// The run need not continue.
    pub(crate) given_up: bool,
    /// The waived laws.
    pub(crate) waived: Waivers,
    /// The laws of the test.
    pub(crate) own_laws: Vec<(String, OwnLaw)>,
    /// Whether every delivery that needs an acknowledgement is made twice; the keys of the messages that were.
    pub(crate) twice: bool,
    pub(crate) doubled: FxHashSet<u64>,
    /// How many requeues happened in a row at one time.
    pub(crate) given_back: (Duration, u32),
    /// The run would not end.
    pub(crate) endless: bool,
    /// When the run ended.
    pub(crate) ended: Duration,
    /// The run has ended: what happens while its tasks are dropped, in any order, is not part of it.
    pub(crate) over: bool,
}

/// A message that could arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arriving {
    pub(crate) candidate: Candidate,
    pub(crate) message: MessageId,
    /// The receiver.
    pub(crate) actor: ActorId,
    pub(crate) channel: ChannelId,
    /// The broker's number of the delivery.
    pub(crate) number: u64,
    pub(crate) delivery_tag: u64,
    pub(crate) redelivered: bool,
    /// Whether the broker waits for its settlement.
    pub(crate) unsettled: bool,
}

/// An unsettled delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) message: MessageId,
    pub(crate) delivery: u32,
    /// The channel on which it arrived.
    pub(crate) channel: Option<ChannelNumber>,
    /// The hash of its queue, if the time of its settlement matters to that queue.
    pub(crate) contended: Option<u64>,
}

/// A queue that lost a consumer to a fault.
pub(crate) struct Bereft {
    pub(crate) queue: ShortString,
    /// How many consumers it had.
    pub(crate) consumers: usize,
    /// The session of the consumer.
    pub(crate) session: u32,
}

/// Capacity for the messages of a usual run, so that tables do not grow in each run.
pub(crate) const MANY: usize = 50;

impl World {
    pub(crate) fn new(director: Director, time: Time) -> Self {
        let mut trace = Trace::with_room_for(MANY);
        trace.add_actor("simulation", ActorKind::Simulation);
        let time = Arc::new(time);
        let state = State {
            time: time.clone(),
            trace,
            director,
            messages: Messages::with_room_for(MANY),
            actors: vec![ActorState::default()],
            arriving: Vec::new(),
            candidates: Vec::new(),
            resumptions: Vec::new(),
            yields: FxHashMap::default(),
            held: FxHashMap::default(),
            late: Vec::new(),
            channels: FxHashMap::default(),
            due: FxHashMap::default(),
            overtaken: FxHashMap::default(),
            bereft: Vec::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            wake_at: None,
            handlers: 0,
            tasks: Default::default(),
            settlers: 0,
            fate: PublishFate::Taken,
            #[cfg(feature = "live")]
            publishing: 0,
            #[cfg(feature = "live")]
            queues: Default::default(),
            problem: None,
            given_up: false,
            waived: Waivers::default(),
            own_laws: Vec::new(),
            twice: false,
            doubled: FxHashSet::default(),
            given_back: (Duration::ZERO, 0),
            endless: false,
            ended: Duration::ZERO,
            over: false,
        };
        Self {
            state: Mutex::new(state),
            ids: Arc::default(),
            pump: Notify::new(),
            settled: Notify::new(),
            ruined: Notify::new(),
            time,
            rest: Rest::default(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Fails the run; only the first problem is reported.
    pub(crate) fn fail(&self, kind: ProblemKind, text: String) {
        self.state().fail(kind, text);
    }
}

impl State {
    /// Records an event.
    pub(crate) fn tell(&mut self, actor: ActorId, what: What) {
        self.tell_of(actor, None, 0, what);
    }

    /// Records an event of a message.
    pub(crate) fn tell_of(&mut self, actor: ActorId, message: Option<MessageId>, delivery: u32, what: What) {
        if self.over {
            return;
        }
        let process = self.process_of(actor);
        if let Some(guide) = self.director.guide() {
            guide.told(process, &what);
        }
        let at = self.time.elapsed();
        self.trace.add(Event { at, actor, message, delivery, channel: None, what });
    }

    /// Records an event of a delivery.
    pub(crate) fn tell_held(&mut self, actor: ActorId, held: Held, what: What) {
        if self.over {
            return;
        }
        let process = self.process_of(actor);
        if let Some(guide) = self.director.guide() {
            guide.told(process, &what);
        }
        let Held { message, delivery, channel, .. } = held;
        let at = self.time.elapsed();
        self.trace.add(Event { at, actor, message: Some(message), delivery, channel, what });
    }

    /// Returns everything that happened so far.
    pub(crate) fn told(&self) -> Trace {
        let mut trace = self.trace.clone();
        trace.add_timeouts(self.time.elapsed());
        trace
    }

    pub(crate) fn fail(&mut self, kind: ProblemKind, text: String) {
        // The runtime and its clock may have been dropped.
        let at = match self.over {
            true => self.trace.events().last().map_or(Duration::ZERO, |last| last.at),
            false => self.time.elapsed(),
        };
        self.problem.get_or_insert(Problem { kind, text, at, chain: None });
    }

    /// Delivers the delayed settlements of an actor to the broker.
    pub(crate) fn tell_late(&mut self, id: ActorId) {
        for (channel, actor, held, what) in std::mem::take(&mut self.late) {
            if actor == id {
                self.tell_held(actor, held, what);
            } else {
                self.late.push((channel, actor, held, what));
            }
        }
    }

    /// Counts a requeue, and ends a run that requeues without end while no time passes.
    pub(crate) fn count_given_back(&mut self, held: Held) {
        let now = self.time.elapsed();
        let (at, times) = &mut self.given_back;
        *times = if *at == now { *times + 1 } else { 1 };
        *at = now;
        if *times == ENDLESS {
            let message = self.trace.message(held.message);
            let text =
                format!("messages were given back {ENDLESS} times at one moment, the {message} at last");
            self.fail(ProblemKind::Law(laws::HOT_LOOP.to_owned()), text);
            self.endless = true;
        }
    }

    /// Returns the fault of a message at a site, if any, and records it.
    pub(crate) fn fault(&mut self, site: Site, message: MessageId, actor: ActorId) -> Option<Fault> {
        self.fault_of(site, message, actor, Means::default())
    }

    /// As [`fault`](State::fault), for a message that is about to arrive: which faults it `can` have depends on its queue.
    pub(crate) fn fault_of(
        &mut self,
        site: Site,
        message: MessageId,
        actor: ActorId,
        can: Means,
    ) -> Option<Fault> {
        let point = self.pass(site, message);
        if !self.director.is_active() {
            return None;
        }
        let publication = self.trace.message(message).publication().clone();
        let label = Label { topic: messages::topic_of(&publication), exchange: &publication.exchange };
        let fault = self.draw(point, label, Means { restarts: self.restarts(actor), ..can })?;
        let delivery = self.messages.deliveries(message);
        self.tell_of(actor, Some(message), delivery, What::Fault(format!("{fault} at {site}").into()));
        Some(fault)
    }

    /// Returns how much later than the others a server of the graph starts, by a fault.
    pub(crate) fn lateness(&mut self, server: &str) -> Duration {
        let earlier = self.trace.actors().iter().filter(|actor| actor.service() == server).count();
        let nth = u32::try_from(earlier).expect("a graph has fewer than four billion servers") + 1;
        let point = Point { site: Site::Boot, key: hash(server.as_bytes()), nth };
        let label = Label { topic: server, exchange: "" };
        if !self.director.is_active() {
            return Duration::ZERO;
        }
        let of_a_server = Means { restarts: true, ..Means::default() };
        let Some(fault @ Fault::LateStart(by)) = self.draw(point, label, of_a_server) else {
            return Duration::ZERO;
        };
        self.tell(ActorId::of_peer(0), What::Fault(format!("{fault} at {} of {server}", Site::Boot).into()));
        by
    }

    fn draw(&mut self, point: Point, label: Label<'_>, means: Means) -> Option<Fault> {
        let at = self.time.elapsed();
        self.director.fault(point, label, means, at).unwrap_or_else(|impossible| {
            self.fail(ProblemKind::Script, format!("a scripted fault cannot happen there: {impossible}"));
            None
        })
    }

    /// Returns the scripted faults whose places were not reached; the run fails for them, unless it already failed.
    pub(crate) fn unmet(&mut self) -> Vec<Unmet> {
        let unmet: Vec<Unmet> = self.director.unmet().collect();
        if let Some(first) = unmet.iter().find(|unmet| !unmet.at.is_optional()) {
            let hint = self.seen_at(first.at.site());
            self.fail(ProblemKind::Script, format!("a scripted fault: {first}{hint}"));
        }
        unmet
    }

    /// Returns what reached a site in the run, as a hint for misspelt names.
    fn seen_at(&self, site: Site) -> String {
        if site == Site::Boot {
            return String::new();
        }
        let mut topics = BTreeSet::new();
        for (index, message) in self.trace.messages().iter().enumerate() {
            if self.messages.counted(site, MessageId::new(index)) > 0 {
                topics.insert(message.topic());
            }
        }
        let topics: Vec<&str> = topics.into_iter().collect();
        format!(
            "; what came to {site}: {}",
            if topics.is_empty() { "nothing".to_owned() } else { topics.join(", ") }
        )
    }

    /// Counts that a message reached a site.
    fn pass(&mut self, site: Site, message: MessageId) -> Point {
        let nth = self.messages.count(site, message);
        Point { site, key: self.trace.message(message).key(), nth }
    }

    pub(crate) fn published(&mut self, actor: ActorId, message: MessageId, outcome: Outcome) {
        self.tell_of(actor, Some(message), 0, What::Published(outcome));
    }
}
