//! What a mutant does differently from the transport that it wraps.

use tavrida::transport::{
    Binding, Consume, ConsumerEnd, Exchange, Loss, Publication, Queue, QueueStatus, SessionError, Unpublished,
    Verdict,
};

/// Changes on the way to the transport and back; none by default.
#[derive(Clone, Copy)]
pub struct Twist {
    pub exchange: fn(&mut Exchange),
    pub queue: fn(&mut Queue),
    pub binding: fn(&mut Binding),
    pub publication: fn(&mut Publication),
    pub consume: fn(&mut Consume),
    pub verdict: fn(Verdict) -> Verdict,
    pub outcome: fn(&mut Result<(), Unpublished>),
    pub delivered: fn(&mut Publication),
    pub redelivered: fn(bool) -> bool,
    pub status: fn(&mut QueueStatus),
    pub count: fn(u32) -> u32,
    pub left: fn(u32) -> u32,
    pub error: fn(&mut SessionError),
    pub end: fn(&mut ConsumerEnd),
    pub loss: fn(Loss) -> Loss,
    pub blocked: fn() -> Option<String>,
    pub habit: Habit,
}

/// A way of working that no change of values brings about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    Good,
    /// Publishes when the publishing is made, not when it is polled.
    PublishesEarly,
    /// Holds the first publish of two back until the second was sent.
    SwapsPublishes,
    /// Says that a message has arrived without looking.
    ConfirmsBlindly,
    /// Mixes up the outcomes of publishes that are under way together.
    SwapsOutcomes,
    /// Closes the session when a publish is refused.
    DiesOfRefusals,
    /// Hands the second of two deliveries out first.
    SwapsDeliveries,
    /// Forgets to cancel a consumer that is dropped.
    LeaksConsumers,
    /// Ends a cancelled consumer at once.
    CancelLoses,
    /// Tells the end of a consumer once, then waits for ever.
    EndsOnce,
    /// Acknowledges all earlier deliveries along with one.
    AcksMultiple,
    /// Takes settlements of a dead session without a word.
    SettlesStale,
    /// Keeps settlements to itself until the next, and forgets the last.
    LosesLastSettlement,
    /// Does not unbind.
    NeverUnbinds,
    /// Answers after the end as if nothing had happened.
    OutlivesItself,
    /// Fails to close what is closed.
    ClosesOnce,
    /// Closes without a word to those who wait.
    EndsInSilence,
}

impl Twist {
    /// A faithful wrapper.
    pub const NONE: Self = Self {
        exchange: |_| (),
        queue: |_| (),
        binding: |_| (),
        publication: |_| (),
        consume: |_| (),
        verdict: |verdict| verdict,
        outcome: |_| (),
        delivered: |_| (),
        redelivered: |redelivered| redelivered,
        status: |_| (),
        count: |count| count,
        left: |left| left,
        error: |_| (),
        end: |_| (),
        loss: |loss| loss,
        blocked: || None,
        habit: Habit::Good,
    };

    /// A wrapper with nothing but a habit.
    pub const fn habit(habit: Habit) -> Self {
        Self { habit, ..Self::NONE }
    }
}
