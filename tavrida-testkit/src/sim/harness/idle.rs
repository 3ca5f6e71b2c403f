//! What happens when no task can continue: the next message arrives, or time passes.
//!
//! tokio calls [`Harness::idle`] before it parks the thread, which is exactly when nothing is runnable. It makes one thing happen; the tasks
//! that this wakes run until nothing is runnable again. Which message arrives is decided under the broker's lock, and nothing else happens
//! under it.

use tavrida::field::ShortString;
use tavrida::time::later;
use tavrida_memory::core::{ChannelId, Eviction, Operator};
use tavrida_memory::{Head, Heads};
use tokio::time::Instant;

use super::Harness;
use crate::fault::{Fault, Means, Point, Site};
use crate::random::hash;
use crate::sim::world::{Action, Arriving, Awaits, Bereft, Held, Resumption, State};
use crate::trace::{ActorId, CONFIRM_CAME, CONSUMER_CANCELLED, What};

/// What to do if nothing arrives.
enum Instead {
    /// A fault happens to the message that was about to arrive.
    Fail(Fault, Arriving),
    /// A planned action is due.
    Act(Action),
    /// Code goes on.
    Resume(Resumption),
    /// Wait, until this time or until another timer.
    Wait(Option<Instant>),
    /// Nothing at all is under way.
    Quiet,
    /// The run need not continue.
    GiveUp,
}

impl Harness {
    /// Makes the next thing happen. Called when no task is runnable.
    pub(crate) fn idle(&self) {
        let something_happened = self.go_on();
        let world = self.world();
        world.rest.idle(&world.time, something_happened);
        // Time passes only here.
        world.time.forget();
    }

    /// Returns whether anything happened.
    fn go_on(&self) -> bool {
        let mut something_happened = false;
        loop {
            let instead = match self.broker().arrive_one(|heads| self.next(heads)) {
                Ok(true) => return true,
                // No task waited for it.
                Ok(false) => continue,
                Err(instead) => instead,
            };
            match instead {
                Instead::Fail(fault, arriving) => {
                    something_happened = true;
                    self.fail(fault, arriving);
                }
                Instead::Act(action) => {
                    something_happened = true;
                    self.act(action);
                }
                Instead::Resume(resumption) => {
                    self.resume(resumption);
                    return true;
                }
                Instead::Wait(until) => {
                    self.wait_until(until);
                    return something_happened;
                }
                Instead::Quiet => return self.rest() || something_happened,
                Instead::GiveUp => {
                    self.world().ruined.notify_one();
                    return true;
                }
            }
        }
    }

    /// Returns what arrives next, if anything.
    fn next(&self, heads: &Heads<'_>) -> Result<ChannelId, Instead> {
        let world = self.world();
        let state = &mut *world.state();
        let now = world.time.now();
        if let Some(planned) = state.agenda.first_entry()
            && planned.key().0 <= now
        {
            return Err(Instead::Act(planned.remove()));
        }
        let mut later: Option<Instant> = state.agenda.first_key_value().map(|((at, _), _)| *at);
        state.candidates.clear();
        if let Some(due) = state.add_resumptions(heads, now) {
            later = Some(later.map_or(due, |later| later.min(due)));
        }
        state.arriving.clear();
        for head in heads.iter() {
            let actor = ActorId::of_peer(head.session.peer);
            if state.actor(actor).is_deaf() {
                continue;
            }
            let Some(delivered) = head.delivered() else {
                // A cancel is not subject to a decision.
                state.tell(actor, What::Note(CONSUMER_CANCELLED.to_owned()));
                return Ok(head.channel);
            };
            let message = state.arriving_message(world, &delivered.publication);
            let key = state.trace.message(message).key();
            let mut candidate = state.director.candidate(key, actor, state.consumer_key(head.channel));
            let due = state.due_of(&head, candidate.point, now);
            if due > now {
                later = Some(later.map_or(due, |later| later.min(due)));
                continue;
            }
            candidate.process = state.process_of(actor);
            candidate.contended = head.contended().map(|queue| hash(queue.as_bytes()));
            state.arriving.push(Arriving {
                candidate,
                message,
                actor,
                channel: head.channel,
                number: head.number,
                delivery_tag: delivered.delivery_tag,
                redelivered: delivered.redelivered,
                unsettled: head.is_unsettled(),
            });
        }
        if state.arriving.is_empty() && state.candidates.is_empty() {
            if let Some(guide) = state.director.guide() {
                guide.idle();
            }
            return Err(match later {
                None if heads.is_empty() => Instead::Quiet,
                later => Instead::Wait(later),
            });
        }
        state.let_pass();
        let resumptions = state.candidates.len();
        let Some(picked) = state.pick() else {
            state.given_up = true;
            return Err(Instead::GiveUp);
        };
        let Some(picked) = picked.checked_sub(resumptions).map(|arriving| state.arriving[arriving]) else {
            let point = state.candidates[picked].point;
            return Err(Instead::Resume(state.take_resumption(point).expect("it is a candidate")));
        };
        let can = if state.director.is_active() { means(heads, picked.channel) } else { Means::default() };
        state.deliver(picked, can)
    }

