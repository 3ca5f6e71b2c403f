//! What happens when no task can go on: the next message arrives, or time passes.
//!
//! tokio calls [`Stage::idle`] before it parks the thread, which is exactly when nothing is runnable. It lets one thing
//! happen, and whoever that wakes runs until nothing is runnable again. Nothing is decided under the broker's lock.

use tavrida_memory::Head;
use tavrida_memory::core::{ChannelId, Eviction, Operator};
use tokio::time::Instant;

use super::Stage;
use crate::fault::{Fault, Means, Point, Site};
use crate::random::hash;
use crate::schedule::Candidate;
use crate::sim::world::{Action, Held, State};
use crate::trace::{ActorId, CONSUMER_CANCELLED, MessageId, What};

/// What to do next.
enum Next {
    /// Let the head of this channel arrive.
    Arrive(ChannelId),
    /// Something goes wrong with the head that was about to arrive.
    Fail(Fault, Head),
    /// Something that was planned is due.
    Act(Action),
    /// Nothing, until this time or until a timer of somebody's.
    Wait(Option<Instant>),
    /// Nothing at all is under way.
    Quiet,
    /// Nothing more: the run is not worth going on with.
    GiveUp,
}

impl Stage {
    /// Lets the next thing happen. Called when no task is runnable.
    pub(crate) fn idle(&self) {
        let something_happened = self.go_on();
        self.world().rest.idle(self.world().began, something_happened);
    }

    /// Gives whether anything happened.
    fn go_on(&self) -> bool {
        let mut heads = std::mem::take(&mut self.world().state().heads);
        let something_happened = self.go_on_from(&mut heads);
        heads.clear();
        self.world().state().heads = heads;
        something_happened
    }

    fn go_on_from(&self, heads: &mut Vec<Head>) -> bool {
        let mut something_happened = false;
        loop {
            self.broker().heads(heads);
            let next = self.next(heads);
            match next {
                Next::Arrive(channel) => {
                    if self.broker().arrive(channel) {
                        return true;
                    }
                }
                Next::Fail(fault, head) => {
                    something_happened = true;
                    self.fail(fault, &head);
                }
                Next::Act(action) => {
                    something_happened = true;
                    self.act(action);
                }
                Next::Wait(until) => {
                    self.wait_until(until);
                    return something_happened;
                }
                Next::Quiet => return self.rest() || something_happened,
                Next::GiveUp => {
                    self.world().ruined.notify_one();
                    return true;
                }
            }
        }
    }

    fn next(&self, heads: &[Head]) -> Next {
        let world = self.world();
        let mut state = world.state();
        let now = Instant::now();
        if let Some((at, _)) = state.agenda.first_key_value().map(|(at, action)| (*at, *action))
            && at.0 <= now
        {
            let (_, action) = state.agenda.pop_first().expect("it was just there");
            return Next::Act(action);
        }
        let mut arriving: Vec<(Candidate, &Head, Option<MessageId>)> = Vec::with_capacity(heads.len());
        let mut later: Option<Instant> = state.agenda.first_key_value().map(|((at, _), _)| *at);
        for head in heads {
            let actor = ActorId::of_peer(head.line.peer);
            if state.actor(actor).is_deaf() {
                continue;
            }
            let Some(publication) = &head.publication else {
                // A cancel has no choice about it.
                state.tell(actor, What::Note(CONSUMER_CANCELLED.to_owned()));
                return Next::Arrive(head.channel);
            };
            let message = state.message(world, publication, ActorId::of_peer(0));
            let key = state.trace.message(message).key();
            let candidate =
                state.director.candidate(key, ActorId::of_peer(head.line.peer), head.channel.number);
            let due = state.due_of(head, candidate.point, now);
            if due <= now {
                let process = state.process_of(actor);
                let contended = head.contended.as_ref().map(|queue| hash(queue.as_bytes()));
                arriving.push((Candidate { process, contended, ..candidate }, head, Some(message)));
            } else {
                later = Some(later.map_or(due, |later| later.min(due)));
            }
        }
        if arriving.is_empty() {
            if let Some(guide) = state.director.guide() {
                guide.idle();
            }
            return match later {
                None if heads.is_empty() => Next::Quiet,
                later => Next::Wait(later),
            };
        }
        state.let_pass(&mut arriving);
        let mut candidates = std::mem::take(&mut state.candidates);
        candidates.clear();
        candidates.extend(arriving.iter().map(|(candidate, _, _)| *candidate));
        let picked = state.director.pick(&candidates);
        state.candidates = candidates;
        let Some(picked) = picked else {
            state.given_up = true;
            return Next::GiveUp;
        };
        let (_, head, message) = arriving[picked];
        let message = message.expect("only messages are picked");
        let can = if state.director.is_active() { self.means(head) } else { Means::default() };
        state.deliver(head, message, can)
    }

    /// What can become of a head in its queue.
    fn means(&self, head: &Head) -> Means {
        let can = |why| self.broker().can_evict(head.channel, why);
        Means { expires: can(Eviction::Expired), overflows: can(Eviction::Overflow), ..Means::default() }
    }