    /// Carries out a fault at an arrival.
    fn fail(&self, fault: Fault, arriving: Arriving) {
        let Arriving { actor, channel, number, .. } = arriving;
        let broker = self.broker();
        match fault {
            Fault::ConnectionLost => self.cut(actor, "the connection broke"),
            Fault::ChannelClosed => {
                self.await_consumer(channel);
                // Settlements on this channel have no effect any more.
                let mut state = self.world().state();
                state.held.retain(|(other, _), _| *other != channel);
                state.late.retain(|(other, ..)| *other != channel);
                drop(state);
                broker.operate(Operator::CloseChannel {
                    channel,
                    code: 406,
                    text: "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out".to_owned(),
                });
            }
            Fault::ConsumerCancelled => {
                self.await_consumer(channel);
                let consumer_tag = self.consumer_of(channel);
                broker.operate(Operator::CancelConsumer { channel, consumer_tag });
            }
            Fault::BrokerRestart => broker.restart(),
            Fault::BrokerKilled => broker.kill(),
            Fault::Partition(time) => self.world().state().isolate(actor, true, true, time),
            Fault::Deaf(time) => self.world().state().isolate(actor, true, false, time),
            Fault::Mute(time) => self.world().state().isolate(actor, false, true, time),
            Fault::Delayed(by) => {
                let due = (number, later(self.world().time.now(), by));
                self.world().state().due.insert(channel, due);
            }
            Fault::Overtaken(times) => {
                self.world().state().overtaken.insert(channel, (number, times));
            }
            Fault::Expired => {
                broker.operate(Operator::Evict { channel, why: Eviction::Expired });
            }
            Fault::Overflow => {
                broker.operate(Operator::Evict { channel, why: Eviction::Overflow });
            }
            Fault::ClockJump(seconds) => self.clock().jump(seconds),
            Fault::Crash(down_for) => {
                self.world().state().kill(actor, down_for);
                self.cut(actor, "the process was killed");
            }
            _ => {}
        }
    }

    pub(super) fn act(&self, action: Action) {
        match action {
            Action::Cut(actor) => self.cut(actor, "no heartbeat came"),
            Action::Hear(actor) => {
                let hears = self.world().state().hear(actor);
                if hears {
                    self.broker().confirm(actor.peer());
                }
            }
            Action::Release(actor) => {
                let released = self.world().state().release(actor);
                if released {
                    self.world().state().tell_late(actor);
                    self.broker().release(actor.peer());
                }
            }
        }
    }

    /// Lets code go on.
    fn resume(&self, resumption: Resumption) {
        let Resumption { actor, number, awaits, .. } = resumption;
        match awaits {
            Awaits::Confirm { message, session } => {
                let note = What::Note(CONFIRM_CAME.to_owned());
                self.world().state().tell_of(actor, Some(message), 0, note);
                self.broker().confirm_late(session, number);
            }
            Awaits::Turn { work, nth, waker, .. } => {
                let (message, delivery) = work.map_or((None, 0), |work| (work.message, work.delivery));
                self.world().state().tell_of(actor, message, delivery, What::TookTurn { nth });
                waker.wake();
            }
        }
    }

    /// Makes the pump wake in time.
    fn wait_until(&self, until: Option<Instant>) {
        let mut state = self.world().state();
        if until.is_some() && state.wake_at != until {
            state.wake_at = until;
            drop(state);
            self.world().pump.notify_one();
        }
    }

    /// With nothing in transit, wakes the tasks that wait for quiescence, if nothing else is under way either. Returns whether the run is
    /// quiescent.
    fn rest(&self) -> bool {
        let world = self.world();
        let state = world.state();
        if let Some(at) = state.agenda.first_key_value().map(|((at, _), _)| *at) {
            drop(state);
            self.wait_until(Some(at));
            return false;
        }
        if state.settlers == 0 || !state.is_quiet() {
            return false;
        }
        drop(state);
        let settled = !self.broker().is_waiting() && self.is_consumed();
        if settled {
            world.state().note_foreign_tasks();
            world.settled.notify_waiters();
        }
        settled
    }