    /// Carries out what goes wrong at an arrival.
    fn fail(&self, fault: Fault, head: &Head) {
        let actor = ActorId::of_peer(head.line.peer);
        let broker = self.broker();
        match fault {
            Fault::ConnectionLost => self.cut(actor, "the connection broke"),
            Fault::ChannelClosed => {
                self.await_consumer(head);
                // No verdict on this channel will be heard any more.
                self.world().state().held.retain(|(channel, _), _| *channel != head.channel);
                broker.operate(Operator::CloseChannel {
                    channel: head.channel,
                    code: 406,
                    text: "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out".to_owned(),
                });
            }
            Fault::ConsumerCancelled => {
                self.await_consumer(head);
                broker.operate(Operator::CancelConsumer {
                    channel: head.channel,
                    consumer_tag: head.consumer_tag.clone(),
                });
            }
            Fault::BrokerRestart => broker.restart(),
            Fault::BrokerKilled => broker.kill(),
            Fault::Partition(time) => self.world().state().isolate(actor, true, true, time),
            Fault::Deaf(time) => self.world().state().isolate(actor, true, false, time),
            Fault::Mute(time) => self.world().state().isolate(actor, false, true, time),
            Fault::Delayed(by) => {
                let due = (head.number, Instant::now() + by);
                self.world().state().due.insert(head.channel, due);
            }
            Fault::Overtaken(times) => {
                self.world().state().overtaken.insert(head.channel, (head.number, times));
            }
            Fault::Expired => {
                broker.operate(Operator::Evict { channel: head.channel, why: Eviction::Expired });
            }
            Fault::Overflow => {
                broker.operate(Operator::Evict { channel: head.channel, why: Eviction::Overflow });
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

    /// Sees to it that the pump wakes in time.
    fn wait_until(&self, until: Option<Instant>) {
        let mut state = self.world().state();
        if until.is_some() && state.wake_at != until {
            state.wake_at = until;
            drop(state);
            self.world().pump.notify_one();
        }
    }

    /// Nothing is on its way: who waits for the end of everything is told, if nothing else is under way either. Gives whether it
    /// was so.
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
            world.settled.notify_waiters();
        }
        settled
    }

    /// The consumer of a head is about to be gone, though its session lives: nothing is settled before it is back.
    fn await_consumer(&self, head: &Head) {
        if let Some(audience) = self.broker().audience(head.channel) {
            self.world().state().bereft.push(audience);
        }
    }

    /// Whether the consumers are back that faults took away, of queues that are still there.
    fn is_consumed(&self) -> bool {
        let mut state = self.world().state();
        if !state.bereft.is_empty() {
            state.bereft.retain(|(queue, wanted)| {
                self.broker().consumers(queue).is_some_and(|consumers| consumers < *wanted)
            });
        }
        state.bereft.is_empty()
    }
}

impl State {
    /// Whether no handler works, no delivery waits for its verdict, and everybody is where he should be.
    pub(crate) fn is_quiet(&self) -> bool {
        let all_well = self.actors.iter().skip(1).all(super::super::world::ActorState::is_well);
        self.handlers == 0 && self.held.is_empty() && all_well
    }

    /// When a head may arrive.
    fn due_of(&mut self, head: &Head, point: Point, now: Instant) -> Instant {
        if let Some((number, due)) = self.due.get(&head.channel)
            && *number == head.number
        {
            return *due;
        }
        let delay = self.director.delay(point);
        if delay.is_zero() {
            return now;
        }
        let due = now + delay;
        self.due.insert(head.channel, (head.number, due));
        due
    }

    /// Heads that are overtaken wait, as long as there are others.
    fn let_pass(&self, arriving: &mut Vec<(Candidate, &Head, Option<MessageId>)>) {
        if self.overtaken.is_empty() || arriving.len() < 2 {
            return;
        }
        let waits = |head: &Head| {
            self.overtaken
                .get(&head.channel)
                .is_some_and(|(number, left)| *number == head.number && *left > 0)
        };
        if !arriving.iter().all(|(_, head, _)| waits(head)) {
            arriving.retain(|(_, head, _)| !waits(head));
        }
    }

    /// The picked head arrives, or something goes wrong with it.
    fn deliver(&mut self, head: &Head, message: MessageId, can: Means) -> Next {
        let actor = ActorId::of_peer(head.line.peer);
        if let Some(fault) = self.fault_of(Site::Deliver, message, actor, can) {
            return Next::Fail(fault, head.clone());
        }
        self.overtaken.values_mut().for_each(|(_, left)| *left = left.saturating_sub(1));
        let delivery = self.messages.deliver(message);
        let held = Held { message, delivery, channel: self.channels.get(&head.channel).copied() };
        if head.unsettled {
            self.held.insert((head.channel, head.delivery_tag), held);
        }
        self.tell_held(actor, held, What::Delivered { redelivered: head.redelivered });
        Next::Arrive(head.channel)
    }
}