    /// Records that the consumer of a channel is about to end while its session lives: the run is not settled before it is back.
    fn await_consumer(&self, channel: ChannelId) {
        if let Some((queue, consumers)) = self.broker().audience(channel) {
            let session = channel.connection.0 / 2;
            self.world().state().bereft.push(Bereft { queue, consumers, session });
        }
    }

    /// Returns the consumer of the head of a channel.
    fn consumer_of(&self, channel: ChannelId) -> ShortString {
        let tag = |heads: &Heads<'_>| Some(head_of(heads, channel)?.delivered()?.consumer_tag.clone());
        self.broker().heads(tag).unwrap_or_default()
    }

    /// Returns whether the consumers that faults removed are back, for queues that still exist.
    fn is_consumed(&self) -> bool {
        let mut state = self.world().state();
        if !state.bereft.is_empty() {
            state.bereft.retain(|bereft| {
                self.broker().consumers(&bereft.queue).is_some_and(|now| now < bereft.consumers)
            });
        }
        state.bereft.is_empty()
    }
}

fn head_of<'a>(heads: &Heads<'a>, channel: ChannelId) -> Option<Head<'a>> {
    heads.iter().find(|head| head.channel == channel)
}

/// Returns which faults the queue of the head of a channel allows.
fn means(heads: &Heads<'_>, channel: ChannelId) -> Means {
    let Some(head) = head_of(heads, channel) else { return Means::default() };
    let can = |why| head.can_evict(why);
    Means { expires: can(Eviction::Expired), overflows: can(Eviction::Overflow), ..Means::default() }
}

impl State {
    /// Returns whether no handler and no task of one runs, no delivery is unsettled, and all actors are connected as they should be.
    pub(crate) fn is_quiet(&self) -> bool {
        let all_well = self.actors.iter().skip(1).all(super::super::world::ActorState::is_well);
        self.handlers == 0 && self.tasks.are_over() && self.held.is_empty() && all_well
    }

    /// Returns the key of the consumer of a channel.
    fn consumer_key(&self, channel: ChannelId) -> u64 {
        let known = self.channels.get(&channel).map(|channel| self.trace.consumer_key(*channel));
        known.unwrap_or_else(|| u64::from(channel.number))
    }

    /// Returns when a head may arrive.
    fn due_of(&mut self, head: &Head<'_>, point: Point, now: Instant) -> Instant {
        if let Some((number, due)) = self.due.get(&head.channel)
            && *number == head.number
        {
            return *due;
        }
        let delay = self.director.delay(point);
        if delay.is_zero() {
            return now;
        }
        let due = later(now, delay);
        self.due.insert(head.channel, (head.number, due));
        due
    }

    /// Lets others pass overtaken heads, while there are others.
    fn let_pass(&mut self) {
        let Self { arriving, overtaken, .. } = self;
        if overtaken.is_empty() || arriving.len() < 2 {
            return;
        }
        let waits = |arriving: &Arriving| {
            overtaken
                .get(&arriving.channel)
                .is_some_and(|(number, left)| *number == arriving.number && *left > 0)
        };
        if !arriving.iter().all(waits) {
            arriving.retain(|arriving| !waits(arriving));
        }
    }

    /// Picks what goes on, of the candidates so far, or which message arrives. `None` if the run is abandoned.
    fn pick(&mut self) -> Option<usize> {
        let Self { arriving, candidates, director, .. } = self;
        candidates.extend(arriving.iter().map(|arriving| arriving.candidate));
        director.pick(candidates)
    }

    /// Delivers the picked message, or carries out a fault on it.
    fn deliver(&mut self, picked: Arriving, can: Means) -> Result<ChannelId, Instead> {
        let Arriving { message, actor, channel, .. } = picked;
        if let Some(fault) = self.fault_of(Site::Deliver, message, actor, can) {
            return Err(Instead::Fail(fault, picked));
        }
        self.overtaken.values_mut().for_each(|(_, left)| *left = left.saturating_sub(1));
        let delivery = self.messages.deliver(message);
        let (channel_number, contended) = (self.channels.get(&channel).copied(), picked.candidate.contended);
        let held = Held { message, delivery, channel: channel_number, contended };
        if picked.unsettled {
            self.held.insert((channel, picked.delivery_tag), held);
        }
        self.tell_held(actor, held, What::Delivered { redelivered: picked.redelivered });
        Ok(channel)
    }
}
